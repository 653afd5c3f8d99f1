//! Matching events: shapes for finding listeners, and the full filter of a listener.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tongban_expr::{Language, Scope, Value};

use crate::code::{Code, Part, Template, as_text};
use crate::environment::Env;
use crate::error::{Error, ErrorKind};

/// One kind of event that a listener takes.
#[derive(Debug)]
pub(crate) struct EventFilter {
    /// Which of the program's shapes.
    pub(crate) shape: usize,
    pub(crate) attributes: Vec<(Arc<str>, Template)>,
    pub(crate) correlate: Vec<Correlation>,
}

/// A value of events that ties them to one listener.
#[derive(Debug)]
pub(crate) struct Correlation {
    pub(crate) name: Arc<str>,
    pub(crate) from: Code,
    /// What it must be; the first event says it when the author does not.
    pub(crate) expect: Option<Template>,
}

/// What can be said of an event without an instance: whether a kind of filter fits it, and under
/// which value its listeners are to be found.
#[derive(Debug)]
pub struct Shape {
    /// Equal for equal filters, also of other workflows.
    pub id: String,
    /// The event type that it wants, when that is fixed.
    pub event_type: Option<String>,
    attributes: Vec<(Arc<str>, Template)>,
    from: Vec<Code>,
}

impl Shape {
    pub(crate) fn of(attributes: &[(Arc<str>, Template)], correlate: &[Correlation]) -> Self {
        let event_type = attributes
            .iter()
            .find(|(name, _)| &**name == "type")
            .and_then(|(_, pattern)| pattern.literal())
            .filter(|text| !is_pattern(text));
        let fixed: Vec<(Arc<str>, Template)> = attributes
            .iter()
            .filter(|(_, pattern)| is_fixed(pattern))
            .cloned()
            .collect();
        let from: Vec<Code> = expected(correlate).map(|key| key.from.clone()).collect();
        let mut signature = String::new();
        for (name, pattern) in &fixed {
            signature.push_str(name);
            sign(pattern, &mut signature);
        }
        for code in &from {
            signature.push('\u{1}');
            sign_code(code, &mut signature);
        }
        let id = blake3::hash(signature.as_bytes())
            .to_hex()
            .as_str()
            .get(..32)
            .unwrap_or_default()
            .to_owned();
        Self {
            id,
            event_type: event_type.map(str::to_owned),
            attributes: fixed,
            from,
        }
    }

    /// The value under which listeners of this shape that may want `event` are found; `None` when no
    /// listener of this shape wants it.
    #[must_use]
    pub fn value(&self, event: &Value, env: &Env) -> Option<String> {
        let mut eval = |code: &Code, argument: &Value| eval_alone(code, argument, env);
        for (name, pattern) in &self.attributes {
            if !fits(pattern, event.get(name), &mut eval).unwrap_or(false) {
                return None;
            }
        }
        let values: Option<Vec<Value>> = self
            .from
            .iter()
            .map(|code| eval(code, event).ok())
            .collect();
        values.map(|values| correlation_value(&values))
    }
}

/// The data of an event: what stands encoded in `data_base64` is decoded as its type says.
pub(crate) fn data_of(event: &Value) -> Value {
    if let Some(data) = event.get("data") {
        return data.clone();
    }
    let Some(encoded) = event.text("data_base64") else {
        return Value::Null;
    };
    let kind = event
        .text("datacontenttype")
        .unwrap_or("application/octet-stream");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let plain = || Value::from(encoded);
    let Ok(bytes) = STANDARD.decode(encoded) else {
        return plain();
    };
    if kind.ends_with("/json") || kind.ends_with("+json") {
        return Value::from_json_bytes(&bytes).unwrap_or_else(|_| plain());
    }
    match String::from_utf8(bytes) {
        Ok(text) if kind.starts_with("text/") && !text.contains('\0') => Value::from(text),
        _ => plain(),
    }
}

/// The data of an event as it came: encoded data stays encoded.
pub(crate) fn raw_data_of(event: &Value) -> Value {
    let found = event.get("data_base64").or_else(|| event.get("data"));
    found.cloned().unwrap_or_default()
}

/// The keys of a filter whose values are known beforehand.
pub(crate) fn expected(correlate: &[Correlation]) -> impl Iterator<Item = &Correlation> {
    correlate
        .iter()
        .filter(|key| key.expect.is_some() && key.from.reads.argument_only)
}

/// How correlation values are written in subscriptions.
pub(crate) fn correlation_value(values: &[Value]) -> String {
    if values.is_empty() {
        String::new()
    } else {
        Value::list(values.to_vec()).digest()
    }
}

