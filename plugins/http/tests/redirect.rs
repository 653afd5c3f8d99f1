//! Redirects: followed only when asked, only within the allow-list, never with credentials to
//! another origin.

mod case;

use case::{Bench, get, refused};
use tongban_expr::{Value, value};
use wiremock::matchers::{any, body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn to(status: u16, location: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("location", location)
}

fn following(uri: &str) -> Value {
    get(uri).with("redirect", true)
}

#[tokio::test]
async fn a_redirect_is_an_error_unless_it_is_asked_for() {
    let server = MockServer::start().await;
    Mock::given(path("/old"))
        .respond_with(to(302, "/new"))
        .mount(&server)
        .await;
    Mock::given(path("/new"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("new", "text/plain"))
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let uri = format!("{}/old", server.uri());
    refused(
        bench.http(&get(&uri)).await,
        "communication",
        302,
        "redirect: true",
    );
    assert_eq!(bench.http(&following(&uri)).await, Ok(value!("new")));
}

#[tokio::test]
async fn a_redirect_without_a_place_is_an_answer() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(304))
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    assert_eq!(bench.http(&following(&server.uri())).await, Ok(Value::Null));
}

#[tokio::test]
async fn each_hop_is_checked() {
    let server = MockServer::start().await;
    for (from, location) in [
        ("/metadata", "http://169.254.169.254/latest"),
        ("/unlisted", "http://127.0.0.1:1/"),
        ("/file", "file:///etc/passwd"),
        ("/user", "http://a:b@127.0.0.1/"),
    ] {
        Mock::given(path(from))
            .respond_with(to(302, location))
            .mount(&server)
            .await;
    }
    Mock::given(path("/loop"))
        .respond_with(to(307, "/loop"))
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    for from in ["/metadata", "/unlisted", "/file", "/user"] {
        let uri = format!("{}{from}", server.uri());
        refused(bench.http(&following(&uri)).await, "configuration", 400, "");
    }
    let uri = format!("{}/loop", server.uri());
    refused(
        bench.http(&following(&uri)).await,
        "communication",
        502,
        "more than 5 redirects",
    );
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let first = MockServer::start().await;
    let second = MockServer::start().await;
    let place = format!("{}/end", second.uri());
    Mock::given(path("/away"))
        .respond_with(to(302, &place))
        .mount(&first)
        .await;
    Mock::given(path("/here"))
        .respond_with(to(302, "/end"))
        .mount(&first)
        .await;
    Mock::given(path("/end"))
        .and(header("authorization", "Basic Y2xlcms6czNjcmV0"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("same origin", "text/plain"))
        .expect(1)
        .mount(&first)
        .await;
    Mock::given(path("/end"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("other origin", "text/plain"))
        .mount(&second)
        .await;
    let bench = Bench::on(&[&first, &second]);
    let call = |from: &str| {
        value!({
            "method": "get",
            "endpoint": {
                "uri": format!("{}{from}", first.uri()),
                "authentication": { "basic": { "use": "login" } },
            },
            "headers": { "cookie": "session=1", "x-api-key": case::marker("policeToken"), "accept": "text/plain" },
            "redirect": true,
        })
    };
    assert_eq!(bench.http(&call("/here")).await, Ok(value!("same origin")));
    assert_eq!(bench.http(&call("/away")).await, Ok(value!("other origin")));
    let received = &second.received_requests().await.expect("requests")[0];
    for name in ["authorization", "cookie", "x-api-key"] {
        assert!(!received.headers.contains_key(name), "{name}");
    }
    assert_eq!(received.headers["accept"], "text/plain");
}

#[tokio::test]
async fn a_body_follows_only_within_its_origin() {
    let first = MockServer::start().await;
    let second = MockServer::start().await;
    Mock::given(path("/away"))
        .respond_with(to(307, &second.uri()))
        .mount(&first)
        .await;
    Mock::given(path("/here"))
        .respond_with(to(308, "/end"))
        .mount(&first)
        .await;
    Mock::given(path("/see"))
        .respond_with(to(303, "/seen"))
        .mount(&first)
        .await;
    Mock::given(method("POST"))
        .and(path("/end"))
        .and(body_string("data"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&first)
        .await;
    Mock::given(method("GET"))
        .and(path("/seen"))
        .and(body_string(""))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&first)
        .await;
    let bench = Bench::on(&[&first, &second]);
    let post = |from: &str| value!({ "method": "post", "endpoint": format!("{}{from}", first.uri()), "body": "data", "redirect": true });
    assert!(bench.http(&post("/here")).await.is_ok());
    assert!(bench.http(&post("/see")).await.is_ok());
    refused(
        bench.http(&post("/away")).await,
        "communication",
        502,
        "another origin",
    );
    assert_eq!(
        second.received_requests().await.map(|all| all.len()),
        Some(0)
    );
}
