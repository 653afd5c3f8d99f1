//! The published schema and our parser, held against each other on the examples and on every
//! document made from them by changing one thing: what the schema refuses is refused here, and what it takes
//! is refused only by name, or where the text of the specification asks for more than its schema.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tongban_dsl::{parse, read_yaml};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/serverless-workflow")
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the repository has this file");
    let value = read_yaml(&text).0.expect("it is valid YAML");
    serde_json::from_str(&value.to_json()).expect("it is valid JSON")
}

fn examples() -> Vec<Value> {
    let entries =
        std::fs::read_dir(folder().join("examples")).expect("the repository has this folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| yaml(path)).collect()
}

/// Places of a document: every object's keys and every value.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                places(
                    inner,
                    &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                places(inner, &format!("{here}/{at}"), found);
            }
        }
        _ => {}
    }
}

/// A value of another kind.
fn replacement(how: usize) -> Value {
    let values = [
        json!(5),
        json!("text"),
        json!(true),
        json!([]),
        json!({}),
        json!(null),
        json!({ "a": 1 }),
        json!(["a"]),
    ];
    values.into_iter().cycle().nth(how).unwrap_or_default()
}

/// One change at one place.
fn change(document: &mut Value, place: &str, how: usize) {
    let Some((parent, key)) = place.rsplit_once('/') else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(fields)) => match how {
            0 => {
                fields.remove(&key);
            }
            1 => {
                if let Some(value) = fields.remove(&key) {
                    fields.insert(format!("{key}x"), value);
                }
            }
            2 => {
                fields.insert("unexpected".to_owned(), json!("x"));
            }
            _ => {
                fields.insert(key, replacement(how));
            }
        },
        Some(Value::Array(items)) => {
            let at: usize = key.parse().unwrap_or(0);
            match how {
                0 => {
                    items.remove(at);
                }
                _ => items
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|item| *item = replacement(how)),
            }
        }
        _ => {}
    }
}

/// Parts that neither side looks into the same way.
fn is_open(document: &Value) -> bool {
    // What a runtime does not perform is refused by name, whatever stands in it; correlations, error
    // filters, transports and event attributes are open in the schema.
    let text = document.to_string();
    [
        "asyncapi",
        "\"grpc",
        "\"mcp",
        "\"a2a",
        "\"container",
        "\"shell",
        "extensions",
        "catalogs",
        "errorFilter",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Where the text of the specification, or sense, asks for more than the schema: code and words.
const STRICTER: &[(&str, &str)] = &[
    // The schema leaves the root and a few blocks open, so that a slip there would be ignored.
    ("TB0201", "a workflow has no property"),
    ("TB0201", "`errors"),
    ("TB0201", "the correlation"),
    ("TB0502", "`an authentication`"),
    ("TB0504", "`an authentication`"),
    ("TB0205", ""),
    // Texts whose form the schema does not describe.
    ("TB0803", ""),
    ("TB0206", ""),
    ("TB0208", ""),
    ("TB0312", ""),
    ("TB0402", "`set`"),
    ("TB0203", "the `document` of a schema"),
    ("TB0204", "this is no JSON Schema"),
    ("TB0204", "is the name of a variable"),
    // What the reference says in words.
    ("TB0305", ""),
    ("TB0310", ""),
    ("TB0413", ""),
    ("TB0412", ""),
    ("TB0806", ""),
    ("TB0807", ""),
    ("TB0202", "`event` needs `with`"),
    ("TB0202", "an emitted event needs"),
    ("TB0202", "an event filter needs at least one attribute"),
    ("TB0202", "`errors.with` filters by nothing"),
];

fn compare(validator: &jsonschema::Validator, document: &Value) -> Result<(), String> {
    let text = document.to_string();
    let faults: Vec<String> = parse(&text)
        .diagnostics
        .iter()
        .filter(|fault| fault.is_error() && !fault.code.id().starts_with("TB09"))
        .map(|fault| format!("{} {}", fault.code, fault.message))
        .collect();
    let valid = validator.is_valid(document);
    let ours = parse(&text).definition.is_some() || faults.is_empty();
    if valid && !ours {
        let stricter = |fault: &String| {
            STRICTER
                .iter()
                .any(|(code, text)| fault.starts_with(code) && fault.contains(text))
        };
        if !faults.iter().all(stricter) {
            return Err(format!("the schema takes it, we say {faults:?}\n{text}"));
        }
    }
    if !valid && ours {
        let why: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .take(3)
            .collect();
        return Err(format!("the schema refuses it: {why:?}\n{text}"));
    }
    Ok(())
}

fn validator() -> jsonschema::Validator {
    jsonschema::options()
        .build(&yaml(&folder().join("schema/workflow.yaml")))
        .expect("the published schema is a schema")
}

#[test]
fn the_examples_themselves() {
    let validator = validator();
    for example in examples() {
        compare(&validator, &example).unwrap();
    }
}

#[test]
fn documents_with_one_change() {
    let validator = validator();
    let mut disagreements = Vec::new();
    let mut compared = 0;
    for example in examples().iter().filter(|example| !is_open(example)) {
        let mut found = Vec::new();
        places(example, "", &mut found);
        for place in &found {
            for how in 0..11 {
                let mut document = example.clone();
                change(&mut document, place, how);
                compared += 1;
                disagreements.extend(compare(&validator, &document).err());
            }
        }
    }
    assert!(compared > 5_000, "{compared}");
    assert!(
        disagreements.is_empty(),
        "{} of {compared}: {:#?}",
        disagreements.len(),
        disagreements.first()
    );
}
