//! `run: { shell }`.

use std::path::PathBuf;

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{Act, ActCall, Failure, Kind, Signature, Title};

use crate::arguments::{Arguments, needed, revealed};
use crate::child::Program;
use crate::run::{circumstances, run};
use crate::settings::Shell;

/// What means more than itself to a shell.
const MEANING: &[char] = &[
    '|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', '*', '?', '[', ']', '#', '~',
    '=', '%', '{', '}', '!', '^', '\n', '\r', '\t',
];

pub(crate) struct RunShell {
    signature: Signature,
    shell: Shell,
}

impl RunShell {
    pub(crate) fn new(shell: Shell) -> Self {
        let signature = Signature::new(
            "run.shell",
            Kind::Act,
            Title::new("运行命令", "Shell command"),
        )
        .summary("Runs a command that the site allows.")
        .arguments(value!({
            "type": "object",
            "required": ["command"],
            "properties": {
                "command": { "type": "string" }, "arguments": { "type": ["array", "null"] },
                "environment": { "type": ["object", "null"] }, "stdin": true,
                "await": { "type": "boolean" },
                "return": { "enum": ["stdout", "stderr", "code", "all", "none"] },
            },
            "additionalProperties": false,
        }));
        Self { signature, shell }
    }
}

#[async_trait]
impl Act for RunShell {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn is_interruptible(&self) -> bool {
        true
    }

    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure> {
        // Whether a command is allowed never depends on a secret.
        let written = needed(args, "command")?;
        let how = how(&written, &self.shell.allowed)?;
        let args = revealed(args, call, &self.shell.secrets)?;
        let arguments = Arguments::of(&args)?;
        let command = needed(&args, "command")?;
        let (program, mut words) = match how {
            How::Shell => (
                PathBuf::from("/bin/sh"),
                vec!["-c".to_owned(), command, "sh".to_owned()],
            ),
            How::Program => {
                let mut words = command.split(' ').filter(|word| !word.is_empty());
                let program = words.next().unwrap_or_default();
                (
                    found(program, &self.shell.path)?,
                    words.map(ToOwned::to_owned).collect(),
                )
            }
        };
        words.extend(arguments.arguments.iter().cloned());
        let mut environment = vec![
            ("PATH".to_owned(), self.shell.path.clone()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ];
        environment.extend(arguments.environment.iter().cloned());
        environment.extend(circumstances(call));
        let program = Program {
            program,
            arguments: words,
            environment,
            stdin: arguments.stdin.clone(),
        };
        run(program, &arguments, &self.shell.limits, call, |_| {}).await
    }
}

/// How an allowed command is run.
#[derive(Debug, PartialEq, Eq)]
enum How {
    /// By the shell, which gives its words their meaning.
    Shell,
    /// Without one: a program and its words.
    Program,
}

/// A whole text that the site lists, or everything, is run by the shell; a program that the site lists is run without
/// one, so that its words cannot become another command.
fn how(command: &str, allowed: &[String]) -> Result<How, Failure> {
    let command = command.trim();
    let program = command.split(' ').next().unwrap_or_default();
    let is_listed = allowed.iter().any(|one| one == program);
    let meaning = command.chars().find(|letter| MEANING.contains(letter));
    match meaning {
        _ if allowed.iter().any(|one| one == "*") => Ok(How::Shell),
        None if is_listed => Ok(How::Program),
        _ if allowed.iter().any(|one| one.trim() == command) => Ok(How::Shell),
        Some(letter) if is_listed => Err(Failure::authorization(format!(
            "the site allows the program `{program}` but no shell: `{letter}` would need one; give words as `arguments`"
        ))),
        _ => Err(Failure::authorization(format!(
            "the site does not allow the command `{}`; it lists them under `run.shell.allowed`",
            program.chars().take(100).collect::<String>()
        ))),
    }
}

/// The file of a program, by its path or in the site's folders.
fn found(program: &str, path: &str) -> Result<PathBuf, Failure> {
    if program.contains('/') {
        return Ok(PathBuf::from(program));
    }
    path.split(':')
        .map(|folder| PathBuf::from(folder).join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            Failure::configuration(format!(
                "the program `{program}` is in none of the folders {path}"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_program_gets_no_shell_and_a_listed_text_does() {
        let allowed = ["date", "/opt/x/report", "echo a | wc -c"].map(ToOwned::to_owned);
        for (command, expected) in [
            ("date", How::Program),
            ("date -u", How::Program),
            ("/opt/x/report monthly 2026", How::Program),
            ("echo a | wc -c\n", How::Shell),
        ] {
            assert_eq!(how(command, &allowed), Ok(expected), "{command}");
        }
        for command in [
            "rm -rf x",
            "date; rm -rf x",
            "date $(rm x)",
            "date\nrm x",
            "date > x",
            "report",
            "echo a",
            "",
        ] {
            let failure = how(command, &allowed).expect_err(command);
            assert_eq!(failure.status, 403, "{command}");
        }
        assert_eq!(how("anything; at all", &["*".to_owned()]), Ok(How::Shell));
    }
}
