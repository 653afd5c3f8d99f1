//! The mistakes that authors make: each document of `mistakes/` beside what is said about it.
//!
//! `UPDATE_EXPECT=1` writes the answers anew; read them as their author would.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use tongban_dsl::signatures::{self, Kind, Signature};
use tongban_dsl::{Reference, Surroundings, inspect, render};
use tongban_expr::{Value, value};

/// A small pack.
struct Pack;

impl Surroundings for Pack {
    fn function(&self, name: &str) -> Option<Signature> {
        if name == "register.get" {
            let arguments = value!({
                "type": "object",
                "properties": { "register": { "type": "string", "x-reference": "register" }, "key": {} },
            });
            return Some(Signature {
                name: name.to_owned(),
                kind: Kind::Read,
                arguments,
                result: Value::Null,
                late: Vec::new(),
            });
        }
        signatures::engine()
            .iter()
            .find(|signature| signature.name == name)
            .cloned()
            .or_else(|| signatures::language(name))
    }

    fn function_names(&self) -> Vec<String> {
        let engine = signatures::engine()
            .iter()
            .map(|signature| signature.name.clone());
        engine
            .chain(["http", "openapi", "register.get"].map(str::to_owned))
            .collect()
    }

    fn names(&self, kind: Reference) -> Option<Vec<String>> {
        let names: &[&str] = match kind {
            Reference::Form => &[
                "forms/application.yaml",
                "forms/sheet.yaml",
                "forms/visit.yaml",
            ],
            Reference::Register => &["catalogue", "residents"],
            Reference::Role => &["data-office", "data-leader"],
            Reference::Rule => &["rules/eligibility.rhai"],
            Reference::Template => &["mails/granted", "mails/refused"],
            Reference::Workflow => &["sharing/apply", "sharing/dispute"],
            Reference::Parameter => &["answerDays"],
            Reference::Code => &["refusal"],
            Reference::Level => &["city", "district", "street"],
        };
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn form(&self, path: &str) -> Option<Value> {
        match path {
            "forms/application.yaml" => Some(value!({
                "type": "object",
                "properties": { "resource": { "type": "string" }, "purpose": { "type": "string" } },
            })),
            "forms/sheet.yaml" => {
                Some(value!({ "x-figures": true, "properties": { "rows": { "type": "array" } } }))
            }
            _ => None,
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the repository has this folder")
        .map(|entry| entry.expect("the repository has this folder").path())
        .collect();
    found.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    found.sort();
    found
}

#[test]
fn every_mistake_is_told_with_its_place_and_its_repair() {
    let documents = documents();
    assert!(documents.len() >= 80, "{}", documents.len());
    let mut codes = std::collections::BTreeSet::new();
    for path in documents {
        let source = std::fs::read_to_string(&path).unwrap();
        let inspected = inspect(&source, &Pack);
        assert!(
            !inspected.diagnostics.is_empty(),
            "{} has no fault",
            path.display()
        );
        codes.extend(inspected.diagnostics.iter().map(|fault| fault.code.id()));
        for fault in &inspected.diagnostics {
            assert!(
                fault.help.is_some(),
                "{}: no way out of: {}",
                path.display(),
                fault.message
            );
        }
        let name = path.file_name().unwrap().to_string_lossy();
        let report = render::Report {
            path: &name,
            source: &source,
            diagnostics: &inspected.diagnostics,
        };
        expect_file![path.with_extension("txt")].assert_eq(&render::text(&report, false));
    }
    let untested: Vec<&str> = tongban_dsl::codes::PAGES
        .iter()
        .map(|page| page.id)
        .filter(|id| !id.starts_with("TB10") && !codes.contains(id))
        .collect();
    // Sizes and texts that would make the sample documents unreadable are in `limits.rs`.
    assert_eq!(
        untested,
        ["TB0108", "TB0109", "TB0113", "TB0116", "TB0311", "TB0710"]
    );
}
