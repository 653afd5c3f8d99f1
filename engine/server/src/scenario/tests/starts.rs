//! How cases are started, refused and found by their numbers.

use std::path::Path;

use super::{HEAD, all_pass, played, suite};
use crate::scenario::load;

#[test]
fn a_start_may_be_expected_to_be_refused_for_what_is_said() {
    let source = format!(
        "{HEAD}  - test: no right
    start: {{ by: zoe, input: {{}} }}
    expect: {{ refused: may not start }}
  - test: another reason
    start: {{ by: zoe, input: {{}} }}
    expect: {{ refused: it is closed }}
  - test: accepted
    mocks: [{{ call: http, output: {{ answer: fine }} }}]
    expect: {{ refused: may not start }}
"
    );
    let source = source.replace(
        "scenarios:",
        "given:
  organisation:
    levels: [{ id: city, title: 市 }]
    units: [{ id: hall, name: 大厅, level: city }]
    people: [{ id: an, name: 安, unit: hall, roles: [clerk] }, { id: zoe, name: 佐伊, unit: hall }]
scenarios:",
    );
    let (outcomes, _) = played(&source);
    all_pass(&outcomes[..1]);
    let told = |at: usize| outcomes[at].failure.clone().expect("it fails").told();
    assert!(told(1).contains("it is closed") && told(1).contains("may not start"));
    assert!(told(2).contains("but it was accepted"));
}

#[test]
fn what_stands_in_the_wrong_place_is_told_with_the_right_one() {
    let source = format!(
        "{HEAD}  - test: eins\n    now: 2026-03-02T09:00:00+08:00\n    change: {{ n: 1 }}\n"
    );
    let faults = crate::scenario::faults(&source, &suite().library, None);
    let told: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert!(told[0].contains("belongs to the file"), "{told:?}");
    assert!(told[1].contains("start: { by: …, change: … }"), "{told:?}");
}

#[test]
fn digits_of_a_text_want_quotes() {
    let source = format!(
        "{HEAD}  - test: eins\n    start: {{ by: an, input: {{ id: 990000199001010017, rows: [{{ n: 1, id: 7 }}] }} }}\n"
    )
    .replace("desk/ask", "desk/filed");
    let faults = load(Path::new("x"), &source, &suite())
        .err()
        .unwrap_or_default();
    let told: Vec<(u32, String)> = faults
        .iter()
        .map(|fault| (fault.span.line, fault.help.clone().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            (6, "put it in quotes: '990000199001010017'".to_string()),
            (6, "put it in quotes: '7'".to_string())
        ],
        "{faults:?}"
    );
}

#[test]
fn changes_alone_are_changes_of_what_the_file_starts_with() {
    let source = "workflow: desk/filed
now: 2026-03-02T09:00:00+08:00
start: { by: system, input: { id: 'a', rows: [{ id: 'b', n: 1 }] } }
scenarios:
  - test: eins
    start: { by: system, change: { 'rows[0].n': 2 } }
    expect: { output: { id: a, n: 2 }, children: [{ workflow: desk/child, number: KD2026-0001 }] }
  - test: the child is a case by its number
    steps:
      - expect: { of: KD2026-0001, open: [{ step: look, to: [an, bo] }] }
      - decide: { of: KD2026-0001, step: look, by: an, outcome: approved }
    expect: { of: KD2026-0001, status: completed }
  - test: a failure tells the children
    expect: { status: faulted }
";
    let (outcomes, coverage) = played(source);
    all_pass(&outcomes[..2]);
    let child = &coverage.workflows["desk/child"];
    assert_eq!(child.missed().count(), 0, "what a case starts is covered");
    let untaken: Vec<&str> = child
        .untaken()
        .map(|branch| branch.label.as_str())
        .collect();
    assert_eq!(untaken, ["rejected"]);
    let failure = outcomes[2].failure.clone().expect("it completed");
    let child = "child: desk/child (KD2026-0001, running), open: look";
    assert!(failure.stood.contains(child), "{}", failure.stood);
}
