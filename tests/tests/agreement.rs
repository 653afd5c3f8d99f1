//! The published schema and our checker, held against each other: on every document of the language and of our cases,
//! and on documents made from them by changing a few things at random (the same ones each time). Where they differ,
//! `tests/conformance/differences.yaml` has the rule and its reason; nothing else may differ.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails loudly"
)]

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tongban_dsl::{Diagnostic, Nothing, inspect, read_yaml};

/// How many changed documents are made of each.
const CHANGED: usize = 32;

/// A number that is the same for the same text (FNV-1a).
fn seed(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// `differences.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Differences {
    /// What we refuse and the schema takes.
    refused: Vec<Refused>,
    /// What we take and the schema refuses.
    taken: Vec<Taken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    code: String,
    /// Words of the message; any message of the code when absent.
    #[serde(default)]
    says: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Taken {
    /// The name of the rule, which `FORGIVEN` has.
    rule: String,
    why: String,
}

/// Numbers that look random and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap_or(0) % below.max(1)
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        items
            .get(self.roll(items.len()))
            .expect("something to pick from")
    }
}

fn yaml(text: &str) -> Option<Value> {
    serde_json::from_str(&read_yaml(text).0?.to_json()).ok()
}

fn texts(folder: &str) -> Vec<String> {
    let folder = tongban_tests::root().join("tests/conformance").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the repository has this folder")
        .map(|file| file.expect("a file").path())
        .collect();
    paths.sort();
    let read = |path| std::fs::read_to_string(path).expect("a text");
    paths.into_iter().map(read).collect()
}

/// The language's examples.
fn examples() -> Vec<Value> {
    let texts = texts("serverless-workflow/examples");
    texts.iter().filter_map(|text| yaml(text)).collect()
}

/// The documents of our cases.
fn cases() -> Vec<Value> {
    let mut all = Vec::new();
    for file in texts("cases") {
        let cases = yaml(&file).expect("a file of cases");
        for case in cases.as_array().expect("a list of cases") {
            let text = case["workflow"].as_str().expect("a document");
            let head = if text.starts_with("document:") {
                ""
            } else {
                "document: { dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }\n"
            };
            all.extend(yaml(&format!("{head}{text}")));
        }
    }
    all
}

/// Every place of a document, as a JSON pointer.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(inner, &format!("{here}/{key}"), found);
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

/// A value of some kind.
fn some_value(dice: &mut Dice) -> Value {
    dice.pick(&[
        json!(null),
        json!(0),
        json!(-1),
        json!(2.5),
        json!(true),
        json!("text"),
        json!(""),
        json!("${ .x }"),
        json!("PT1S"),
        json!("https://x.org/y"),
        json!([]),
        json!({}),
        json!(["a"]),
        json!({ "a": 1 }),
        json!({ "seconds": 1 }),
        json!([{ "a": { "set": { "n": 1 } } }]),
    ])
    .clone()
}

/// Changes one thing at one place; `other` is a document to take parts from.
fn change(document: &mut Value, other: &Value, dice: &mut Dice) {
    let mut found = Vec::new();
    places(document, "", &mut found);
    found.retain(|place| !place.is_empty());
    if found.is_empty() {
        return;
    }
    let place = dice.pick(&found).clone();
    let (parent, key) = place.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/").replace("~0", "~");
    let how = dice.roll(9);
    let value = match how {
        // A part that stands elsewhere under the same name, so that a fitting thing is in a place that it may not fit.
        0 | 1 => namesake(other, &key, dice).unwrap_or_else(|| some_value(dice)),
        _ => some_value(dice),
    };
    match document.pointer_mut(parent) {
        Some(Value::Object(fields)) => change_member(fields, &key, how, value, dice),
        Some(Value::Array(items)) => {
            let at: usize = key.parse().unwrap_or(0);
            match how {
                2 => {
                    items.remove(at);
                }
                3 => {
                    let again = items.get(at).cloned().unwrap_or_default();
                    items.push(again);
                }
                _ => {
                    if let Some(item) = items.get_mut(at) {
                        *item = value;
                    }
                }
            }
        }
        _ => {}
    }
}

