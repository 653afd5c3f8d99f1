//! Validation of data, and the completion of forms.

use tongban_expr::Value;
use tongban_expr::schema::{self, Checked};

use crate::error::{Error, ErrorKind};

/// Faults that are listed in one error.
const FAULTS_SHOWN: usize = 8;
/// Characters of one fault that are shown: it repeats the data.
const FAULT_CHARS: usize = 300;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: schema::Schema,
    /// The schema itself.
    pub(crate) document: Value,
}

impl Schema {
    /// Compiles a JSON Schema; `Err` says what is wrong with it.
    pub(crate) fn compile(document: Value) -> Result<Self, String> {
        let json: serde_json::Value = document.to().map_err(|error| error.to_string())?;
        let validator = schema::Schema::compile(&json, false)?;
        Ok(Self {
            validator,
            document,
        })
    }

    /// Checks a value; `what` names it in the message.
    pub(crate) fn check(&self, value: &Value, what: &str) -> Result<(), Error> {
        let json: serde_json::Value = value.to().map_err(|error| {
            Error::new(
                ErrorKind::Validation,
                format!("{what} cannot be checked: {error}"),
            )
        })?;
        let mut faults: Vec<(String, String)> = match self.validator.check(&json, FAULTS_SHOWN) {
            Checked::Fits => return Ok(()),
            Checked::Stopped => {
                return Err(Error::new(
                    ErrorKind::Validation,
                    format!("{what} cannot be checked: {}", schema::STOPPED),
                ));
            }
            Checked::Faults(faults) => faults
                .iter()
                .map(|fault| (fault.instance_path().to_string(), shown(fault.to_string())))
                .collect(),
        };
        faults.sort();
        let listed: Vec<String> = faults
            .iter()
            .map(|(path, message)| {
                if path.is_empty() {
                    message.clone()
                } else {
                    format!("{path}: {message}")
                }
            })
            .collect();
        let mut error = Error::new(
            ErrorKind::Validation,
            format!("{what} does not fit its schema: {}", listed.join("; ")),
        );
        let faults = faults.into_iter().map(|(path, message)| {
            Value::object([
                ("path", Value::from(path)),
                ("message", Value::from(message)),
            ])
        });
        error.extra.set("faults", Value::list(faults.collect()));
        Err(error)
    }
}

/// The beginning and the end of a long text: the end says what was expected.
fn shown(text: String) -> String {
    let length = text.chars().count();
    if length <= FAULT_CHARS {
        return text;
    }
    let half = FAULT_CHARS / 2;
    let begin: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(length - half).collect();
    format!("{begin} … {end}")
}

/// The form with every declared property present: null where it was not given.
pub(crate) fn completed(schema: &Value, form: Value) -> Value {
    match &form {
        Value::Obj(_) => {
            let mut form = form;
            for (name, property) in schema
                .get("properties")
                .into_iter()
                .flat_map(Value::entries)
            {
                match form.get(name) {
                    None => form.set(name, Value::Null),
                    Some(
                        Value::Null
                        | Value::Bool(_)
                        | Value::Int(_)
                        | Value::Float(_)
                        | Value::Str(_),
                    ) => {}
                    Some(inner) => {
                        let inner = completed(property, inner.clone());
                        form.set(name, inner);
                    }
                }
            }
            form
        }
        Value::Arr(items) => match schema.get("items") {
            Some(inner) if inner.get("properties").is_some() => Value::list(
                items
                    .iter()
                    .map(|item| completed(inner, item.clone()))
                    .collect(),
            ),
            _ => form,
        },
        _ => form,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_expr::value;

    #[test]
    fn declared_properties_become_present_and_others_stay() {
        let schema = value!({
            "properties": {
                "name": {"type": "string"},
                "scope": {"properties": {"items": {}, "until": {}}},
                "rows": {"items": {"properties": {"n": {}, "note": {}}}}
            }
        });
        let form = value!({"other": 1, "scope": {"items": ["a"]}, "rows": [{"n": 1}]});
        let expected = value!({
            "other": 1, "scope": {"items": ["a"], "until": null}, "rows": [{"n": 1, "note": null}], "name": null
        });
        assert_eq!(completed(&schema, form), expected);
        assert_eq!(completed(&schema, Value::Null), Value::Null);
    }

    #[test]
    fn a_fault_does_not_repeat_long_data() {
        let schema = Schema::compile(value!({"properties": {"a": {"type": "integer"}}}));
        let data = Value::object([("a", Value::from("数".repeat(100_000)))]);
        let error = schema
            .expect("a schema")
            .check(&data, "the input")
            .expect_err("a text for a number");
        let detail = error.detail.expect("a detail");
        assert!(detail.len() < 1_200, "{}", detail.len());
        assert!(detail.ends_with("is not of type \"integer\""), "{detail}");
    }

    #[test]
    fn all_faults_are_named_with_their_places() {
        let schema = Schema::compile(value!({
            "type": "object", "required": ["a"], "properties": {"b": {"type": "integer"}}
        }));
        let error = schema
            .expect("a schema")
            .check(&value!({"b": "x"}), "the input")
            .expect_err("two faults");
        assert!(error.is(ErrorKind::Validation));
        let detail = error.detail.expect("a detail");
        assert!(
            detail.contains("/b: ") && detail.contains("\"a\""),
            "{detail}"
        );
    }
}
