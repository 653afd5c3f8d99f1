//! Credentials: every scheme, secrets only where a connector lists them, tokens kept and renewed.

mod case;

use case::{Bench, marker, refused};
use tongban_expr::{Value, secret, value};
use wiremock::matchers::{
    any, body_string_contains, header, header_regex, method, path, query_param,
};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn open(server: &MockServer, authorization: &str) {
    Mock::given(path("/data"))
        .and(header("authorization", authorization))
        .respond_with(ResponseTemplate::new(200).set_body_raw("open", "text/plain"))
        .mount(server)
        .await;
}

fn call(server: &MockServer, authentication: Value) -> Value {
    value!({
        "method": "get",
        "endpoint": { "uri": format!("{}/data", server.uri()), "authentication": authentication },
    })
}

#[tokio::test]
async fn basic_and_bearer() {
    let server = MockServer::start().await;
    open(&server, "Basic Y2xlcms6czNjcmV0").await;
    open(&server, "Bearer t0p/secret?&").await;
    open(&server, "Bearer plain").await;
    let bench = Bench::on(&[&server]);
    for authentication in [
        value!({ "basic": { "username": "clerk", "password": "s3cret" } }),
        value!({ "basic": { "use": "login" } }),
        value!({ "basic": { "use": "loginText" } }),
        value!({ "bearer": { "token": "plain" } }),
        value!({ "bearer": { "token": marker("policeToken") } }),
        value!({ "bearer": { "use": "policeToken" } }),
    ] {
        assert_eq!(
            bench.http(&call(&server, authentication)).await,
            Ok(value!("open"))
        );
    }
    for (authentication, words) in [
        (value!({ "use": "missing" }), "`missing`"),
        (value!({ "basic": { "username": "clerk" } }), "`password`"),
        (
            value!({ "basic": { "username": "a:b", "password": "x" } }),
            "colon",
        ),
        (value!({ "basic": { "use": "unknown" } }), "`unknown`"),
        (value!({ "basic": {}, "bearer": {} }), "found 2"),
        (value!({ "certificate": { "x": 1 } }), "not supported"),
    ] {
        let result = bench.http(&call(&server, authentication)).await;
        let failure = result.expect_err("a failure");
        assert!(failure.detail.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_secret_goes_only_where_the_connector_lists_it() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let port = server.address().port();
    let bench = Bench::with(&format!(
        "connectors: {{ '*': {{ one: {{ scheme: http, host: 127.0.0.1, port: {port}, addresses: [127.0.0.1], secrets: [login] }} }} }}"
    ));
    let with = |place: &str, value: Value| {
        value!({ "method": "post", "endpoint": server.uri() }).with(place, value)
    };
    for args in [
        with("headers", value!({ "x": marker("policeToken") })),
        with("query", value!({ "x": marker("policeToken") })),
        with("body", value!({ "x": [marker("policeToken")] })),
        with(
            "endpoint",
            value!(format!(
                "{}/{}",
                server.uri(),
                marker("policeToken").as_str().expect("text")
            )),
        ),
        with(
            "endpoint",
            value!({ "uri": server.uri(), "authentication": { "bearer": { "use": "policeToken" } } }),
        ),
    ] {
        let failure = refused(
            bench.http(&args).await,
            "authorization",
            403,
            "`policeToken`",
        );
        assert!(!failure.detail.contains("t0p"));
    }
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(0)
    );
}

#[tokio::test]
async fn a_secret_is_sent_and_never_shown() {
    let server = MockServer::start().await;
    Mock::given(path("/a/t0p%2Fsecret%3F%26/b"))
        .and(query_param("key", "t0p/secret?&"))
        .and(header("x-key", "t0p/secret?&"))
        .and(body_string_contains("t0p/secret?&"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/fails"))
        .respond_with(ResponseTemplate::new(500))
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let token = marker("policeToken");
    let text = token.as_str().expect("text");
    let args = value!({
        "method": "post",
        "endpoint": format!("{}/a/{text}/b", server.uri()),
        "query": { "key": text },
        "headers": { "x-key": text },
        "body": { "key": text },
        "output": "response",
    });
    let answer = bench.http(&args).await.expect("an answer").to_json();
    assert!(!answer.contains("t0p"), "{answer}");
    assert!(answer.contains("***"), "{answer}");
    let failing = args.with("endpoint", format!("{}/fails", server.uri()));
    let failure = bench.http(&failing).await.expect_err("a failure");
    assert!(!failure.to_string().contains("t0p"), "{failure}");
}

#[tokio::test]
async fn a_forged_marker_names_nothing() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let forged = secret::marker("policeToken", "guessed");
    let args = value!({ "method": "post", "endpoint": server.uri(), "body": { "x": forged } });
    assert!(bench.http(&args).await.is_ok());
    let received = &server.received_requests().await.expect("requests")[0];
    assert!(!String::from_utf8_lossy(&received.body).contains("t0p"));
}

#[tokio::test]
async fn digest_answers_the_challenge() {
    let server = MockServer::start().await;
    Mock::given(path("/data"))
        .and(header_regex("authorization", "^Digest username=\"clerk\", realm=\"files\", nonce=\"abc\", uri=\"/data\\?x=1\", algorithm=SHA-256, response=\"[0-9a-f]{64}\", qop=auth, nc=00000001, cnonce=\"[0-9a-f]{32}\"$"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("open", "text/plain"))
        .with_priority(1)
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/data"))
        .respond_with(ResponseTemplate::new(401).insert_header(
            "www-authenticate",
            "Digest realm=\"files\", nonce=\"abc\", qop=\"auth\", algorithm=SHA-256",
        ))
        .expect(1)
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let args =
        call(&server, value!({ "digest": { "use": "login" } })).with("query", value!({ "x": 1 }));
    assert_eq!(bench.http(&args).await, Ok(value!("open")));
}

#[tokio::test]
async fn digest_with_a_wrong_password_is_an_authentication_error() {
    let server = MockServer::start().await;
    let challenge = "Digest realm=\"files\", nonce=\"abc\"";
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401).insert_header("www-authenticate", challenge))
        .expect(2)
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let args = call(
        &server,
        value!({ "digest": { "username": "a", "password": "b" } }),
    );
    refused(bench.http(&args).await, "authentication", 401, "401");
}

fn oauth(authority: &MockServer) -> Value {
    value!({
        "oauth2": {
            "authority": format!("{}/realms/city", authority.uri()),
            "endpoints": { "token": "/auth/token" },
            "grant": "client_credentials",
            "client": { "id": "tongban", "secret": "s3cret" },
            "scopes": ["api", "read"],
            "audiences": ["registers"],
        }
    })
}

async fn authority(tokens: &[&str]) -> MockServer {
    let server = MockServer::start().await;
    for token in tokens {
        let answer = format!(
            "{{\"access_token\":\"{token}\",\"token_type\":\"bearer\",\"expires_in\":3600}}"
        );
        Mock::given(method("POST"))
            .and(path("/realms/city/auth/token"))
            .and(body_string_contains("grant_type=client_credentials"))
            .and(body_string_contains(
                "client_id=tongban&client_secret=s3cret",
            ))
            .and(body_string_contains("scope=api+read&audience=registers"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(answer, "application/json"))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    server
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept() {
    let server = MockServer::start().await;
    open(&server, "Bearer one").await;
    let authority = authority(&["one", "two"]).await;
    let bench = Bench::on(&[&server, &authority]);
    let args = call(&server, oauth(&authority));
    for _ in 0..3 {
        assert_eq!(bench.http(&args).await, Ok(value!("open")));
    }
    assert_eq!(
        authority.received_requests().await.map(|all| all.len()),
        Some(1)
    );
}

#[tokio::test]
async fn a_revoked_token_is_renewed_once() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer one"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("first", "text/plain"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Bearer one"))
        .respond_with(ResponseTemplate::new(401))
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Bearer two"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("second", "text/plain"))
        .mount(&server)
        .await;
    let authority = authority(&["one", "two"]).await;
    let bench = Bench::on(&[&server, &authority]);
    let args = call(&server, oauth(&authority));
    assert_eq!(bench.http(&args).await, Ok(value!("first")));
    assert_eq!(bench.http(&args).await, Ok(value!("second")));
}

#[tokio::test]
async fn an_authority_that_refuses() {
    let server = MockServer::start().await;
    let refusing = MockServer::start().await;
    Mock::given(any())
        .respond_with(
            ResponseTemplate::new(400)
                .set_body_raw("{\"error\":\"invalid_client\"}", "application/json"),
        )
        .mount(&refusing)
        .await;
    let bench = Bench::on(&[&server, &refusing]);
    let args = call(&server, oauth(&refusing));
    let failure = refused(
        bench.http(&args).await,
        "authentication",
        401,
        "invalid_client",
    );
    assert!(!failure.detail.contains("s3cret"));
    // The authority must be in the allow-list like everything else.
    let bench = Bench::on(&[&server]);
    refused(
        bench.http(&args).await,
        "configuration",
        400,
        "connectors.yaml",
    );
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(0)
    );
}

