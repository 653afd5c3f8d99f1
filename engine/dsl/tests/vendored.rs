//! Every example of the specification parses; every document that it calls invalid is refused.

use std::path::{Path, PathBuf};

use tongban_dsl::{Severity, parse};

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance/serverless-workflow")
        .join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the repository has this folder")
        .map(|entry| entry.expect("the repository has this folder").path())
        .collect();
    found.sort();
    found
}

#[test]
fn every_example_parses_but_for_what_is_refused_by_name() {
    let files = files("examples");
    assert!(files.len() > 50);
    let mut supported = 0;
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let parsed = parse(&source);
        let faults: Vec<_> = parsed
            .diagnostics
            .iter()
            .filter(|fault| {
                fault.severity == Severity::Error && !fault.code.id().starts_with("TB09")
            })
            .collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", file.display());
        supported += usize::from(parsed.definition.is_some());
    }
    assert!(supported >= 38, "{supported}");
}

#[test]
fn every_invalid_document_is_refused() {
    let files = files("invalid");
    assert_eq!(files.len(), 3);
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let parsed = parse(&source);
        assert!(parsed.definition.is_none(), "{}", file.display());
        let faults: Vec<_> = parsed
            .diagnostics
            .iter()
            .map(|fault| (fault.code.id(), fault.span.line))
            .collect();
        let name = file.file_stem().unwrap().to_string_lossy();
        let expected: &[(&str, u32)] = match &*name {
            "extra-property-in-call" => &[("TB0201", 12)],
            "two-tasks-in-one-item" => &[("TB0303", 12)],
            _ => &[("TB0102", 7), ("TB0201", 14)],
        };
        assert_eq!(faults, expected, "{name}: {:#?}", parsed.diagnostics);
    }
}
