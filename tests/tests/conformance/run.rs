//! One run of the binary.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Failed;
use serde_json::Value;

/// What stands before a document that does not say what it is called.
const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }\n";

/// A document with its head; one that is written as JSON has it.
pub(crate) fn whole(document: &str) -> String {
    if document.starts_with("document:") || document.starts_with('{') {
        document.to_string()
    } else {
        format!("{HEAD}{document}")
    }
}

/// What goes into `tongban run`.
#[derive(Default)]
pub(crate) struct Given<'a> {
    pub(crate) document: &'a str,
    /// Files beside it, by their paths.
    pub(crate) beside: Option<&'a BTreeMap<String, String>>,
    pub(crate) input: Option<String>,
    pub(crate) events: Option<&'a Value>,
    pub(crate) fast_forward: bool,
    /// The hosts that the stub answers for.
    pub(crate) hosts: &'a [&'a str],
    pub(crate) port: u16,
}

/// What came of it.
pub(crate) struct Came {
    pub(crate) code: i32,
    /// The one object, or null.
    pub(crate) object: Value,
    /// All that was printed.
    pub(crate) printed: String,
}

/// Runs a document.
pub(crate) fn run(given: &Given<'_>) -> Result<Came, Failed> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).map(|()| path)
    };
    let mut command = Command::new(tongban_tests::binary());
    command
        .arg("run")
        .arg(write("workflow.yaml", &whole(given.document))?)
        .args(["--format", "json"]);
    for (name, text) in given.beside.into_iter().flatten() {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        std::fs::write(path, text)?;
    }
    for host in given.hosts {
        command
            .arg("--resolve")
            .arg(format!("{host}=127.0.0.1:{}", given.port));
    }
    if given.fast_forward {
        command.arg("--fast-forward");
    }
    if let Some(input) = &given.input {
        command.arg("--input").arg(write("input.yaml", input)?);
    }
    if let Some(events) = given.events {
        command
            .arg("--event")
            .arg(write("events.json", &events.to_string())?);
    }
    came(command)
}

/// Checks a document.
pub(crate) fn check(path: &Path) -> Result<Came, Failed> {
    let mut command = Command::new(tongban_tests::binary());
    command.args(["check", "--format", "json"]).arg(path);
    came(command)
}

fn came(mut command: Command) -> Result<Came, Failed> {
    let output = command.output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let object = serde_json::from_str(&printed).unwrap_or_default();
    let printed = printed + &String::from_utf8_lossy(&output.stderr);
    if printed.contains("panicked") {
        return Err(format!("it panicked: {printed}").into());
    }
    let code = output.status.code().ok_or("it was killed")?;
    Ok(Came {
        code,
        object,
        printed,
    })
}
