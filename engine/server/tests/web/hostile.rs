//! What strangers and other sites try.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use tongban_server::demo::PASSWORD;
use tongban_server::router::routes;
use tongban_server::security::identity::Access;

use crate::site::{Browser, site};

const CANARY: &str = "\"><script>alert(1)</script>&lt;'";

#[tokio::test]
async fn posts_without_a_token_or_from_other_sites_do_nothing() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let token = browser.get("/inbox").await.hidden("_token");
    let mut other = Browser::of(&site, "zhao-min").await;
    let foreign_token = other.get("/inbox").await.hidden("_token");
    for route in routes().iter().filter(|route| {
        route.method == Method::POST && matches!(route.access, Access::Officer | Access::Open)
    }) {
        let path = route
            .path
            .replace("{instance}", "x")
            .replace("{id}", "x")
            .replace("{n}", "1")
            .replace("{namespace}", "sharing")
            .replace("{name}", "apply")
            .replace("{token}", "x");
        for (pairs, site) in [
            (vec![], "same-origin"),
            (vec![("_token", "forged")], "same-origin"),
            (vec![("_token", foreign_token.as_str())], "same-origin"),
            (vec![("_token", token.as_str())], "cross-site"),
            (vec![("_token", token.as_str())], "same-site"),
        ] {
            let answer = browser.post_from(&path, &pairs, site).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{path} {pairs:?} from {site}: {}",
                answer.body
            );
        }
    }
    assert!(
        browser.get("/inbox").await.status.is_success(),
        "nobody was signed out by it"
    );
}

#[tokio::test]
async fn other_bodies_than_forms_are_refused_by_pages() {
    let site = site().await;
    for kind in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/sign-in")
            .header(CONTENT_TYPE, kind)
            .header("sec-fetch-site", "same-origin");
        let answer = site
            .send(request.body(Body::from("user=li-na")).expect("a request"))
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{kind}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn signing_in_gives_a_new_session_and_signing_out_ends_it() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let first = browser.cookie("session").expect("a session").to_owned();
    let page = browser.get("/inbox").await;
    assert_eq!(page.status, StatusCode::OK);
    let token = page.hidden("_token");
    let again = browser
        .post(
            "/sign-in",
            &[
                ("_token", &token),
                ("user", "li-na"),
                ("password", PASSWORD),
            ],
        )
        .await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.body);
    let cookie = again.headers[SET_COOKIE].to_str().expect("text");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let second = browser.cookie("session").expect("a session").to_owned();
    assert_ne!(first, second);
    let stale = Request::builder()
        .uri("/inbox")
        .header(COOKIE, format!("session={first}"))
        .body(Body::empty())
        .expect("a request");
    assert_eq!(
        site.send(stale).await.status,
        StatusCode::SEE_OTHER,
        "the former session has ended"
    );
    let token = browser.get("/inbox").await.hidden("_token");
    assert_eq!(
        browser
            .post("/sign-out", &[("_token", &token)])
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    let stale = Request::builder()
        .uri("/inbox")
        .header(COOKIE, format!("session={second}"))
        .body(Body::empty())
        .expect("a request");
    assert_eq!(
        site.send(stale).await.status,
        StatusCode::SEE_OTHER,
        "the session has ended on the server too"
    );
}