#[tokio::test]
async fn open_id_discovers_the_token_endpoint() {
    let server = MockServer::start().await;
    open(&server, "Bearer found").await;
    let authority = MockServer::start().await;
    let document = format!("{{\"token_endpoint\":\"{}/token\"}}", authority.uri());
    Mock::given(path("/realms/city/.well-known/openid-configuration"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(document, "application/json"))
        .mount(&authority)
        .await;
    Mock::given(path("/token"))
        .and(header("authorization", "Basic dG9uZ2JhbjpzJTNBM2NyZXQ="))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_raw("{\"access_token\":\"found\"}", "application/json"),
        )
        .mount(&authority)
        .await;
    let bench = Bench::on(&[&server, &authority]);
    let policy = |place: &str| {
        value!({ "oidc": {
            "authority": format!("{}{place}", authority.uri()),
            "grant": "client_credentials",
            "client": { "id": "tongban", "secret": "s:3cret", "authentication": "client_secret_basic" },
        } })
    };
    for place in [
        "/realms/city",
        "/realms/city/.well-known/openid-configuration",
    ] {
        assert_eq!(
            bench.http(&call(&server, policy(place))).await,
            Ok(value!("open"))
        );
    }
    let issued = policy("/realms/city")
        .get("oidc")
        .cloned()
        .unwrap_or_default();
    let issued = value!({ "oidc": issued.with("issuers", value!(["https://other.example"])) });
    refused(
        bench.http(&call(&server, issued)).await,
        "authentication",
        401,
        "issuers",
    );
}

