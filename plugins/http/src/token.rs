//! Access tokens of OAuth 2 and OpenID Connect, kept until shortly before they end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tongban_expr::{Value, value};
use tongban_plugin::{ActCall, Failure, HttpPort as _, HttpRequest, HttpResponse};

use crate::authentication::resolved;
use crate::body::form_encoded;
use crate::digest::hex;
use crate::request::{given, texts};
use crate::reveal::Reveal;
use crate::transport::{Transport, uri};

/// A token is renewed this long before it ends.
const SPARE: Duration = Duration::from_secs(30);
/// How long a token is kept that does not say when it ends.
const LIFE_DEFAULT: Duration = Duration::from_secs(60);
/// How many tokens are kept.
const TOKENS_MAX: usize = 256;

/// What is asked of an authority.
pub(crate) struct Grant {
    open_id: bool,
    policy: Value,
}

#[derive(Clone)]
struct Token {
    header: String,
    ends: Instant,
}

type Slot = Arc<Mutex<Option<Token>>>;

/// The tokens of this process. They are never written anywhere.
#[derive(Default)]
pub(crate) struct Tokens {
    slots: Mutex<HashMap<String, Slot>>,
}

/// A `Authorization` header, and the slot to empty when the callee refuses it.
pub(crate) struct Held {
    pub(crate) header: String,
    /// True when it was not asked for just now, so that a refusal may mean that it was revoked.
    pub(crate) kept: bool,
    slot: Slot,
}

impl Held {
    /// Forgets the token, so that the next one is asked for.
    pub(crate) async fn forget(&self) {
        *self.slot.lock().await = None;
    }
}

impl Grant {
    pub(crate) fn of(open_id: bool, policy: &Value) -> Result<Self, Failure> {
        if policy.as_object().is_none() {
            return Err(Failure::configuration(
                "`authentication.oauth2` and `authentication.oidc` expect an object",
            ));
        }
        Ok(Self {
            open_id,
            policy: policy.clone(),
        })
    }

    /// The policy with its secrets. The authority stands in the policy or in the secret that the
    /// policy uses, so it has to be known before its connector can be asked about secrets.
    fn resolve(
        &self,
        call: &ActCall<'_>,
        transport: &Transport,
    ) -> Result<(String, Value), Failure> {
        let policy = match self.policy.text("use") {
            Some(name) => call
                .secrets
                .reveal(name)
                .map(|secret| match secret.as_str().map(Value::from_json) {
                    Some(Ok(object)) => object,
                    _ => secret,
                })
                .ok_or_else(|| {
                    Failure::authorization(format!("the secret `{name}` is not known here"))
                })?,
            None => self.policy.clone(),
        };
        let authority = policy.text("authority").ok_or_else(|| {
            Failure::configuration("the authentication needs `authority`, found none")
        })?;
        let connector = transport.connector(call.unit, &uri(authority)?)?;
        let policy = resolved(&self.policy, Reveal::new(call, connector))?;
        Ok((authority.to_owned(), policy))
    }
}

impl Tokens {
    /// A token for the call: a kept one, or a new one. Calls that want the same token wait for
    /// the first of them.
    pub(crate) async fn header(
        &self,
        grant: &Grant,
        call: &ActCall<'_>,
        transport: &Transport,
    ) -> Result<Held, Failure> {
        let (authority, policy) = grant.resolve(call, transport)?;
        let name = format!("{:?} {} {}", call.unit, grant.open_id, policy.to_json());
        let name = hex(&Sha256::digest(name.as_bytes()));
        let slot = {
            let mut slots = self.slots.lock().await;
            if slots.len() >= TOKENS_MAX {
                slots.clear();
            }
            slots.entry(name).or_default().clone()
        };
        let mut token = slot.lock().await;
        if let Some(token) = token.as_ref().filter(|token| token.ends > Instant::now()) {
            return Ok(Held {
                header: token.header.clone(),
                kept: true,
                slot: slot.clone(),
            });
        }
        let fresh = ask(grant.open_id, &authority, &policy, call, transport).await?;
        let header = fresh.header.clone();
        *token = Some(fresh);
        drop(token);
        Ok(Held {
            header,
            kept: false,
            slot,
        })
    }
}

async fn ask(
    open_id: bool,
    authority: &str,
    policy: &Value,
    call: &ActCall<'_>,
    transport: &Transport,
) -> Result<Token, Failure> {
    let endpoint = if open_id {
        discover(authority, call, transport).await?
    } else {
        let path = policy
            .at("endpoints.token")
            .and_then(Value::as_str)
            .unwrap_or("/oauth2/token");
        format!(
            "{}/{}",
            authority.trim_end_matches('/'),
            path.trim_start_matches('/')
        )
    };
    let (mut headers, members) = parameters(policy)?;
    let json = policy.at("request.encoding").and_then(Value::as_str) == Some("application/json");
    let (content_type, body) = if json {
        let members = members
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        ("application/json", Value::object(members).to_json())
    } else {
        let parts: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("{}={}", form_encoded(name), form_encoded(value)))
            .collect();
        ("application/x-www-form-urlencoded", parts.join("&"))
    };
    headers.push(("content-type".to_owned(), content_type.to_owned()));
    headers.push(("accept".to_owned(), "application/json".to_owned()));
    let response = transport
        .send(HttpRequest {
            unit: call.unit.map(ToOwned::to_owned),
            method: "POST".to_owned(),
            uri: endpoint,
            headers,
            body: body.into_bytes(),
            timeout_ms: timeout_ms(call),
            follow: false,
        })
        .await?;
    token_of(&response, policy)
}

