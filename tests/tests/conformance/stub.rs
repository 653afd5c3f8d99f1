//! The stub that stands for every host outside: small HTTP/1.1 answers that show what was asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

/// How often a path of `/flaky` was asked; what stands before `/flaky` keeps runs apart.
static ASKED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// The idempotency keys that came to a path of `/keys`.
static KEYS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Starts it and gives its port.
pub(crate) fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream));
        }
    });
    port
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: String,
}

struct Answer {
    status: u16,
    kind: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    fn text(status: u16, kind: &'static str, body: &str) -> Self {
        Self {
            status,
            kind,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

/// A client that goes away is none of the stub's concern: whatever fails here ends this exchange only.
fn serve(mut stream: &TcpStream) -> Option<()> {
    let request = read(stream)?;
    if request.path == "/hangup" {
        return None;
    }
    let answer = answer(&request);
    let mut head = format!(
        "HTTP/1.1 {} Stub\r\nConnection: close\r\nContent-Length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    head.push_str(&format!("Content-Type: {}\r\n", answer.kind));
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    if request.method != "HEAD" {
        stream.write_all(&answer.body).ok()?;
    }
    Some(())
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body = String::from_utf8_lossy(&body).into_owned();
    Some(Request {
        method,
        path: path.to_string(),
        query: query.to_string(),
        headers,
        body,
    })
}

fn answer(request: &Request) -> Answer {
    let parts: Vec<&str> = request.path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["echo", ..] => echo(request),
        ["status", status] => {
            let status = status.parse().unwrap_or(500);
            let body = if status == 204 {
                String::new()
            } else {
                json!({ "status": status }).to_string()
            };
            Answer::text(status, "application/json", &body)
        }
        ["text"] => Answer::text(200, "text/plain; charset=utf-8", "hello 你好"),
        ["bytes"] => Answer {
            status: 200,
            kind: "application/octet-stream",
            headers: Vec::new(),
            body: vec![0, 255],
        },
        ["badjson"] => Answer::text(200, "application/json", "{\"a\":"),
        ["big"] => Answer::text(200, "application/json", "{\"n\":9007199254740993}"),
        ["problem"] => Answer::text(200, "application/vnd.api+json", "{\"ok\":true}"),
        ["redirect", status] => {
            Answer::json(status.parse().unwrap_or(302), &json!({})).with("Location", "/echo/moved")
        }
        ["away"] => Answer::json(302, &json!({})).with("Location", "https://unlisted.example/echo"),
        [.., "flaky", times, _] => flaky(&request.path, times.parse().unwrap_or(0)),
        [.., "keys", _] => keys(request),
        ["slow"] => {
            std::thread::sleep(Duration::from_secs(3));
            Answer::json(200, &json!({}))
        }
        ["basic" | "basic-auth" | "bearer" | "digest", ..] => guarded(request, &parts),
        ["inspect", .., "token"] => inspected(request),
        [.., "token"] => token(request),
        ["schema.json"] => Answer::json(
            200,
            &json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } }),
        ),
        [first @ .., ".well-known", "openid-configuration"] => {
            let endpoint = if first.contains(&"inspect") {
                "inspect/token"
            } else {
                "oidc/token"
            };
            let endpoint = format!("https://stub.example/{endpoint}");
            Answer::json(
                200,
                &json!({ "issuer": "https://stub.example", "token_endpoint": endpoint }),
            )
        }
        ["openapi.json"] => Answer::json(200, &openapi()),
        ["swagger.json"] => Answer::json(200, &swagger()),
        ["v2", ..] => petstore(&parts),
        _ => Answer::json(404, &json!({ "error": "nothing here" })),
    }
}

fn echo(request: &Request) -> Answer {
    let body = serde_json::from_str(&request.body).unwrap_or_else(|_| {
        if request.body.is_empty() {
            Value::Null
        } else {
            Value::from(request.body.as_str())
        }
    });
    let headers: Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    Answer::json(
        200,
        &json!({ "method": request.method, "path": request.path, "query": request.query, "headers": headers, "body": body }),
    )
}

/// The first `times` requests of a path fail.
fn flaky(path: &str, times: u64) -> Answer {
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let count = asked.entry(path.to_string()).or_default();
    *count += 1;
    if *count <= times {
        Answer::json(503, &json!({}))
    } else {
        Answer::json(200, &json!({ "tries": *count }))
    }
}

/// For each request of a path so far, whether its idempotency key is that of the first.
fn keys(request: &Request) -> Answer {
    let key = request.headers.get("idempotency-key").cloned();
    let mut all = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    let sent = all.entry(request.path.clone()).or_default();
    sent.push(key.unwrap_or_default());
    let first = sent.first().cloned().unwrap_or_default();
    let told = sent
        .iter()
        .map(|key| if *key == first { "same" } else { "other" });
    Answer::json(200, &json!({ "keys": told.collect::<Vec<_>>() }))
}

