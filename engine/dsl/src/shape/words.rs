//! How values and types are called in messages, and what to write instead.

use tongban_expr::Value;

use crate::chinese;
use crate::definition::{Template, TemplateKind};

/// What a value is called in messages.
pub(super) struct Place {
    pub name: String,
    /// Whether it is the arguments as a whole.
    pub top: bool,
}

/// What to add where an argument is missing.
pub(super) fn added(name: &str) -> String {
    match name {
        "to" => "to: [{ role: …, unit: … }]".to_owned(),
        "template" => "template: mails/NAME".to_owned(),
        "form" => "form: forms/NAME.yaml".to_owned(),
        "due" => "due: { workingDays: 5 }".to_owned(),
        "method" => "method: get".to_owned(),
        "endpoint" => "endpoint: https://…".to_owned(),
        "register" => "register: NAME".to_owned(),
        "key" => "key: '${ form.… }'".to_owned(),
        other => format!("{other}: …"),
    }
}

/// What to write instead of a value of another type; `example` is the schema's own.
pub(super) fn wrap_help(
    template: &Template,
    words: &[&str],
    example: Option<&str>,
) -> Option<String> {
    let shown = || example.map(|example| format!("write `{example}`"));
    match &template.kind {
        TemplateKind::Literal(Value::Str(text)) if words.contains(&"true or false") => {
            Some(match truth(text) {
                Some(truth) => format!("write `{truth}`"),
                None => "write `true` or `false`, without quotes".to_owned(),
            })
        }
        TemplateKind::Literal(Value::Str(text))
            if words.contains(&"a list") || words.contains(&"an object") =>
        {
            text_help(text, words, example)
        }
        TemplateKind::Literal(Value::Bool(false)) if example.is_some() => {
            Some("leave it out when it is not wanted".to_owned())
        }
        TemplateKind::Literal(Value::Int(count))
            if example.is_some_and(|example| example.starts_with("due:")) =>
        {
            Some(format!("write `due: {{ workingDays: {count} }}`"))
        }
        TemplateKind::Object(_) if words.contains(&"a list") => {
            Some("put it into brackets: `[{ … }]`".to_owned())
        }
        TemplateKind::Literal(Value::Int(_) | Value::Float(_) | Value::Bool(_))
            if words.contains(&"a text") =>
        {
            Some("put it into quotes".to_owned())
        }
        TemplateKind::Literal(Value::Str(found))
            if words.contains(&"a whole number") && found.parse::<i64>().is_ok() =>
        {
            Some("take the quotes away".to_owned())
        }
        TemplateKind::Literal(Value::Str(found))
            if words
                .iter()
                .any(|word| matches!(*word, "a number" | "a whole number"))
                && crate::number::meant(found).is_some() =>
        {
            crate::number::meant(found).map(|number| format!("write `{number}`"))
        }
        TemplateKind::Literal(Value::Null) => {
            shown().or_else(|| Some("write it behind the colon, or leave the key out".to_owned()))
        }
        TemplateKind::List(items) if words.contains(&"a text") && items.len() == 1 => {
            Some("one text stands here: take the brackets away".to_owned())
        }
        TemplateKind::List(_) if words.contains(&"an object") => shown().or_else(|| {
            Some("take the `- ` or the brackets away: `key: value` pairs, no list".to_owned())
        }),
        _ => shown().or_else(|| Some(format!("write {} here", words.join(" or ")))),
    }
}

/// A text where a list or an object is wanted.
fn text_help(text: &str, words: &[&str], example: Option<&str>) -> Option<String> {
    const PEOPLE: &[&str] = &["applicant", "anyone"];
    if truth(text) == Some(false) {
        return Some("leave it out when it is not wanted".to_owned());
    }
    let Some(example) = example else {
        let list = words.contains(&"a list");
        return Some(match due_meant(text) {
            _ if list => format!("write `[{text}]`"),
            Some(due) => format!("write `{due}`"),
            None => "write `{ key: value }`".to_owned(),
        });
    };
    let (name, shape) = example.split_once(": ")?;
    if name == "due" {
        let due = due_meant(text);
        let written = format!("write `due: {}`", due.as_deref().unwrap_or(shape));
        // `7d` does not say which days: those of the office, or every one.
        let days = crate::parse::human_duration(text).filter(|days| days.starts_with("{ days:"));
        return Some(match days.filter(|_| due.is_some()) {
            Some(days) => format!("{written}; in days of the calendar `due: {days}`"),
            None => written,
        });
    }
    let person = chinese::value(text, PEOPLE)
        .or_else(|| PEOPLE.iter().copied().find(|person| *person == text))
        .or_else(|| matches!(text, "starter" | "initiator").then_some("applicant"));
    if let (Some(person), true) = (person, shape.starts_with('[')) {
        return Some(format!("write `{name}: [{person}]`"));
    }
    // A list of names: what stands there may be one of them.
    if shape == "[applicant]" {
        return Some(format!("write `{name}: [{text}]`"));
    }
    if text.contains('@') && shape.starts_with("[{ role") {
        return Some(format!(
            "people are named by their ids, not by their addresses: `{name}: [{{ user: ID }}]`, or `{example}`"
        ));
    }
    if let (Some(percent), true) = (text.strip_suffix('%'), example.contains("share")) {
        return Some(format!("write `{name}: {{ share: {percent} }}`"));
    }
    Some(format!("write `{example}`"))
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "on" | "y" | "true" | "是" => Some(true),
        "no" | "off" | "n" | "false" | "否" | "无" => Some(false),
        _ => None,
    }
}

/// The limit of time that a text means: `5个工作日`, `3天`, `2026-05-01`.
pub(crate) fn due_meant(text: &str) -> Option<String> {
    let day = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        let digits = parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        digits && parts.len() == 3 && parts.first().is_some_and(|year| year.len() == 4)
    };
    chinese::working_time(text)
        .or_else(|| {
            let duration = crate::parse::human_duration(text)?;
            Some(match duration.strip_prefix("{ days: ") {
                Some(rest) => format!("{{ workingDays: {rest}"),
                None => duration,
            })
        })
        .or_else(|| day(text).then(|| format!("{{ date: '{text}' }}")))
}

pub(super) fn type_name(kind: &str) -> &'static str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        _ => "nothing",
    }
}

pub(super) fn kind_name(template: &Template) -> &'static str {
    match &template.kind {
        TemplateKind::Literal(Value::Null) => "nothing",
        TemplateKind::Literal(Value::Bool(_)) => "true or false",
        TemplateKind::Literal(Value::Int(_) | Value::Float(_)) => "a number",
        TemplateKind::Literal(Value::Arr(_)) | TemplateKind::List(_) => "a list",
        TemplateKind::Literal(Value::Obj(_)) | TemplateKind::Object(_) => "an object",
        TemplateKind::Expression(_) => "an expression",
        _ => "a text",
    }
}
