//! Puts secrets in at the moment of sending, and only where the connector lists them.

use tongban_expr::{Value, secret};
use tongban_plugin::{ActCall, Failure};

use crate::connectors::Connector;

/// What stands for the parameter of the `Authorization` header that a call is about to send (`$authorization`).
pub(crate) const AUTHORIZATION: &str = "@authorization";

/// Reveals secrets for one connector.
#[derive(Clone, Copy)]
pub(crate) struct Reveal<'a> {
    call: &'a ActCall<'a>,
    connector: &'a Connector,
    authorization: Option<&'a str>,
}

impl<'a> Reveal<'a> {
    pub(crate) fn new(call: &'a ActCall<'a>, connector: &'a Connector) -> Self {
        Self {
            call,
            connector,
            authorization: None,
        }
    }

    /// The same with the parameter of the call's own `Authorization` header.
    pub(crate) fn with_authorization(self, parameter: Option<&'a str>) -> Self {
        Self {
            authorization: parameter,
            ..self
        }
    }

    /// The value with all markers replaced.
    pub(crate) fn value(&self, value: &Value) -> Result<Value, Failure> {
        self.by(value, &|text| text)
    }

    /// A URI with all markers replaced, each secret percent-encoded: it can add neither a path nor
    /// a query nor a host.
    pub(crate) fn uri(&self, text: &str) -> Result<String, Failure> {
        let value = self.by(&Value::from(text), &|secret| percent_encoded(&secret))?;
        Ok(value.as_str().unwrap_or(text).to_owned())
    }

    /// A whole secret, for `use: NAME` in an authentication.
    pub(crate) fn whole(&self, name: &str) -> Result<Value, Failure> {
        self.guard(name)?;
        let value = self
            .call
            .secrets
            .reveal(name)
            .ok_or_else(|| unknown(name))?;
        // A vault of texts keeps an object as its JSON.
        match value.as_str().map(Value::from_json) {
            Some(Ok(object)) if object.as_object().is_some() => Ok(object),
            _ => Ok(value),
        }
    }

    /// The scheme of an authentication: `use: SECRET` gives the whole of it; otherwise its own texts may hold markers.
    pub(crate) fn scheme(&self, scheme: &Value) -> Result<Value, Failure> {
        match scheme.text("use") {
            Some(secret) => self.whole(secret),
            None => self.value(scheme),
        }
    }

    fn by(&self, value: &Value, change: &dyn Fn(String) -> String) -> Result<Value, Failure> {
        for name in secret::names_in(value) {
            if name == AUTHORIZATION {
                self.authorization.ok_or_else(unresolved)?;
            } else {
                self.guard(&name)?;
            }
        }
        secret::reveal(value, self.call.nonce, &|name| {
            if name == AUTHORIZATION {
                return self.authorization.map(|text| change(text.to_owned()));
            }
            match self.call.secrets.reveal(name)? {
                Value::Str(text) => Some(change(text.to_string())),
                other if other.as_object().is_some() => None,
                other => Some(change(other.to_json())),
            }
        })
        .map_err(|missing| Failure::authorization(missing.to_string()))
    }

    fn guard(&self, name: &str) -> Result<(), Failure> {
        if self.connector.may_send(name) {
            return Ok(());
        }
        Err(Failure::authorization(format!(
            "the connector of `{}` does not list the secret `{name}`; add it to its `secrets` if it may be sent there",
            self.connector.host
        )))
    }
}

fn unresolved() -> Failure {
    Failure::configuration(
        "`$authorization.parameter` is known only to a call with basic, bearer, oauth2 or oidc authentication; a digest answers the callee's challenge",
    )
}

fn unknown(name: &str) -> Failure {
    Failure::authorization(secret::UnknownSecret(name.to_owned()).to_string())
}

/// Everything but unreserved characters of RFC 3986 as `%XX`.
pub(crate) fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes everything");
        }
        encoded
    })
}
