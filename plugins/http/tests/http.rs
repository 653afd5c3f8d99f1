//! `call: http`: requests, answers, errors, limits.

mod case;

use case::{Bench, get, refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tongban_expr::{Value, value};
use tongban_http::Transport;
use tongban_plugin::Failure;
use tongban_plugin::{Admission, HttpPort as _};
use wiremock::matchers::{
    body_json, body_string, header, header_exists, method, path, query_param,
};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn sends_query_and_headers_and_reads_json() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/v1/people"))
        .and(query_param("name", "张 三&x=1"))
        .and(query_param("page", "2"))
        .and(query_param("kept", "yes"))
        .and(header("accept", "application/json"))
        .and(header("x-flag", "true"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(serde_json(r#"{"id":9007199254740993}"#)),
        )
        .expect(1)
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let args = value!({
        "method": "GET",
        "endpoint": { "uri": format!("{}/v1/people?kept=yes#top", server.uri()) },
        "query": { "name": "张 三&x=1", "page": 2, "none": null },
        "headers": { "Accept": "application/json", "X-Flag": true },
    });
    let answer = bench.http(&args).await.expect("an answer");
    assert_eq!(answer, value!({ "id": 9_007_199_254_740_993_i64 }));
    let request = &server.received_requests().await.expect("requests")[0];
    assert!(!request.headers.contains_key("idempotency-key"));
}

fn serde_json(text: &str) -> impl serde::Serialize {
    Value::from_json(text).expect("JSON")
}

#[tokio::test]
async fn a_post_carries_the_key_of_its_act() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(body_json(serde_json(r#"{"a":[1,2]}"#)))
        .and(header("content-type", "application/json"))
        .and(header("idempotency-key", "key-of-the-act"))
        .respond_with(ResponseTemplate::new(201))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .and(body_string("n=1+2"))
        .and(header("idempotency-key", "own"))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let post = value!({ "method": "post", "endpoint": server.uri(), "body": { "a": [1, 2] } });
    assert_eq!(bench.http(&post).await.expect("an answer"), Value::Null);
    let put = value!({
        "method": "put",
        "endpoint": server.uri(),
        "body": { "n": "1 2" },
        "headers": { "Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": "own" },
    });
    assert_eq!(bench.http(&put).await.expect("an answer"), Value::Null);
}

#[tokio::test]
async fn three_forms_of_output() {
    let server = answering(
        ResponseTemplate::new(200)
            .insert_header("x-two", "b")
            .set_body_raw("{\"id\":1}", "application/json"),
    )
    .await;
    let bench = Bench::on(&[&server]);
    let uri = format!("{}/pets", server.uri());
    let with = |output: &str| get(&uri).with("output", output);
    assert_eq!(bench.http(&with("content")).await, Ok(value!({ "id": 1 })));
    assert_eq!(bench.http(&with("raw")).await, Ok(value!("eyJpZCI6MX0=")));
    let response = bench.http(&with("response")).await.expect("an answer");
    assert_eq!(response.get("statusCode"), Some(&value!(200)));
    assert_eq!(response.at("content.id"), Some(&value!(1)));
    assert_eq!(
        response.get("headers").and_then(|all| all.text("x-two")),
        Some("b")
    );
    assert_eq!(response.at("request.method"), Some(&value!("get")));
    assert_eq!(response.at("request.uri"), Some(&value!(uri.as_str())));
    assert!(
        response
            .at("request.headers")
            .is_some_and(|headers| headers.as_object().is_some())
    );
    refused(
        bench.http(&with("xml")).await,
        "configuration",
        400,
        "`xml`",
    );
}

#[tokio::test]
async fn statuses_become_the_errors_of_the_language() {
    for (status, family, retryable) in [
        (400, "communication", false),
        (401, "communication", false),
        (403, "communication", false),
        (404, "communication", false),
        (409, "communication", false),
        (429, "communication", true),
        (500, "communication", true),
        (501, "communication", false),
        (503, "communication", true),
        (304, "communication", false),
    ] {
        let server = answering(ResponseTemplate::new(status)).await;
        let bench = Bench::on(&[&server]);
        let uri = format!("{}/x?token=geheim", server.uri());
        let failure = refused(
            bench.http(&get(&uri)).await,
            family,
            status,
            &status.to_string(),
        );
        assert_eq!(failure.retryable, retryable, "{status}");
        assert!(!failure.detail.contains("geheim"), "{}", failure.detail);
        assert!(failure.type_uri().ends_with(family));
    }
}

#[tokio::test]
async fn a_problem_speaks_for_itself_and_other_bodies_stay_out() {
    let problem = r#"{"title":"No such person","detail":"id 5","other":"hidden"}"#;
    let server =
        answering(ResponseTemplate::new(404).set_body_raw(problem, "application/problem+json"))
            .await;
    let bench = Bench::on(&[&server]);
    let failure = refused(
        bench.http(&get(&server.uri())).await,
        "communication",
        404,
        "No such person: id 5",
    );
    assert!(!failure.detail.contains("hidden"));
    let server =
        answering(ResponseTemplate::new(500).set_body_raw("李四 990000", "text/plain")).await;
    let failure = refused(
        Bench::on(&[&server]).http(&get(&server.uri())).await,
        "communication",
        500,
        "500",
    );
    assert!(!failure.detail.contains("990000"));
}

#[tokio::test]
async fn an_answer_that_is_not_what_it_says() {
    let server =
        answering(ResponseTemplate::new(200).set_body_raw("<html>", "application/json")).await;
    let bench = Bench::on(&[&server]);
    refused(
        bench.http(&get(&server.uri())).await,
        "communication",
        502,
        "application/json",
    );
}

#[tokio::test]
async fn arguments_that_can_never_work() {
    let server = answering(ResponseTemplate::new(200)).await;
    let bench = Bench::on(&[&server]);
    let uri = server.uri();
    for (args, words) in [
        (value!({ "endpoint": uri.as_str() }), "`method`"),
        (
            value!({ "method": "GET /x", "endpoint": uri.as_str() }),
            "`method`",
        ),
        (value!({ "method": "get" }), "`endpoint`"),
        (
            value!({ "method": "get", "endpoint": { "url": "x" } }),
            "`uri`",
        ),
        (
            value!({ "method": "get", "endpoint": "/relative" }),
            "absolute URI",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "query": [1] }),
            "`query`",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "query": { "a": { "b": 1 } } }),
            "`query.a`",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "headers": { "Host": "evil" } }),
            "`host`",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "headers": { "Content-Length": 1 } }),
            "`content-length`",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "headers": { "x": "a\r\nSet-Cookie: b" } }),
            "line break",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "headers": { "x": "a\nb" } }),
            "line break",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "headers": { "x y": "a" } }),
            "name of a header",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "headers": { "x\r\ny": "a" } }),
            "name of a header",
        ),
        (
            value!({ "method": "get", "endpoint": uri.as_str(), "redirect": "yes" }),
            "`redirect`",
        ),
    ] {
        refused(bench.http(&args).await, "configuration", 400, words);
    }
    let template = value!({ "method": "get", "endpoint": format!("{uri}/{{petId}}") });
    refused(bench.http(&template).await, "expression", 400, "template");
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(0)
    );
}

