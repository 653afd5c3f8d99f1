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
        let near = suggest::nearest(&found, words.iter().copied())
            .map(|near| format!("did you mean `{near}`?"));
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
            .help_if(near),
        );
    }
    if let Some(constant) = schema.get("const").filter(|constant| *constant != value) {
        let wanted = constant
            .as_str()
            .map_or_else(|| constant.to_json(), str::to_owned);
        faults.push(Diagnostic::error(
            codes::BAD_ARGUMENT,
            span,
            format!("{} must be `{wanted}`", place.name),
        ));
    }
    let number = value.as_f64();
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    if let (Some(number), Some(least)) = (number, bound("minimum"))
        && number < least
    {
        faults.push(Diagnostic::error(
            codes::BAD_ARGUMENT,
            span,
            format!("{} is at least {least}, found {number}", place.name),
        ));
    }
    if let (Some(number), Some(most)) = (number, bound("maximum"))
        && number > most
    {
        faults.push(Diagnostic::error(
            codes::BAD_ARGUMENT,
            span,
            format!("{} is at most {most}, found {number}", place.name),
        ));
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
