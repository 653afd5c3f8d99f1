//! The API: what each route answers.

use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, ETAG};
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::site::{Site, site};

#[tokio::test]
async fn an_application_is_started_once_per_key() {
    let site = site().await;
    let body = site.application_body();
    let reached = &*site;
    let start = |body: serde_json::Value| async move {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/workflows/sharing/apply/instances")
            .header(AUTHORIZATION, format!("Bearer {}", reached.key))
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("idempotency-key", "once-and-only-once")
            .body(Body::from(body.to_string()))
            .expect("a request");
        reached.send(request).await
    };
    let first = start(body.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let (id, number) = (
        first.json()["id"].as_str().expect("an id").to_owned(),
        first.json()["number"].clone(),
    );
    assert!(
        number
            .as_str()
            .is_some_and(|number| number.starts_with("GX2")),
        "{number}"
    );
    assert_eq!(first.location(), format!("/api/v1/instances/{id}"));
    let again = start(body.clone()).await;
    assert_eq!(
        (again.status, again.json()["id"].as_str()),
        (StatusCode::CREATED, Some(id.as_str()))
    );
    assert_eq!(again.json()["replayed"], true);
    let mut other = body;
    other["input"]["contact"] = json!("别人");
    assert_eq!(start(other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_started_application_can_be_read() {
    let site = site().await;
    let id = site.application().await;
    let shown = site
        .api(Method::GET, &format!("/api/v1/instances/{id}"), None)
        .await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert_eq!(shown.json()["form"]["contact"], "李娜 0532-00000000");
    assert!(shown.headers.contains_key(ETAG));
    let history = site
        .api(
            Method::GET,
            &format!("/api/v1/instances/{id}/history"),
            None,
        )
        .await;
    assert!(
        history.json()["items"][0]["tasks"]
            .as_array()
            .is_some_and(|tasks| !tasks.is_empty()),
        "{}",
        history.body
    );
    let diagram = site
        .api(
            Method::GET,
            &format!("/api/v1/instances/{id}/diagram"),
            None,
        )
        .await;
    assert!(
        diagram.body.starts_with("<svg") && diagram.headers[CONTENT_TYPE] == "image/svg+xml",
        "{}",
        diagram.body
    );
    let list = site
        .api(Method::GET, "/api/v1/instances?limit=200", None)
        .await;
    assert!(
        list.json()["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|item| item["id"] == id.as_str())),
        "{}",
        list.body
    );
}

#[tokio::test]
async fn a_form_that_does_not_fit_names_its_fields() {
    let site = site().await;
    let mut body = site.application_body();
    body["input"]["basis"] = json!("短");
    body["input"]["scope"]["mode"] = json!("telepathy");
    let answer = site
        .api(
            Method::POST,
            "/api/v1/workflows/sharing/apply/instances",
            Some(body),
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.headers[CONTENT_TYPE], "application/problem+json");
    let errors = answer.json()["errors"].clone();
    let fields: Vec<&str> = errors
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|error| error["field"].as_str())
        .collect();
    assert!(
        fields.contains(&"basis") && fields.contains(&"scope.mode"),
        "{fields:?}"
    );
}

const START: &str = "/api/v1/workflows/sharing/apply/instances";

fn raw(
    site: &Site,
    method: Method,
    path: &str,
    kind: &'static str,
    body: Vec<u8>,
) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {}", site.key))
        .header(CONTENT_TYPE, kind)
        .body(Body::from(body))
        .expect("a request")
}

/// Each request is refused with its status, as a problem.
async fn problems(site: &Site, cases: Vec<(Request<Body>, u16)>) {
    for (request, status) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = site.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.body);
        assert_eq!(
            answer.headers[CONTENT_TYPE], "application/problem+json",
            "{what}"
        );
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{what}");
        assert!(
            problem["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("urn:tongban:problem:")),
            "{what}: {problem}"
        );
        if status == 405 {
            assert!(answer.headers.contains_key(ALLOW), "{what}");
        }
    }
}

#[tokio::test]
async fn every_body_that_is_no_good_is_a_problem() {
    let site = site().await;
    let cases = vec![
        (
            raw(&site, Method::POST, START, "text/plain", b"{}".to_vec()),
            415,
        ),
        (
            raw(
                &site,
                Method::POST,
                START,
                "application/json",
                vec![b' '; 5 << 20],
            ),
            413,
        ),
        (
            raw(
                &site,
                Method::POST,
                START,
                "application/json",
                b"{".to_vec(),
            ),
            400,
        ),
        (
            raw(
                &site,
                Method::POST,
                START,
                "application/json",
                format!("{{\"input\":{}", "[".repeat(100_000)).into_bytes(),
            ),
            400,
        ),
        (
            raw(
                &site,
                Method::POST,
                START,
                "application/json",
                br#"{"input":{},"role":"admin"}"#.to_vec(),
            ),
            422,
        ),
        (
            raw(
                &site,
                Method::POST,
                START,
                "application/json",
                b"{\"input\":{\"a\":\"\\u0000\"}}".to_vec(),
            ),
            422,
        ),
    ];
    problems(&site, cases).await;
}

#[tokio::test]
async fn every_address_that_is_no_good_is_a_problem() {
    let site = site().await;
    let cases = vec![
        (raw(&site, Method::GET, "/api/v1/nowhere", "", vec![]), 404),
        (
            raw(&site, Method::DELETE, "/api/v1/instances", "", vec![]),
            405,
        ),
        (
            raw(
                &site,
                Method::POST,
                "/api/v1/workflows/sharing/nothing/instances",
                "application/json",
                br#"{"input":{}}"#.to_vec(),
            ),
            404,
        ),
        (
            raw(
                &site,
                Method::GET,
                "/api/v1/instances?sort=1;drop",
                "",
                vec![],
            ),
            400,
        ),
        (
            raw(&site, Method::GET, "/api/v1/instances?limit=0", "", vec![]),
            400,
        ),
        (
            raw(
                &site,
                Method::GET,
                "/api/v1/instances?cursor=oops",
                "",
                vec![],
            ),
            400,
        ),
        (
            raw(
                &site,
                Method::GET,
                "/api/v1/instances?status=oops",
                "",
                vec![],
            ),
            400,
        ),
        (
            raw(
                &site,
                Method::POST,
                "/api/v1/events",
                "application/json",
                b"{}".to_vec(),
            ),
            415,
        ),
    ];
    problems(&site, cases).await;
}

#[tokio::test]
async fn events_are_taken_once_by_source_and_id() {
    let site = site().await;
    let reached = &*site;
    let send = |id: &'static str| async move {
        let event = json!({ "specversion": "1.0", "id": id, "source": "/test", "type": "test.happened", "data": { "a": 1 } });
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/events")
            .header(AUTHORIZATION, format!("Bearer {}", reached.key))
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .body(Body::from(event.to_string()))
            .expect("a request");
        reached.send(request).await
    };
    let first = send("e1").await;
    assert_eq!(
        (first.status, first.json()[0]["known"].clone()),
        (StatusCode::ACCEPTED, json!(false)),
        "{}",
        first.body
    );
    assert_eq!(send("e1").await.json()[0]["known"], true);
}

#[tokio::test]
async fn a_decision_through_the_api_moves_the_case_on_and_comes_too_late_the_second_time() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let key = site.key_of("zhao-min").await;
    let item = format!("/api/v1/work-items/{id}.{n}");
    let view = site.api_as(&key, Method::GET, &item, None).await;
    assert_eq!(view.status, StatusCode::OK, "{}", view.body);
    let (round, digest) = (view.json()["round"].clone(), view.json()["digest"].clone());
    let decision = json!({ "outcome": "approved", "seen": { "round": round, "digest": digest } });
    let path = format!("{item}/decision");
    let odd = site
        .api_as(
            &key,
            Method::POST,
            &path,
            Some(json!({ "outcome": "maybe" })),
        )
        .await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", odd.body);
    let decided = site
        .api_as(&key, Method::POST, &path, Some(decision.clone()))
        .await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.body);
    assert_eq!(decided.json()["outcome"], "approved");
    let late = site
        .api_as(
            &key,
            Method::POST,
            &path,
            Some(json!({ "outcome": "rejected", "comment": "想反悔" })),
        )
        .await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    site.item_of("wang-lei", &id).await;
}

