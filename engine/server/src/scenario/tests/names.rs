//! What a file says must be readable and exist, and what it expects must say something.

use std::path::Path;

use super::{HEAD, LATE, played, suite};
use crate::scenario::load;

#[test]
fn every_fault_of_a_file_is_told_at_its_place() {
    let source = "workflow: desk/ask
now: soon
gvien: {}
start: { by: an }
scenarios:
  - test: eins
    steps:
      - decide: { step: decide, bye: an, outcome: approved }
      - wait: { days: 1 }
      - advance: { days: soon }
    expect: { status: [waiting], outputs: {} }
";
    let suite = suite();
    let faults = crate::scenario::faults(source, &suite.library, None);
    let places: Vec<(u32, String)> = faults
        .iter()
        .map(|fault| (fault.span.line, fault.message.clone()))
        .collect();
    let lines: Vec<u32> = places.iter().map(|(line, _)| *line).collect();
    for line in [2, 3, 8, 9, 10, 11] {
        assert!(lines.contains(&line), "line {line}: {places:?}");
    }
    assert!(
        places.iter().any(|(_, told)| told.contains("`given`")),
        "{places:?}"
    );
    assert_eq!(
        lines.iter().filter(|line| **line == 11).count(),
        2,
        "{places:?}"
    );
}

#[test]
fn what_a_file_names_must_exist() {
    let source = format!(
        "{HEAD}  - test: eins
    mocks: [{{ call: htpp, output: 1 }}, {{ workflow: desk/aks, output: 1 }}]
    steps:
      - decide: {{ step: decid, by: ann, outcome: approved }}
    expect: {{ tasks: {{ ask/sned: completed }} }}
"
    );
    let faults = load(Path::new("x"), &source, &suite())
        .err()
        .unwrap_or_default();
    let told: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {} {:?}", fault.span.line, fault.message, fault.help))
        .collect();
    for words in ["htpp", "desk/aks", "decid", "ann", "ask/sned"] {
        assert!(
            told.iter().any(|line| line.contains(words)),
            "{words}: {told:?}"
        );
    }
    assert!(
        told.iter().any(|line| line.contains("`ask/send`")),
        "{told:?}"
    );
}

#[test]
fn an_empty_list_says_that_there_is_none() {
    let nothing =
        "mails: [], cards: [], history: [], children: [], events: [], trace: [], open: []";
    let source = format!(
        "{LATE}  - test: nothing came yet
    mocks: [{{ call: http, output: {{ answer: no }} }}]
    expect: {{ {nothing} }}
  - test: it was called
    mocks: [{{ call: http, output: {{ answer: no }} }}]
    expect: {{ calls: [] }}
  - test: it was accepted
    mocks: [{{ call: http, output: {{ answer: no }} }}]
    expect: {{ refused: [] }}
"
    );
    let (outcomes, _) = played(&source);
    assert!(outcomes[0].failure.is_none() && outcomes[2].failure.is_none());
    let failure = outcomes[1].failure.clone().expect("there was a call");
    let told = &failure.differences[0];
    assert_eq!(
        (told.path.as_str(), told.expected.as_str()),
        ("calls", "none")
    );
    assert!(
        told.found.contains("https://desk.example/ask"),
        "{}",
        told.found
    );
    let (outcomes, _) = played(&format!(
        "{HEAD}  - test: somebody decided
    mocks: [{{ call: http, output: {{ answer: fine }} }}]
    steps: [{{ decide: {{ step: decide, by: an, outcome: approved }} }}]
    expect: {{ history: [] }}
"
    ));
    let failure = outcomes[0].failure.clone().expect("there is a decision");
    assert!(failure.told().contains("approved"), "{}", failure.told());
}

#[test]
fn what_says_nothing_is_refused() {
    let source = format!(
        "{HEAD}  - test: eins\n    expect: {{ registers: {{}}, tasks: {{}}, clocks: {{}}, started: {{}}, search: {{}} }}\n"
    );
    let faults = crate::scenario::faults(&source, &suite().library, None);
    assert_eq!(faults.len(), 5, "{faults:?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.message.contains("says nothing"))
    );
}

#[test]
fn every_misspelt_name_is_told_before_anything_is_played() {
    let source = format!(
        "{HEAD}  - test: eins
    start: {{ by: {{ role: clark }}, input: {{}} }}
    given: {{ registers: {{ grunts: [] }} }}
    steps:
      - decide: {{ step: decide, by: {{ head: hal }}, outcome: aproved }}
      - return: {{ step: decide, by: an, to: rounts }}
      - expect: {{ of: '#7', status: waitng }}
    expect:
      cards: [{{ clock: decied, cards: [orange] }}]
      mails: [{{ template: work/tusk, to: [nobody] }}]
      history: [{{ step: decide, outcome: rejekted }}, {{ who: an }}]
      started: {{ desk/aks: 1 }}
      calls: [{{ call: htpp }}]
      search: {{ anwser: fine }}
      tasks: {{ rounds: complete }}
      children: [{{ workflow: desk/ask, state: x }}]
"
    );
    let suite = suite();
    let faults = crate::scenario::faults(&source, &suite.library, Some(&suite.organisation));
    let told: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {} {:?}", fault.span.line, fault.message, fault.help))
        .collect();
    for (line, name, near) in [
        (6, "role `clark`", "`clerk`"),
        (7, "register `grunts`", ""),
        (9, "unit `hal`", "`hall`"),
        (9, "outcome of `decide` `aproved`", "`approved`"),
        (10, "step `rounts`", "`rounds`"),
        (11, "case `#7`", ""),
        (11, "status `waitng`", "`waiting`"),
        (13, "step `decied`", "`decide`"),
        (13, "card `orange`", "blue, yellow, red"),
        (14, "mail `work/tusk`", "`work/task`"),
        (14, "person `nobody`", ""),
        (15, "outcome of `decide` `rejekted`", "`rejected`"),
        (15, "member `who`", ""),
        (16, "workflow `desk/aks`", "`desk/ask`"),
        (17, "function of a plugin `htpp`", "`http`"),
        (18, "search field `anwser`", "`answer`"),
        (19, "word for a task `complete`", "`completed`"),
        (20, "member `state`", ""),
    ] {
        let found = told.iter().any(|fault| {
            fault.starts_with(&format!("{line}: ")) && fault.contains(name) && fault.contains(near)
        });
        assert!(found, "line {line}: {name}: {told:#?}");
    }
    assert_eq!(faults.len(), 18, "{told:#?}");
}