#[tokio::test]
async fn no_entry_no_call() {
    let server = answering(ResponseTemplate::new(200)).await;
    let port = server.address().port();
    let bench = Bench::on(&[&server]);
    let listed = format!("http://127.0.0.1:{port}/");
    assert!(bench.http(&get(&listed)).await.is_ok());
    refused(
        bench.call_for("transport", "http", &get(&listed)).await,
        "configuration",
        400,
        "connectors.yaml",
    );
    for uri in [
        format!("http://localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        "http://127.0.0.1:1/".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        format!("http://user@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}@evil.example/"),
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
    ] {
        refused(bench.http(&get(&uri)).await, "configuration", 400, "");
    }
    // Other spellings of a listed address are that address.
    for uri in [
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
    ] {
        assert!(bench.http(&get(&uri)).await.is_ok(), "{uri}");
    }
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(3)
    );
}

#[tokio::test]
async fn a_listed_name_must_lead_to_a_listed_address() {
    let server = answering(ResponseTemplate::new(200)).await;
    let port = server.address().port();
    let entry = |host: &str, addresses: &str| {
        format!(
            "connectors: {{ '*': {{ one: {{ scheme: http, host: {host}, port: {port}{addresses} }} }} }}"
        )
    };
    let closed = Bench::with(&entry("localhost", ""));
    let uri = format!("http://localhost:{port}/");
    refused(
        closed.http(&get(&uri)).await,
        "configuration",
        400,
        "leads to",
    );
    let elsewhere = Bench::with(&entry("localhost", ", addresses: [10.0.0.0/8]"));
    refused(
        elsewhere.http(&get(&uri)).await,
        "configuration",
        400,
        "leads to",
    );
    let literal = Bench::with(&entry("127.0.0.1", ""));
    refused(
        literal
            .http(&get(&format!("http://127.0.0.1:{port}/")))
            .await,
        "configuration",
        400,
        "leads to",
    );
    let open = Bench::with(&entry("localhost", ", addresses: [127.0.0.1, '::1']"));
    assert!(open.http(&get(&uri)).await.is_ok());
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(1)
    );
}

