//! Keys that a schema does not know: what is meant by them, or where they belong.

use tongban_expr::Value;

use crate::chinese;
use crate::codes;
use crate::definition::{Entry, TemplateKind};
use crate::diagnostic::Diagnostic;
use crate::suggest;

/// What to write when a comma ended an unquoted text, so that the rest of it became a key: `{ reason: 甲,乙 }`.
pub(crate) fn behind_comma(entries: &[Entry], at: usize) -> Option<String> {
    let (rest, whole) = (entries.get(at)?, entries.get(at.checked_sub(1)?)?);
    let text = whole.value.as_str()?;
    let empty = rest.value.span.start == rest.value.span.end
        && matches!(rest.value.kind, TemplateKind::Literal(Value::Null));
    let plain = (whole.value.span.end - whole.value.span.start) as usize == text.len();
    // Between the two stands a comma, and a space at most.
    let gap = rest.key_span.start.checked_sub(whole.value.span.end)?;
    let beside = rest.key_span.line == whole.value.span.line;
    if !empty || !plain || !beside || !matches!(gap, 1 | 2) {
        return None;
    }
    let space = if gap == 2 { " " } else { "" };
    Some(format!(
        "a comma ends a text without quotes: write `{}: '{text},{space}{}'`",
        whole.key, rest.key
    ))
}

/// Words that authors bring from other tools, and ours for them.
const SYNONYMS: &[(&str, &str)] = &[
    ("url", "endpoint"),
    ("uri", "endpoint"),
    ("endpoint", "uri"),
    ("verb", "method"),
    ("payload", "body"),
    ("json", "body"),
    ("data", "body"),
    ("params", "query"),
    ("parameters", "query"),
    ("operation", "operationId"),
    ("spec", "document"),
    ("auth", "authentication"),
    ("assignee", "to"),
    ("approver", "to"),
    ("reviewer", "to"),
    ("reviewers", "to"),
    ("signer", "to"),
    ("signers", "to"),
    ("candidates", "to"),
    ("recipient", "to"),
    ("recipients", "to"),
    ("receiver", "to"),
    ("who", "to"),
    ("copy", "cc"),
    ("timeLimit", "due"),
    ("limit", "due"),
    ("options", "outcomes"),
    ("decisions", "outcomes"),
    ("results", "outcomes"),
    ("schema", "form"),
    ("mail", "template"),
    ("text", "template"),
    ("back", "return"),
    ("sendBack", "return"),
    ("onTimeout", "timeout"),
    ("escalation", "escalate"),
    ("reminder", "remind"),
    ("reminders", "remind"),
    ("id", "key"),
    ("code", "key"),
    ("name", "register"),
    ("table", "register"),
    ("name", "pack"),
    ("description", "summary"),
    ("permissions", "rights"),
    ("depends", "requires"),
    ("dependencies", "requires"),
    ("fields", "schema"),
    ("properties", "schema"),
    ("locales", "languages"),
    ("law", "basis"),
    ("since", "from"),
    ("items", "each"),
    ("list", "each"),
    ("assignees", "to"),
    ("approvers", "to"),
    ("users", "to"),
    ("deadline", "due"),
    ("dueDate", "due"),
    ("subject", "title"),
    ("workdays", "workingDays"),
    ("workDays", "workingDays"),
    ("keys", "key"),
    ("filter", "where"),
    ("followRedirects", "redirect"),
];

/// Whether a key that is not known was meant for the one of this name.
pub(super) fn means(key: &str, name: &str) -> bool {
    SYNONYMS
        .iter()
        .any(|(foreign, ours)| *foreign == key && *ours == name)
        || chinese::key(key, &[name]).is_some()
        || suggest::nearest(key, [name]).is_some()
        || name == "template" && is_letter(key)
}

/// What a key that is not known stands for.
pub(super) fn meant(key: &str, known: &[&str]) -> Option<String> {
    let spans = [
        "days",
        "workingDays",
        "workingHours",
        "hours",
        "天",
        "工作日",
    ];
    if known.contains(&"due") && !known.contains(&"date") && spans.contains(&key) {
        let unit = chinese::key(key, &["workingDays", "days"]).unwrap_or(key);
        return Some(format!("write `due: {{ {unit}: … }}`"));
    }
    let titled = key == "subject" && known.contains(&"title");
    if known.contains(&"template") && !known.contains(&"outcomes") && is_letter(key) && !titled {
        return Some(
            "subject and text of a letter stand in a file of the pack, `mails/NAME.zh-CN.md`: write `template: mails/NAME`"
                .to_owned(),
        );
    }
    if matches!(key, "cc" | "抄送" | "抄送人") && known.contains(&"outcomes") {
        return Some(
            "copies are sent by a task of their own: `call: notify` with `cc: [{ … }]`".to_owned(),
        );
    }
    let ours = SYNONYMS
        .iter()
        .find(|(foreign, ours)| *foreign == key && known.contains(ours))
        .map(|(_, ours)| *ours);
    ours.or_else(|| chinese::key(key, known))
        .map(|ours| format!("it is called `{ours}` here"))
        .or_else(|| {
            suggest::nearest(key, known.iter().copied())
                .map(|near| format!("did you mean `{near}`?"))
        })
}

/// What a letter has in other tools.
fn is_letter(key: &str) -> bool {
    matches!(
        key,
        "subject" | "body" | "content" | "text" | "message" | "html" | "主题" | "正文" | "内容"
    )
}

/// What belongs to the task and was indented too far.
pub(super) fn beside_with(entry: &Entry) -> Option<Diagnostic> {
    let (whose, help) = match &*entry.key {
        "then" | "if" | "export" | "input" | "output" | "metadata" | "call" => (
            "belongs to the task and is no argument",
            format!("bring `{}` into the column of `with`", entry.key),
        ),
        "state" | "clock" | "pauses" => (
            "stands under `metadata` of the task and is no argument",
            format!(
                "write `metadata: {{ {}: … }}` in the column of `with`",
                entry.key
            ),
        ),
        _ => return None,
    };
    Some(
        Diagnostic::error(
            codes::WRONG_WRAPPER,
            entry.key_span,
            format!("`{}` {whose}", entry.key),
        )
        .help(help),
    )
}