#[tokio::test]
async fn guessing_is_answered_alike_and_slowed() {
    let site = site().await;
    let mut browser = Browser::new(&site);
    let token = browser.get("/sign-in").await.hidden("_token");
    let mut bodies = Vec::new();
    for user in ["sun-yi", "nobody-at-all"] {
        let answer = browser
            .post(
                "/sign-in",
                &[
                    ("_token", &token),
                    ("user", user),
                    ("password", "wrong wrong wrong"),
                ],
            )
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        bodies.push(answer.body.replace(user, "X"));
    }
    assert_eq!(
        bodies[0], bodies[1],
        "a known and an unknown user look alike"
    );
    let mut slowed = false;
    for _ in 0..8 {
        let answer = browser
            .post(
                "/sign-in",
                &[
                    ("_token", &token),
                    ("user", "he-xin"),
                    ("password", "wrong wrong wrong"),
                ],
            )
            .await;
        slowed |= answer.status == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(slowed, "after some failures one has to wait");
    let next = browser
        .post(
            "/sign-in",
            &[
                ("_token", &token),
                ("user", "gao-yuan"),
                ("password", PASSWORD),
                ("next", "//evil.example"),
            ],
        )
        .await;
    assert_eq!(next.location(), "/", "nobody is sent to another site");
}

#[tokio::test]
async fn text_of_people_stays_text_on_every_page() {
    let site = site().await;
    let mut body = site.application_body();
    for field in ["basis", "scene", "security", "contact"] {
        body["input"][field] = CANARY.into();
    }
    body["input"]["scope"]["rows"] = CANARY.into();
    let started = site
        .api(
            Method::POST,
            "/api/v1/workflows/sharing/apply/instances",
            Some(body),
        )
        .await;
    assert_eq!(started.status, StatusCode::CREATED, "{}", started.body);
    let id = started.json()["id"].as_str().expect("an id").to_owned();
    let n = site.item_of("zhao-min", &id).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let item = head.get(&format!("/items/{id}/{n}")).await;
    let token = item.hidden("_token");
    let said = head
        .post(
            &format!("/items/{id}/{n}"),
            &[("_token", &token), ("_act", "comment"), ("_text", CANARY)],
        )
        .await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.body);
    let mut own = Browser::of(&site, "li-na").await;
    let case = own.get(&format!("/cases/{id}")).await;
    let echoed = own
        .get(&format!("/start?said={CANARY}").replace(['"', '<', '>', ' ', '\''], "%3C"))
        .await;
    for page in [
        item,
        case,
        echoed,
        head.get("/inbox").await,
        own.get("/cases").await,
    ] {
        assert!(page.status.is_success(), "{}", page.body);
        assert!(!page.body.contains("<script"), "{}", page.body);
    }
}

#[tokio::test]
async fn fields_that_were_never_asked_refuse_the_post() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let page = head.get(&format!("/items/{id}/{n}")).await;
    let (token, round, digest) = (
        page.hidden("_token"),
        page.hidden("_round"),
        page.hidden("_digest"),
    );
    let forged = head
        .post(
            &format!("/items/{id}/{n}"),
            &[
                ("_token", &token),
                ("_round", &round),
                ("_digest", &digest),
                ("_act", "decide"),
                ("_outcome", "approved"),
                ("contact", "someone else"),
            ],
        )
        .await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST, "{}", forged.body);
    let case = site
        .api(Method::GET, &format!("/api/v1/instances/{id}"), None)
        .await
        .json();
    assert_eq!(case["form"]["contact"], "李娜 0532-00000000");
    site.item_of("zhao-min", &id).await;
}

#[tokio::test]
async fn a_nul_is_refused_wherever_it_stands() {
    let site = site().await;
    for (path, status) in [
        ("/api/v1/instances?workflow=a%00b", StatusCode::BAD_REQUEST),
        ("/api/v1/instances?starter=%00", StatusCode::BAD_REQUEST),
        ("/api/v1/instances/%00", StatusCode::NOT_FOUND),
        ("/api/v1/registers/a%00/records", StatusCode::NOT_FOUND),
        // A percent sign and two zeros are a name like others.
        ("/api/v1/instances?workflow=a%2500b", StatusCode::OK),
    ] {
        let answer = site.api(Method::GET, path, None).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    let mut body = site.application_body();
    body["version"] = "1.0\0".into();
    let path = "/api/v1/workflows/sharing/apply/instances";
    let answer = site.api(Method::POST, path, Some(body)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["errors"][0]["field"], "version");
    let mut browser = Browser::of(&site, "li-na").await;
    let token = browser.get("/inbox").await.hidden("_token");
    let answer = browser
        .post("/language", &[("_token", &token), ("language", "en\0")])
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
}
