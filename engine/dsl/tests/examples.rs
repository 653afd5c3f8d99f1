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
