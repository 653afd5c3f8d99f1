//! Who may use what: the table of routes against visitors without, with a wrong and with a foreign key.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{Method, Request, StatusCode};
use serde_json::json;
use tongban_server::router::routes;
use tongban_server::security::identity::Access;
use tongban_server::security::key::Scope;
use tongban_server::serve::Peer;

use crate::site::{Browser, site};

/// The path of a route with the ids of somebody else's case in it.
fn filled(path: &str, instance: &str) -> String {
    path.replace("/work-items/{id}", &format!("/work-items/{instance}.1"))
        .replace("/mailbox/{id}", "/mailbox/nothing")
        .replace("{id}", instance)
        .replace("{instance}", instance)
        .replace("{n}", "1")
        .replace("{namespace}", "sharing")
        .replace("{token}", "forged")
        .replace("/registers/{name}", "/registers/nothing")
        .replace("/assets/{name}", "/assets/nothing")
        .replace("{name}", "apply")
}

/// A body that the route can read.
fn body_of(path: &str) -> serde_json::Value {
    match path.rsplit('/').next().unwrap_or_default() {
        "decision" => json!({ "outcome": "approved" }),
        "submission" | "resubmission" => json!({ "data": {} }),
        "return" => json!({ "to": "applicant", "comment": "x" }),
        "correction" => json!({ "items": [{ "field": "", "reason": "x" }] }),
        "comment" => json!({ "text": "x" }),
        "transfer" | "delegation" => json!({ "to": "admin" }),
        "signers" => json!({ "who": "admin", "when": "before" }),
        "removal" => json!({ "who": "admin" }),
        "cancel" | "suspend" | "resume" => json!({ "reason": "x" }),
        "jump" => json!({ "reason": "x", "to": "grant" }),
        "instances" => json!({ "input": {} }),
        "workflows" | "check" => json!({ "files": {} }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn no_route_of_the_api_answers_without_a_good_key() {
    let site = site().await;
    let id = site.application().await;
    let guarded = routes()
        .into_iter()
        .filter(|route| matches!(route.access, Access::Key(_)));
    for (at, route) in guarded.enumerate() {
        let path = filled(route.path, &id);
        // Each from an address of its own: guessing is slowed by it.
        let peer = Peer(([10, 0, 1, u8::try_from(at).expect("few routes")], 4711).into());
        for key in [
            None,
            Some("Bearer tb_wrong_key"),
            Some("Basic YTpi"),
            Some("Bearer"),
        ] {
            let mut request = Request::builder()
                .method(route.method.clone())
                .uri(&path)
                .header(CONTENT_TYPE, "application/json");
            if let Some(key) = key {
                request = request.header(AUTHORIZATION, key);
            }
            request = request.extension(peer);
            let answer = site
                .send(
                    request
                        .body(Body::from(body_of(&path).to_string()))
                        .expect("a request"),
                )
                .await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{} {path} with {key:?}",
                route.method
            );
            assert!(answer.headers.contains_key(WWW_AUTHENTICATE));
            assert_eq!(answer.json()["type"], "urn:tongban:problem:unauthenticated");
        }
    }
}

#[tokio::test]
async fn no_route_answers_a_key_of_another_scope() {
    let site = site().await;
    let id = site.application().await;
    for (name, scope) in Scope::NAMES {
        let key = site
            .key_with(Some("transport".into()), Some("li-na"), &[scope])
            .await;
        for route in routes() {
            let Access::Key(wanted) = route.access else {
                continue;
            };
            if wanted == scope {
                continue;
            }
            let path = filled(route.path, &id);
            let answer = site
                .api_as(&key, route.method.clone(), &path, Some(body_of(&path)))
                .await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{} {path} with scope {name}",
                route.method
            );
        }
    }
}

#[tokio::test]
async fn no_page_for_officers_answers_strangers() {
    let site = site().await;
    let mut stranger = Browser::new(&site);
    let id = site.application().await;
    for route in routes()
        .iter()
        .filter(|route| route.access == Access::Officer)
    {
        let path = filled(route.path, &id);
        let answer = match route.method {
            Method::GET => stranger.get(&path).await,
            _ => stranger.post(&path, &[]).await,
        };
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{} {path}",
            route.method
        );
        assert!(
            answer.location().starts_with("/sign-in"),
            "{} {path}: {}",
            route.method,
            answer.location()
        );
    }
}