fn change_member(
    fields: &mut Map<String, Value>,
    key: &str,
    how: usize,
    value: Value,
    dice: &mut Dice,
) {
    match how {
        2 => {
            fields.remove(key);
        }
        3 => {
            if let Some(old) = fields.remove(key) {
                fields.insert(format!("{key}x"), old);
            }
        }
        4 => {
            let names = [
                "unexpected",
                "if",
                "then",
                "with",
                "do",
                "for",
                "set",
                "retry",
                "until",
                "await",
                "use",
                "in",
                "uri",
            ];
            fields.insert((*dice.pick(&names)).to_owned(), value);
        }
        _ => {
            fields.insert(key.to_owned(), value);
        }
    }
}

fn namesake(other: &Value, key: &str, dice: &mut Dice) -> Option<Value> {
    let mut found = Vec::new();
    places(other, "", &mut found);
    found.retain(|place| place.rsplit('/').next() == Some(key));
    if found.is_empty() {
        return None;
    }
    other.pointer(dice.pick::<String>(&found)).cloned()
}

struct Referee {
    schema: jsonschema::Validator,
    differences: Differences,
}

impl Referee {
    fn new() -> Self {
        let root = tongban_tests::root().join("tests/conformance");
        let schema = std::fs::read_to_string(root.join("serverless-workflow/schema/workflow.yaml"))
            .expect("the schema");
        let differences =
            std::fs::read_to_string(root.join("differences.yaml")).expect("the differences");
        Self {
            schema: jsonschema::options()
                .should_validate_formats(true)
                .build(&yaml(&schema).expect("a YAML file"))
                .expect("the published schema is a schema"),
            differences: serde_yaml::from_str(&differences)
                .expect("differences of the form that the type above has"),
        }
    }

    /// What the two disagree about without a rule that allows it.
    fn dispute(&self, document: &Value) -> Option<String> {
        let text = document.to_string();
        let mut faults = inspect(&text, &Nothing).diagnostics;
        faults.retain(Diagnostic::is_error);
        match (self.schema.is_valid(document), faults.is_empty()) {
            (true, false) => self.refused(&faults, &text),
            (false, true) => self.taken(document, &text),
            _ => None,
        }
    }

    fn refused(&self, faults: &[Diagnostic], text: &str) -> Option<String> {
        let allowed = |fault: &&Diagnostic| {
            self.differences
                .refused
                .iter()
                .any(|rule| fault.code.id() == rule.code && fault.message.contains(&rule.says))
        };
        let fault = faults.iter().find(|fault| !allowed(fault))?;
        Some(format!(
            "the schema takes it, we say {} {}\n{text}",
            fault.code, fault.message
        ))
    }

    fn taken(&self, document: &Value, text: &str) -> Option<String> {
        let mut document = document.clone();
        for (_, forgive) in FORGIVEN {
            forgive(&mut document);
        }
        let error = self.schema.iter_errors(&document).next()?;
        Some(format!(
            "we take it, the schema says {}: {error}\n{text}",
            error.instance_path()
        ))
    }
}

/// Makes of what we take what the schema takes.
type Forgive = fn(&mut Value);

