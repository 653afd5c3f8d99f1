//! Literal values and counts held against the keywords of a JSON Schema.

use tongban_expr::Value;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::suggest;

use super::Place;

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
    if let Some(choices) = schema
        .get("enum")
        .and_then(Value::as_list)
        .filter(|choices| !choices.contains(value))
    {
        let words: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        let found = value
            .as_str()
            .map_or_else(|| value.to_json(), str::to_owned);
        let near = suggest::nearest(&found, words.iter().copied()).map_or_else(
            || format!("write {}", suggest::list(&words)),
            |near| format!("did you mean `{near}`?"),
        );
        faults.push(
            Diagnostic::error(
                codes::BAD_ARGUMENT,
                span,
                format!(
                    "{} is {}, found `{found}`",
                    place.name,
                    suggest::list(&words)
                ),
            )
            .help(near),
        );
    }
    if let Some(constant) = schema.get("const").filter(|constant| *constant != value) {
        let wanted = constant
            .as_str()
            .map_or_else(|| constant.to_json(), str::to_owned);
        faults.push(
            Diagnostic::error(
                codes::BAD_ARGUMENT,
                span,
                format!("{} must be `{wanted}`", place.name),
            )
            .help(format!("write `{wanted}`")),
        );
    }
    let number = value.as_f64();
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    if let (Some(number), Some(least)) = (number, bound("minimum"))
        && number < least
    {
        faults.push(
            Diagnostic::error(
                codes::BAD_ARGUMENT,
                span,
                format!("{} is at least {least}, found {number}", place.name),
            )
            .help(format!("write {least} or more")),
        );
    }
    if let (Some(number), Some(most)) = (number, bound("maximum"))
        && number > most
    {
        faults.push(
            Diagnostic::error(
                codes::BAD_ARGUMENT,
                span,
                format!("{} is at most {most}, found {number}", place.name),
            )
            .help(format!("write {most} or less")),
        );
    }
    if let (Some(text), Some("http-method")) =
        (value.as_str(), schema.get("format").and_then(Value::as_str))
    {
        faults.extend(method(text, span, place));
    }
    if let (Some(text), Some("uri-template")) =
        (value.as_str(), schema.get("format").and_then(Value::as_str))
        && !crate::parse::has_scheme(text)
    {
        faults.push(
            Diagnostic::error(
                codes::BAD_URI,
                span,
                format!("{} is a URI, found `{text}`", place.name),
            )
            .help("begin with a scheme, for example https://"),
        );
    }
    if let (Some(text), Some("uri-template")) =
        (value.as_str(), schema.get("format").and_then(Value::as_str))
        && let Some((scheme, _)) = text.split_once("://")
        && !matches!(
            scheme.to_ascii_lowercase().as_str(),
            "http" | "https" | "pack"
        )
        && !scheme.contains(['{', '$'])
    {
        faults.push(
            Diagnostic::error(
                codes::BAD_URI,
                span,
                format!(
                    "{} is reached by http or https, found `{scheme}`",
                    place.name
                ),
            )
            .help("only services that speak HTTP are called"),
        );
    }
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
        "fetch" | "read" | "query" | "load" | "list" => Some("get"),
        "create" | "add" | "insert" | "send" | "submit" => Some("post"),
        "update" | "replace" | "upsert" => Some("put"),
        "remove" | "del" => Some("delete"),
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