#[tokio::test]
async fn ids_of_another_units_case_do_not_exist_for_keys() {
    let site = site().await;
    let id = site.application().await;
    let key = site.key_of("qian-li").await;
    let nobody = "0190a1b2-0000-7000-8000-000000000000";
    for route in routes()
        .iter()
        .filter(|route| matches!(route.access, Access::Key(_)) && route.path.contains("{id}"))
    {
        let path = filled(route.path, &id);
        let theirs = site
            .api_as(
                &key,
                route.method.clone(),
                &path,
                (route.method == Method::POST).then(|| body_of(&path)),
            )
            .await;
        assert_eq!(
            theirs.status,
            StatusCode::NOT_FOUND,
            "{} {path}: {}",
            route.method,
            theirs.body
        );
        let path = filled(route.path, nobody);
        let missing = site
            .api_as(
                &key,
                route.method.clone(),
                &path,
                (route.method == Method::POST).then(|| body_of(&path)),
            )
            .await;
        assert_eq!(
            theirs.body, missing.body,
            "{} {path} tells a hidden case from none",
            route.method
        );
    }
}

#[tokio::test]
async fn lists_leave_another_units_case_out() {
    let site = site().await;
    let id = site.application().await;
    let key = site.key_of("qian-li").await;
    let list = site
        .api_as(&key, Method::GET, "/api/v1/instances?limit=200", None)
        .await
        .json();
    assert!(
        list["items"]
            .as_array()
            .is_some_and(|items| items.iter().all(|item| item["id"] != id.as_str()))
    );
}

#[tokio::test]
async fn ids_of_another_units_case_do_not_exist_in_the_console() {
    let site = site().await;
    let id = site.application().await;
    let mut browser = Browser::of(&site, "qian-li").await;
    for route in routes().iter().filter(|route| {
        route.access == Access::Officer
            && (route.path.contains("{id}") || route.path.contains("{instance}"))
    }) {
        let path = filled(route.path, &id);
        let answer = match route.method {
            Method::GET => browser.get(&path).await,
            _ => {
                let token = browser.get("/inbox").await.hidden("_token");
                browser
                    .post(
                        &path,
                        &[("_token", &token), ("_act", "cancel"), ("reason", "x")],
                    )
                    .await
            }
        };
        assert_eq!(
            answer.status,
            StatusCode::NOT_FOUND,
            "{} {path}: {}",
            route.method,
            answer.body
        );
        assert!(!answer.body.contains("李娜"), "{path} tells who started it");
    }
}

#[tokio::test]
async fn a_units_key_sees_its_unit_and_acts_for_nobody_else() {
    let site = site().await;
    let id = site.application().await;
    let scopes = Scope::NAMES.map(|(_, scope)| scope);
    let own = site.key_with(Some("transport".into()), None, &scopes).await;
    assert_eq!(
        site.api_as(&own, Method::GET, &format!("/api/v1/instances/{id}"), None)
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        site.api_as(&own, Method::GET, "/api/v1/work-items", None)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let city = site.key_with(Some("city".into()), None, &scopes).await;
    assert_eq!(
        site.api_as(&city, Method::GET, &format!("/api/v1/instances/{id}"), None)
            .await
            .status,
        StatusCode::OK
    );
    let other = site.key_with(Some("police".into()), None, &scopes).await;
    assert_eq!(
        site.api_as(
            &other,
            Method::GET,
            &format!("/api/v1/instances/{id}"),
            None
        )
        .await
        .status,
        StatusCode::NOT_FOUND
    );
    let mut body = site.application_body();
    body["onBehalfOf"] = json!("chen-jie");
    let foreign = site
        .api_as(
            &own,
            Method::POST,
            "/api/v1/workflows/sharing/apply/instances",
            Some(body),
        )
        .await;
    assert_eq!(
        foreign.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        foreign.body
    );
}

#[tokio::test]
async fn a_key_that_ended_answers_like_one_that_never_was() {
    let site = site().await;
    let key = site.key_of("li-na").await;
    assert_eq!(
        site.api_as(&key, Method::GET, "/api/v1/workflows", None)
            .await
            .status,
        StatusCode::OK
    );
    let hash = tongban_server::security::secret::token_hash(&key);
    tongban_server::security::account::remove_key(site.app.store(), &hash, site.app.now_ms())
        .await
        .expect("removed");
    let gone = site
        .api_as(&key, Method::GET, "/api/v1/workflows", None)
        .await;
    let never = site
        .api_as("tb_never_was", Method::GET, "/api/v1/workflows", None)
        .await;
    assert_eq!((gone.status, &gone.body), (never.status, &never.body));
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
}