/// What the schema refuses and we take: each rule makes of it what the schema takes. Its reason is in `differences.yaml`.
const FORGIVEN: &[(&str, Forgive)] = &[
    ("the status of an error by an expression", |document| {
        each_member(document, &mut |key, value| {
            if key == "status" && is_expression(value) {
                *value = json!(400);
            }
        });
    }),
    ("an extension of extensions", |document| {
        each_member(document, &mut |key, value| {
            if key == "extend" && value.as_str() == Some("extension") {
                *value = json!("all");
            }
        });
    }),
    ("a directive in a catch", |document| {
        each_member(document, &mut |key, value| {
            if let (true, Some(catch)) = (key == "catch", value.as_object_mut()) {
                catch.remove("then");
            }
        });
    }),
    ("an expression for an argument of a call", |document| {
        each_member(document, &mut |key, value| {
            let literal = match key {
                "document" => json!({ "endpoint": "https://x.org" }),
                "parameters" => json!({}),
                "basic" | "digest" => json!({ "username": "x", "password": "x" }),
                "bearer" => json!({ "token": "x" }),
                "authentication" | "oauth2" | "oidc" => json!({ "use": "x" }),
                "output" => json!("content"),
                "redirect" => json!(true),
                "authority" => json!("https://x.org"),
                "client" | "request" | "endpoints" => json!({}),
                "subject" | "actor" => json!({ "token": "x", "type": "x" }),
                "issuers" | "scopes" | "audiences" => json!([]),
                "grant" => json!("client_credentials"),
                "token" | "revocation" | "introspection" => json!("/x"),
                _ => return,
            };
            if is_expression(value) {
                *value = literal;
            }
        });
    }),
    (
        "a name in a template that RFC 6570 does not know",
        |document| {
            each_member(document, &mut |_, value| {
                if value
                    .as_str()
                    .is_some_and(|text| text.starts_with("http") && text.contains('{'))
                {
                    *value = json!("https://x.org");
                }
            });
        },
    ),
    ("a bare expression in loose mode", |document| {
        if document.pointer("/evaluate/mode") != Some(&json!("loose")) {
            return;
        }
        each_member(document, &mut |key, value| {
            let literal = match key {
                "endpoint" | "uri" | "source" | "dataschema" | "type" => "https://x.org",
                "wait" | "after" | "delay" => "PT1S",
                "time" => "2026-01-01T00:00:00Z",
                _ => return,
            };
            if value.is_string() {
                *value = json!(literal);
            }
        });
    }),
    ("a query or a header with a number", |document| {
        each_member(document, &mut |key, value| {
            let fields = value.as_object_mut();
            for inner in fields.into_iter().flat_map(|fields| fields.values_mut()) {
                if ["query", "headers"].contains(&key) && (inner.is_number() || inner.is_boolean())
                {
                    *inner = json!("x");
                }
            }
        });
    }),
    ("a correlation with a number", |document| {
        each_member(document, &mut |key, value| {
            if key == "expect" {
                *value = json!("x");
            }
        });
    }),
];

fn is_expression(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.trim().starts_with("${"))
}

/// Every member of every object, outer ones first.
fn each_member(value: &mut Value, change: &mut dyn FnMut(&str, &mut Value)) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                change(key, inner);
                each_member(inner, change);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_member(item, change)),
        _ => {}
    }
}

fn settle(disputes: &[String], compared: usize) {
    let shown: Vec<&String> = disputes.iter().take(12).collect();
    assert!(
        disputes.is_empty(),
        "{} of {compared}: {shown:#?}",
        disputes.len()
    );
}

#[test]
fn on_every_document_and_on_changed_ones() {
    let referee = Referee::new();
    let examples = examples();
    let documents: Vec<Value> = examples.iter().cloned().chain(cases()).collect();
    assert!(documents.len() > 300, "{}", documents.len());
    let mut disputes = Vec::new();
    for document in &documents {
        disputes.extend(referee.dispute(document));
        // Seeded by the document: one more case changes nothing for the others.
        let mut dice = Dice(seed(&document.to_string()));
        for _ in 0..CHANGED {
            let mut changed = document.clone();
            for _ in 0..=dice.roll(3) {
                let other = dice.pick(&examples);
                change(&mut changed, other, &mut dice);
            }
            disputes.extend(referee.dispute(&changed));
        }
    }
    settle(&disputes, (CHANGED + 1) * documents.len());
}

#[test]
fn every_difference_has_its_reason() {
    let differences = Referee::new().differences;
    let named: Vec<&str> = differences
        .taken
        .iter()
        .map(|taken| taken.rule.as_str())
        .collect();
    let forgiven: Vec<&str> = FORGIVEN.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(named, forgiven);
    let reasons = differences
        .refused
        .iter()
        .map(|rule| &rule.why)
        .chain(differences.taken.iter().map(|rule| &rule.why));
    for reason in reasons {
        assert!(reason.len() > 20, "a reason is a sentence: {reason}");
    }
}
