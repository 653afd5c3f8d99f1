//! Dependencies point one way, and the pure crates stay pure.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The crates of ours that each crate may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("expr", &[]),
    ("dsl", &["expr"]),
    ("org", &["expr"]),
    ("core", &["expr", "dsl", "org"]),
    ("work", &["expr", "org"]),
    ("plugin", &["expr", "org"]),
    ("store", &["expr"]),
    (
        "runtime",
        &["expr", "dsl", "core", "org", "work", "plugin", "store"],
    ),
    ("http", &["expr", "plugin"]),
    ("mail", &["expr", "plugin"]),
    ("process", &["expr", "plugin"]),
    ("register", &["expr", "org", "plugin"]),
    ("catalogue", &["expr", "org", "plugin", "register"]),
    (
        "server",
        &[
            "expr",
            "dsl",
            "core",
            "org",
            "work",
            "plugin",
            "store",
            "runtime",
            "http",
            "mail",
            "process",
            "register",
            "catalogue",
        ],
    ),
];

const PURE: &[&str] = &["expr", "dsl", "org", "core", "work", "plugin"];
const IMPURE: &[&str] = &[
    "tokio",
    "sqlx",
    "reqwest",
    "axum",
    "getrandom",
    "rand",
    "lettre",
    "chrono",
    "time",
];

/// Direct dependencies of each of our crates, without those of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(tongban_tests::root())
        .output()
        .expect("cargo runs");
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata gives JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let used = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter();
            let used = used.filter(|dependency| dependency["kind"].is_null());
            let names = used.map(|dependency| text(&dependency["name"])).collect();
            (text(&package["name"]), names)
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_string()
}

#[test]
fn dependencies_point_one_way() {
    let found = dependencies();
    for (name, allowed) in ALLOWED {
        let used = found
            .get(&format!("tongban-{name}"))
            .unwrap_or_else(|| panic!("there is no crate `{name}`"));
        for dependency in used
            .iter()
            .filter_map(|dependency| dependency.strip_prefix("tongban-"))
        {
            assert!(
                allowed.contains(&dependency),
                "`{name}` may not depend on `{dependency}`"
            );
        }
    }
    for name in found
        .keys()
        .filter_map(|name| name.strip_prefix("tongban-"))
    {
        let known = ["tests", "bench"].contains(&name)
            || ALLOWED.iter().any(|(crate_name, _)| *crate_name == name);
        assert!(known, "`{name}` is not in the graph of this test");
    }
}

#[test]
fn pure_crates_touch_no_world() {
    let found = dependencies();
    for name in PURE {
        for dependency in &found[&format!("tongban-{name}")] {
            assert!(
                !IMPURE.contains(&dependency.as_str()),
                "`{name}` is pure but depends on `{dependency}`"
            );
        }
    }
}
