//! Who may read the counters, and what guessing keys and links costs.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{Method, Request, StatusCode};
use tongban_server::serve::Peer;

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
