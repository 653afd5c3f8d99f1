//! Whole documents as authors write them: checked without noise.

use std::path::Path;

use tongban_dsl::signatures::{self, Kind, Signature};
use tongban_dsl::{Nothing, Reference, Surroundings, inspect, render};
use tongban_expr::Value;

/// The engine's functions, and plugins of which nothing but the kind is known.
struct Open;

impl Surroundings for Open {
    fn function(&self, name: &str) -> Option<Signature> {
        let engine = signatures::engine()
            .iter()
            .find(|signature| signature.name == name)
            .cloned();
        let plugin = |kind| Signature {
            name: name.to_owned(),
            kind,
            arguments: Value::Null,
            result: Value::Null,
            late: Vec::new(),
        };
        engine
            .or_else(|| signatures::language(name))
            .or_else(|| match name {
                "register.get" | "register.find" => Some(plugin(Kind::Read)),
                "register.put" | "grant.issue" | "catalogue.publish" | "catalogue.withdraw" => {
                    Some(plugin(Kind::Write))
                }
                _ => None,
            })
    }

    fn function_names(&self) -> Vec<String> {
        signatures::engine()
            .iter()
            .map(|signature| signature.name.clone())
            .collect()
    }

    fn names(&self, _: Reference) -> Option<Vec<String>> {
        None
    }
}

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
        // `setNumber` and the like are called without being defined in the examples of extensions and catalogues.
        assert!(faults.is_empty(), "{}", render::text(&report, false));
    }
}

#[test]
fn the_pack_on_paper() {
    let Ok(root) = std::env::var("TONGBAN_PACKS") else {
        return;
    };
    let mut files: Vec<_> = Vec::new();
    for pack in std::fs::read_dir(root).unwrap() {
        if let Ok(workflows) = std::fs::read_dir(pack.unwrap().path().join("workflows")) {
            files.extend(workflows.map(|entry| entry.unwrap().path()));
        }
    }
    for path in files {
        let source = std::fs::read_to_string(&path).unwrap();
        let inspected = inspect(&source, &Open);
        let report = render::Report {
            path: &path.to_string_lossy(),
            source: &source,
            diagnostics: &inspected.diagnostics,
        };
        eprintln!("{}", render::text(&report, false));
    }
}