#[tokio::test]
async fn operators_need_the_right_a_reason_and_the_version_they_looked_at() {
    let site = site().await;
    let id = site.application().await;
    let admin = site.key_of("admin").await;
    let path = format!("/api/v1/instances/{id}/suspend");
    let own = site.key_of("li-na").await;
    assert_eq!(
        site.api_as(&own, Method::POST, &path, Some(json!({ "reason": "x" })))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        site.api_as(&admin, Method::POST, &path, Some(json!({ "reason": " " })))
            .await
            .status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let stale = Request::builder()
        .method(Method::POST)
        .uri(&path)
        .header(AUTHORIZATION, format!("Bearer {admin}"))
        .header(CONTENT_TYPE, "application/json")
        .header("if-match", "\"99999\"")
        .body(Body::from(r#"{"reason":"核查"}"#))
        .expect("a request");
    assert_eq!(
        site.send(stale).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    let done = site
        .api_as(
            &admin,
            Method::POST,
            &path,
            Some(json!({ "reason": "核查" })),
        )
        .await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.body);
    let shown = site
        .api_as(
            &admin,
            Method::GET,
            &format!("/api/v1/instances/{id}"),
            None,
        )
        .await;
    assert_eq!(shown.json()["status"], "suspended");
    let cancel = format!("/api/v1/instances/{id}/cancel");
    assert_eq!(
        site.api_as(
            &admin,
            Method::POST,
            &cancel,
            Some(json!({ "reason": "重复" }))
        )
        .await
        .status,
        StatusCode::NO_CONTENT
    );
    let shown = site
        .api_as(
            &admin,
            Method::GET,
            &format!("/api/v1/instances/{id}"),
            None,
        )
        .await;
    assert_eq!(shown.json()["status"], "cancelled");
}

#[tokio::test]
async fn lists_come_in_pages_that_join_without_gap_or_overlap() {
    let site = site().await;
    let admin = site.key_of("admin").await;
    for _ in 0..3 {
        let id = site.application().await;
        let path = format!("/api/v1/instances/{id}/cancel");
        site.api_as(
            &admin,
            Method::POST,
            &path,
            Some(json!({ "reason": "测试" })),
        )
        .await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/instances?limit=2&status=cancelled".to_owned();
    loop {
        let page = site.api_as(&admin, Method::GET, &path, None).await.json();
        seen.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|item| item["id"].as_str().expect("an id").to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/instances?limit=2&status=cancelled&cursor={next}");
    }
    assert!(seen.len() >= 3);
    assert!(
        seen.windows(2).all(|pair| pair[0] > pair[1]),
        "newest first, each once: {seen:?}"
    );
}
