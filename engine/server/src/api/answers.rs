//! What every operation may answer besides what its handler says: written into the description once, for all of them.

use serde_json::{Map, Value, json};

use super::cursor::LIMIT_MAX;
use crate::problem::PROBLEM_JSON;

/// Failures of every operation.
const ALWAYS: [(&str, &str); 8] = [
    ("400", "The request could not be read."),
    ("401", "No key, or one that is not in force."),
    ("403", "The key, or who it acts for, may not do this."),
    (
        "404",
        "There is nothing here, or nothing that the key may see.",
    ),
    ("408", "The request took too long."),
    (
        "429",
        "Too many requests: `Retry-After` says when to come back.",
    ),
    (
        "500",
        "Something failed on the side of the server; the log has the cause.",
    ),
    (
        "503",
        "Too much is waiting: nothing was done, `Retry-After` says when to come back.",
    ),
];

/// Failures of operations that take a body.
const OF_BODIES: [(&str, &str); 4] = [
    ("409", "This does not fit the state of the case."),
    ("413", "The body is too large."),
    ("415", "This kind of body is not taken."),
    ("422", "The request was read and is not valid."),
];

/// No text has a NUL: bodies and queries that have one are refused.
const NO_NUL: &str = r"^[^\u0000]*$";

/// Completes a description.
pub fn complete(document: &mut Value) {
    if let Some(schemas) = document.pointer_mut("/components/schemas") {
        bar_nul(schemas);
    }
    let operations = document
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut)
        .flat_map(|methods| methods.iter_mut().filter(|(name, _)| *name != "parameters"))
        .map(|(_, operation)| operation);
    for operation in operations {
        let takes_body = operation.get("requestBody").is_some();
        tell_parameters(operation);
        let Some(answers) = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        for (status, description) in ALWAYS {
            add(answers, status, description);
        }
        for (status, description) in OF_BODIES.iter().filter(|_| takes_body) {
            add(answers, status, description);
        }
        for (status, answer) in answers.iter_mut() {
            if status.starts_with(['4', '5']) {
                let problem = json!({ PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } });
                if let Some(answer) = answer.as_object_mut() {
                    answer.insert("content".to_owned(), problem);
                }
            }
        }
    }
}

fn add(answers: &mut Map<String, Value>, status: &str, description: &str) {
    let known = answers
        .entry(status.to_owned())
        .or_insert_with(|| json!({}));
    let known = known.as_object_mut().into_iter();
    for answer in known {
        let silent = answer
            .get("description")
            .and_then(Value::as_str)
            .is_none_or(str::is_empty);
        if silent {
            answer.insert("description".to_owned(), description.into());
        }
    }
}

/// What types do not tell of parameters: a query or a header that is not sent is left out, never `null`; the bounds of
/// `limit` and of the idempotency key.
fn tell_parameters(operation: &mut Value) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for parameter in parameters {
        let name = parameter.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        let schema = parameter.get_mut("schema").and_then(Value::as_object_mut);
        let Some(schema) = schema else { continue };
        if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(|kind| kind != "null");
            if let [kind] = kinds.as_slice() {
                let kind = kind.clone();
                schema.insert("type".to_owned(), kind);
            }
        }
        match name.as_str() {
            "cursor" => {
                schema.insert("pattern".to_owned(), "^[A-Za-z0-9_-]{0,512}$".into());
            }
            "limit" => {
                schema.insert("minimum".to_owned(), 1.into());
                schema.insert("maximum".to_owned(), LIMIT_MAX.into());
            }
            "Idempotency-Key" => {
                schema.insert("pattern".to_owned(), "^[ -~]{1,255}$".into());
            }
            "If-Match" => {
                schema.insert("pattern".to_owned(), "^[ -~]+$".into());
            }
            _ => bar_nul_of(schema),
        }
    }
}

/// Says of every text in some schemas, unless it has a pattern of its own, that it has no NUL.
fn bar_nul(schemas: &mut Value) {
    match schemas {
        Value::Array(items) => items.iter_mut().for_each(bar_nul),
        Value::Object(schema) => {
            bar_nul_of(schema);
            schema.values_mut().for_each(bar_nul);
        }
        _ => {}
    }
}

fn bar_nul_of(schema: &mut Map<String, Value>) {
    let text = match schema.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    if text && !schema.contains_key("pattern") && !schema.contains_key("enum") {
        schema.insert("pattern".to_owned(), NO_NUL.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::document::text;

    #[test]
    fn every_operation_tells_its_failures_as_problems() {
        let document: Value = serde_json::from_str(text(true)).expect("the description is JSON");
        let paths = document["paths"].as_object().expect("paths");
        let mut bodies = 0;
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().expect("methods") {
                let answers = operation["responses"].as_object().expect("answers");
                for (status, _) in ALWAYS {
                    let problem = &answers[status]["content"][PROBLEM_JSON]["schema"]["$ref"];
                    assert_eq!(
                        problem, "#/components/schemas/Problem",
                        "{method} {path} {status}"
                    );
                }
                if operation.get("requestBody").is_some() {
                    bodies += 1;
                    assert!(answers.contains_key("415"), "{method} {path}");
                }
                let failures = answers
                    .iter()
                    .filter(|(status, _)| status.starts_with(['4', '5']));
                for (status, answer) in failures {
                    let content = answer["content"].as_object().expect("content");
                    assert_eq!(content.len(), 1, "{method} {path} {status}");
                    assert_ne!(answer["description"], "", "{method} {path} {status}");
                }
            }
        }
        assert!(bodies > 10, "{bodies}");
        let pages = &document["paths"]["/api/v1/instances"]["get"]["parameters"];
        let limit = pages
            .as_array()
            .and_then(|all| all.iter().find(|one| one["name"] == "limit"));
        let outcome = document.pointer("/components/schemas/DecisionRequest/properties/outcome");
        assert_eq!(outcome.expect("an outcome")["pattern"], NO_NUL);
        let limit = &limit.expect("a limit")["schema"];
        assert_eq!(
            (&limit["maximum"], &limit["type"]),
            (&json!(200), &json!("integer"))
        );
    }
}
