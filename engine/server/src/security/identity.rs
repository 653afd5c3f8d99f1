//! Who a request comes from: a visitor of the console by session, a client of the API by key.
//!
//! Every route states its access in the one table of routes; the check runs on the matched route, so
//! that no spelling of a path walks around it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tongban_runtime::Caller;
use tongban_work::Channel;

use super::account::{self, SignedIn};
use super::attempts::{Attempt, Door};
use super::form_token;
use super::key::{Scope, bearer};
use super::secret::random_token;
use crate::app::App;
use crate::counters::Counted;
use crate::language::{self, LANGUAGE_COOKIE, Language};
use crate::problem::Problem;
use crate::serve::Peer;

/// The cookie of a visit before signing in, to which the tokens of forms are bound.
pub const VISIT_COOKIE: &str = "visit";

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// People who are signed in.
    Officer,
    /// Clients with a key of this scope.
    Key(Scope),
}

/// A visitor of the console.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The language to answer in.
    pub language: Language,
    /// What tokens of forms are bound to: the session, or the visit before it.
    pub subject: Arc<str>,
    /// Who is signed in.
    pub signed_in: Option<Arc<SignedIn>>,
    /// The path with its query, for the language switch.
    pub path: Arc<str>,
    /// Where the visitor comes from: guessing is counted by it.
    pub address: Arc<str>,
}

/// Somebody who is signed in; handlers of such routes ask for it.
#[derive(Debug, Clone)]
pub struct Officer(pub Arc<SignedIn>);

/// A client of the API.
#[derive(Debug, Clone)]
pub struct Client {
    /// The key's visible prefix.
    pub prefix: String,
    /// The unit to which the key is bound.
    pub unit: Option<String>,
    /// The person in whose name it acts.
    pub person: Option<String>,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

impl Client {
    /// The caller that the engine records.
    pub fn caller(&self) -> Caller {
        Caller {
            person: self.person.clone(),
            unit: self.unit.clone(),
            channel: Channel::Api,
            key: Some(self.prefix.clone()),
        }
    }

    /// The person in whose name the key acts.
    ///
    /// # Errors
    /// The key has none.
    pub fn person(&self) -> Result<&str, Problem> {
        self.person.as_deref().ok_or_else(|| {
            Problem::forbidden("this key acts for a unit; acting on a work item wants a key that is bound to a person")
        })
    }
}

impl SignedIn {
    /// The caller that the engine records.
    pub fn caller(&self) -> Caller {
        Caller::person(self.person.clone(), self.unit.clone(), Channel::Console)
    }
}

/// Finds out who visits, before any route is matched; sets a visit cookie for people who come first.
pub async fn visit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let language = language::of_request(
        headers,
        cookie(headers, LANGUAGE_COOKIE).as_deref(),
        app.site.language,
    );
    let path: Arc<str> = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .into();
    let machine = is_machine(&path);
    let token = cookie(headers, session_cookie(app.site.secure)).filter(|_| !machine);
    let signed_in = match &token {
        Some(token) => match account::signed_in(&app, token).await {
            Ok(found) => found.map(Arc::new),
            Err(problem) => return problem.into_response(),
        },
        None => None,
    };
    let known = cookie(headers, VISIT_COOKIE).filter(|visit| (32..=64).contains(&visit.len()));
    let fresh = (known.is_none() && signed_in.is_none() && !machine).then(random_token);
    let subject: Arc<str> = match (&signed_in, &known, &fresh) {
        (Some(signed_in), _, _) => signed_in.session.as_str().into(),
        (None, Some(visit), _) | (None, None, Some(visit)) => visit.as_str().into(),
        (None, None, None) => "".into(),
    };
    let address = address_of(&request).into();
    request.extensions_mut().insert(Visitor {
        language,
        subject,
        signed_in: signed_in.clone(),
        path,
        address,
    });
    let renewed = signed_in.is_some_and(|signed_in| signed_in.renewed);
    let mut response = next.run(request).await;
    let session = session_cookie(app.site.secure);
    if let Some(token) = token.filter(|_| renewed && !sets(&response, session)) {
        let age_s = app.limits.session_minutes * 60;
        set_cookie(&mut response, session, &token, age_s, app.site.secure);
    }
    if let Some(visit) = fresh {
        set_cookie(&mut response, VISIT_COOKIE, &visit, 86_400, app.site.secure);
    }
    response
}

/// Whether a path belongs to machines: the API, health and assets need no visit.
pub fn is_machine(path: &str) -> bool {
    let machines = [
        "/api/",
        "/assets/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
    ];
    path == "/api" || machines.iter().any(|prefix| path.starts_with(prefix))
}

