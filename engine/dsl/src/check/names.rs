//! Names of tasks: whether `steps.NAME` can be written.

use tongban_expr::Language;

use crate::codes;
use crate::definition::Task;
use crate::diagnostic::Diagnostic;
use crate::parse::is_identifier;

use super::checker::Checker;

/// Words that rhai keeps for itself: nothing can be read by them after a dot.
const RHAI_KEYWORDS: &[&str] = &[
    "let",
    "const",
    "if",
    "else",
    "switch",
    "do",
    "while",
    "until",
    "loop",
    "for",
    "in",
    "continue",
    "break",
    "return",
    "throw",
    "try",
    "catch",
    "import",
    "export",
    "as",
    "global",
    "private",
    "fn",
    "this",
    "is",
    "var",
    "static",
    "shared",
    "goto",
    "exit",
    "match",
    "case",
    "public",
    "protected",
    "new",
    "use",
    "with",
    "module",
    "package",
    "super",
    "thread",
    "spawn",
    "go",
    "await",
    "async",
    "sync",
    "yield",
    "default",
    "void",
    "null",
    "nil",
    "true",
    "false",
    "type_of",
    "print",
    "debug",
    "eval",
    "call",
    "curry",
    "is_shared",
    "Fn",
];

/// Whether a name is a keyword of rhai, so that `form.NAME` or `steps.NAME` cannot be written.
#[must_use]
pub fn is_rhai_keyword(name: &str) -> bool {
    RHAI_KEYWORDS.contains(&name)
}

impl Checker<'_> {
    pub(super) fn name(&mut self, task: &Task) {
        let name = &task.name.value;
        let rhai = self.definition.evaluate.language == Language::Rhai;
        if rhai && is_rhai_keyword(name) {
            self.faults.push(
                Diagnostic::error(
                    codes::KEYWORD_NAME,
                    task.name.span,
                    format!("`{name}` is a keyword of rhai: `steps.{name}` cannot be written"),
                )
                .help(format!("rename the task, for example `{name}Step`")),
            );
        } else if !is_identifier(name)
            && !matches!(name.as_str(), "" | "~" | "null")
            && !name.contains(['/', '#', '[', ']', ':'])
        {
            let proposal = camel_case(name);
            let help = if is_identifier(&proposal) {
                format!("write `{proposal}`")
            } else {
                "use camelCase; people see `metadata.title`".to_owned()
            };
            self.faults.push(
                Diagnostic::warning(
                    codes::TASK_NAME,
                    task.name.span,
                    format!("`{name}` is no identifier: `steps.{name}` cannot be written"),
                )
                .help(help),
            );
        }
    }
}

/// `approve-leader` as `approveLeader`.
fn camel_case(name: &str) -> String {
    let mut out = String::new();
    for word in name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let mut characters = word.chars();
        match characters.next() {
            Some(first) if out.is_empty() => out.extend(first.to_lowercase()),
            Some(first) => out.extend(first.to_uppercase()),
            None => {}
        }
        out.extend(characters);
    }
    out
}
