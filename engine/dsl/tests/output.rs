//! Diagnostics for tools: JSON, and SARIF 2.1.0 by the rules of its schema.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod pack;

use pack::{Pack, documents};
use serde_json::Value as Json;
use tongban_dsl::render::{self, Report};
use tongban_dsl::{codes, inspect};

fn report<R>(path: &str, source: &str, use_it: impl Fn(&Report<'_>) -> R) -> R {
    let diagnostics = inspect(source, &Pack).diagnostics;
    assert!(!diagnostics.is_empty());
    use_it(&Report {
        path,
        source,
        diagnostics: &diagnostics,
    })
}

fn sarif(path: &str, source: &str) -> Json {
    report(path, source, |report| {
        serde_json::from_str(&render::sarif(&[*report])).unwrap()
    })
}

/// What the schema of SARIF 2.1.0 asks of what is written.
fn assert_valid(document: &Json) {
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "tongban");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), codes::PAGES.len());
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty());
        }
    }
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap();
        assert_eq!(
            rules[usize::try_from(index).unwrap()]["id"],
            result["ruleId"]
        );
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let related = result["relatedLocations"].as_array();
        let places = result["locations"].as_array().unwrap().iter();
        for place in places.chain(related.into_iter().flatten()) {
            let physical = &place["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(
                uri.is_ascii() && !uri.contains([' ', '\\', '#', '?']),
                "{uri}"
            );
            let region = &physical["region"];
            let number = |name: &str| region[name].as_u64().unwrap();
            assert!(number("startLine") >= 1 && number("startColumn") >= 1);
            assert!(number("endColumn") > number("startColumn"));
        }
    }
}

#[test]
fn every_mistake_is_valid_sarif_with_places_inside_of_the_text() {
    for path in documents() {
        let source = std::fs::read_to_string(&path).unwrap();
        let document = sarif("workflows/apply.yaml", &source);
        assert_valid(&document);
        for result in document["runs"][0]["results"].as_array().unwrap() {
            let region = &result["locations"][0]["physicalLocation"]["region"];
            let line = usize::try_from(region["startLine"].as_u64().unwrap()).unwrap();
            let end = usize::try_from(region["endColumn"].as_u64().unwrap()).unwrap();
            let text = source.lines().nth(line - 1).unwrap_or_default();
            // One past the end is the place where something is missing.
            assert!(
                end <= text.chars().count() + 2,
                "{}: {region}",
                path.display()
            );
        }
    }
}

#[test]
fn columns_count_characters_and_paths_are_references() {
    let source = "\u{feff}document: { dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }\ndo:\n  - 审批: { set: { 标题: '${ .a && 1 }' }, if: '中文' }\n";
    let document = sarif("流程/my flow.yaml", source);
    assert_valid(&document);
    let results = document["runs"][0]["results"].as_array().unwrap();
    let found = results
        .iter()
        .find(|result| result["ruleId"] == "TB0401")
        .unwrap();
    let place = &found["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "%E6%B5%81%E7%A8%8B/my%20flow.yaml"
    );
    let line = source.lines().nth(2).unwrap();
    let at = line.chars().position(|c| c == '&').unwrap() + 1;
    assert_eq!(place["region"]["startColumn"], at);
    assert_eq!(place["region"]["endColumn"], at + 2);
}

#[test]
fn json_names_path_line_column_and_help() {
    let source = "document: { dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }\ndo:\n  - a: { set: { x: 1 }, then: c }\n  - b: { set: { x: 1 } }\n";
    let found: Json = report("x.yaml", source, |report| {
        serde_json::from_str(&render::json(&[*report])).unwrap()
    });
    let one = &found[0];
    assert_eq!(one["path"], "x.yaml");
    assert_eq!(one["code"], "TB0306");
    assert_eq!(one["severity"], "error");
    assert_eq!(
        (&one["line"], &one["column"], &one["endColumn"]),
        (&3.into(), &31.into(), &32.into())
    );
    assert!(one["help"].as_str().unwrap().contains("`b`"));
}
