//! The mistakes that authors make: each document of `mistakes/` beside what is said about it.
//!
//! `UPDATE_EXPECT=1` writes the answers anew; read them as their author would.

mod pack;

use expect_test::expect_file;
use pack::{Pack, documents};
use tongban_dsl::{inspect, render};

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
