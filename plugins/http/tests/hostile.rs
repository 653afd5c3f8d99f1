//! Callees that mean harm: endless and oversized answers, answers that are not what they say, addresses that climb,
//! documents that grow.

mod case;

use case::{Bench, get, refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tongban_expr::{Value, value};
use tongban_plugin::Failure;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Calls somebody who reads the request and then does what `speak` does with the connection.
async fn ask<F, S>(speak: S) -> Result<Value, Failure>
where
    F: Future<Output = std::io::Result<()>> + Send,
    S: Fn(TcpStream) -> F + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0_u8; 1024];
            let _ = stream.read(&mut buffer).await;
            // Whoever hangs up on us ends the talk.
            let _ = speak(stream).await;
        }
    });
    let bench = Bench::with(&format!(
        "connectors: {{ '*': {{ one: {{ scheme: http, host: 127.0.0.1, port: {port}, addresses: [127.0.0.1], timeouts: {{ connectMs: 1000, totalMs: 600 }} }} }} }}"
    ));
    bench.http(&get(&format!("http://127.0.0.1:{port}/"))).await
}

/// Calls somebody who answers these bytes and hangs up.
async fn answered(bytes: Vec<u8>) -> Result<Value, Failure> {
    ask(move |mut stream| {
        let bytes = bytes.clone();
        async move { stream.write_all(&bytes).await }
    })
    .await
}

#[tokio::test]
async fn an_answer_without_end_is_a_timeout_however_it_drips() {
    for (head, drop) in [
        ("HTTP/1.1 200 OK\r\n", "x-more: 1\r\n"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", "x"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "1\r\nx\r\n",
        ),
    ] {
        let answer = ask(move |mut stream| async move {
            stream.write_all(head.as_bytes()).await?;
            let mut tick = tokio::time::interval(std::time::Duration::from_millis(40));
            loop {
                tick.tick().await;
                stream.write_all(drop.as_bytes()).await?;
            }
        })
        .await;
        refused(answer, "timeout", 408, "600 ms");
    }
}

#[tokio::test]
async fn headers_are_bounded() {
    let one = [
        b"HTTP/1.1 200 OK\r\nx-large: ".to_vec(),
        vec![b'a'; 2 << 20],
    ]
    .concat();
    let many = [
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        b"x-more: 1\r\n".repeat(100_000),
    ]
    .concat();
    for bytes in [one, many] {
        let answer = answered([bytes, b"\r\n\r\nok".to_vec()].concat()).await;
        refused(answer, "communication", 502, "no usable answer");
    }
}

#[tokio::test]
async fn answers_that_contradict_themselves() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n",
    ] {
        let answer = answered(bytes.to_vec()).await;
        refused(answer, "communication", 502, "no usable answer");
    }
    let chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx";
    refused(
        answered(chunks.to_vec()).await,
        "communication",
        502,
        "broke off",
    );
    // What follows the announced length is not part of the answer.
    let longer = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nsmuggled";
    assert_eq!(answered(longer.to_vec()).await, Ok(value!("ok")));
}

#[tokio::test]
async fn bodies_that_are_not_what_they_say() {
    let whole = |kind: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let deep = "[".repeat(200_000);
    for body in [
        deep.as_bytes(),
        b"{\"a\":1} tail",
        b"{\"a\":NaN}",
        b"\xef\xbb\xbf\xff",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\\u0000\"}",
    ] {
        let failure = refused(
            answered(whole("application/json", body)).await,
            "communication",
            502,
            "but is not",
        );
        assert!(!failure.retryable, "the same would come again");
    }
    let foreign = answered(whole("text/plain; charset=nonsense", b"\xc4\xe3\xba\xc3")).await;
    assert_eq!(foreign, Ok(value!("xOO6ww==")), "bytes stay bytes");
    let cut = [
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n".to_vec(),
        vec![0x1f, 0x8b, 8, 0],
    ]
    .concat();
    refused(answered(cut).await, "communication", 502, "broke off");
}

