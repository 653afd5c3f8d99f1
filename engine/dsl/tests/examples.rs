//! The specification's examples, checked as `tongban run` checks a document that stands alone.

use std::path::Path;

use tongban_dsl::{Nothing, inspect, render};

#[test]
fn examples_of_the_specification_check_without_errors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance/serverless-workflow/examples");
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        let inspected = inspect(&source, &Nothing);
        let faults: Vec<_> = inspected
            .diagnostics
            .iter()
            .filter(|fault| fault.is_error() && !fault.code.id().starts_with("TB09"))
            .cloned()
            .collect();
        let report = render::Report {
            path: &path.to_string_lossy(),
            source: &source,
            diagnostics: &faults,
        };
        assert!(faults.is_empty(), "{}", render::text(&report, false));
    }
}

/// The definitions of the conformance kit's features.
fn kit() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance/serverless-workflow/ctk");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).expect("the repository has this folder") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a text");
        for block in text.split("a workflow with definition:").skip(1) {
            let Some(body) = block.split("\"\"\"").nth(1) else {
                continue;
            };
            let lines: Vec<&str> = body.trim_start_matches("yaml").lines().collect();
            let indent = lines
                .iter()
                .filter(|line| !line.trim().is_empty())
                .map(|line| line.len() - line.trim_start().len())
                .min();
            let source: Vec<&str> = lines
                .iter()
                .map(|line| line.get(indent.unwrap_or(0)..).unwrap_or(""))
                .collect();
            found.push((path.display().to_string(), source.join("\n")));
        }
    }
    found
}

#[test]
fn definitions_of_the_conformance_kit_check_without_errors() {
    let kit = kit();
    assert_eq!(kit.len(), 21);
    for (path, source) in kit {
        let inspected = inspect(&source, &Nothing);
        let faults: Vec<_> = inspected
            .diagnostics
            .iter()
            .filter(|fault| fault.is_error())
            .cloned()
            .collect();
        let report = render::Report {
            path: &path,
            source: &source,
            diagnostics: &faults,
        };
        assert!(
            faults.is_empty(),
            "{}\n{source}",
            render::text(&report, false)
        );
    }
}
