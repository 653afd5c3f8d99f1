//! Validation of data, and the completion of forms.

use tongban_expr::Value;

use crate::error::{Error, ErrorKind};

/// Faults that are listed in one error.
const FAULTS_SHOWN: usize = 8;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: jsonschema::Validator,
    /// The schema itself.
    pub(crate) document: Value,
}

impl Schema {
    /// Compiles a JSON Schema; `Err` says what is wrong with it.
    pub(crate) fn compile(document: Value) -> Result<Self, String> {
        let json: serde_json::Value = document.to().map_err(|error| error.to_string())?;
        let validator = jsonschema::options()
            .build(&json)
            .map_err(|error| error.to_string())?;
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
        let mut faults: Vec<(String, String)> = self
            .validator
            .iter_errors(&json)
            .take(FAULTS_SHOWN)
            .map(|fault| (fault.instance_path().to_string(), fault.to_string()))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
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
