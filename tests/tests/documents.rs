//! The language's own documents: every example parses, checks and round-trips; every invalid sample is refused with a
//! diagnostic that says what is wrong with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::path::PathBuf;

use tongban_dsl::{Definition, Diagnostic, Nothing, inspect, parse};

/// The examples that are refused, each with the code that refuses it by name and with what its message names.
const REFUSED: &[(&str, &str, &str)] = &[
    ("call-asyncapi-publish", "TB0901", "asyncapi"),
    (
        "call-asyncapi-subscribe-consume-amount",
        "TB0901",
        "asyncapi",
    ),
    (
        "call-asyncapi-subscribe-consume-forever-foreach",
        "TB0901",
        "asyncapi",
    ),
    (
        "call-asyncapi-subscribe-consume-until",
        "TB0901",
        "asyncapi",
    ),
    (
        "call-asyncapi-subscribe-consume-while",
        "TB0901",
        "asyncapi",
    ),
    ("call-grpc", "TB0901", "grpc"),
    ("call-mcp", "TB0901", "mcp"),
];

fn files(folder: &str) -> Vec<(String, String)> {
    let root = tongban_tests::root()
        .join("tests/conformance/serverless-workflow")
        .join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the repository has this folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("a text"))
    };
    paths.into_iter().map(read).collect()
}

fn errors(source: &str) -> Vec<Diagnostic> {
    let mut all = inspect(source, &Nothing).diagnostics;
    all.retain(Diagnostic::is_error);
    all
}

/// A definition's tree without the places where it stood.
fn shape(mut definition: Definition) -> String {
    definition.source = "".into();
    let text = format!("{definition:?}");
    let mut bare = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span {") {
        let (before, span) = rest.split_at(at);
        bare.push_str(before);
        bare.push_str("Span");
        rest = span
            .find('}')
            .and_then(|end| span.get(end + 1..))
            .unwrap_or_default();
    }
    bare + rest
}

#[test]
fn every_example_checks_or_is_refused_by_name() {
    let files = files("examples");
    assert_eq!(files.len(), 66);
    for (name, source) in files {
        let errors = errors(&source);
        let Some((_, code, word)) = REFUSED.iter().find(|(refused, ..)| *refused == name) else {
            let elsewhere = |error: &Diagnostic| error.code.id().starts_with("TB09");
            assert!(errors.iter().all(elsewhere), "{name}: {errors:#?}");
            continue;
        };
        let fits = |error: &Diagnostic| error.code.id() == *code && error.message.contains(word);
        assert!(errors.iter().any(fits), "{name}: {errors:#?}");
    }
}

#[test]
fn every_example_is_the_same_after_it_was_written_and_read_again() {
    let mut compared = 0;
    for (name, source) in files("examples") {
        let Some(first) = parse(&source).definition else {
            let errors = errors(&source);
            let by_name = |error: &Diagnostic| error.code.id().starts_with("TB09");
            assert!(
                errors.iter().all(by_name),
                "{name} does not parse: {errors:#?}"
            );
            continue;
        };
        compared += 1;
        let as_json = first.value.to_json();
        let value: serde_json::Value = serde_json::from_str(&as_json).unwrap();
        let as_yaml = serde_yaml::to_string(&value).unwrap();
        for written in [as_json, as_yaml] {
            let second = parse(&written)
                .definition
                .unwrap_or_else(|| panic!("{name} cannot be read again:\n{written}"));
            assert_eq!(first.value, second.value, "{name}");
            assert_eq!(shape(first.clone()), shape(second), "{name}");
        }
    }
    assert!(compared >= 40, "only {compared} examples were compared");
}

#[test]
fn every_invalid_sample_is_refused_with_what_is_wrong() {
    // The code, the line and a word of the message or the help of the fault that the sample is about.
    let wanted = [
        ("extra-property-in-call", "TB0201", 12, "foo"),
        ("listen-any-until-any-until", "TB0201", 14, "until"),
        ("two-tasks-in-one-item", "TB0303", 12, "item"),
    ];
    let files = files("invalid");
    assert_eq!(files.len(), wanted.len());
    for ((name, source), (sample, code, line, word)) in files.iter().zip(wanted) {
        assert_eq!(name, sample);
        let errors = errors(source);
        let about = errors
            .iter()
            .find(|error| error.code.id() == code && error.span.line == line)
            .unwrap_or_else(|| panic!("{name}: no {code} in line {line}: {errors:#?}"));
        let words = format!(
            "{} {}",
            about.message,
            about.help.as_deref().unwrap_or_default()
        );
        assert!(words.contains(word), "{name}: {words}");
    }
}
