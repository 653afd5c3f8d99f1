//! The authentication of a call: basic, bearer, digest, OAuth 2 and OpenID Connect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tongban_expr::Value;
use tongban_plugin::Failure;

use crate::request::given;
use crate::reveal::Reveal;
use crate::token::Grant;

/// How a call proves who it is.
pub(crate) enum Authentication {
    /// Not at all.
    None,
    /// A finished `Authorization` header: scheme and parameter.
    Header {
        scheme: &'static str,
        parameter: String,
    },
    /// Answers the callee's challenge.
    Digest { username: String, password: String },
    /// Gets a token first.
    Token(Box<Grant>),
}

impl Authentication {
    /// Reads the policy. `reveal` is that of the endpoint; tokens are asked for at an authority
    /// whose own connector decides about secrets.
    pub(crate) fn of(policy: Option<&Value>, reveal: Reveal<'_>) -> Result<Self, Failure> {
        let Some(policy) = policy else {
            return Ok(Self::None);
        };
        let schemes: Vec<(&str, &Value)> =
            ["basic", "bearer", "digest", "oauth2", "oidc", "certificate"]
                .into_iter()
                .filter_map(|name| given(policy, name).map(|scheme| (name, scheme)))
                .collect();
        let [(name, scheme)] = schemes.as_slice() else {
            return Err(unreadable(policy, schemes.len()));
        };
        match *name {
            "basic" => {
                let (username, password) = pair(name, scheme, reveal)?;
                if username.contains(':') {
                    return Err(Failure::configuration(
                        "the user name of a basic authentication cannot hold a colon",
                    ));
                }
                Ok(Self::Header {
                    scheme: "Basic",
                    parameter: STANDARD.encode(format!("{username}:{password}")),
                })
            }
            "bearer" => {
                let scheme = reveal.scheme(scheme)?;
                // A secret that is a text is the token itself.
                let token = match &scheme {
                    Value::Str(token) => token.to_string(),
                    object => text(name, object, "token")?,
                };
                Ok(Self::Header {
                    scheme: "Bearer",
                    parameter: token,
                })
            }
            "digest" => {
                let (username, password) = pair(name, scheme, reveal)?;
                Ok(Self::Digest { username, password })
            }
            "oauth2" | "oidc" => Ok(Self::Token(Box::new(Grant::of(*name == "oidc", scheme)?))),
            other => Err(Failure::configuration(format!(
                "authentication by `{other}` is not supported; use basic, bearer, digest, oauth2 or oidc"
            ))),
        }
    }
}

fn unreadable(policy: &Value, found: usize) -> Failure {
    if let Some(name) = policy.text("use") {
        return Failure::configuration(format!(
            "there is no authentication `{name}` in `use.authentications`"
        ));
    }
    Failure::configuration(format!(
        "`authentication` expects one of basic, bearer, digest, oauth2 and oidc, found {found} of them"
    ))
}

fn pair(name: &str, scheme: &Value, reveal: Reveal<'_>) -> Result<(String, String), Failure> {
    let scheme = reveal.scheme(scheme)?;
    Ok((
        text(name, &scheme, "username")?,
        text(name, &scheme, "password")?,
    ))
}

fn text(name: &str, scheme: &Value, member: &str) -> Result<String, Failure> {
    match scheme.get(member) {
        Some(Value::Str(text)) => Ok(text.to_string()),
        Some(number @ Value::Int(_)) => Ok(number.to_json()),
        _ => Err(Failure::configuration(format!(
            "`authentication.{name}` needs `{member}`, found none"
        ))),
    }
}