/// Evaluates an expression that reads nothing but its argument.
fn eval_alone(code: &Code, argument: &Value, env: &Env) -> Result<Value, Error> {
    let Some(expression) = &code.expression else {
        return Ok(Value::from(&*code.text));
    };
    let scope = Scope {
        argument: Some(argument.clone()),
        input: if expression.language() == Language::Rhai {
            argument.clone()
        } else {
            Value::Null
        },
        ..Scope::default()
    };
    expression
        .eval(&scope, &env.budget)
        .map_err(|fault| Error::new(ErrorKind::Expression, fault.message))
}

/// Whether an attribute of an event fits a pattern. A condition is asked about the attribute's
/// value; any other expression gives what the attribute must be equal to.
pub(crate) fn fits(
    pattern: &Template,
    actual: Option<&Value>,
    eval: &mut dyn FnMut(&Code, &Value) -> Result<Value, Error>,
) -> Result<bool, Error> {
    let value = actual.unwrap_or(&Value::Null);
    Ok(match pattern {
        Template::Constant(Value::Obj(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| value.get(key).is_some_and(|found| same(wanted, found))),
        Template::Constant(wanted) => actual.is_some_and(|found| same(wanted, found)),
        Template::Uri(wanted) => value.as_str() == Some(&**wanted),
        Template::Code(code) => match eval(code, value)? {
            Value::Bool(holds) if !matches!(value, Value::Bool(_)) => holds,
            wanted => actual.is_some_and(|found| same(&wanted, found)),
        },
        Template::Text(parts) => {
            let mut wanted = String::new();
            for part in parts {
                match part {
                    Part::Literal(text) => wanted.push_str(text),
                    Part::Code(code) => {
                        wanted.push_str(&as_text(&eval(code, value)?));
                    }
                }
            }
            value.as_str() == Some(wanted.as_str())
        }
        Template::List(items) => {
            let found = value.as_list().unwrap_or_default();
            let mut all = found.len() == items.len();
            for (item, found) in items.iter().zip(found) {
                all = all && fits(item, Some(found), eval)?;
            }
            all
        }
        Template::Object(entries) => {
            let mut all = true;
            for (key, entry) in entries {
                all = all && fits(entry, value.get(key), eval)?;
            }
            all
        }
    })
}

/// Whether a literal is met: equal, or a text that the regular expression in it covers.
fn same(wanted: &Value, found: &Value) -> bool {
    if wanted == found {
        return true;
    }
    match (wanted.as_str(), found.as_str()) {
        (Some(pattern), Some(text)) if is_pattern(pattern) => {
            regex::Regex::new(&format!("^(?:{pattern})$"))
                .is_ok_and(|pattern| pattern.is_match(text))
        }
        _ => false,
    }
}

/// Whether a literal text may be a regular expression: it has more than a dot.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '+', '[', '(', '|', '^', '$', '\\'])
}

fn is_fixed(pattern: &Template) -> bool {
    match pattern {
        Template::Constant(_) | Template::Uri(_) => true,
        Template::Code(code) => code.reads.argument_only,
        Template::Text(parts) => parts.iter().all(|part| match part {
            Part::Literal(_) => true,
            Part::Code(code) => code.reads.argument_only,
        }),
        Template::List(items) => items.iter().all(is_fixed),
        Template::Object(entries) => entries.iter().all(|(_, entry)| is_fixed(entry)),
    }
}

fn sign(pattern: &Template, text: &mut String) {
    text.push('=');
    match pattern {
        Template::Constant(value) => text.push_str(&value.to_json()),
        Template::Uri(uri) => text.push_str(uri),
        Template::Code(code) => sign_code(code, text),
        Template::Text(parts) => {
            for part in parts {
                match part {
                    Part::Literal(literal) => text.push_str(literal),
                    Part::Code(code) => sign_code(code, text),
                }
            }
        }
        Template::List(items) => items.iter().for_each(|item| sign(item, text)),
        Template::Object(entries) => {
            for (key, entry) in entries {
                text.push_str(key);
                sign(entry, text);
            }
        }
    }
    text.push('\u{0}');
}

fn sign_code(code: &Code, text: &mut String) {
    let language = code
        .expression
        .as_ref()
        .map(tongban_expr::Expression::language);
    text.push_str(match language {
        Some(Language::Jq) => "jq:",
        Some(Language::Rhai) => "rhai:",
        None => "text:",
    });
    text.push_str(&code.text);
}
