//! Bodies and queries of the API: the right media type, no unknown members, faults with their place.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tongban_expr::Value;

use super::twice::Amiss;
use crate::app::App;
use crate::problem::{FieldProblem, Problem};
use crate::security::identity::Client;

/// Who asks, and the id in the address; one that cannot be read names nothing.
///
/// # Errors
/// Nobody who may ask, or no id.
pub async fn named(parts: &mut Parts, app: &App) -> Result<(Client, String), Problem> {
    let client = Client::from_request_parts(parts, app).await?;
    let id = Path::<String>::from_request_parts(parts, app).await;
    Ok((client, id.map_err(|_| Problem::not_found())?.0))
}

/// A JSON body of a known shape.
pub struct Json<T>(pub T);

/// The query of an address; a parameter that is not known is refused.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = media_type(request.headers());
        if kind != "application/json" {
            return Err(Problem::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .because("expected application/json"));
        }
        let bytes = bytes(request, app).await?;
        parse(&bytes).map(Json)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query
            .map(|query| Self(query.0))
            .map_err(|rejection| Problem::malformed(format!("the query: {}", inner(&rejection))))
    }
}

fn inner(rejection: &axum::extract::rejection::QueryRejection) -> String {
    let text = rejection.body_text();
    text.rsplit_once("query string: ")
        .map_or(text.clone(), |(_, cause)| cause.to_owned())
}

/// Reads the whole body, which the limit of the site bounds.
///
/// # Errors
/// The body is too large or broke off.
pub async fn bytes(request: Request, app: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(request, app)
        .await
        .map_err(|rejection| Problem::of_status(rejection.status()))
}

/// The media type without parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Reads JSON into a shape; the problem names the place of the first fault.
///
/// # Errors
/// The text is no JSON, nested too deep, or of another shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if let Some(amiss) = super::twice::first(bytes) {
        return Err(refused(amiss));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place = error.path().to_string();
        let cause = error.into_inner();
        if !cause.is_data() {
            return Problem::malformed(format!("the body is not good JSON: {cause}"));
        }
        let mut problem =
            Problem::unacceptable("a member of the body is missing, unknown or of another kind");
        problem.errors.push(FieldProblem {
            field: if place == "." { String::new() } else { place },
            keyword: "shape".to_owned(),
            detail: cause.to_string(),
            zh: format!("请求内容不符合接口要求:{cause}"),
        });
        problem
    })?;
    reader
        .end()
        .map_err(|error| Problem::malformed(format!("there is more after the JSON: {error}")))?;
    Ok(parsed)
}

fn refused(amiss: Amiss) -> Problem {
    let (mut problem, field, keyword, detail, zh) = match amiss {
        Amiss::Twice(place) => (
            Problem::malformed(format!("the body gives `{place}` twice")),
            place.clone(),
            "duplicate",
            format!("`{place}` is given twice: give it once"),
            format!("“{place}”重复出现,请只保留一个"),
        ),
        Amiss::Nul(place) => (
            Problem::unacceptable("a text has a NUL character"),
            place.clone(),
            "nul",
            format!("`{place}` has a NUL character: leave it out"),
            format!("“{place}”含有空字符(NUL),请删去"),
        ),
    };
    problem.errors.push(FieldProblem {
        field,
        keyword: keyword.to_owned(),
        detail,
        zh,
    });
    problem
}

/// Plain data as an engine's value.
///
/// # Errors
/// The data exceed the bounds of a value.
pub fn value(json: &serde_json::Value) -> Result<Value, Problem> {
    Value::from_json(&json.to_string()).map_err(|error| Problem::unacceptable(error.to_string()))
}

/// An engine's value, or anything that serialises, as plain data.
pub fn json(of: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "count")]
        _count: u32,
    }

    #[test]
    fn faults_of_a_body_have_a_place_and_the_right_status() {
        let unknown =
            parse::<Sample>(br#"{"count": 1, "role": "admin"}"#).expect_err("an unknown member");
        assert_eq!(unknown.status, 422);
        assert!(unknown.errors[0].detail.contains("role"));
        let kind = parse::<Sample>(br#"{"count": "x"}"#).expect_err("a text for a number");
        assert_eq!(kind.errors[0].field, "count");
        let twice = parse::<Sample>(br#"{"count": 1, "count": 2}"#).expect_err("twice");
        assert_eq!(
            (twice.status, twice.errors[0].field.as_str()),
            (400, "count")
        );
        for broken in [&b"{"[..], b"", b"{\"count\":1} tail", b"\xff"] {
            assert_eq!(parse::<Sample>(broken).expect_err("no JSON").status, 400);
        }
    }
}