/// The time that is left for a call.
pub(crate) fn timeout_ms(call: &ActCall<'_>) -> Option<u64> {
    call.deadline_ms
        .map(|deadline| u64::try_from(deadline - call.now_ms).unwrap_or(0).max(1))
}

async fn discover(
    authority: &str,
    call: &ActCall<'_>,
    transport: &Transport,
) -> Result<String, Failure> {
    const WELL_KNOWN: &str = "/.well-known/openid-configuration";
    let plain = authority.trim_end_matches('/');
    let place = if plain.ends_with(WELL_KNOWN) {
        plain.to_owned()
    } else {
        format!("{plain}{WELL_KNOWN}")
    };
    let response = transport
        .send(HttpRequest {
            unit: call.unit.map(ToOwned::to_owned),
            method: "GET".to_owned(),
            uri: place.clone(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            timeout_ms: timeout_ms(call),
            ..HttpRequest::default()
        })
        .await?;
    let document = Value::from_json_bytes(&response.body).unwrap_or_default();
    match (response.status, document.text("token_endpoint")) {
        (200, Some(endpoint)) => Ok(endpoint.to_owned()),
        (status, _) => Err(Failure::authentication(format!(
            "{place} answered {status} without a `token_endpoint`"
        ))),
    }
}

type Pairs = Vec<(String, String)>;

/// Headers and members of the token request.
fn parameters(policy: &Value) -> Result<(Pairs, Pairs), Failure> {
    let text = |path: &str| policy.at(path).and_then(Value::as_str);
    let grant = text("grant").unwrap_or("client_credentials");
    let mut members = vec![("grant_type".to_owned(), grant.to_owned())];
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            members.push((name.to_owned(), value.to_owned()));
        }
    };
    match grant {
        "client_credentials" => {}
        "password" => {
            add("username", text("username"));
            add("password", text("password"));
        }
        "refresh_token" => add("refresh_token", text("subject.token")),
        "urn:ietf:params:oauth:grant-type:token-exchange" => {
            add("subject_token", text("subject.token"));
            add("subject_token_type", text("subject.type"));
            add("actor_token", text("actor.token"));
            add("actor_token_type", text("actor.type"));
        }
        other => {
            return Err(Failure::configuration(format!(
                "the grant `{other}` needs a person at a browser and is not supported; use client_credentials"
            )));
        }
    }
    let list = |name: &str| given(policy, name).map_or(Ok(Vec::new()), |value| texts(value, name));
    let scopes = list("scopes")?.join(" ");
    add(
        "scope",
        Some(scopes.as_str()).filter(|scopes| !scopes.is_empty()),
    );
    for audience in list("audiences")? {
        add("audience", Some(&audience));
    }
    let mut headers = Vec::new();
    let id = text("client.id");
    let secret = text("client.secret");
    match text("client.authentication").unwrap_or("client_secret_post") {
        "client_secret_post" => {
            add("client_id", id);
            add("client_secret", secret);
        }
        "client_secret_basic" => {
            let id = form_encoded(id.unwrap_or_default());
            let secret = form_encoded(secret.unwrap_or_default());
            let pair = STANDARD.encode(format!("{id}:{secret}"));
            headers.push(("authorization".to_owned(), format!("Basic {pair}")));
        }
        "private_key_jwt" => {
            add("client_id", id);
            add(
                "client_assertion_type",
                Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            );
            add("client_assertion", text("client.assertion"));
        }
        "none" => add("client_id", id),
        other => {
            return Err(Failure::configuration(format!(
                "the client authentication `{other}` is not supported; use client_secret_post, client_secret_basic, private_key_jwt or none"
            )));
        }
    }
    Ok((headers, members))
}

fn token_of(response: &HttpResponse, policy: &Value) -> Result<Token, Failure> {
    let answer = Value::from_json_bytes(&response.body).unwrap_or_default();
    let refused = |why: String| {
        Failure::authentication(format!("the authority gave no token: {why}"))
            .with_retryable(response.status >= 500 || response.status == 429)
    };
    if !(200..300).contains(&response.status) {
        let error = answer.text("error").unwrap_or("no reason given");
        return Err(refused(format!(
            "it answered {} ({error})",
            response.status
        )));
    }
    let token = answer
        .text("access_token")
        .ok_or_else(|| refused("its answer has no `access_token`".to_owned()))?;
    let kind = answer.text("token_type").unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(refused(format!(
            "it gave one of the type `{kind}`, not a bearer's"
        )));
    }
    guard_issuer(token, policy)?;
    let life = answer
        .get("expires_in")
        .and_then(Value::as_i64)
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map_or(LIFE_DEFAULT, Duration::from_secs);
    Ok(Token {
        header: format!("Bearer {token}"),
        ends: Instant::now() + life.saturating_sub(SPARE),
    })
}

/// Where the policy lists issuers, the token must be a JWT of one of them.
fn guard_issuer(token: &str, policy: &Value) -> Result<(), Failure> {
    let Some(issuers) = given(policy, "issuers") else {
        return Ok(());
    };
    let issuers = texts(issuers, "issuers")?;
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .and_then(|bytes| Value::from_json_bytes(&bytes).ok())
        .unwrap_or_else(|| value!({}));
    let issuer = claims.text("iss").unwrap_or_default();
    if issuers.iter().any(|known| known == issuer) {
        Ok(())
    } else {
        Err(Failure::authentication(format!(
            "the token was issued by `{issuer}`, which `issuers` does not list"
        )))
    }
}
