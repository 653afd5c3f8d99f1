//! Bodies: values into bytes by the request's content type, bytes into values by the response's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tongban_expr::Value;
use tongban_plugin::Failure;

use crate::texts::texts;

const CONTENT_TYPE: &str = "content-type";

/// How a content type is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    UrlEncoded,
    Text,
    Multipart,
    Bytes,
}

impl Form {
    fn of(content_type: &str) -> Self {
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" => Self::Json,
            json if json.ends_with("+json") => Self::Json,
            "application/x-www-form-urlencoded" => Self::UrlEncoded,
            "application/xml"
            | "application/yaml"
            | "application/x-yaml"
            | "application/javascript"
            | "application/graphql"
            | "application/x-ndjson" => Self::Text,
            xml if xml.ends_with("+xml") => Self::Text,
            text if text.starts_with("text/") => Self::Text,
            multipart if multipart.starts_with("multipart/") => Self::Multipart,
            _ => Self::Bytes,
        }
    }
}

/// Writes a body by the `content-type` header, which is added when it is missing: JSON for
/// objects, lists, numbers and booleans, plain text for texts.
pub(crate) fn encode(
    body: &Value,
    headers: &mut Vec<(String, String)>,
) -> Result<Vec<u8>, Failure> {
    let given = headers
        .iter()
        .find(|(name, _)| name == CONTENT_TYPE)
        .map(|(_, value)| value.clone());
    let content_type = given.clone().unwrap_or_else(|| match body {
        Value::Str(_) => "text/plain; charset=utf-8".to_owned(),
        _ => "application/json".to_owned(),
    });
    if given.is_none() {
        headers.push((CONTENT_TYPE.to_owned(), content_type.clone()));
    }
    match (Form::of(&content_type), body) {
        (Form::Multipart, _) => Err(Failure::configuration(
            "multipart bodies are not supported; send JSON, a form, text or bytes",
        )),
        // A text under a type of JSON was written by the author as JSON.
        (Form::Json | Form::Text | Form::UrlEncoded, Value::Str(text)) => {
            Ok(text.as_bytes().to_vec())
        }
        (Form::Json, value) => Ok(value.to_json().into_bytes()),
        (Form::UrlEncoded, value) => url_encoded(value),
        (Form::Text, value @ (Value::Int(_) | Value::Float(_) | Value::Bool(_))) => {
            Ok(value.to_json().into_bytes())
        }
        (Form::Bytes, Value::Str(text)) => STANDARD.decode(text.as_bytes()).map_err(|_| {
            Failure::validation(format!(
                "a body of the type `{content_type}` expects bytes in base64, found another text"
            ))
        }),
        (_, other) => Err(Failure::validation(format!(
            "a body of the type `{content_type}` expects a text, found {}",
            other.kind_name()
        ))),
    }
}

fn url_encoded(value: &Value) -> Result<Vec<u8>, Failure> {
    if value.as_object().is_none() {
        return Err(Failure::validation(format!(
            "a form body expects an object of names and values, found {}",
            value.kind_name()
        )));
    }
    let mut parts = Vec::new();
    for (name, value) in value.entries() {
        for text in texts(value, &format!("body.{name}"))? {
            parts.push(format!("{}={}", form_encoded(name), form_encoded(&text)));
        }
    }
    Ok(parts.join("&").into_bytes())
}

pub(crate) fn form_encoded(text: &str) -> String {
    crate::reveal::percent_encoded(text).replace("%20", "+")
}

/// Reads a body by its content type. What is neither JSON nor text stays base64.
pub(crate) fn decode(body: &[u8], content_type: Option<&str>) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let Some(content_type) = content_type else {
        return Ok(Value::from_json_bytes(body).unwrap_or_else(|_| text_or_base64(body)));
    };
    match Form::of(content_type) {
        Form::Json => Value::from_json_bytes(body).map_err(|why| {
            Failure::communication(format!(
                "the answer says `{content_type}` but is not: {why}"
            ))
            .with_status(502)
            .with_retryable(false)
        }),
        Form::Text | Form::UrlEncoded => Ok(text_or_base64(body)),
        Form::Multipart | Form::Bytes => Ok(Value::from(STANDARD.encode(body))),
    }
}

