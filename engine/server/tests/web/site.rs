//! A sample site in memory, and visitors of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value as Json;
use tongban_server::app::App;
use tongban_server::assemble::{self, Engine};
use tongban_server::demo::{self, DemoOptions};
use tongban_server::router::router;
use tongban_server::security::account::{self, KeyTerms};
use tongban_server::security::key::Scope;
use tongban_server::site::organisation_of;
use tower::ServiceExt;

/// The sample site.
pub struct Site {
    pub app: App,
    pub router: Router,
    /// The key of li-na at the transport department.
    pub key: String,
    next: AtomicUsize,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn location(&self) -> &str {
        self.headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The value of a hidden input of the page.
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self
            .body
            .split_once(&start)
            .unwrap_or_else(|| panic!("no input {name} in {}", self.body))
            .1;
        unescape(rest.split('"').next().unwrap_or_default())
    }
}

fn unescape(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&#38;", "&")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&amp;", "&")
}

/// Brings a site up on a runtime of its own, which lives until the tests end.
pub async fn site() -> Arc<Site> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let (site, engine) = bring_up().await;
            assert!(sender.send(Arc::new(site)).is_ok(), "the test waits");
            std::future::pending::<()>().await;
            drop(engine);
        });
    });
    receiver.await.expect("the site comes up")
}

async fn bring_up() -> (Site, Engine) {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let options = DemoOptions {
        site: root,
        data: folder.join("demo"),
        executable: PathBuf::from(env!("CARGO_BIN_EXE_tongban")),
        ..DemoOptions::default()
    };
    let (app, engine) = demo::prepare(&options, options.listen)
        .await
        .expect("the sample site comes up");
    let key = std::fs::read_to_string(folder.join("demo/api-key")).expect("the key's file");
    (
        Site {
            router: router(&app),
            app,
            key,
            next: AtomicUsize::new(0),
        },
        engine,
    )
}

impl Site {
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router always answers");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.expect("a body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Calls the API with the sample key.
    pub async fn api(&self, method: Method, path: &str, body: Option<Json>) -> Answer {
        self.api_as(&self.key, method, path, body).await
    }

    /// Calls the API with a key.
    pub async fn api_as(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Option<Json>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {key}"));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).expect("a request")).await
    }

    /// A new key for a person, with all scopes.
    pub async fn key_of(&self, person: &str) -> String {
        let organisation = self.app.organisation();
        let unit = organisation
            .person(person)
            .expect("the person is there")
            .unit
            .clone();
        self.key_with(unit, Some(person), &Scope::NAMES.map(|(_, scope)| scope))
            .await
    }

    /// A new key.
    pub async fn key_with(
        &self,
        unit: Option<String>,
        person: Option<&str>,
        scopes: &[Scope],
    ) -> String {
        let terms = KeyTerms {
            name: "test".into(),
            unit,
            person: person.map(str::to_owned),
            scopes: scopes.to_vec(),
            expires_at_ms: None,
        };
        account::add_key(self.app.store(), terms, self.app.now_ms())
            .await
            .expect("a key")
            .text
    }

    /// Gives the sample organisation further rights, lines of YAML.
    pub fn with_rights(&self, rights: &str) {
        self.with_organisation("\nrights:\n", &format!("\nrights:\n{rights}\n"));
    }

    /// Puts another text into the sample organisation.
    pub fn with_organisation(&self, written: &str, changed: &str) {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let file = root.join("config/organisation.yaml");
        let text = std::fs::read_to_string(&file).expect("the sample organisation");
        assert!(text.contains(written), "the file has {written}");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("organisation.yaml");
        std::fs::write(&file, text.replacen(written, changed, 1)).expect("written");
        let library = assemble::packs(&root.join("workflows")).expect("the packs");
        let calendars = root.join("config/calendars");
        let organisation = organisation_of(&file, &calendars, &library);
        let organisation = organisation.expect("a good organisation");
        self.app.runtime.organisation_place((*organisation).clone());
    }

    /// Starts a sharing application as li-na; every call asks for another purpose, so that keys of cases differ.
    pub async fn application(&self) -> String {
        let answer = self
            .api(
                Method::POST,
                "/api/v1/workflows/sharing/apply/instances",
                Some(self.application_body()),
            )
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// The printed example with a case key of its own: there are four purposes.
    pub fn application_body(&self) -> Json {
        let purposes = ["basis", "reference", "check", "joint"];
        let mut body: Json =
            serde_json::from_str(demo::EXAMPLE_INPUT).expect("the example is JSON");
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        body["input"]["purpose"] = purposes[at % purposes.len()].into();
        body
    }

    /// Waits until a person has an open item in a case, and gives its number.
    pub async fn item_of(&self, person: &str, instance: &str) -> i64 {
        let key = self.key_of(person).await;
        for _ in 0..500 {
            let list = self
                .api_as(&key, Method::GET, "/api/v1/work-items?limit=200", None)
                .await
                .json();
            let items = list["items"].as_array().expect("a list").clone();
            if let Some(item) = items.iter().find(|item| item["instance"] == instance) {
                return item["n"].as_i64().expect("a number");
            }
            tokio::task::yield_now().await;
        }
        panic!("{person} has no item in {instance}")
    }
}

/// A browser: it keeps cookies and follows nothing.
pub struct Browser {
    site: Arc<Site>,
    cookies: Vec<(String, String)>,
    language: &'static str,
}

impl Browser {
    pub fn new(site: &Arc<Site>) -> Self {
        Self {
            site: Arc::clone(site),
            cookies: Vec::new(),
            language: "zh-CN",
        }
    }

    pub fn english(site: &Arc<Site>) -> Self {
        Self {
            language: "en-GB,en;q=0.8",
            ..Self::new(site)
        }
    }

    /// A browser in which a sample person is signed in.
    pub async fn of(site: &Arc<Site>, person: &str) -> Self {
        let mut browser = Self::new(site);
        browser.sign_in(person).await;
        browser
    }

    pub async fn sign_in(&mut self, person: &str) {
        let page = self.get("/sign-in").await;
        let answer = self
            .post(
                "/sign-in",
                &[
                    ("_token", &page.hidden("_token")),
                    ("user", person),
                    ("password", demo::PASSWORD),
                    ("next", "/"),
                ],
            )
            .await;
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{person} signs in: {}",
            answer.body
        );
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = Request::builder().method(Method::GET).uri(path);
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    pub async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.post_from(path, pairs, "same-origin").await
    }

    pub async fn post_from(&mut self, path: &str, pairs: &[(&str, &str)], site: &str) -> Answer {
        let body = encoded(pairs);
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .body(Body::from(body))
            .expect("a request");
        self.send(request).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ");
        if !cookies.is_empty() {
            request
                .headers_mut()
                .insert(COOKIE, cookies.parse().expect("cookies"));
        }
        request.headers_mut().insert(
            "accept-language",
            self.language.parse().expect("a language"),
        );
        let answer = self.site.send(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("text");
            let (name, rest) = text.split_once('=').expect("a pair");
            let value = rest.split(';').next().unwrap_or_default().to_owned();
            self.cookies.retain(|(known, _)| known != name);
            if !text.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value));
            }
        }
        answer
    }
}

/// A form as a browser sends it.
pub fn encoded(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    (byte as char).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect::<String>()
    };
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}
