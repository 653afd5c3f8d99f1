//! CloudEvents in: structured, binary and batch (CloudEvents 1.0 HTTP binding).

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::body::{self, media_type};
use crate::app::App;
use crate::counters::Counted;
use crate::problem::Problem;
use crate::security::identity::Client;

/// The most events of one batch.
const BATCH_MAX: usize = 1000;

/// An event (CloudEvents 1.0); further attributes have names of lower-case letters and digits.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it only describes what is read by hand")]
pub struct CloudEvent {
    /// Always `1.0`.
    #[schema(pattern = r"^1\.0$")]
    specversion: String,
    /// Unique within its source.
    #[schema(min_length = 1, max_length = 512)]
    id: String,
    /// Where it comes from.
    #[schema(min_length = 1, max_length = 512)]
    source: String,
    /// What happened.
    #[schema(min_length = 1, max_length = 512)]
    r#type: String,
    /// What it says.
    data: Option<serde_json::Value>,
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceivedEvent {
    /// The event's id.
    pub id: String,
    /// Whether it had come before.
    pub known: bool,
}

/// Take events. An event that came before, by source and id, is taken once.
#[utoipa::path(post, path = "/api/v1/events", tag = "events",
    request_body(content((CloudEvent = "application/cloudevents+json"), (Vec<CloudEvent> = "application/cloudevents-batch+json"))),
    responses((status = 202, body = Vec<ReceivedEvent>), (status = 400, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("key" = [])))]
pub async fn receive(
    State(app): State<App>,
    client: Client,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let bytes = body::bytes(request, &app).await?;
    let events = events_of(&headers, &bytes)?;
    let values = events
        .iter()
        .map(|event| checked(event).and_then(|()| body::value(event)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut received = Vec::with_capacity(values.len());
    for event in values {
        let taken = app.runtime.receive(event, client.caller()).await?;
        app.counters.count(Counted::Event);
        received.push(ReceivedEvent {
            id: taken.id,
            known: taken.known,
        });
    }
    Ok((StatusCode::ACCEPTED, axum::Json(received)).into_response())
}

/// The events of a request, by its content mode.
fn events_of(headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<Json>, Problem> {
    match media_type(headers).as_str() {
        "application/cloudevents+json" => Ok(vec![body::parse(bytes)?]),
        "application/cloudevents-batch+json" => {
            let events: Vec<Json> = body::parse(bytes)?;
            if events.len() > BATCH_MAX {
                return Err(Problem::unacceptable(format!("a batch has at most {BATCH_MAX} events, found {}", events.len())));
            }
            Ok(events)
        }
        _ if headers.contains_key("ce-specversion") => binary(headers, bytes).map(|event| vec![event]),
        _ => Err(Problem::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .because("expected application/cloudevents+json, application/cloudevents-batch+json, or `ce-` headers")),
    }
}

/// An event whose attributes are headers and whose data are the body.
fn binary(headers: &HeaderMap, bytes: &[u8]) -> Result<Json, Problem> {
    let mut event = Map::new();
    for (name, value) in headers {
        if let Some(attribute) = name.as_str().strip_prefix("ce-") {
            if matches!(attribute, "data" | "data_base64" | "datacontenttype") {
                return Err(Problem::malformed(format!(
                    "`{name}` is no attribute of an event whose data are the body"
                )));
            }
            let text = value
                .to_str()
                .map_err(|_| Problem::malformed(format!("`{name}` is no plain text")))?;
            let before = event.insert(attribute.to_owned(), Json::String(decoded(text)));
            if before.is_some() {
                return Err(Problem::malformed(format!("`{name}` is given twice")));
            }
        }
    }
    if let Some(kind) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    {
        event.insert("datacontenttype".to_owned(), Json::String(kind.to_owned()));
    }
    let kind = media_type(headers);
    if kind == "application/json" || kind.ends_with("+json") {
        event.insert("data".to_owned(), body::parse(bytes)?);
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        if !text.is_empty() {
            event.insert("data".to_owned(), Json::String(text.to_owned()));
        }
    } else {
        use base64::Engine as _;
        event.insert(
            "data_base64".to_owned(),
            Json::String(base64::engine::general_purpose::STANDARD.encode(bytes)),
        );
    }
    Ok(Json::Object(event))
}

/// Percent-decoding of an attribute in a header.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (first, pair) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Checks what every CloudEvent has.
fn checked(event: &Json) -> Result<(), Problem> {
    let Some(event) = event.as_object() else {
        return Err(Problem::unacceptable("an event is an object"));
    };
    for attribute in ["id", "source", "type", "specversion"] {
        if event
            .get(attribute)
            .and_then(Json::as_str)
            .is_none_or(|text| text.is_empty() || text.len() > 512)
        {
            return Err(Problem::unacceptable(format!(
                "an event needs `{attribute}`, a text of 1 to 512 characters"
            )));
        }
    }
    if event.get("specversion").and_then(Json::as_str) != Some("1.0") {
        return Err(Problem::unacceptable("`specversion` is 1.0"));
    }
    match event
        .keys()
        .find(|name| *name != "data_base64" && !plain(name))
    {
        Some(name) => Err(Problem::unacceptable(format!(
            "`{name}` is no name of an attribute: lower-case letters and digits only"
        ))),
        None => Ok(()),
    }
}

fn plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn the_three_content_modes_give_the_same_event() {
        let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "中", "data": {"a": 1}});
        let structured = events_of(
            &headers(&[(
                "content-type",
                "application/cloudevents+json; charset=utf-8",
            )]),
            event.to_string().as_bytes(),
        );
        assert_eq!(structured.expect("good"), vec![event.clone()]);
        let batch = events_of(
            &headers(&[("content-type", "application/cloudevents-batch+json")]),
            json!([event, event]).to_string().as_bytes(),
        );
        assert_eq!(batch.expect("good").len(), 2);
        let binary = events_of(
            &headers(&[
                ("content-type", "application/json"),
                ("ce-specversion", "1.0"),
                ("ce-id", "1"),
                ("ce-source", "/s"),
                ("ce-type", "t"),
                ("ce-subject", "%E4%B8%AD"),
            ]),
            br#"{"a":1}"#,
        )
        .expect("good");
        assert_eq!(binary[0]["subject"], "中");
        assert_eq!(binary[0]["data"], json!({"a": 1}));
        assert!(checked(&binary[0]).is_ok());
    }

    #[test]
    fn an_attribute_has_one_value_and_the_data_are_the_body() {
        let mut twice = headers(&[("ce-specversion", "1.0"), ("ce-id", "1")]);
        twice.append("ce-id", HeaderValue::from_static("2"));
        let forged = headers(&[("ce-specversion", "1.0"), ("ce-data", "x")]);
        for headers in [twice, forged] {
            let refused = events_of(&headers, b"").expect_err("not clear");
            assert_eq!(refused.status, 400);
        }
    }

    #[test]
    fn other_bodies_and_incomplete_events_are_refused() {
        let other = events_of(&headers(&[("content-type", "application/json")]), b"{}")
            .expect_err("no event");
        assert_eq!(other.status, 415);
        for event in [
            json!([]),
            json!({"id": "1"}),
            json!({"specversion": "0.3", "id": "1", "source": "s", "type": "t"}),
            json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "Bad-Name": 1}),
        ] {
            assert_eq!(
                checked(&event).expect_err("incomplete").status,
                422,
                "{event}"
            );
        }
    }
}