#[tokio::test]
async fn an_address_that_climbs_is_refused() {
    let server = MockServer::start().await;
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(204))
        .expect(0)
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    for part in [
        "people/..",
        "people/../admin",
        "people/.",
        "people/%2E%2e/admin",
        "people/.%2e?x=1",
        "people\\..\\admin",
    ] {
        let args = value!({ "method": "delete", "endpoint": format!("{}/{part}", server.uri()) });
        refused(bench.http(&args).await, "validation", 400, "another path");
    }
    let fine = MockServer::start().await;
    Mock::given(path("/people/..x"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&fine)
        .await;
    let bench = Bench::on(&[&fine]);
    let uri = format!("{}/people/..x?back=/a/../b", fine.uri());
    assert_eq!(bench.http(&get(&uri)).await, Ok(Value::Null));
}

/// Calls an operation of a document that a callee gave.
async fn described(document: &str, parameters: Value) -> Result<Value, Failure> {
    let server = MockServer::start().await;
    Mock::given(path("/doc"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(document, "application/yaml"))
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let args = value!({
        "document": { "endpoint": format!("{}/doc", server.uri()) },
        "operationId": "x",
        "parameters": parameters,
    });
    bench.call("openapi", &args).await
}

#[tokio::test]
async fn documents_that_go_round_in_circles() {
    let circle = "
openapi: 3.1.0
paths: { /a: { $ref: '#/components/pathItems/a' } }
components: { pathItems: { a: { $ref: '#/components/pathItems/b' }, b: { $ref: '#/components/pathItems/a' } } }
";
    refused(
        described(circle, Value::Null).await,
        "configuration",
        400,
        "more than 16 references",
    );
    let itself = "
openapi: 3.1.0
paths: { /a: { get: { operationId: x, parameters: [{ $ref: '#/paths/~1a/get/parameters/0' }] } } }
";
    let answer = described(itself, Value::Null).await;
    assert!(answer.is_err(), "{answer:?}");
}

#[tokio::test]
async fn documents_that_grow() {
    let mut laughs = "openapi: 3.1.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let last = format!("*a{}, ", level - 1).repeat(10);
        laughs.push_str(&format!("a{level}: &a{level} [{last}]\n"));
    }
    refused(
        described(&laughs, Value::Null).await,
        "configuration",
        400,
        "OpenAPI 3.0",
    );
    // Every variable of the server would double the next.
    let mut doubling =
        "openapi: 3.1.0\nservers:\n  - url: 'http://x.example/{v0}'\n    variables:\n".to_owned();
    for n in 0..60 {
        let next = n + 1;
        doubling.push_str(&format!(
            "      v{n}: {{ default: '{{v{next}}}{{v{next}}}' }}\n"
        ));
    }
    doubling.push_str("paths: { /a: { get: { operationId: x } } }\n");
    let answer = described(&doubling, Value::Null).await;
    refused(answer, "configuration", 400, "");
    let path = "/{p}".repeat(20_000);
    let operation =
        r#"{"operationId":"x","parameters":[{"name":"p","in":"path","required":true}]}"#;
    let repeated = format!(r#"{{"openapi":"3.1.0","paths":{{"{path}":{{"get":{operation}}}}}}}"#);
    let answer = described(&repeated, value!({ "p": "a".repeat(10_000) })).await;
    refused(answer, "configuration", 400, "longer than 65536 bytes");
}

#[tokio::test]
async fn a_parameter_of_a_path_stays_in_its_place() {
    let document = "
openapi: 3.1.0
paths: { '/people/{id}/files': { get: { operationId: x, parameters: [{ name: id, in: path, required: true }] } } }
";
    for id in [".", ".."] {
        let answer = described(document, value!({ "id": id })).await;
        refused(answer, "validation", 400, "another path");
    }
    // What looks like a place in a value is a value.
    for id in ["../../admin", "{id}", "a?b#c", "a\r\nx: y"] {
        let answer = described(document, value!({ "id": id })).await;
        refused(answer, "communication", 404, "404");
    }
}
