//! Access tokens of OAuth 2 and OpenID Connect, kept until shortly before they end. They are in memory only: never in
//! a row, a log or an answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tongban_expr::{Value, value};
use tongban_plugin::{ActCall, Failure, FailureKind, HttpPort as _, HttpRequest, HttpResponse};

use crate::digest::hex;
use crate::grant::Policy;
use crate::request::given;
use crate::reveal::Reveal;
use crate::texts::texts;
use crate::transport::{Transport, uri};

/// A token is renewed this long before it ends.
const SPARE: Duration = Duration::from_secs(30);
/// How long a token is kept that does not say when it ends.
const LIFE_DEFAULT: Duration = Duration::from_secs(60);
/// The longest that a token is kept, whatever its authority says.
const LIFE_MAX: Duration = Duration::from_secs(86_400);
/// How many tokens are kept.
const TOKENS_MAX: usize = 256;
/// Where an authority describes itself.
const WELL_KNOWN: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

/// What is asked of an authority.
pub(crate) struct Grant {
    open_id: bool,
    policy: Value,
}

#[derive(Clone)]
struct Token {
    text: String,
    ends: Instant,
    /// What gets the next one.
    refresh: Option<String>,
}

type Slot = Arc<Mutex<Option<Token>>>;

/// The tokens of this process.
#[derive(Default)]
pub(crate) struct Tokens {
    slots: Mutex<HashMap<String, Slot>>,
}

/// A token for the `Authorization` header, and the slot to empty when the callee refuses it.
pub(crate) struct Held {
    pub(crate) token: String,
    /// True when it was not asked for just now, so that a refusal may mean that it was revoked.
    pub(crate) kept: bool,
    slot: Slot,
}

impl Held {
    /// Forgets the token, so that the next one is asked for; one that somebody else renewed meanwhile stays.
    pub(crate) async fn forget(&self) {
        let mut slot = self.slot.lock().await;
        if let Some(token) = slot.as_mut().filter(|token| token.text == self.token) {
            token.ends = Instant::now();
        }
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
        let policy = self.revealed_at(authority, call, transport)?;
        Ok((authority.to_owned(), policy))
    }

    /// The policy with the secrets that may be sent to a place.
    fn revealed_at(
        &self,
        place: &str,
        call: &ActCall<'_>,
        transport: &Transport,
    ) -> Result<Value, Failure> {
        let connector = transport.connector(call.unit, &uri(place)?)?;
        Reveal::new(call, connector).scheme(&self.policy)
    }
}

impl Tokens {
    /// A token for the call: a kept one, or a new one. Calls that want the same token wait for
    /// the first of them.
    pub(crate) async fn token(
        &self,
        grant: &Grant,
        call: &ActCall<'_>,
        transport: &Transport,
    ) -> Result<Held, Failure> {
        let (authority, policy) = grant.resolve(call, transport)?;
        let name = format!("{:?} {} {}", call.unit, grant.open_id, policy.to_json());
        let slot = self.slot(hex(&Sha256::digest(name.as_bytes()))).await;
        let mut kept = slot.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.ends > Instant::now()) {
            return Ok(Held {
                token: token.text.clone(),
                kept: true,
                slot: slot.clone(),
            });
        }
        let authority = Authority {
            grant,
            place: &authority,
            call,
            transport,
        };
        let refresh = kept.as_ref().and_then(|token| token.refresh.clone());
        let fresh = authority.renew(&policy, refresh).await?;
        let token = fresh.text.clone();
        *kept = Some(fresh);
        drop(kept);
        Ok(Held {
            token,
            kept: false,
            slot,
        })
    }

    async fn slot(&self, name: String) -> Slot {
        let mut slots = self.slots.lock().await;
        if slots.len() >= TOKENS_MAX && !slots.contains_key(&name) {
            let now = Instant::now();
            slots.retain(|_, slot| {
                // One that is locked is being asked for.
                slot.try_lock().map_or(true, |token| {
                    token.as_ref().is_some_and(|token| token.ends > now)
                })
            });
            if slots.len() >= TOKENS_MAX {
                slots.clear();
            }
        }
        slots.entry(name).or_default().clone()
    }
}

/// Who gives tokens, on behalf of one call.
struct Authority<'a> {
    grant: &'a Grant,
    place: &'a str,
    call: &'a ActCall<'a>,
    transport: &'a Transport,
}

