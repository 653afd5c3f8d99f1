//! What is asked of an authority: the members and headers of a token request, by grant and by how the client proves
//! who it is.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tongban_expr::{Value, value};
use tongban_plugin::Failure;

use crate::body::form_encoded;
use crate::random::random;
use crate::request::given;
use crate::texts::texts;

/// The type of a client's assertion (RFC 7523).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The grant by which a token is exchanged for another (RFC 8693).
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// How long a client's own assertion is good.
const ASSERTION_SECONDS: i64 = 120;

type Pairs = Vec<(String, String)>;

/// A token request, but for where it goes.
pub(crate) struct Asking {
    pub(crate) headers: Pairs,
    pub(crate) body: Vec<u8>,
}

/// Reads a policy whose secrets are in place.
pub(crate) struct Policy<'a> {
    pub(crate) value: &'a Value,
    /// Where the request goes: who an assertion is meant for.
    pub(crate) endpoint: &'a str,
    pub(crate) now_ms: i64,
}

impl Policy<'_> {
    fn text(&self, path: &str) -> Option<&str> {
        self.value.at(path).and_then(Value::as_str)
    }

    fn needed(&self, path: &str, why: &str) -> Result<&str, Failure> {
        self.text(path)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                Failure::configuration(format!("{why} needs `{path}` as a text, found none"))
            })
    }

    fn list(&self, name: &str) -> Result<Vec<String>, Failure> {
        given(self.value, name).map_or(Ok(Vec::new()), |value| texts(value, name))
    }

    /// The request for a token; `refresh` stands for the grant when the authority gave one.
    pub(crate) fn asking(&self, refresh: Option<&str>) -> Result<Asking, Failure> {
        let mut members = match refresh {
            Some(refresh) => vec![
                ("grant_type".to_owned(), "refresh_token".to_owned()),
                ("refresh_token".to_owned(), refresh.to_owned()),
            ],
            None => self.granted()?,
        };
        let scopes = self.list("scopes")?.join(" ");
        if !scopes.is_empty() {
            members.push(("scope".to_owned(), scopes));
        }
        for audience in self.list("audiences")? {
            members.push(("audience".to_owned(), audience));
        }
        let mut headers = Vec::new();
        self.prove(&mut headers, &mut members)?;
        let (content_type, body) = match self.text("request.encoding") {
            None | Some("application/x-www-form-urlencoded") => {
                ("application/x-www-form-urlencoded", form(&members))
            }
            Some("application/json") => ("application/json", json(&members)),
            Some(other) => {
                return Err(Failure::configuration(format!(
                    "`request.encoding` is application/x-www-form-urlencoded or application/json, found `{other}`"
                )));
            }
        };
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        headers.push(("accept".to_owned(), "application/json".to_owned()));
        Ok(Asking {
            headers,
            body: body.into_bytes(),
        })
    }

    fn granted(&self) -> Result<Pairs, Failure> {
        let grant = self.needed("grant", "the authentication")?;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut members = vec![pair("grant_type", grant)];
        match grant {
            "client_credentials" => {}
            "password" => {
                let why = "the grant `password`";
                members.push(pair("username", self.needed("username", why)?));
                members.push(pair("password", self.needed("password", why)?));
            }
            "refresh_token" => {
                let token = self.needed("subject.token", "the grant `refresh_token`")?;
                members.push(pair("refresh_token", token));
            }
            EXCHANGE => {
                let why = "the exchange of a token";
                members.push(pair("subject_token", self.needed("subject.token", why)?));
                members.push(pair(
                    "subject_token_type",
                    &token_type(self.needed("subject.type", why)?),
                ));
                if given(self.value, "actor").is_some() {
                    members.push(pair("actor_token", self.needed("actor.token", why)?));
                    members.push(pair(
                        "actor_token_type",
                        &token_type(self.needed("actor.type", why)?),
                    ));
                }
            }
            "authorization_code" => {
                return Err(Failure::configuration(
                    "the grant `authorization_code` needs a person at a browser and is not supported; use client_credentials",
                ));
            }
            other => {
                return Err(Failure::configuration(format!(
                    "`grant` is client_credentials, password, refresh_token or {EXCHANGE}, found `{other}`"
                )));
            }
        }
        Ok(members)
    }

    /// Says who the client is, in the way that the policy names.
    fn prove(&self, headers: &mut Pairs, members: &mut Pairs) -> Result<(), Failure> {
        let way = self
            .text("client.authentication")
            .unwrap_or("client_secret_post");
        let why = format!("the client authentication `{way}`");
        let mut add = |name: &str, value: &str| members.push((name.to_owned(), value.to_owned()));
        match way {
            "client_secret_post" => {
                add("client_id", self.needed("client.id", &why)?);
                // A public client with the default way has no secret.
                if let Some(secret) = self.text("client.secret") {
                    add("client_secret", secret);
                }
            }
            "client_secret_basic" => {
                let id = form_encoded(self.needed("client.id", &why)?);
                let secret = form_encoded(self.needed("client.secret", &why)?);
                let pair = STANDARD.encode(format!("{id}:{secret}"));
                headers.push(("authorization".to_owned(), format!("Basic {pair}")));
            }
            "client_secret_jwt" => {
                let id = self.needed("client.id", &why)?;
                let secret = self.needed("client.secret", &why)?;
                add("client_id", id);
                add("client_assertion_type", ASSERTION);
                add("client_assertion", &self.assertion(id, secret)?);
            }
            "private_key_jwt" => {
                add("client_id", self.needed("client.id", &why)?);
                add("client_assertion_type", ASSERTION);
                add("client_assertion", self.needed("client.assertion", &why)?);
            }
            "none" => {
                if let Some(id) = self.text("client.id") {
                    add("client_id", id);
                }
            }
            other => {
                return Err(Failure::configuration(format!(
                    "`client.authentication` is client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt or none, found `{other}`"
                )));
            }
        }
        Ok(())
    }

    /// A JWT signed with the client's secret (RFC 7523, HS256), for this request only.
    fn assertion(&self, id: &str, secret: &str) -> Result<String, Failure> {
        let now = self.now_ms / 1_000;
        let header = value!({ "alg": "HS256", "typ": "JWT" }).to_json();
        let claims = value!({
            "iss": (id), "sub": (id), "aud": (self.endpoint), "jti": (random()?),
            "iat": (now), "exp": (now + ASSERTION_SECONDS),
        });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims.to_json())
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .expect("HMAC takes keys of every length");
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Ok(format!("{signed}.{signature}"))
    }
}

