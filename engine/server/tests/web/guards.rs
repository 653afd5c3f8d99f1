//! Who may read the counters, what guessing passwords, keys and links costs, and how long sessions and keys are in force.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use tongban_server::demo::PASSWORD;
use tongban_server::security::account::{KeyTerms, add_key};
use tongban_server::security::key::Scope;
use tongban_server::security::secret::{random_token, token_hash};
use tongban_server::serve::Peer;
use tongban_store::{Change, SessionRow};

use crate::site::{Answer, Browser, Site, site};

async fn ask(site: &Site, path: &str, peer: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    let peer: SocketAddr = format!("{peer}:4711").parse().expect("an address");
    request.extensions_mut().insert(Peer(peer));
    site.send(request).await
}

#[tokio::test]
async fn counters_are_for_this_machine() {
    let site = site().await;
    let here = ask(&site, "/metrics", "127.0.0.1", &[]).await;
    assert_eq!(here.status, StatusCode::OK);
    assert!(here.body.contains("tongban_key_failures_total"));
    for (peer, headers) in [
        ("10.0.0.7", vec![]),
        ("127.0.0.1", vec![("x-forwarded-for", "10.0.0.7")]),
        ("10.0.0.7", vec![("authorization", "Bearer guess")]),
    ] {
        let answer = ask(&site, "/metrics", peer, &headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{peer} {headers:?}");
        assert!(answer.body.contains("metrics.tokenFile"), "{}", answer.body);
    }
}

#[tokio::test]
async fn wrong_keys_cost_time_and_right_ones_do_not_wait_for_them() {
    let site = site().await;
    let right = format!("Bearer {}", site.key);
    let with = async |key: &str, peer: &str| {
        ask(
            &site,
            "/api/v1/instances",
            peer,
            &[(AUTHORIZATION.as_str(), key)],
        )
        .await
    };
    assert_eq!(with(&right, "10.0.0.9").await.status, StatusCode::OK);
    for _ in 0..5 {
        let answer = with("Bearer tb_AAAAAAAA_wrong", "10.0.0.9").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let slowed = with("Bearer tb_AAAAAAAA_other", "10.0.0.9").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(slowed.headers.contains_key(RETRY_AFTER));
    // From elsewhere the same beginning of a key is another matter.
    let elsewhere = with("Bearer tb_AAAAAAAA_other", "10.0.0.8").await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    for at in 0..60 {
        with(&format!("Bearer tb_{at:08}_wrong"), "10.0.0.9").await;
    }
    let fresh = with("Bearer tb_BBBBBBBB_wrong", "10.0.0.9").await;
    assert_eq!(fresh.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(with(&right, "10.0.0.9").await.status, StatusCode::OK);
}

#[tokio::test]
async fn wrong_links_cost_time() {
    let site = site().await;
    let mut browser = Browser::new(&site);
    for at in 0..50 {
        let page = browser.get(&format!("/link/{at:016}{at:048}")).await;
        assert_ne!(page.status, StatusCode::TOO_MANY_REQUESTS, "{at}");
    }
    let page = browser.get("/link/another").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.headers.contains_key(RETRY_AFTER));
    // People who sign in do not wait for it.
    assert_eq!(browser.get("/sign-in").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_description_of_a_demonstration_has_its_mailbox() {
    let site = site().await;
    let description = ask(&site, "/openapi.json", "127.0.0.1", &[]).await.json();
    assert_eq!(
        description["paths"].get("/api/v1/mailbox").is_some(),
        site.app.site.demo
    );
}

async fn sign_in(browser: &mut Browser, user: &str, password: &str) -> Answer {
    let token = browser.get("/sign-in").await.hidden("_token");
    let pairs = [
        ("_token", token.as_str()),
        ("user", user),
        ("password", password),
    ];
    browser.post("/sign-in", &pairs).await
}

#[tokio::test]
async fn who_guesses_at_a_name_locks_its_owner_out_of_no_browser_that_he_used() {
    let site = site().await;
    let mut own = Browser::of(&site, "li-na").await;
    let token = own.get("/inbox").await.hidden("_token");
    own.post("/sign-out", &[("_token", &token)]).await;
    let mut stranger = Browser::new(&site);
    let mut slowed = false;
    for _ in 0..8 {
        let answer = sign_in(&mut stranger, "li-na", "wrong wrong wrong").await;
        slowed |= answer.status == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(slowed, "the stranger waits");
    let again = sign_in(&mut own, "li-na", PASSWORD).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.body);
    // The browser is known for her alone, and for guessing it is no better than others.
    let mut slowed = false;
    for _ in 0..8 {
        let answer = sign_in(&mut own, "wang-lei", "wrong wrong wrong").await;
        slowed |= answer.status == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(slowed, "another name in her browser waits");
    let mut slowed = false;
    for _ in 0..8 {
        let answer = sign_in(&mut own, "li-na", "wrong wrong wrong").await;
        slowed |= answer.status == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(slowed, "her own name in her browser waits, too");
}

/// A session that began and ends so many minutes from now.
async fn session(site: &Site, began: i64, ends: i64) -> String {
    let (now_ms, token) = (site.app.now_ms(), random_token());
    let mut change = Change::without_instance(now_ms);
    change.add(SessionRow {
        hash: token_hash(&token),
        person_id: "li-na".to_owned(),
        body: "{}".to_owned(),
        created_at_ms: now_ms + began * 60_000,
        expires_at_ms: now_ms + ends * 60_000,
    });
    let store = site.app.store();
    store.commit_one(change).await.expect("a session");
    token
}

#[tokio::test]
async fn a_session_in_use_is_renewed_for_a_day_and_no_longer() {
    let site = site().await;
    let ask = async |token: &str| {
        let cookie = format!("session={token}");
        ask(&site, "/inbox", "10.0.0.7", &[("cookie", &cookie)]).await
    };
    let young = session(&site, -300, 10).await;
    let renewed = ask(&young).await;
    assert_eq!(renewed.status, StatusCode::OK);
    let cookie = renewed.headers[SET_COOKIE].to_str().expect("a text");
    assert!(
        cookie.starts_with(&format!("session={young}; ")),
        "{cookie}"
    );
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let row = site.app.store().session(&token_hash(&young)).await;
    let left_ms = row.expect("read").expect("a row").expires_at_ms - site.app.now_ms();
    assert!(left_ms > 60 * 60_000, "{left_ms}");
    let old = session(&site, -24 * 60 + 10, 10).await;
    let last = ask(&old).await;
    assert_eq!(last.status, StatusCode::OK);
    assert!(!last.headers.contains_key(SET_COOKIE));
    let over = session(&site, -60, -1).await;
    assert_eq!(ask(&over).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn keys_of_units_that_are_gone_and_keys_that_expired_open_nothing() {
    let site = site().await;
    let gone = site
        .key_with(Some("dissolved".into()), None, &[Scope::View])
        .await;
    let terms = KeyTerms {
        name: "old".into(),
        unit: Some("transport".into()),
        person: None,
        scopes: vec![Scope::View],
        expires_at_ms: Some(site.app.now_ms() - 1),
    };
    let expired = add_key(site.app.store(), terms, site.app.now_ms()).await;
    for key in [gone, expired.expect("a key").text] {
        let answer = site
            .api_as(&key, Method::GET, "/api/v1/instances", None)
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    }
}

#[tokio::test]
async fn what_no_operation_reads_is_refused_in_a_query() {
    let site = site().await;
    let (id, key) = (site.application().await, site.key_of("li-na").await);
    for (method, path, expected) in [
        (Method::GET, "/api/v1/instances?offset=3", "`offset`"),
        (Method::GET, "/api/v1/workflows?limit=3", "nothing"),
        (
            Method::GET,
            &format!("/api/v1/instances/{id}/diagram?x"),
            "`x`",
        ),
        (
            Method::POST,
            &format!("/api/v1/instances/{id}/cancel?reason=x"),
            "`reason`",
        ),
        (Method::GET, "/api/v1/instances?limit=3&limit=4", "limit"),
        (Method::GET, "/api/v1/instances?limit=-1", "1 to 200"),
        (
            Method::GET,
            "/api/v1/instances?limit=99999999999999999999",
            "limit",
        ),
        (Method::GET, "/api/v1/instances?cursor=%22", "`cursor`"),
        (
            Method::GET,
            "/api/v1/instances?cursor=eyJhdF9tcyI6MCwiaWQiOiJhXHUwMDAwIn0",
            "`cursor`",
        ),
    ] {
        let body = (method == Method::POST).then(|| serde_json::json!({ "reason": "x" }));
        let answer = site.api_as(&key, method, path, body).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{path}: {}",
            answer.body
        );
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains(expected), "{path}: {detail}");
    }
}

#[tokio::test]
async fn failures_before_any_handler_are_problems_too() {
    let site = site().await;
    let (long, key) = ("x".repeat(1 << 20), site.key_of("li-na").await);
    for (method, path, kind, body, status) in [
        (
            Method::GET,
            "/api/v1/nothing",
            "",
            "",
            StatusCode::NOT_FOUND,
        ),
        (Method::GET, "/api", "", "", StatusCode::NOT_FOUND),
        (
            Method::PATCH,
            "/api/v1/instances",
            "",
            "",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::TRACE,
            "/api/v1/events",
            "",
            "",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::GET,
            "/api/v1/instances/%ff",
            "",
            "",
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::POST,
            "/api/v1/events",
            "text/plain",
            "{}",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Method::POST,
            "/api/v1/events",
            "application/cloudevents+json",
            &long,
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::POST,
            "/api/v1/workflows/check",
            "application/json",
            "{\"files\": {",
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(CONTENT_TYPE, kind)
            .header("accept", "image/*;q=9, \"")
            .header("x-http-method-override", "DELETE")
            .header(AUTHORIZATION, format!("Bearer {key}"));
        let answer = site
            .send(
                request
                    .body(Body::from(body.to_owned()))
                    .expect("a request"),
            )
            .await;
        told_as_problem(&answer, status, &format!("{method} {path}"));
    }
}

/// Whether an answer is a problem as RFC 9457 words it.
fn told_as_problem(answer: &Answer, status: StatusCode, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert_eq!(
        answer.headers[CONTENT_TYPE], "application/problem+json",
        "{what}"
    );
    let problem = answer.json();
    assert_eq!(problem["status"], status.as_u16(), "{what}");
    for member in ["type", "title", "detail"] {
        assert!(problem[member].is_string(), "{what}: {problem}");
    }
    assert_eq!(
        answer.headers.contains_key(ALLOW),
        status == StatusCode::METHOD_NOT_ALLOWED,
        "{what}"
    );
}