#[tokio::test]
async fn a_mapped_host_is_reached_where_the_operator_says() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/pet/1"))
        .and(header_exists("host"))
        .respond_with(ResponseTemplate::new(200).set_body_json(serde_json("{\"id\":1}")))
        .mount(&server)
        .await;
    let mapping = format!("petstore.example={}", server.address())
        .parse()
        .expect("a mapping");
    let bench = Bench::new(Transport::mapped(&[mapping]));
    for uri in [
        "http://petstore.example/v2/pet/1",
        "http://petstore.example:8080/v2/pet/1",
        "https://petstore.example/v2/pet/1",
        "https://PETSTORE.example:8443/v2/pet/1",
    ] {
        assert_eq!(
            bench.http(&get(uri)).await,
            Ok(value!({ "id": 1 })),
            "{uri}"
        );
    }
    let hosts: Vec<String> = server
        .received_requests()
        .await
        .expect("requests")
        .iter()
        .map(|request| request.headers["host"].to_str().expect("text").to_owned())
        .collect();
    assert_eq!(
        hosts,
        [
            "petstore.example",
            "petstore.example:8080",
            "petstore.example",
            "petstore.example:8443"
        ]
    );
    refused(
        bench.http(&get("http://other.example/")).await,
        "communication",
        503,
        "--resolve other.example=ADDR:PORT",
    );
}

#[tokio::test]
async fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let bench = Bench::with(&format!(
        "connectors: {{ '*': {{ one: {{ scheme: http, host: 127.0.0.1, port: {port}, addresses: [127.0.0.1] }} }} }}"
    ));
    let uri = format!("http://127.0.0.1:{port}/x?token=geheim");
    let failure = refused(
        bench.http(&get(&uri)).await,
        "communication",
        503,
        "could not be reached",
    );
    assert!(failure.retryable && !failure.detail.contains("geheim"));
}

/// Calls somebody who reads the request, does `answer` on the connection, and holds it or hangs up.
async fn ask(answer: &'static [u8], hold: bool) -> Result<Value, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0_u8; 1024];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(answer).await;
            if hold {
                held.push(stream);
            }
        }
    });
    let bench = Bench::with(&format!(
        "connectors: {{ '*': {{ one: {{ scheme: http, host: 127.0.0.1, port: {port}, addresses: [127.0.0.1], timeouts: {{ connectMs: 1000, totalMs: 300 }} }} }} }}"
    ));
    bench.http(&get(&format!("http://127.0.0.1:{port}/"))).await
}

#[tokio::test]
async fn a_callee_that_never_answers_is_a_timeout() {
    let answer = ask(b"", true).await;
    refused(answer, "timeout", 408, "300 ms");
}