fn guarded(request: &Request, parts: &[&str]) -> Answer {
    let sent = request
        .headers
        .get("authorization")
        .map_or("", String::as_str);
    let (scheme, user) = (
        parts.first().copied().unwrap_or_default(),
        parts.get(1).copied().unwrap_or_default(),
    );
    let (open, challenge) = match scheme {
        "bearer" => (sent == format!("Bearer {user}"), "Bearer"),
        "digest" => (
            sent.starts_with("Digest ")
                && sent.contains(&format!("username=\"{user}\""))
                && sent.contains("nonce=\"abc\"")
                && sent.contains("response=\""),
            "Digest realm=\"x\", nonce=\"abc\", qop=\"auth\", algorithm=MD5",
        ),
        _ => {
            let pair = format!("{user}:{}", parts.get(2).copied().unwrap_or_default());
            (
                sent == format!("Basic {}", base64(pair.as_bytes())),
                "Basic realm=\"x\"",
            )
        }
    };
    if open {
        return Answer::json(200, &json!({ "ok": true }));
    }
    Answer::json(401, &json!({})).with("WWW-Authenticate", challenge)
}

/// Base64, three bytes at a time.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().enumerate().fold(0_u32, |bits, (place, byte)| {
            bits | u32::from(*byte) << (16 - 8 * place)
        });
        for place in 0..4 {
            let letter = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or(0);
            text.push(if place <= three.len() {
                char::from(LETTERS[letter])
            } else {
                '='
            });
        }
    }
    text
}

fn token(request: &Request) -> Answer {
    let member = |name: &str| {
        let pairs = request
            .body
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value.to_string())
            .next()
            .unwrap_or_default()
    };
    if member("client_secret") == "wrong" {
        return Answer::json(401, &json!({ "error": "invalid_client" }));
    }
    let token = format!("tok-{}", member("grant_type"));
    Answer::json(
        200,
        &json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }),
    )
}

/// A token that tells how it was asked for: encoding, client's way to show itself, and what stood in the request.
fn inspected(request: &Request) -> Answer {
    let kind = request
        .headers
        .get("content-type")
        .map_or("", String::as_str);
    let form = kind.starts_with("application/x-www-form-urlencoded");
    let mut said: BTreeMap<String, String> = if form {
        let pairs = request
            .body
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_string(), value.replace('+', " ")))
            .collect()
    } else {
        serde_json::from_str(&request.body).unwrap_or_default()
    };
    let basic = request
        .headers
        .get("authorization")
        .is_some_and(|sent| sent.starts_with("Basic "));
    let way = match (
        basic,
        said.remove("client_assertion"),
        said.remove("client_secret"),
    ) {
        (true, ..) => "basic",
        (_, Some(_), _) => "assertion",
        (_, _, Some(_)) => "post",
        _ => "none",
    };
    said.remove("client_assertion_type");
    let said: Vec<String> = said
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace("%3A", ":")))
        .collect();
    let token = format!(
        "{} {way} {}",
        if form { "form" } else { "json" },
        said.join(" ")
    );
    Answer::json(
        200,
        &json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }),
    )
}

fn openapi() -> Value {
    let id =
        json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
    let answers = json!({ "200": { "description": "ok" } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "stub", "version": "1" },
        "servers": [{ "url": "https://stub.example" }],
        "paths": { "/echo/pets/{id}": {
            "get": { "operationId": "getPet", "responses": answers, "parameters": [
                id,
                { "name": "tag", "in": "query", "schema": { "type": "string" } },
                { "name": "X-Trace", "in": "header", "schema": { "type": "string" } },
            ] },
        } },
    })
}

fn swagger() -> Value {
    let status = json!({ "name": "status", "in": "query", "type": "string", "required": true });
    json!({
        "swagger": "2.0",
        "info": { "title": "stub", "version": "1" },
        "host": "stub.example",
        "basePath": "/echo",
        "schemes": ["https"],
        "paths": { "/find": { "get": { "operationId": "find", "parameters": [status], "responses": { "200": { "description": "ok" } } } } },
    })
}

/// The pet store that the kit asks.
fn petstore(parts: &[&str]) -> Answer {
    let pet = json!({ "id": 1, "name": "milou", "status": "available" });
    match parts {
        ["v2", "pet", "findByStatus" | "findPetsByStatus"] => Answer::json(200, &json!([pet])),
        ["v2", "pet", "1"] => Answer::json(200, &pet),
        ["v2", "pet", "2"] => Answer::json(
            200,
            &json!({ "id": 2, "name": "rantanplan", "status": "sold" }),
        ),
        ["v2", "swagger.json"] => {
            let id = json!({ "name": "petId", "in": "path", "required": true, "type": "integer" });
            let status =
                json!({ "name": "status", "in": "query", "required": true, "type": "string" });
            let answers = json!({ "200": { "description": "ok" } });
            Answer::json(
                200,
                &json!({
                    "swagger": "2.0",
                    "info": { "title": "Petstore", "version": "1.0.0" },
                    "host": "petstore.swagger.io",
                    "basePath": "/v2",
                    "schemes": ["https"],
                    "paths": {
                        "/pet/findByStatus": { "get": { "operationId": "findPetsByStatus", "parameters": [status], "responses": answers } },
                        "/pet/{petId}": { "get": { "operationId": "getPetById", "parameters": [id], "responses": answers } },
                    },
                }),
            )
        }
        _ => Answer::json(404, &json!({ "message": "Pet not found" })),
    }
}