#[tokio::test]
async fn grants_that_need_a_person_are_refused() {
    let server = MockServer::start().await;
    let bench = Bench::on(&[&server]);
    let policy = value!({ "authority": server.uri(), "grant": "authorization_code" });
    let result = bench
        .http(&call(&server, value!({ "oauth2": policy })))
        .await;
    refused(result, "configuration", 400, "authorization_code");
    assert_eq!(
        server.received_requests().await.map(|all| all.len()),
        Some(0)
    );
}

#[tokio::test]
async fn a_token_is_renewed_by_the_one_that_was_given_for_it() {
    let server = MockServer::start().await;
    for (token, text) in [("one", "first"), ("two", "second"), ("three", "third")] {
        Mock::given(header("authorization", format!("Bearer {token}").as_str()))
            .respond_with(ResponseTemplate::new(200).set_body_raw(text, "text/plain"))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401))
        .mount(&server)
        .await;
    let authority = MockServer::start().await;
    for (asked, token, refresh) in [
        ("grant_type=password", "one", "next1"),
        (
            "grant_type=refresh_token&refresh_token=next1",
            "two",
            "next2",
        ),
    ] {
        let answer = format!(
            "{{\"access_token\":\"{token}\",\"expires_in\":3600,\"refresh_token\":\"{refresh}\"}}"
        );
        Mock::given(path("/oauth2/token"))
            .and(body_string_contains(asked))
            .respond_with(ResponseTemplate::new(200).set_body_raw(answer, "application/json"))
            .up_to_n_times(1)
            .expect(1)
            .mount(&authority)
            .await;
    }
    // A refresh token that is no longer good: the grant itself is asked for again.
    Mock::given(body_string_contains("refresh_token=next2"))
        .respond_with(
            ResponseTemplate::new(400)
                .set_body_raw("{\"error\":\"invalid_grant\"}", "application/json"),
        )
        .expect(1)
        .mount(&authority)
        .await;
    Mock::given(body_string_contains("grant_type=password"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_raw("{\"access_token\":\"three\"}", "application/json"),
        )
        .expect(1)
        .mount(&authority)
        .await;
    let bench = Bench::on(&[&server, &authority]);
    let args = call(
        &server,
        value!({ "oauth2": {
            "authority": authority.uri(), "grant": "password",
            "username": "clerk", "password": "s3cret", "client": { "id": "tongban", "authentication": "none" },
        } }),
    );
    for expected in ["first", "second", "third"] {
        assert_eq!(bench.http(&args).await, Ok(value!(expected)));
    }
}

