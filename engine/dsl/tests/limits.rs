//! Bounds, odd encodings, and documents that were changed at random.

use proptest::prelude::*;
use tongban_dsl::{Nothing, inspect, parse, read_yaml};

const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: limits, version: '1.0.0' }\n";

fn codes(source: &str) -> Vec<&'static str> {
    inspect(source, &Nothing)
        .diagnostics
        .iter()
        .map(|fault| fault.code.id())
        .collect()
}

#[test]
fn a_thousand_tasks() {
    let mut source = HEAD.to_owned() + "do:\n";
    for at in 0..1_000 {
        source.push_str(&format!(
            "  - task{at}: {{ if: '.n > {at}', set: {{ n: '${{ .n + {at} }}' }} }}\n"
        ));
    }
    let inspected = inspect(&source, &Nothing);
    assert_eq!(inspected.diagnostics, []);
    assert_eq!(inspected.definition.unwrap().tasks.len(), 1_000);
}

#[test]
fn too_large_too_deep_and_too_many() {
    assert_eq!(
        codes(&format!("{HEAD}# {}\n", "x".repeat(3 * 1024 * 1024))),
        ["TB0108"]
    );
    let deep = format!(
        "{HEAD}do:\n  - a: {{ set: {{ x: {}{} }} }}\n",
        "[".repeat(120),
        "]".repeat(120)
    );
    assert_eq!(codes(&deep), ["TB0109"]);
    // Deeper than the parser itself goes: still an answer, never a stack overflow.
    let deeper = format!("{HEAD}do: {}", "[".repeat(100_000));
    assert!(!codes(&deeper).is_empty());
    let items = "x, ".repeat(260_000);
    assert_eq!(
        codes(&format!(
            "{HEAD}do:\n  - a: {{ set: {{ x: [{items}] }} }}\n"
        )),
        ["TB0110"]
    );
    let signers = "{ user: x }, ".repeat(501);
    let source = format!("{HEAD}do:\n  - a: {{ call: approve, with: {{ to: [{signers}] }} }}\n");
    assert_eq!(codes(&source), ["TB0501"]);
}

#[test]
fn hostile_shapes_are_answered() {
    // One line, many values, many faults.
    let items = "!x [a], ".repeat(30_000);
    let inspected = inspect(
        &format!("{HEAD}do:\n  - a: {{ set: {{ x: [{items}] }} }}\n"),
        &Nothing,
    );
    assert_eq!(inspected.diagnostics.len(), 500);
    // A ring of many tasks with a way back from each.
    let mut source = HEAD.to_owned() + "do:\n";
    for at in 0..5_000 {
        let back = at / 2;
        source.push_str(&format!(
            "  - t{at}: {{ switch: [{{ a: {{ when: .a, then: t{back} }} }}] }}\n"
        ));
    }
    assert!(inspect(&source, &Nothing).definition.is_some());
}

#[test]
fn a_cyclic_alias_is_refused() {
    assert_eq!(
        codes(&format!("{HEAD}do:\n  - a: {{ set: &x {{ y: *x }} }}\n")),
        ["TB0107"]
    );
}

#[test]
fn texts_that_look_like_other_types_stay_texts() {
    let (value, faults) = read_yaml(
        "a: no\nb: on\nc: 012\nd: 1_000\ne: 1:30\nf: y\ng: 0x1F\nh: 1e3\ni: ~\nj: 9007199254740993\n",
    );
    assert!(faults.is_empty(), "{faults:?}");
    let json = value.unwrap().to_json();
    assert_eq!(
        json,
        r#"{"a":"no","b":"on","c":12,"d":"1_000","e":"1:30","f":"y","g":31,"h":1000.0,"i":null,"j":9007199254740993}"#
    );
}

#[test]
fn byte_order_mark_and_windows_line_ends() {
    let source = format!("\u{feff}{HEAD}do:\r\n  - a:\r\n      set:\r\n        x: 1\r\n");
    assert!(parse(&source).definition.is_some());
    let wrong = source.replace("set:", "sett:");
    let faults = parse(&wrong).diagnostics;
    assert_eq!(
        faults
            .iter()
            .map(|fault| (fault.code.id(), fault.span.line))
            .collect::<Vec<_>>(),
        [("TB0301", 4)]
    );
}

#[test]
fn keys_that_look_the_same_are_the_same() {
    let source = format!("{HEAD}do:\n  - a: {{ set: {{ caf\u{e9}: 1, cafe\u{301}: 2 }} }}\n");
    assert_eq!(codes(&source), ["TB0102"]);
}

#[test]
fn control_characters_in_texts() {
    assert_eq!(
        codes(&format!(
            "{HEAD}do:\n  - a: {{ set: {{ x: \"a\\0b\" }} }}\n"
        )),
        ["TB0113"]
    );
    assert_eq!(
        codes(&format!(
            "{HEAD}do:\n  - a: {{ set: {{ \"a\\0b\": 1 }} }}\n"
        )),
        ["TB0113"]
    );
    assert_eq!(
        codes(&format!(
            "{HEAD}do:\n  - a: {{ set: {{ x: \"\\ud800\" }} }}\n"
        )),
        ["TB0101"]
    );
    assert_eq!(codes(&format!("{HEAD}do: []\n")), ["TB0311"]);
}

/// Documents with everything in them, to be cut and mixed.
fn seeds() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in [
        "tests/mistakes",
        "../../tests/conformance/serverless-workflow/examples",
    ] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the repository has this folder") {
            let path = entry.expect("the repository has this folder").path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
                && !path.ends_with("alias-bomb.yaml")
            {
                found.push(std::fs::read_to_string(path).expect("the repository has this folder"));
            }
        }
    }
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Lines and characters of real documents, dropped, doubled, swapped and replaced: always an answer,
    /// with places inside the text.
    #[test]
    fn a_mutated_document_never_panics(
        seed in 0_usize..10_000,
        changes in prop::collection::vec((0_usize..5, 0_usize..100_000, prop::sample::select(vec![":", "- ", "{", "}", "[", "'", "\"", "${", "}", "\n", "  ", "\t", "*a", "&a ", "!x ", "null", "do:", "中", "|\n", ">", "#", ",", "-1"])), 1..6),
    ) {
        let seeds = seeds();
        let mut source = seeds[seed % seeds.len()].clone();
        for (kind, place, piece) in changes {
            let at = source.floor_char_boundary(place % (source.len() + 1));
            match kind {
                0 => source.insert_str(at, piece),
                1 => { source.truncate(at); }
                2 => {
                    let end = source.floor_char_boundary((at + 5).min(source.len()));
                    source.replace_range(at..end, piece);
                }
                3 => {
                    let mut lines: Vec<&str> = source.lines().collect();
                    if !lines.is_empty() { let line = place % lines.len(); lines.insert(line, lines[line]); }
                    source = lines.join("\n");
                }
                _ => {
                    let mut lines: Vec<&str> = source.lines().collect();
                    if !lines.is_empty() { lines.remove(place % lines.len()); }
                    source = lines.join("\n");
                }
            }
        }
        let inspected = inspect(&source, &Nothing);
        for fault in &inspected.diagnostics {
            prop_assert!(fault.span.start <= fault.span.end && fault.span.end as usize <= source.len(), "{fault:?}");
            prop_assert!(fault.span.line >= 1 && fault.span.column >= 1);
        }
        let report = tongban_dsl::render::Report { path: "x.yaml", source: &source, diagnostics: &inspected.diagnostics };
        let _ = tongban_dsl::render::text(&report, false);
        let _ = tongban_dsl::render::sarif(&[report]);
    }
}
