//! Rule files that tell which of their parts a run reached.

#![allow(clippy::panic, reason = "a test fails loudly")]

use tongban_expr::{Budget, Measured, RulePart, Scope, Script, Value, value};

/// The lines of the places that a run did not reach, with what they are.
fn missed(source: &str, input: Value) -> Vec<(usize, RulePart)> {
    let measured = Measured::compile(source).unwrap_or_else(|error| panic!("{error:?}\n{source}"));
    let reached = measured.reached(input, &Scope::default(), &Budget::for_scripts());
    let places = measured.places().iter().zip(reached);
    places
        .filter(|(_, times)| *times == 0)
        .map(|(place, _)| (place.line, place.part.clone()))
        .collect()
}

#[test]
fn what_a_run_did_not_reach_is_told_by_line() {
    let source = "let found = [];
for row in input.rows {
    if row.n > 1 {
        found.push(error(\"n\", \"too many\"));
    }
    if row.name == () { found.push(error(\"name\", \"missing\")); }
}
fn unused(x) { x }
let kind = switch found.len() { 0 => \"none\", 1 => { \"one\" }, _ => \"many\" };
found.filter(|one| one.field == \"n\")
";
    assert_eq!(
        missed(
            source,
            value!({ "rows": [{ "n": 2, "name": "a" }, { "n": 1, "name": "b" }] })
        ),
        [
            (6, RulePart::Then),
            (6, RulePart::Statement),
            (8, RulePart::Function("unused".to_owned())),
            (8, RulePart::Statement),
            (9, RulePart::Arm("0".to_owned())),
            (9, RulePart::Arm("_".to_owned())),
        ]
    );
    assert_eq!(
        missed(source, value!({ "rows": [] })).first(),
        Some(&(2, RulePart::Round))
    );
}

#[test]
fn a_run_that_fails_tells_how_far_it_came() {
    let source = "let a = 1;\nlet b = input.none.n;\nlet c = 3;\nc";
    assert_eq!(
        missed(source, value!({})),
        [(3, RulePart::Statement), (4, RulePart::Statement)]
    );
}

/// Every way to write what has a place: the file with probes compiles, and gives what the file gives.
#[test]
fn whatever_compiles_can_be_measured() {
    for source in [
        "if input.a { 1 } else if input.b { 2 }",
        "let x = if input.a { 1 } else { 2 }; x",
        "let x = 0; while x < 3 { x += 1; if x == 2 { break; } } x",
        "let x = 0; do { x += 1; } while x < 3; x",
        "let x = 0; loop { x += 1; if x > 3 { break x; } }",
        "try { throw \"no\"; } catch (error) { error }",
        "let f = |x| |y| y + 1; [1, 2].map(|x| x + 1)",
        "[1, 2].filter(|x| { let y = x; y > 1 }).len()",
        "[1, 2].reduce(|a, b| a + b, 0)",
        "switch input.a { 1 | 2 if input.b => return 3, () => #{ a: 1 }, _ => () }",
        "switch input.a { 1 => { } _ => { } }\nlet a = 1; a",
        "let t = `a ${if input.a == 1 { \"b;\" } else { `c ${1; 2}` }} d`; t",
        "let m = #{ a: #{ b: |x| x }, c: [ if input.a { 1 } ] }; m.c",
        "// only a comment\n/* { */ 1",
        "fn f(x) { if x { return 1; } 2 }\nprivate fn g() { f(true) }\ng() + f(false)",
        "{ let a = 1; }\n{ 2 }",
        "let a = [1, 2]; for (x, at) in a { } a",
        "let s = 'a'; let r = #\"{ \"#; let n = 1.5; s == \"a\" || r == \"{ \" && n > 1 | 2",
        "",
    ] {
        let script = Script::compile(source, "x");
        let script = script.unwrap_or_else(|error| panic!("{error:?}\n{source}"));
        let measured = Measured::compile(source);
        let measured = measured.unwrap_or_else(|error| panic!("{error:?}\n{source}"));
        let input = value!({ "a": true, "b": false });
        let ran = script.run(input.clone(), &Scope::default(), &Budget::for_scripts());
        let reached = measured.reached(input, &Scope::default(), &Budget::for_scripts());
        assert_eq!(reached.len(), measured.places().len(), "{source}");
        let some = reached.iter().any(|times| *times > 0);
        assert!(some || reached.is_empty() || ran.is_err(), "{source}");
    }
}

#[test]
fn the_packs_rule_files_can_be_measured() {
    for source in [
        include_str!("rules/eligibility.rhai"),
        include_str!("rules/faults.rhai"),
        include_str!("rules/form.rhai"),
        include_str!("rules/indicators.rhai"),
        include_str!("rules/sheet.rhai"),
    ] {
        let measured = Measured::compile(source);
        let measured = measured.unwrap_or_else(|error| panic!("{error:?}\n{source}"));
        assert!(measured.places().len() > 2);
    }
}