#[tokio::test]
async fn calls_at_the_same_time_ask_for_one_token() {
    let server = MockServer::start().await;
    open(&server, "Bearer one").await;
    let authority = authority(&["one", "two"]).await;
    let bench = Bench::on(&[&server, &authority]);
    let args = call(&server, oauth(&authority));
    let (first, second, third) =
        tokio::join!(bench.http(&args), bench.http(&args), bench.http(&args));
    for result in [first, second, third] {
        assert_eq!(result, Ok(value!("open")));
    }
    assert_eq!(
        authority.received_requests().await.map(|all| all.len()),
        Some(1)
    );
}

/// An authority may say that tokens are given elsewhere; a secret goes along only where that place lists it.
#[tokio::test]
async fn a_secret_does_not_follow_a_described_endpoint() {
    let server = MockServer::start().await;
    let authority = MockServer::start().await;
    let elsewhere = MockServer::start().await;
    let document = format!("{{\"token_endpoint\":\"{}/token\"}}", elsewhere.uri());
    Mock::given(path("/.well-known/openid-configuration"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(document, "application/json"))
        .mount(&authority)
        .await;
    let entry = |server: &MockServer, secrets: &str| {
        format!(
            "{{ scheme: http, host: 127.0.0.1, port: {}, addresses: [127.0.0.0/8], secrets: [{secrets}] }}",
            server.address().port()
        )
    };
    let bench = Bench::with(&format!(
        "connectors:\n  police:\n    a: {}\n    b: {}\n    c: {}\n",
        entry(&server, ""),
        entry(&authority, "policeToken"),
        entry(&elsewhere, "")
    ));
    let policy = value!({
        "authority": authority.uri(), "grant": "client_credentials",
        "client": { "id": "tongban", "secret": (case::marker("policeToken")) },
    });
    let result = bench.http(&call(&server, value!({ "oidc": policy }))).await;
    refused(result, "authorization", 403, "policeToken");
    assert_eq!(
        elsewhere.received_requests().await.map(|all| all.len()),
        Some(0)
    );
}

#[tokio::test]
async fn the_resolved_authorization_stands_where_the_call_says() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer one"))
        .and(header("x-token", "one"))
        .and(body_string_contains("one"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("seen", "text/plain"))
        .mount(&server)
        .await;
    let authority = authority(&["one"]).await;
    let bench = Bench::on(&[&server, &authority]);
    let parameter = case::marker("@authorization");
    let args = call(&server, oauth(&authority))
        .with("method", "post")
        .with("headers", value!({ "x-token": (parameter.clone()) }))
        .with("body", value!({ "token": (parameter.clone()) }))
        .with("output", "response");
    let response = bench.http(&args).await.expect("an answer");
    assert_eq!(response.text("content"), Some("seen"));
    // What was sent is not shown.
    assert_eq!(response.at("request.headers.x-token"), Some(&value!("***")));
    let digest = value!({ "digest": { "username": "a", "password": "b" } });
    let args = call(&server, digest).with("headers", value!({ "x-token": (parameter) }));
    refused(bench.http(&args).await, "configuration", 400, "challenge");
}

/// Who sends credentials and is refused learns that they are wrong; who sends none only that the callee refused.
#[tokio::test]
async fn a_refusal_is_about_credentials_only_where_some_were_sent() {
    for (status, family) in [(401, "authentication"), (403, "authorization")] {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status))
            .mount(&server)
            .await;
        let bench = Bench::on(&[&server]);
        let login = value!({ "basic": { "username": "clerk", "password": "wrong" } });
        refused(
            bench.http(&call(&server, login)).await,
            family,
            status,
            &status.to_string(),
        );
        refused(
            bench.http(&case::get(&server.uri())).await,
            "communication",
            status,
            &status.to_string(),
        );
    }
}
