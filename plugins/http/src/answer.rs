//! An answer into a result or one of the DSL's errors.

use reqwest::{StatusCode, Url};
use tongban_expr::{Value, value};
use tongban_plugin::{Failure, FailureKind, HttpResponse};

use crate::body;
use crate::line::shown;
use crate::request::Output;

/// How many characters of the callee's own words go into a failure.
const WORDS_MAX: usize = 300;

/// What of the request an answer shows.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: Url,
    pub(crate) headers: Value,
    pub(crate) output: Output,
    pub(crate) redirect: bool,
    /// The call says who it is.
    pub(crate) authenticated: bool,
}

/// The result of a call, or the error that its status means.
pub(crate) fn result(asked: &Asked, response: &HttpResponse) -> Result<Value, Failure> {
    let last_good = if asked.redirect { 399 } else { 299 };
    if !(200..=last_good).contains(&response.status) {
        return Err(refusal(asked, response));
    }
    match asked.output {
        Output::Raw => Ok(body::raw(&response.body)),
        Output::Content => body::decode(&response.body, response.header("content-type")),
        Output::Response => whole(asked, response),
    }
}

fn whole(asked: &Asked, response: &HttpResponse) -> Result<Value, Failure> {
    let content = body::decode(&response.body, response.header("content-type"))?;
    let mut headers = Value::object::<&str, Value>([]);
    for (name, value) in &response.headers {
        let joined = match headers.text(name) {
            Some(first) => format!("{first}, {value}"),
            None => value.clone(),
        };
        headers.set(name, joined);
    }
    let sent = if asked.headers.is_null() {
        Value::object::<&str, Value>([])
    } else {
        asked.headers.clone()
    };
    Ok(value!({
        "request": {
            "method": asked.method.to_ascii_lowercase(),
            "uri": asked.uri.as_str(),
            "headers": sent,
        },
        "statusCode": response.status,
        "headers": headers,
        "content": content,
    }))
}

fn refusal(asked: &Asked, response: &HttpResponse) -> Failure {
    let status = response.status;
    let kind = match status {
        401 | 407 if asked.authenticated => FailureKind::Authentication,
        403 if asked.authenticated => FailureKind::Authorization,
        _ => FailureKind::Communication,
    };
    let again = matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504);
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("unknown status");
    let mut detail = format!(
        "{} {} answered {status} {reason}",
        asked.method,
        shown(&asked.uri)
    );
    if let Some(words) = words(response) {
        detail.push_str(": ");
        detail.push_str(&words);
    } else if (300..400).contains(&status) {
        detail.push_str("; set `redirect: true` to follow it");
    }
    let mut failure = Failure::new(kind, detail)
        .with_status(status)
        .with_retryable(again);
    reason.clone_into(&mut failure.title);
    failure
}

/// What a callee that speaks problem+json says itself. Other bodies stay out: they may hold data
/// of people.
fn words(response: &HttpResponse) -> Option<String> {
    let content_type = response.header("content-type")?;
    if !content_type.starts_with("application/problem+json") {
        return None;
    }
    let problem = Value::from_json_bytes(&response.body).ok()?;
    let words: Vec<&str> = ["title", "detail"]
        .into_iter()
        .filter_map(|name| problem.text(name))
        .collect();
    let words: String = words.join(": ").chars().take(WORDS_MAX).collect();
    Some(words).filter(|words| !words.is_empty())
}
