//! `$authorization`: how a call proves who it is, as far as that is known before it is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tongban_expr::{Value, secret};

use crate::code::Template;
use crate::compile::POLICIES;
use crate::evaluate::Moment;
use crate::machine::Machine;
use crate::program::{Body, Call};

/// Name of the marker that stands for a parameter which only the performer of the call can know.
const PARAMETER: &str = "@authorization";

impl Machine<'_> {
    /// `{scheme, parameter}` of the task's own call, or null.
    pub(crate) fn authorization(&self, moment: &Moment<'_>) -> Value {
        let Body::Call(call) = &self.task_of(moment.frame).body else {
            return Value::Null;
        };
        if moment.authenticating {
            return Value::Null;
        }
        let definition = Moment {
            authenticating: true,
            ..Moment::definition(moment.frame, moment.input)
        };
        match self.policy(call, &definition) {
            Some(policy) => self.descriptor(&policy),
            None => Value::Null,
        }
    }

    /// The authentication of a call, evaluated. What fails in it fails the call when it is made.
    fn policy(&self, call: &Call, moment: &Moment<'_>) -> Option<Value> {
        let with = call.with.as_ref()?;
        let given = POLICIES
            .iter()
            .find_map(|path| Some(with.at(path)?.into_owned()))?;
        let given = self.fill(&given, moment).ok()?;
        let name = given.as_str().or_else(|| given.text("use"));
        match name.and_then(|name| call.policies.get(name)) {
            Some(policy) => self.fill(policy, moment).ok(),
            None => Some(given),
        }
    }

    fn descriptor(&self, policy: &Value) -> Value {
        let later = || secret::marker(PARAMETER, &self.env.secret_nonce);
        let Some((scheme, settings)) = policy.entries().next() else {
            return Value::Null;
        };
        let hidden = settings.get("use").is_some();
        let (scheme, parameter) = match scheme.as_str() {
            "basic" => ("Basic", basic(settings).filter(|_| !hidden)),
            "bearer" => {
                let token = settings
                    .get("token")
                    .or(settings.as_str().map(|_| settings));
                let plain = token.filter(|token| !hidden && secret::names_in(token).is_empty());
                ("Bearer", plain.cloned())
            }
            "digest" => ("Digest", None),
            "oauth2" | "oidc" => ("Bearer", None),
            _ => return Value::Null,
        };
        Value::object([
            ("scheme", Value::from(scheme)),
            ("parameter", parameter.unwrap_or_else(later)),
        ])
    }
}

/// The parameter of basic authentication, unless a secret is needed to make it.
fn basic(settings: &Value) -> Option<Value> {
    let text = |name: &str| match settings.get(name)? {
        Value::Str(text) => Some(text.to_string()),
        number @ Value::Int(_) => Some(number.to_json()),
        _ => None,
    };
    if !secret::names_in(settings).is_empty() {
        return None;
    }
    let pair = format!("{}:{}", text("username")?, text("password")?);
    Some(Value::from(STANDARD.encode(pair)))
}

impl Template {
    /// The template at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<std::borrow::Cow<'_, Template>> {
        use std::borrow::Cow;
        match (path, self) {
            ([], template) => Some(Cow::Borrowed(template)),
            (_, Template::Constant(value)) => path
                .iter()
                .try_fold(value, |here, key| here.get(key))
                .map(|value| Cow::Owned(Template::Constant(value.clone()))),
            ([key, rest @ ..], Template::Object(entries)) => entries
                .iter()
                .find(|(name, _)| **name == **key)
                .and_then(|(_, entry)| entry.at(rest)),
            _ => None,
        }
    }
}
