//! How values and types are called in messages, and what to write instead.

use tongban_expr::Value;

use crate::definition::{Template, TemplateKind};

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

/// A list where one value stands, or quotes around a number.
pub(super) fn wrap_help(template: &Template, words: &[&str]) -> Option<String> {
    match &template.kind {
        TemplateKind::Literal(Value::Str(text)) if words.contains(&"a list") => {
            let text = match text.as_str() {
                "申请人" | "发起人" | "starter" | "initiator" => "applicant",
                other => other,
            };
            Some(format!("write `[{text}]`"))
        }
        TemplateKind::Literal(Value::Str(text)) if words.contains(&"an object") => {
            Some(match crate::parse::human_duration(text) {
                Some(duration) => format!("write `{duration}`, or `{{ workingDays: n }}`"),
                None => "write `{ key: value }`".to_owned(),
            })
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
        TemplateKind::Literal(Value::Str(found)) if words.contains(&"true or false") => {
            Some(match found.to_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => "write `true`".to_owned(),
                "no" | "off" | "n" | "false" => "write `false`".to_owned(),
                _ => "write `true` or `false`, without quotes".to_owned(),
            })
        }
        TemplateKind::Literal(Value::Null) => {
            Some("write it behind the colon, or leave the key out".to_owned())
        }
        TemplateKind::List(items) if words.contains(&"a text") && items.len() == 1 => {
            Some("one text stands here: take the brackets away".to_owned())
        }
        TemplateKind::List(_) if words.contains(&"an object") => {
            Some("take the `- ` or the brackets away: `key: value` pairs, no list".to_owned())
        }
        _ => Some(format!("write {} here", words.join(" or "))),
    }
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
