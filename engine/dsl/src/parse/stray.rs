//! Properties that a kind of task does not have: where they belong, or what they are called here.

use super::foreign;
use super::keywords::KEYWORDS;
use super::reader::Reader;
use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node};

/// Arguments of calls that authors put beside `call`.
const ARGUMENTS: &[&str] = &[
    "method", "endpoint", "url", "uri", "headers", "body", "query", "redirect", "to", "cc", "mode",
    "pass", "outcomes", "form", "fields", "due", "remind", "escalate", "template", "return",
    "correct", "comment", "register", "key", "where", "data", "level", "number",
];
/// What stands under `metadata`.
const METADATA: &[&str] = &["title", "state", "clock", "pauses", "returnable", "again"];

impl Reader {
    /// Every property that stands beside the keyword of a task and does not belong there.
    pub(super) fn strays(&mut self, node: &Node, keyword: &str, what: &str, known: &[&str]) {
        let strays = node.fields().iter();
        let strays: Vec<&Field> = strays
            .filter(|field| !known.contains(&&*field.key))
            .collect();
        let beside = node.get("with").filter(|with| with.is_null());
        if keyword == "call"
            && let (Some(_), Some(first)) = (beside, strays.first())
        {
            self.empty_with(node, first, &strays);
            return;
        }
        for field in strays {
            let found = another_kind(field, keyword, what)
                .or_else(|| misplaced(field, keyword))
                .or_else(|| told_otherwise(field, keyword));
            match found {
                Some(fault) => self.report(fault),
                None => self.unknown_property(field, &format!("a `{keyword}` task"), known),
            }
        }
    }

    /// `with:` with nothing below it, and its arguments in its own column.
    fn empty_with(&mut self, node: &Node, first: &Field, strays: &[&Field]) {
        let place = node.fields().iter().find(|field| &*field.key == "with");
        let keys: Vec<&str> = strays.iter().map(|field| &*field.key).collect();
        let keys = crate::suggest::and(&keys);
        let mut fault = Diagnostic::error(
            codes::WRONG_WRAPPER,
            place.map_or(first.key_span, |place| place.key_span),
            format!("nothing stands below `with`, and {keys} in the same column"),
        )
        .help(format!(
            "indent {keys} by two more spaces than `with`: these are its arguments"
        ));
        fault = fault.label(first.key_span, "this is not indented far enough");
        self.report(fault);
    }
}

/// A second keyword.
fn another_kind(field: &Field, keyword: &str, what: &str) -> Option<Diagnostic> {
    KEYWORDS.contains(&&*field.key).then(|| {
        Diagnostic::error(
            codes::MANY_KINDS,
            field.key_span,
            format!("{what} has both `{keyword}` and `{}`", field.key),
        )
        .help("make two tasks of it, or look at the indentation")
    })
}

/// What exists, at another depth.
fn misplaced(field: &Field, keyword: &str) -> Option<Diagnostic> {
    let key = &*field.key;
    let wrapped = |message: String, help: String| {
        Some(Diagnostic::error(codes::WRONG_WRAPPER, field.key_span, message).help(help))
    };
    if keyword == "call" && ARGUMENTS.contains(&key) {
        return wrapped(
            format!("the argument `{key}` stands under `with`"),
            format!("write `with: {{ {key}: … }}`"),
        );
    }
    if METADATA.contains(&key) {
        return wrapped(
            format!("`{key}` stands under `metadata`"),
            format!("write `metadata: {{ {key}: … }}`"),
        );
    }
    if keyword == "do" && matches!(key.to_lowercase().as_str(), "foreach" | "loop" | "each") {
        return wrapped(
            format!("a loop is `for`, found `{key}`"),
            "write `for: { each: item, in: LIST }` and `do: [ … ]` beside it".to_owned(),
        );
    }
    if keyword == "switch" && ["default", "when", "cases"].contains(&key) {
        return wrapped(
            format!("`{key}` is a case of `switch`"),
            "write `switch: [{ name: { when: …, then: … } }, { default: { then: … } }]`".to_owned(),
        );
    }
    if key == "retry" || key == "retries" {
        let place = if keyword == "try" {
            "under `catch`: write `catch: { errors: { … }, retry: { … } }`"
        } else {
            "in a `try` around the task: `try: [{ … }]`, and beside it `catch: { retry: { … } }`"
        };
        return wrapped(
            format!("`{key}` does not stand in a `{keyword}` task"),
            format!("it stands {place}"),
        );
    }
    None
}

/// What other languages have and this one says in another way.
fn told_otherwise(field: &Field, keyword: &str) -> Option<Diagnostic> {
    let told = |code: Code, message: &str, help: &str| {
        Some(Diagnostic::error(code, field.key_span, message).help(help))
    };
    match &*field.key {
        "else" | "elif" | "elseif" | "otherwise" | "否则" => told(
            codes::UNKNOWN_PROPERTY,
            "a task has no `else`: what is skipped hands its input on",
            "choose with `switch: [{ yes: { when: …, then: A } }, { no: { then: B } }]`",
        ),
        "needs" | "dependsOn" | "depends_on" | "runAfter" | "after" => told(
            codes::UNKNOWN_PROPERTY,
            "tasks name nothing that they depend on: they run in the order of their list",
            "put the task behind the other one; what runs at the same time stands in `fork: { branches: [ … ] }`",
        ),
        "condition" | "条件" | "如果" => Some(
            Diagnostic::error(
                codes::UNKNOWN_PROPERTY,
                field.key_span,
                format!("a `{keyword}` task has no property `{}`", field.key),
            )
            .help("it is called `if` here"),
        ),
        "name" | "id" | "label" if keyword != "run" => told(
            codes::UNKNOWN_PROPERTY,
            "a task's name is the key that it stands under",
            "take it out; what people read is `metadata: { title: … }`",
        ),
        key if foreign::help(key).is_some() => Some(
            Diagnostic::error(
                codes::UNKNOWN_PROPERTY,
                field.key_span,
                format!("a `{keyword}` task has no property `{key}`"),
            )
            .help_if(
                foreign::help(key).map(|help| format!("make a task of its own of it: {help}")),
            ),
        ),
        _ => None,
    }
}
