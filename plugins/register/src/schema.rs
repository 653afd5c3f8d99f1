//! A register's schema at work: completes, prunes and validates bodies.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value as Json;
use tongban_expr::schema::{self, Checked};
use tongban_expr::{Value, value};
use tongban_plugin::{Failure, RegisterDefinition};

/// How many faults the words of a failure name; all of them are in its `faults`.
const FAULTS_SHOWN: usize = 10;
/// How many faults of one body are listed at most.
const FAULTS_LISTED: usize = 200;

/// The schema of one register with its added properties.
pub(crate) struct Schema {
    document: Value,
}

/// One field that the schema refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The field's path, `records[0].items[1].name`.
    pub(crate) field: String,
    /// What was expected and what was found; never the value itself.
    pub(crate) message: String,
}

impl Schema {
    pub(crate) fn of(definition: &RegisterDefinition) -> Result<Self, Failure> {
        let document = definition.document();
        if let Some(file) = document.get("$ref").and_then(Value::as_str) {
            return Err(Failure::configuration(format!(
                "the schema of register `{}` still refers to `{file}`; is the file in the pack?",
                definition.register
            )));
        }
        Ok(Self { document })
    }

    /// The body with every property that the schema declares, null when empty.
    pub(crate) fn completed(&self, body: &Value) -> Value {
        self.complete(&self.document, body, 0)
    }

    fn complete(&self, schema: &Value, data: &Value, depth: u8) -> Value {
        // A schema that refers to itself ends where the data does; this bounds the rest.
        if depth > 64 {
            return data.clone();
        }
        let schema = self.resolved(schema);
        if let (Some(properties), Some(_)) = (schema.get("properties"), data.as_object()) {
            let mut complete = data.clone();
            for (name, property) in properties.entries() {
                let inner = match data.get(name) {
                    Some(given) => self.complete(property, given, depth + 1),
                    None => Value::Null,
                };
                complete.set(name, inner);
            }
            return complete;
        }
        if let (Some(items), Some(list)) = (schema.get("items"), data.as_list()) {
            return list
                .iter()
                .map(|item| self.complete(items, item, depth + 1))
                .collect();
        }
        data.clone()
    }

    fn resolved(&self, schema: &Value) -> Value {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| text.strip_prefix("#/"));
        let Some(target) = target else {
            return schema.clone();
        };
        let mut found = &self.document;
        for part in target.split('/') {
            match found.get(part) {
                Some(next) => found = next,
                None => return schema.clone(),
            }
        }
        found.clone()
    }

    pub(crate) fn compiled(&self, register: &str) -> Result<Compiled, Failure> {
        let broken = |why: String| {
            Failure::configuration(format!(
                "the schema of register `{register}` is broken: {why}"
            ))
        };
        let document =
            serde_json::to_value(&self.document).map_err(|why| broken(why.to_string()))?;
        let validator = schema::Schema::compile(&document, true).map_err(broken)?;
        Ok(Compiled {
            document,
            validator,
        })
    }
}

/// A schema that is ready to validate many bodies.
pub(crate) struct Compiled {
    document: Json,
    validator: schema::Schema,
}

impl Compiled {
    /// Everything that is wrong with a body; `place` goes before each field.
    pub(crate) fn faults(&self, body: &Value, place: &str) -> Vec<Fault> {
        match serde_json::to_value(body) {
            Ok(instance) => match self.validator.check(&instance, FAULTS_LISTED) {
                Checked::Fits => Vec::new(),
                Checked::Faults(faults) => faults
                    .iter()
                    .flat_map(|error| self.describe(error, place))
                    .collect(),
                Checked::Stopped => vec![Fault {
                    field: place.to_owned(),
                    message: schema::STOPPED.to_owned(),
                }],
            },
            Err(error) => vec![Fault {
                field: place.to_owned(),
                message: error.to_string(),
            }],
        }
    }

    fn describe(&self, error: &ValidationError<'_>, place: &str) -> Vec<Fault> {
        let at = path(place, error.instance_path().as_str());
        let fault = |field: String, message: String| Fault { field, message };
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![fault(join(&at, name), "is required".to_owned())]
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
                .iter()
                .map(|name| fault(join(&at, name), "is not a field of the register".to_owned()))
                .collect(),
            kind => {
                let keyword = kind.keyword();
                let wanted = self.document.pointer(error.schema_path().as_str());
                let message = expectation(keyword, wanted, error.instance());
                vec![fault(at, message)]
            }
        }
    }
}

fn expectation(keyword: &str, wanted: Option<&Json>, found: &Json) -> String {
    let Some(wanted) = wanted else {
        return format!("does not satisfy `{keyword}`");
    };
    match keyword {
        "type" => format!("expects the type {wanted}, found {}", kind(found)),
        "enum" => format!("expects one of {wanted}"),
        "const" => format!("expects {wanted}"),
        "format" => format!("expects the format {wanted}"),
        "pattern" => format!("expects a text that matches {wanted}"),
        "minLength" => format!(
            "expects at least {wanted} characters, found {}",
            length(found)
        ),
        "maxLength" => format!(
            "expects at most {wanted} characters, found {}",
            length(found)
        ),
        "minItems" => format!("expects at least {wanted} items, found {}", length(found)),
        "maxItems" => format!("expects at most {wanted} items, found {}", length(found)),
        "minimum" => format!("expects at least {wanted}"),
        "maximum" => format!("expects at most {wanted}"),
        _ => format!("does not satisfy `{keyword}`"),
    }
}

fn kind(found: &Json) -> &'static str {
    match found {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

fn length(found: &Json) -> usize {
    match found {
        Json::String(text) => text.chars().count(),
        Json::Array(items) => items.len(),
        _ => 0,
    }
}

/// `/items/0/name` behind `records[2]` is `records[2].items[0].name`.
fn path(place: &str, pointer: &str) -> String {
    pointer
        .split('/')
        .skip(1)
        .fold(place.to_owned(), |path, part| {
            let part = part.replace("~1", "/").replace("~0", "~");
            if part.parse::<usize>().is_ok() {
                format!("{path}[{part}]")
            } else {
                join(&path, &part)
            }
        })
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// The failure that names all faults.
pub(crate) fn refused(register: &str, faults: &[Fault]) -> Failure {
    let shown: Vec<String> = faults
        .iter()
        .take(FAULTS_SHOWN)
        .map(|fault| format!("`{}` {}", fault.field, fault.message))
        .collect();
    let more = match faults.len().saturating_sub(FAULTS_SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let list: Value = faults
        .iter()
        .map(|fault| value!({ "field": fault.field.as_str(), "text": fault.message.as_str() }))
        .collect();
    Failure::validation(format!(
        "register `{register}` refuses the records: {}{more}",
        shown.join("; ")
    ))
    .with_extra(value!({ "faults": list }))
}

/// Takes the empty (null) members out of objects, at every depth: a null stands for a field that
/// was left empty, and schemas ask for texts and numbers.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Obj(object) => Value::object(
            object
                .iter()
                .filter(|(_, item)| !item.is_null())
                .map(|(name, item)| (name.clone(), without_nulls(item))),
        ),
        Value::Arr(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