#[tokio::test]
async fn a_callee_that_stops_in_the_body_is_a_timeout() {
    let answer = ask(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", true).await;
    refused(answer, "timeout", 408, "300 ms");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_answer() {
    let answer = ask(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", false).await;
    refused(answer, "communication", 502, "broke off");
}

#[tokio::test]
async fn a_callee_that_speaks_something_else() {
    let answer = ask(b"220 mail.example ESMTP\r\n", false).await;
    refused(answer, "communication", 502, "no usable answer");
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() {
    let answer = ask(
        b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n",
        true,
    )
    .await;
    let failure = refused(answer, "communication", 502, "10000000000");
    assert!(!failure.retryable);
}

#[tokio::test]
async fn a_body_is_measured_after_inflation() {
    let server = answering(
        ResponseTemplate::new(200)
            .insert_header("content-encoding", "gzip")
            .set_body_raw(zeros_gzipped(12 << 20), "application/octet-stream"),
    )
    .await;
    let bench = Bench::on(&[&server]);
    refused(
        bench.http(&get(&server.uri())).await,
        "communication",
        502,
        "larger than 8388608 bytes",
    );
    let small = answering(
        ResponseTemplate::new(200)
            .insert_header("content-encoding", "gzip")
            .set_body_raw(stored_gzip(b"[1,2]"), "application/json"),
    )
    .await;
    let bench = Bench::on(&[&small]);
    assert_eq!(bench.http(&get(&small.uri())).await, Ok(value!([1, 2])));
}

const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// At least so many zeros in fixed Huffman codes: one literal, then copies of 258 bytes in 13 bits.
fn zeros_gzipped(size: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let push = |bits: &mut Vec<bool>, code: u32, width: u32| {
        bits.extend((0..width).rev().map(|bit| code >> bit & 1 == 1));
    };
    push(&mut bits, 0b0011_0000, 8);
    for _ in 0..=size / 258 {
        push(&mut bits, 0b1100_0101, 8);
        push(&mut bits, 0, 5);
    }
    push(&mut bits, 0, 7);
    let packed = bits.chunks(8).map(|chunk| {
        chunk
            .iter()
            .enumerate()
            .fold(0, |byte, (place, bit)| byte | u8::from(*bit) << place)
    });
    // The check sum is wrong: the limit strikes before anybody looks at it.
    GZIP_HEAD.into_iter().chain(packed).chain([0; 8]).collect()
}

fn stored_gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("short");
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    let mut gzip = GZIP_HEAD.to_vec();
    gzip.push(1);
    gzip.extend(length.to_le_bytes());
    gzip.extend((!length).to_le_bytes());
    gzip.extend(bytes);
    gzip.extend((!crc).to_le_bytes());
    gzip.extend(u32::from(length).to_le_bytes());
    gzip
}

/// A callee that is down is left alone, and acts are told to wait instead of failing.
#[tokio::test]
async fn a_callee_that_fails_is_left_alone() {
    let server = answering(ResponseTemplate::new(503)).await;
    let port = server.address().port();
    let bench = Bench::with(&format!(
        "connectors:\n  police:\n    down: {{ scheme: http, host: 127.0.0.1, port: {port}, addresses: [127.0.0.0/8], circuit: {{ failures: 3, seconds: 60 }} }}\n"
    ));
    let uri = server.uri();
    assert_eq!(bench.transport.admission("police/down"), Admission::Go);
    for _ in 0..3 {
        let failure = refused(bench.http(&get(&uri)).await, "communication", 503, "503");
        assert_eq!(failure.wait_ms, None, "the callee said so itself");
    }
    let Admission::Wait { millis, why } = bench.transport.admission("police/down") else {
        panic!("the connector rests");
    };
    assert!(millis > 50_000 && why.contains("left alone"), "{why}");
    let failure = refused(
        bench.http(&get(&uri)).await,
        "communication",
        503,
        "left alone",
    );
    assert!(failure.wait_ms.is_some_and(|wait| wait > 50_000));
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(3)
    );
}

#[tokio::test]
async fn a_connector_that_the_site_paused() {
    let server = answering(ResponseTemplate::new(200)).await;
    let port = server.address().port();
    let bench = Bench::with(&format!(
        "connectors:\n  police:\n    held: {{ scheme: http, host: 127.0.0.1, port: {port}, addresses: [127.0.0.0/8], paused: true }}\n"
    ));
    let failure = refused(
        bench.http(&get(&server.uri())).await,
        "communication",
        503,
        "paused by the site",
    );
    assert!(failure.wait_ms.is_some());
    assert_ne!(bench.transport.admission("police/held"), Admission::Go);
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(0)
    );
}
