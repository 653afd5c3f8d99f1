//! Literal values and counts held against the keywords of a JSON Schema.

use tongban_expr::Value;

use crate::chinese;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::suggest;

use super::words::Place;

/// How many properties there are.
pub(super) fn counted(
    span: Span,
    count: usize,
    schema: &Value,
    place: &Place,
    faults: &mut Vec<Diagnostic>,
) {
    let properties = schema.get("properties");
    let least = schema
        .get("minProperties")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let most = schema
        .get("maxProperties")
        .and_then(Value::as_i64)
        .unwrap_or(i64::MAX);
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if count < least || count > most {
        let known: Vec<&str> = properties
            .map(|known| known.entries().map(|(name, _)| name.as_str()).collect())
            .unwrap_or_default();
        let help =
            (!known.is_empty()).then(|| format!("expected one of {}", suggest::list(&known)));
        let wanted = if least == most {
            "exactly one property".to_owned()
        } else if count < least {
            "a property".to_owned()
        } else {
            format!("at most {most} properties")
        };
        faults.push(
            Diagnostic::error(
                codes::BAD_ARGUMENT,
                crate::parse::first_line(span),
                format!("{} must have {wanted}, found {count}", place.name),
            )
            .help_if(help),
        );
    }
}

/// Farther than any count of faults of the right type.
pub(super) const WRONG_KIND: usize = 1_000_000;

pub(super) fn literal(
    value: &Value,
    span: Span,
    schema: &Value,
    place: &Place,
    faults: &mut Vec<Diagnostic>,
) {
    let found = [
        chosen(value, span, schema, place),
        constant(value, span, schema, place),
        bounded(value, span, schema, place),
    ];
    faults.extend(found.into_iter().flatten());
    let Some(text) = value.as_str() else { return };
    match schema.get("format").and_then(Value::as_str) {
        Some("http-method") => faults.extend(method(text, span, place)),
        Some("uri-template") => faults.extend(address(text, span, place)),
        _ => {}
    }
}

/// `enum`.
fn chosen(value: &Value, span: Span, schema: &Value, place: &Place) -> Option<Diagnostic> {
    let choices = schema
        .get("enum")
        .and_then(Value::as_list)
        .filter(|choices| !choices.contains(value))?;
    let words: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
    let found = shown(value);
    let near = chinese::value(&found, &words)
        .or_else(|| suggest::nearest(&found, words.iter().copied()))
        .map_or_else(
            || match schema.text("x-example") {
                Some(example) => format!("write {example}"),
                None => format!("write {}", suggest::list(&words)),
            },
            |near| format!("did you mean `{near}`?"),
        );
    let message = format!(
        "{} is {}, found `{found}`",
        place.name,
        suggest::list(&words)
    );
    Some(Diagnostic::error(codes::BAD_ARGUMENT, span, message).help(near))
}

/// `const`.
fn constant(value: &Value, span: Span, schema: &Value, place: &Place) -> Option<Diagnostic> {
    let wanted = schema.get("const").filter(|constant| *constant != value)?;
    let wanted = shown(wanted);
    let message = format!("{} must be `{wanted}`", place.name);
    Some(Diagnostic::error(codes::BAD_ARGUMENT, span, message).help(format!("write `{wanted}`")))
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_json(), str::to_owned)
}

/// `minimum` and `maximum`.
fn bounded(value: &Value, span: Span, schema: &Value, place: &Place) -> Option<Diagnostic> {
    let number = value.as_f64()?;
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (message, help) = match (bound("minimum"), bound("maximum")) {
        (Some(least), _) if number < least => (
            format!("{} is at least {least}, found {number}", place.name),
            format!("write {least} or more"),
        ),
        (_, Some(most)) if number > most => (
            format!("{} is at most {most}, found {number}", place.name),
            format!("write {most} or less"),
        ),
        _ => return None,
    };
    Some(Diagnostic::error(codes::BAD_ARGUMENT, span, message).help(help))
}

/// An address that a call goes to.
fn address(text: &str, span: Span, place: &Place) -> Option<Diagnostic> {
    if !crate::parse::has_scheme(text) {
        let message = format!("{} is a URI, found `{text}`", place.name);
        return Some(Diagnostic::error(codes::BAD_URI, span, message).help(
            if text.contains(['.', '/']) && !text.starts_with(['/', '.']) {
                format!("begin with a scheme: `https://{text}`")
            } else {
                "begin with a scheme, for example https://".to_owned()
            },
        ));
    }
    let (scheme, rest) = text.split_once("://")?;
    if let Some(odd) = text
        .chars()
        .find(|c| c.is_whitespace() || matches!(c, '\\' | '"' | '<' | '>' | '^' | '`'))
    {
        let message = format!("{} is a URI, which holds no `{odd}`", place.name);
        return Some(
            Diagnostic::error(codes::BAD_URI, span, message)
                .help("take it out; in a query a space is written `%20`"),
        );
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if host
        .split_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
    {
        let message = format!(
            "{} holds a password: everybody who reads the document reads it",
            place.name
        );
        return Some(Diagnostic::warning(codes::PLAIN_SECRET, span, message)
            .help("take it out of the address and write `authentication: { basic: { username: …, password: … } }` with a secret"));
    }
    let spoken = matches!(
        scheme.to_ascii_lowercase().as_str(),
        "http" | "https" | "pack"
    );
    if spoken || scheme.contains(['{', '$']) {
        return None;
    }
    let message = format!(
        "{} is reached by http or https, found `{scheme}`",
        place.name
    );
    Some(
        Diagnostic::error(codes::BAD_URI, span, message)
            .help("only services that speak HTTP are called"),
    )
}

/// The methods of HTTP; authors write them in either case.
const METHODS: &[&str] = &[
    "get", "post", "put", "patch", "delete", "head", "options", "trace", "connect",
];

fn method(text: &str, span: Span, place: &Place) -> Option<Diagnostic> {
    let lower = text.to_ascii_lowercase();
    if METHODS.contains(&lower.as_str()) {
        return None;
    }
    let ours = match lower.as_str() {
        "fetch" | "read" | "query" | "load" | "list" | "查询" | "获取" | "读取" => {
            Some("get")
        }
        "create" | "add" | "insert" | "send" | "submit" | "新增" | "提交" => Some("post"),
        "update" | "replace" | "upsert" | "修改" | "更新" => Some("put"),
        "remove" | "del" | "删除" => Some("delete"),
        _ => suggest::nearest(&lower, METHODS.iter().copied()),
    };
    let help = ours.map_or_else(
        || format!("write {}", suggest::list(METHODS)),
        |ours| format!("write `{ours}`"),
    );
    Some(
        Diagnostic::error(
            codes::BAD_ARGUMENT,
            span,
            format!("{} is a method of HTTP, found `{text}`", place.name),
        )
        .help(help),
    )
}