/// The body in base64, for `output: raw`.
pub(crate) fn raw(body: &[u8]) -> Value {
    if body.is_empty() {
        Value::Null
    } else {
        Value::from(STANDARD.encode(body))
    }
}

fn text_or_base64(body: &[u8]) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') => Value::from(text),
        _ => Value::from(STANDARD.encode(body)),
    }
}

#[cfg(test)]
mod tests {
    use tongban_expr::value;

    use super::*;

    fn sent(body: &Value, content_type: Option<&str>) -> Result<(String, String), Failure> {
        let mut headers: Vec<(String, String)> = content_type
            .map(|value| (CONTENT_TYPE.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let bytes = encode(body, &mut headers)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok((text, headers.remove(0).1))
    }

    #[test]
    fn bodies_by_content_type() {
        let form = "application/x-www-form-urlencoded";
        for (body, content_type, expected, expected_type) in [
            (value!({"a": 1}), None, "{\"a\":1}", "application/json"),
            (value!([1, 2]), None, "[1,2]", "application/json"),
            (value!("hallo"), None, "hallo", "text/plain; charset=utf-8"),
            (
                value!({"a": 1}),
                Some("application/merge-patch+json"),
                "{\"a\":1}",
                "application/merge-patch+json",
            ),
            (
                value!("{\"a\":1}"),
                Some("application/json"),
                "{\"a\":1}",
                "application/json",
            ),
            (
                value!({"n": "张 三", "x": [1, true], "no": null}),
                Some(form),
                "n=%E5%BC%A0+%E4%B8%89&x=1&x=true",
                form,
            ),
            (
                value!("<a/>"),
                Some("application/xml"),
                "<a/>",
                "application/xml",
            ),
            (
                value!("aGFsbG8="),
                Some("application/octet-stream"),
                "hallo",
                "application/octet-stream",
            ),
        ] {
            let (text, header) = sent(&body, content_type).expect("a body");
            assert_eq!((text.as_str(), header.as_str()), (expected, expected_type));
        }
    }

    #[test]
    fn bodies_that_do_not_fit() {
        for (body, content_type) in [
            (value!({"a": 1}), "text/plain"),
            (value!("no base64!"), "image/png"),
            (value!({"a": 1}), "image/png"),
            (value!([1]), "application/x-www-form-urlencoded"),
            (value!({"a": {"b": 1}}), "application/x-www-form-urlencoded"),
            (value!({"a": 1}), "multipart/form-data"),
        ] {
            assert!(sent(&body, Some(content_type)).is_err(), "{content_type}");
        }
    }

    #[test]
    fn answers_by_content_type() {
        for (bytes, content_type, expected) in [
            (
                &b"{\"a\":1}"[..],
                Some("application/json; charset=utf-8"),
                value!({"a": 1}),
            ),
            (
                b"{\"a\":1}",
                Some("application/problem+json"),
                value!({"a": 1}),
            ),
            (b"{\"a\":1}", None, value!({"a": 1})),
            (b"plain", None, value!("plain")),
            (b"plain", Some("text/html"), value!("plain")),
            (b"\xff\xfe", Some("text/plain"), value!("//4=")),
            (b"hallo", Some("image/png"), value!("aGFsbG8=")),
            (b"", Some("application/json"), Value::Null),
        ] {
            assert_eq!(decode(bytes, content_type).expect("an answer"), expected);
        }
        assert!(decode(b"{broken", Some("application/json")).is_err());
        assert!(decode(b"99999999999999999999", Some("application/json")).is_err());
    }
}
