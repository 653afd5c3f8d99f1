//! Reads `with:` of `call: http` into a request.

use reqwest::Url;
use tongban_expr::{Value, secret};
use tongban_plugin::Failure;

use crate::body;
use crate::reveal::Reveal;
use crate::texts::texts;

/// What the result of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// The body in base64.
    Raw,
    /// The body, read by its type.
    Content,
    /// Request, status, headers and content.
    Response,
}

impl Output {
    pub(crate) fn of(args: &Value) -> Result<Self, Failure> {
        match given(args, "output").map(|value| value.as_str().unwrap_or("?")) {
            None | Some("content") => Ok(Self::Content),
            Some("raw") => Ok(Self::Raw),
            Some("response") => Ok(Self::Response),
            Some(other) => Err(Failure::configuration(format!(
                "`output` is raw, content or response, found `{other}`"
            ))),
        }
    }
}

/// A call before secrets and authentication.
pub(crate) struct Plan {
    pub(crate) method: String,
    /// The endpoint as it was written: markers and all.
    pub(crate) endpoint: String,
    pub(crate) authentication: Option<Value>,
    pub(crate) headers: Value,
    pub(crate) query: Value,
    pub(crate) body: Option<Value>,
    pub(crate) output: Output,
    pub(crate) redirect: bool,
}

/// A call that is ready but for its credentials.
pub(crate) struct Ready {
    pub(crate) uri: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The argument, when it is there and not null.
pub(crate) fn given<'a>(args: &'a Value, name: &str) -> Option<&'a Value> {
    args.get(name).filter(|value| !value.is_null())
}

impl Plan {
    pub(crate) fn of(args: &Value) -> Result<Self, Failure> {
        let method = given(args, "method")
            .and_then(Value::as_str)
            .filter(|method| {
                !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic())
            })
            .ok_or_else(|| Failure::configuration("`method` expects a word such as get or post"))?;
        let endpoint = given(args, "endpoint")
            .ok_or_else(|| Failure::configuration("`call: http` needs `endpoint`, found none"))?;
        let (endpoint, authentication) = endpoint_of(endpoint)?;
        Ok(Self {
            method: method.to_ascii_uppercase(),
            endpoint,
            authentication,
            headers: object(args, "headers")?,
            query: object(args, "query")?,
            body: given(args, "body").cloned(),
            output: Output::of(args)?,
            redirect: redirect(args)?,
        })
    }

    /// The URI with `***` for every secret: it finds the connector and stands in words for people.
    pub(crate) fn masked_uri(&self) -> Result<Url, Failure> {
        let masked = secret::masked(&Value::from(self.endpoint.as_str()));
        let mut uri = crate::transport::uri(masked.as_str().unwrap_or_default())?;
        append_query(&mut uri, &secret::masked(&self.query))?;
        Ok(uri)
    }

    /// Headers as the response shows them: no secrets.
    pub(crate) fn masked_headers(&self) -> Value {
        secret::masked(&self.headers)
    }

    pub(crate) fn ready(&self, reveal: Reveal<'_>, key: &str) -> Result<Ready, Failure> {
        if self.endpoint.contains(['{', '}']) {
            return Err(Failure::expression(format!(
                "the endpoint `{}` has a template that nothing filled in",
                secret::masked(&Value::from(self.endpoint.as_str()))
                    .as_str()
                    .unwrap_or_default()
            )));
        }
        let endpoint = reveal.uri(&self.endpoint)?;
        guard_path(&endpoint)?;
        let mut uri = crate::transport::uri(&endpoint)?;
        append_query(&mut uri, &reveal.value(&self.query)?)?;
        uri.set_fragment(None);
        let mut headers = headers_of(&reveal.value(&self.headers)?)?;
        let body = match &self.body {
            None => Vec::new(),
            Some(body) => body::encode(&reveal.value(body)?, &mut headers)?,
        };
        let safe = matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        if !safe && !has(&headers, "idempotency-key") {
            headers.push(("idempotency-key".to_owned(), key.to_owned()));
        }
        Ok(Ready { uri, headers, body })
    }
}

/// Refuses an address whose path climbs: a value such as `..` in `/people/{id}` would lead to another resource, because
/// whoever parses the address takes such parts away.
fn guard_path(endpoint: &str) -> Result<(), Failure> {
    let path = endpoint.split(['?', '#']).next().unwrap_or_default();
    let climbs = path.split(['/', '\\']).any(|part| {
        let plain = part.to_ascii_lowercase().replace("%2e", ".");
        matches!(plain.as_str(), "." | "..")
    });
    if climbs {
        return Err(Failure::validation(
            "a part of the address is `.` or `..`, which would lead to another path; is it taken from what somebody typed?",
        ));
    }
    Ok(())
}

/// `endpoint` as a text, or as `{ uri, authentication }`.
pub(crate) fn endpoint_of(endpoint: &Value) -> Result<(String, Option<Value>), Failure> {
    if let Some(text) = endpoint.as_str() {
        return Ok((text.to_owned(), None));
    }
    let uri = given(endpoint, "uri").and_then(Value::as_str);
    let uri = uri.ok_or_else(|| {
        Failure::configuration(format!(
            "`endpoint` expects a URI, or an object with `uri`, found {}",
            endpoint.kind_name()
        ))
    })?;
    Ok((uri.to_owned(), given(endpoint, "authentication").cloned()))
}

pub(crate) fn redirect(args: &Value) -> Result<bool, Failure> {
    match given(args, "redirect") {
        None => Ok(false),
        Some(Value::Bool(follow)) => Ok(*follow),
        Some(other) => Err(Failure::configuration(format!(
            "`redirect` is true or false, found {}",
            other.kind_name()
        ))),
    }
}

fn object(args: &Value, name: &str) -> Result<Value, Failure> {
    match given(args, name) {
        None => Ok(Value::Null),
        Some(value) if value.as_object().is_some() => Ok(value.clone()),
        Some(other) => Err(Failure::configuration(format!(
            "`{name}` expects an object of names and values, found {}",
            other.kind_name()
        ))),
    }
}

/// Appends names and values; a list repeats its name, null is left out.
pub(crate) fn append_query(uri: &mut Url, query: &Value) -> Result<(), Failure> {
    let mut pairs = Vec::new();
    for (name, value) in query.entries() {
        for text in texts(value, &format!("query.{name}"))? {
            pairs.push((name.to_string(), text));
        }
    }
    if !pairs.is_empty() {
        uri.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(())
}

fn headers_of(headers: &Value) -> Result<Vec<(String, String)>, Failure> {
    let mut list = Vec::new();
    for (name, value) in headers.entries() {
        let name = name.to_ascii_lowercase();
        let ours = [
            "host",
            "content-length",
            "connection",
            "upgrade",
            "te",
            "trailer",
            "expect",
        ];
        if ours.contains(&name.as_str())
            || name == "transfer-encoding"
            || name.starts_with("proxy-")
        {
            return Err(Failure::configuration(format!(
                "the header `{name}` belongs to the connection and cannot be set"
            )));
        }
        for text in texts(value, &format!("headers.{name}"))? {
            if text.contains(['\r', '\n', '\0']) {
                return Err(Failure::configuration(format!(
                    "the value of header `{name}` has a line break or another control character"
                )));
            }
            list.push((name.clone(), text));
        }
    }
    Ok(list)
}

pub(crate) fn has(headers: &[(String, String)], name: &str) -> bool {
    headers
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(name))
}