impl Authority<'_> {
    /// A new token: by the one that was given for it, or by the policy's grant.
    async fn renew(&self, policy: &Value, refresh: Option<String>) -> Result<Token, Failure> {
        let endpoint = self.endpoint(policy).await?;
        // What the authority describes may stand elsewhere, where other secrets may be sent.
        let policy = self
            .grant
            .revealed_at(&endpoint, self.call, self.transport)?;
        if let Some(refresh) = &refresh {
            match self.ask(&endpoint, &policy, Some(refresh)).await {
                Err(failure) if failure.kind == FailureKind::Authentication => {}
                Ok(token) => {
                    return Ok(Token {
                        refresh: token.refresh.clone().or(Some(refresh.clone())),
                        ..token
                    });
                }
                other => return other,
            }
        }
        self.ask(&endpoint, &policy, None).await
    }

    async fn ask(
        &self,
        endpoint: &str,
        policy: &Value,
        refresh: Option<&str>,
    ) -> Result<Token, Failure> {
        let asking = Policy {
            value: policy,
            endpoint,
            now_ms: self.call.now_ms,
        }
        .asking(refresh)?;
        let response = self
            .transport
            .send(HttpRequest {
                unit: self.call.unit.map(ToOwned::to_owned),
                method: "POST".to_owned(),
                uri: endpoint.to_owned(),
                headers: asking.headers,
                body: asking.body,
                timeout_ms: timeout_ms(self.call),
                follow: false,
            })
            .await?;
        token_of(&response, policy)
    }

    /// Where tokens are asked for: as the policy says, or as the authority describes itself.
    async fn endpoint(&self, policy: &Value) -> Result<String, Failure> {
        let plain = self.place.trim_end_matches('/');
        let described = WELL_KNOWN.iter().any(|path| plain.ends_with(path));
        let path = policy.at("endpoints.token").and_then(Value::as_str);
        if self.grant.open_id || (described && path.is_none()) {
            let place = if described {
                plain.to_owned()
            } else {
                format!("{plain}{}", WELL_KNOWN[0])
            };
            return self.discover(&place).await;
        }
        let path = path.unwrap_or("/oauth2/token");
        if path.contains("://") {
            return Ok(path.to_owned());
        }
        Ok(format!("{plain}/{}", path.trim_start_matches('/')))
    }

    async fn discover(&self, place: &str) -> Result<String, Failure> {
        let response = self
            .transport
            .send(HttpRequest {
                unit: self.call.unit.map(ToOwned::to_owned),
                method: "GET".to_owned(),
                uri: place.to_owned(),
                headers: vec![("accept".to_owned(), "application/json".to_owned())],
                timeout_ms: timeout_ms(self.call),
                ..HttpRequest::default()
            })
            .await?;
        let document = Value::from_json_bytes(&response.body).unwrap_or_default();
        match (response.status, document.text("token_endpoint")) {
            (200, Some(endpoint)) => Ok(endpoint.to_owned()),
            (status, _) => Err(Failure::authentication(format!(
                "{place} answered {status} without a `token_endpoint`"
            ))
            .with_retryable(status >= 500 || status == 429)),
        }
    }
}

/// The time that is left for a call.
pub(crate) fn timeout_ms(call: &ActCall<'_>) -> Option<u64> {
    call.deadline_ms
        .map(|deadline| u64::try_from(deadline - call.now_ms).unwrap_or(0).max(1))
}

fn token_of(response: &HttpResponse, policy: &Value) -> Result<Token, Failure> {
    let answer = Value::from_json_bytes(&response.body).unwrap_or_default();
    let refused = |why: String| {
        Failure::authentication(format!("the authority gave no token: {why}"))
            .with_retryable(response.status >= 500 || response.status == 429)
    };
    if !(200..300).contains(&response.status) {
        let error = answer.text("error").unwrap_or("no reason given");
        let error: String = error
            .chars()
            .filter(|letter| !letter.is_control())
            .take(100)
            .collect();
        return Err(refused(format!(
            "it answered {} ({error})",
            response.status
        )));
    }
    let token = answer
        .text("access_token")
        .ok_or_else(|| refused("its answer has no `access_token`".to_owned()))?;
    let kind = answer.text("token_type").unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") && !kind.eq_ignore_ascii_case("n_a") {
        return Err(refused(format!(
            "it gave one of the type `{kind}`, not a bearer's"
        )));
    }
    guard_issuer(token, policy)?;
    let life = answer
        .get("expires_in")
        .and_then(Value::as_i64)
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map_or(LIFE_DEFAULT, Duration::from_secs)
        .min(LIFE_MAX);
    Ok(Token {
        text: token.to_owned(),
        // A life shorter than the spare time is used by half.
        ends: Instant::now() + life.saturating_sub(SPARE.min(life / 2)),
        refresh: answer.text("refresh_token").map(ToOwned::to_owned),
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