/// The short names of token types stand for their URNs (RFC 8693 §3).
fn token_type(name: &str) -> String {
    match name {
        "access_token" | "refresh_token" | "id_token" | "jwt" | "saml1" | "saml2" => {
            format!("urn:ietf:params:oauth:token-type:{name}")
        }
        other => other.to_owned(),
    }
}

fn form(members: &Pairs) -> String {
    let parts: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}={}", form_encoded(name), form_encoded(value)))
        .collect();
    parts.join("&")
}

/// A member that stands several times becomes a list.
fn json(members: &Pairs) -> String {
    let mut object = value!({});
    for (name, value) in members {
        let value = Value::from(value.as_str());
        match object.get(name).cloned() {
            None => object.set(name, value),
            Some(Value::Arr(list)) => {
                let list: Vec<Value> = list.iter().cloned().chain([value]).collect();
                object.set(name, Value::from(list));
            }
            Some(first) => object.set(name, Value::from(vec![first, value])),
        }
    }
    object.to_json()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(policy: &Value) -> Result<String, Failure> {
        let policy = Policy {
            value: policy,
            endpoint: "https://id.example/token",
            now_ms: 1_000_000,
        };
        let asking = policy.asking(None)?;
        Ok(String::from_utf8(asking.body).expect("text"))
    }

    #[test]
    fn every_grant_has_its_members() {
        let client = value!({ "id": "c", "secret": "s" });
        for (policy, expected) in [
            (
                value!({ "grant": "client_credentials" }),
                "grant_type=client_credentials&client_id=c&client_secret=s",
            ),
            (
                value!({ "grant": "password", "username": "u 1", "password": "p&" }),
                "grant_type=password&username=u+1&password=p%26&client_id=c&client_secret=s",
            ),
            (
                value!({ "grant": "refresh_token", "subject": { "token": "old", "type": "refresh_token" } }),
                "grant_type=refresh_token&refresh_token=old&client_id=c&client_secret=s",
            ),
            (
                value!({ "grant": "urn:ietf:params:oauth:grant-type:token-exchange",
                    "subject": { "token": "t", "type": "access_token" }, "actor": { "token": "a", "type": "urn:x:y" } }),
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=t\
                 &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
                 &actor_token=a&actor_token_type=urn%3Ax%3Ay&client_id=c&client_secret=s",
            ),
        ] {
            assert_eq!(
                body(&policy.with("client", client.clone())).as_deref(),
                Ok(expected)
            );
        }
    }

    #[test]
    fn what_a_policy_lacks_is_named() {
        for (policy, words) in [
            (value!({ "client": { "id": "c" } }), "`grant`"),
            (value!({ "grant": "client_credentials" }), "`client.id`"),
            (
                value!({ "grant": "password", "client": { "id": "c" } }),
                "`username`",
            ),
            (
                value!({ "grant": "refresh_token", "client": { "id": "c" } }),
                "`subject.token`",
            ),
            (
                value!({ "grant": "client_credentials", "client": { "id": "c", "authentication": "client_secret_jwt" } }),
                "`client.secret`",
            ),
            (
                value!({ "grant": "client_credentials", "client": { "id": "c", "authentication": "private_key_jwt" } }),
                "`client.assertion`",
            ),
            (
                value!({ "grant": "client-credentials", "client": { "id": "c" } }),
                "client_credentials, password",
            ),
            (
                value!({ "grant": "client_credentials", "client": { "id": "c", "authentication": "tls" } }),
                "private_key_jwt or none",
            ),
            (
                value!({ "grant": "client_credentials", "client": { "id": "c" }, "request": { "encoding": "text/xml" } }),
                "application/json",
            ),
        ] {
            let failure = body(&policy).expect_err("an unusable policy");
            assert!(failure.detail.contains(words), "`{words}` in {failure}");
        }
    }

    #[test]
    fn json_keeps_every_audience() {
        let policy = value!({
            "grant": "client_credentials", "client": { "authentication": "none" },
            "audiences": ["a", "b", "c"], "request": { "encoding": "application/json" },
        });
        assert_eq!(
            body(&policy).as_deref(),
            Ok("{\"grant_type\":\"client_credentials\",\"audience\":[\"a\",\"b\",\"c\"]}")
        );
    }

    #[test]
    fn an_assertion_is_signed_with_the_secret() {
        let policy = value!({
            "grant": "client_credentials",
            "client": { "id": "c", "secret": "s", "authentication": "client_secret_jwt" },
        });
        let body = body(&policy).expect("a body");
        assert!(!body.contains("client_secret="), "{body}");
        let jwt = body
            .split("client_assertion=")
            .nth(1)
            .expect("an assertion")
            .to_owned();
        let parts: Vec<&str> = jwt.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            panic!("three parts: {jwt}");
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s").expect("a key");
        mac.update(format!("{header}.{claims}").as_bytes());
        assert_eq!(
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()),
            *signature
        );
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
        let claims = Value::from_json_bytes(&claims).expect("JSON");
        assert_eq!(claims.text("aud"), Some("https://id.example/token"));
        assert_eq!(claims.text("iss"), Some("c"));
        assert_eq!(claims.get("exp"), Some(&value!(1_120)));
    }
}