/// Lets a request pass as its route's access says.
pub async fn authorise(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    match access {
        Access::Open => next.run(request).await,
        Access::Officer => {
            let visitor = request.extensions().get::<Visitor>().cloned();
            let Some(signed_in) = visitor
                .as_ref()
                .and_then(|visitor| visitor.signed_in.clone())
            else {
                let next = visitor
                    .filter(|_| request.method() == Method::GET)
                    .map_or("/".into(), |visitor| visitor.path);
                return Redirect::to(&format!("/sign-in?next={}", escaped(&next))).into_response();
            };
            request.extensions_mut().insert(Officer(signed_in));
            next.run(request).await
        }
        Access::Key(scope) => {
            match client_of(&app, request.headers(), address_of(&request)).await {
                Ok(client) if client.scopes.contains(&scope) => {
                    request.extensions_mut().insert(client);
                    next.run(request).await
                }
                Ok(_) => Problem::forbidden(format!(
                    "this wants a key with the scope `{}`",
                    scope.name()
                ))
                .into_response(),
                Err(problem) => problem.into_response(),
            }
        }
    }
}

/// The client of a request's key. Unknown, revoked and expired keys answer the same; a key is never
/// taken from a cookie or an address.
async fn client_of(app: &App, headers: &HeaderMap, address: String) -> Result<Client, Problem> {
    let header = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = header
        .and_then(bearer)
        .ok_or_else(Problem::unauthenticated)?;
    // By what is shown of a key and from where: a stranger elsewhere does not slow its owner.
    let name = format!("{}@{address}", key.chars().take(11).collect::<String>());
    let now_ms = app.now_ms();
    let attempt = Attempt::from(&name, &address);
    if let Some(seconds) = app.attempts.wait_s(Door::Key, attempt, now_ms) {
        app.counters.count(Counted::KeyFailure);
        return Err(Problem::too_many(seconds));
    }
    match account::client(app, key).await? {
        Some(client) => {
            app.attempts.known(Door::Key, &name, now_ms);
            Ok(client)
        }
        None => {
            app.attempts.failed(Door::Key, attempt, now_ms);
            app.counters.count(Counted::KeyFailure);
            Err(Problem::unauthenticated())
        }
    }
}

/// Where a request comes from.
fn address_of(request: &Request) -> String {
    request
        .extensions()
        .get::<Peer>()
        .map_or_else(|| "here".to_owned(), |Peer(peer)| network_of(peer.ip()))
}

/// The address, or of version 6 the network: whoever has one address there has 2^64.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
}

/// What a layer found out about a request is handed to the handlers that ask for it.
macro_rules! found_before {
    ($($who:ty: $missing:literal),* $(,)?) => {$(
        impl<S: Sync> FromRequestParts<S> for $who {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
                let found = parts.extensions.get::<Self>().cloned();
                found.ok_or_else(|| Problem::internal($missing))
            }
        }
    )*};
}

found_before! {
    Visitor: "the visit was not looked at",
    Officer: "a page for officers stands on an open route",
    Client: "a handler for keys stands on an open route",
}

impl Visitor {
    /// The token for forms shown to this visitor.
    pub fn token(&self, app: &App) -> String {
        form_token::token_for(&app.key, &self.subject)
    }
}

/// The name of the session's cookie; through TLS the browser guards the name itself.
pub fn session_cookie(secure: bool) -> &'static str {
    if secure { "__Host-session" } else { "session" }
}

/// Sets a cookie that scripts cannot read; `age_s` 0 removes it.
pub fn set_cookie(response: &mut Response, name: &str, value: &str, age_s: u64, secure: bool) {
    let tail = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_s}{tail}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// Whether an answer sets a cookie.
fn sets(response: &Response, name: &str) -> bool {
    let set = response.headers().get_all(SET_COOKIE).iter();
    let mut set = set.filter_map(|value| value.to_str().ok()?.split_once('='));
    set.any(|(found, _)| found == name)
}

/// A cookie of a request.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// A path as the value of a query parameter.
fn escaped(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                (byte as char).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// A place on this site to go on to; anything else becomes the start page.
pub fn local_path(next: &str) -> &str {
    let plain = next
        .bytes()
        .all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    let local = next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/sign-");
    if plain && local && next.len() <= 512 {
        next
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_on_never_leaves_the_site() {
        assert_eq!(local_path("/items/a/1?x=2"), "/items/a/1?x=2");
        for evil in [
            "//evil",
            "/\\evil",
            "https://evil",
            "evil",
            "",
            "/a\r\nb",
            "/sign-out",
            "/\u{4e2d}",
        ] {
            assert_eq!(local_path(evil), "/", "{evil:?}");
        }
    }

    #[test]
    fn cookies_are_found_by_whole_name() {
        let mut headers = HeaderMap::new();
        headers.insert(
            COOKIE,
            HeaderValue::from_static("xsession=1; session=abc=; other"),
        );
        assert_eq!(cookie(&headers, "session").as_deref(), Some("abc="));
        assert_eq!(cookie(&headers, "sess"), None);
    }

    #[test]
    fn addresses_count_alone_and_of_version_6_by_network() {
        let network = |text: &str| network_of(text.parse().expect("an address"));
        assert_eq!(network("10.0.0.7"), "10.0.0.7");
        assert_eq!(network("::ffff:10.0.0.7"), "10.0.0.7");
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:3::4"), network("2001:db8:1:2::4"));
    }

    #[test]
    fn paths_are_escaped_as_parameters() {
        assert_eq!(
            escaped("/inbox?tab=done&x=中"),
            "/inbox%3Ftab%3Ddone%26x%3D%E4%B8%AD"
        );
    }
}
