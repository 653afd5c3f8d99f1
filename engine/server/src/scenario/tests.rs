//! Scenarios of a small pack: faults of files, mocks, who, given cases, coverage, reports.

mod names;
mod starts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tongban_runtime::pack::{Library, Pack};

use super::report::{self, Report};
use super::rules::Line;
use super::{Coverage, Outcome, Suite, load};

const ORGANISATION: &str = "
zone: Asia/Shanghai
levels: [{ id: city, title: 市 }]
units: [{ id: hall, name: 大厅, level: city }]
people:
  - { id: an, name: 安, unit: hall, roles: [clerk] }
  - { id: bo, name: 博, unit: hall, roles: [clerk], heads: hall }
";

const PACK: &str = "
pack: desk
version: 1.0.0
title: { zh-CN: 窗口, en: Desk }
summary: 试验
languages: [zh-CN]
roles: { clerk: 经办人 }
rights: [{ role: clerk, may: [start], of: ['*'], over: all }]
";

const ASK: &str = "
document:
  dsl: '1.0.3'
  namespace: desk
  name: ask
  version: '1.0.0'
  title: 询问
  metadata: { case: { title: 询问, number: 'XW{yyyy}-{seq:4}', search: { answer: '${ steps.ask?.answer }' } } }
evaluate: { language: rhai }
do:
  - ask:
      timeout: { after: { hours: 1 } }
      try:
        - send: { call: http, with: { method: post, endpoint: 'https://desk.example/ask', body: { n: 1 } } }
      catch:
        errors: { with: { status: 503 } }
        retry: { delay: { minutes: 1 }, limit: { attempt: { count: 2 } } }
        do: [{ byHand: { set: { answer: unknown } } }]
  - look:
      switch:
        - known: { when: 'input.answer != \"unknown\"', then: rounds }
        - unknown: { when: 'input.answer == \"unknown\"', then: decide }
  - rounds:
      for: { each: item, in: '[1, 2]' }
      do: [{ one: { set: { n: '${ item }' } } }]
  - decide:
      call: approve
      with: { to: [{ role: clerk, unit: hall }] }
  - done: { set: { outcome: '${ steps.decide.outcome }' } }
";

const PATIENT: &str = "
document: { dsl: '1.0.3', namespace: desk, name: patient, version: '1.0.0', title: 等候 }
evaluate: { language: rhai }
do:
  - ask:
      try:
        - send: { timeout: { after: { hours: 1 } }, call: http, with: { method: get, endpoint: 'https://desk.example/ask' } }
      catch:
        errors: { with: { status: 408 } }
        do: [{ none: { set: { answer: none } } }]
  - route:
      switch:
        - silent: { when: 'input.answer == \"none\"', then: rest }
        - short: { when: 'input.answer == \"no\"', then: rest }
        - long: { then: rest }
  - rest: { wait: { hours: 5 } }
  - age: { run: { script: { language: rhai, source: { endpoint: 'pack://rules/words.rhai' } } } }
  - done: { set: { outcome: '${ input.word }' } }
";

const FILED: &str = "
document: { dsl: '1.0.3', namespace: desk, name: filed, version: '1.0.0', title: 登记 }
evaluate: { language: rhai }
input:
  schema:
    document:
      type: object
      properties:
        id: { type: string, title: 编号 }
        rows: { type: array, title: 行, items: { type: object, properties: { id: { type: string }, n: { type: integer } } } }
do:
  - other: { run: { workflow: { namespace: desk, name: child, version: latest, input: {} }, await: false } }
  - done: { set: { id: '${ form.id }', n: '${ form.rows[0].n }' } }
";

const CHILD: &str = "
document: { dsl: '1.0.3', namespace: desk, name: child, version: '1.0.0', title: 子件, metadata: { case: { title: 子件, number: 'KD{yyyy}-{seq:4}' } } }
evaluate: { language: rhai }
do:
  - look: { call: approve, with: { to: [{ role: clerk, unit: hall }] } }
";

const WORDS: &str = "// Sees the answer, gives a word.
if input.answer == \"none\" {
    return #{ word: \"silent\" };
}
let word = switch input.answer { \"no\" => \"short\", _ => \"long\" };
#{ word: word }
";

fn suite() -> Suite {
    let files: BTreeMap<String, Arc<str>> = [
        ("pack.yaml", PACK),
        ("workflows/ask.yaml", ASK),
        ("workflows/patient.yaml", PATIENT),
        ("workflows/filed.yaml", FILED),
        ("workflows/child.yaml", CHILD),
        ("rules/words.rhai", WORDS),
        (
            "rules/age.rhai",
            "judge(input, [rule(\"age\", [\"p\"], |s, f| s.p.records.max_by(\"age\"), \">=\", \"least\")])",
        ),
        (
            "rules/parameters.yaml",
            "parameters: { least: { title: 最低年龄, unit: 岁, values: [{ from: 2020-01-01, value: 18, basis: 示例 }] } }\nrules: { age: { title: 年龄, en: age } }",
        ),
    ]
    .map(|(path, text)| (path.to_string(), Arc::from(text)))
    .into();
    let read = Pack::read(files);
    let told: Vec<&str> = read
        .diagnostics
        .iter()
        .map(|fault| fault.diagnostic.message.as_str())
        .collect();
    let pack = read.pack.unwrap_or_else(|| panic!("{told:?}"));
    let library = Library::new(vec![pack]).unwrap();
    let (settings, _) = tongban_dsl::read_yaml(ORGANISATION);
    let settings =
        serde_json::from_value(serde_json::to_value(settings.unwrap_or_default()).unwrap())
            .unwrap();
    let nowhere = Path::new("nowhere");
    let organisation =
        crate::site::organisation_from(&settings, nowhere, nowhere, &library).unwrap();
    Suite::new(library, organisation, PathBuf::from("nowhere"))
}

/// Plays every scenario of a file and gives what became of each, with what they covered.
fn played(source: &str) -> (Vec<Outcome>, Coverage) {
    let suite = suite();
    let mut coverage = Coverage::default();
    for pack in suite.library.packs() {
        suite.know(pack, &mut coverage);
    }
    let loaded = load(Path::new("tests/ask.test.yaml"), source, &suite).unwrap_or_else(|faults| {
        let told: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        panic!("{told:?}")
    });
    let play = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let count = loaded.titles().count();
        let outcomes: Vec<Outcome> = (0..count)
            .filter_map(|at| runtime.block_on(suite.play(&loaded, at)))
            .collect();
        for outcome in &outcomes {
            coverage.note(&outcome.ran);
        }
        (outcomes, coverage)
    };
    // A whole case runs on the stack of whoever plays it.
    let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(play);
    thread.unwrap().join().unwrap()
}

fn all_pass(outcomes: &[Outcome]) {
    for outcome in outcomes {
        if let Some(failure) = &outcome.failure {
            panic!(
                "{}: line {}: {}\n{}",
                outcome.test,
                failure.line,
                failure.at,
                failure.told()
            );
        }
    }
}

const HEAD: &str = "workflow: desk/ask\nnow: 2026-03-02T09:00:00+08:00\nstart: { by: system, input: {} }\nscenarios:\n";

const MOCKED: &str = "  - test: fails twice, then answers
    mocks:
      - { call: http, error: { type: communication, status: 503 }, times: 2 }
      - { call: http, with: { body: { n: 1 } }, output: { answer: fine } }
    steps:
      - advance: { minutes: 2 }
      - expect: { open: [{ step: decide, to: [an, bo] }], calls: [{ call: http, with: { body: { n: 1 } }, times: 3 }], search: { answer: fine } }
      - decide: { step: decide, by: { head: hall }, outcome: approved }
    expect: { status: completed, output: { outcome: approved }, tasks: { rounds/one: 2, ask/byHand: not reached }, history: [{ by: bo }] }
  - test: fails for good
    mocks: [{ call: http, error: { type: communication, status: 503 } }]
    steps:
      - advance: { minutes: 5 }
      - decide: { step: decide, by: { role: clerk, unit: hall }, outcome: rejected, comment: no }
    expect: { tasks: { ask/byHand: completed, rounds: not reached }, history: [{ by: an, outcome: rejected }], calls: [{ call: http, times: 3 }] }
  - test: answers late but in time
    mocks: [{ call: http, output: { answer: fine }, after: { minutes: 30 } }]
    steps:
      - expect: { status: waiting, open: [], tasks: { ask/send: running } }
      - advance: { minutes: 31 }
    expect: { open: [{ step: decide }], tasks: { ask/send: completed } }
  - test: answers too late
    mocks: [{ call: http, output: { answer: fine }, after: { hours: 2 } }]
    steps: [{ advance: { hours: 3 } }]
    expect: { status: faulted, error: { status: 408 }, calls: [{ call: http, times: 1 }] }
";

#[test]
fn mocks_count_fail_wait_and_come_late() {
    let (outcomes, coverage) = played(&format!("{HEAD}{MOCKED}"));
    all_pass(&outcomes);
    let reached = &coverage.workflows["desk/ask"];
    assert_eq!(reached.missed().count(), 0);
    let untaken: Vec<String> = reached
        .untaken()
        .map(|branch| format!("{} {} {}", branch.path, branch.kind, branch.label))
        .collect();
    assert_eq!(
        untaken,
        [
            "look case no match",
            "rounds loop no item",
            "rounds loop one item"
        ],
        "the rest was taken"
    );
}

#[test]
fn a_failure_tells_the_line_every_difference_and_where_the_case_stood() {
    let source = format!(
        "{HEAD}  - test: wrong
    mocks: [{{ call: http, output: {{ answer: fine }} }}, {{ call: openapi, output: 1 }}]
    steps:
      - expect: {{ status: completed, open: [{{ step: decide, to: [bo] }}], calls: [{{ call: http, times: 7 }}] }}
"
    );
    let (outcomes, _) = played(&source);
    let failure = outcomes[0].failure.clone().expect("it fails");
    assert_eq!((failure.line, failure.at.as_str()), (8, "step 1 (expect)"));
    let paths: Vec<&str> = failure
        .differences
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(paths, ["calls of http", "status", "open.decide.to"]);
    for words in [
        "decide (call",
        "open: decide (open) to an, bo",
        "completed rounds",
    ] {
        assert!(failure.stood.contains(words), "{words}: {}", failure.stood);
    }
}

#[test]
fn a_scenario_may_bring_its_own_organisation() {
    let source = format!(
        "{HEAD}  - test: other people
    given:
      organisation:
        levels: [{{ id: city, title: 市 }}]
        units: [{{ id: hall, name: 大厅, level: city }}]
        people: [{{ id: an, name: 安, unit: hall, roles: [clerk] }}, {{ id: zoe, name: 佐伊, unit: hall, roles: [clerk] }}]
    mocks: [{{ call: http, output: {{ answer: fine }} }}]
    steps: [{{ decide: {{ step: decide, by: zoe, outcome: approved }} }}]
    expect: {{ status: completed }}
"
    );
    all_pass(&played(&source).0);
}

#[test]
fn reports_tell_the_same_in_every_form() {
    let source = format!(
        "{HEAD}{MOCKED}  - test: a <failure> & more\n    mocks: [{{ call: http, output: {{ answer: a }} }}]\n    expect: {{ status: cancelled }}\n"
    );
    let (outcomes, coverage) = played(&source);
    let report = Report {
        outcomes: &outcomes,
        coverage: &coverage,
        partial: false,
        millis: 1,
    };
    let text = report::text(&report);
    assert!(
        text.contains("4 passed, 1 failed")
            && text.contains("rule age: never fit, unfit, undetermined"),
        "{text}"
    );
    assert!(text.contains("desk/ask: 8 of 8 tasks entered"), "{text}");
    let json = report::json(&report);
    assert_eq!(
        json["scenarios"][4]["failure"]["differences"][0]["path"],
        "status"
    );
    assert_eq!(
        json["coverage"]["desk/ask"]["missed"],
        serde_json::json!([])
    );
    let junit = report::junit(&report);
    assert!(
        junit.contains("tests=\"5\" failures=\"1\"")
            && junit.contains("a &lt;failure&gt; &amp; more")
    );
    assert_eq!(junit.matches("<testcase").count(), 5);
    assert_eq!(junit.matches("</failure>").count(), 1);
    let page = report::html(&report, &tongban_dsl::draw::Names::default());
    assert!(
        page.contains("data-path=\"ask/send\"") && page.contains("tb-doing") && page.contains("×")
    );
    assert!(page.contains("a &lt;failure&gt; &amp; more"));
    for outside in ["src=\"", "href=\"http", "url(", "<script", "@import"] {
        assert!(
            !page.contains(outside),
            "{outside}: the page needs nothing else"
        );
    }
}

#[test]
fn rules_count_their_verdicts() {
    let source = "rule: desk/rules/age.rhai
scenarios:
  - test: old enough
    input: { asOf: 2026-01-01, form: {}, sources: { p: { status: found, records: [{ age: 20 }] } } }
    expect: { verdict: fit, trace: [{ rule: age, result: fit, limit: 18 }] }
  - test: too young
    input: { asOf: 2026-01-01, form: {}, sources: { p: { status: found, records: [{ age: 17 }] } } }
    expect: { verdict: unfit }
";
    let (outcomes, coverage) = played(source);
    all_pass(&outcomes);
    let file = &coverage.rules["desk/rules/age.rhai"];
    assert_eq!(file.scenarios, 2);
    let verdicts: Vec<&str> = file.rules[0].1.keys().map(String::as_str).collect();
    assert_eq!(verdicts, ["fit", "unfit"]);
}

const LATE: &str = "workflow: desk/patient\nnow: 2026-03-02T09:00:00+08:00\nstart: { by: system, input: {} }\nscenarios:\n";

#[test]
fn an_answer_after_the_step_has_ended_is_late() {
    let source = format!(
        "{LATE}  - test: comes when nobody waits any more
    mocks: [{{ call: http, output: {{ answer: no }}, after: {{ hours: 2 }} }}]
    steps:
      - advance: {{ hours: 1, minutes: 30 }}
      - expect: {{ tasks: {{ ask/send: faulted, ask/none: completed, rest: running }} }}
      - advance: {{ hours: 1 }}
      - expect: {{ tasks: {{ ask/send: late }} }}
      - advance: {{ hours: 5 }}
    expect: {{ status: completed, output: {{ outcome: silent }} }}
  - test: comes in time
    mocks: [{{ call: http, output: {{ answer: no }}, after: {{ minutes: 2 }} }}]
    steps: [{{ advance: {{ hours: 3 }} }}]
    expect: {{ tasks: {{ ask/send: late }} }}
"
    );
    let (outcomes, _) = played(&source);
    all_pass(&outcomes[..1]);
    let failure = outcomes[1].failure.clone().expect("nothing was late");
    assert_eq!(failure.differences[0].path, "tasks.ask/send");
    assert_eq!(failure.differences[0].expected, "a late answer");
}

#[test]
fn cases_that_lead_to_one_step_are_branches_of_their_own_and_rules_tell_their_lines() {
    let source = format!(
        "{LATE}  - test: silent
    mocks: [{{ call: http, error: {{ type: timeout, status: 408 }} }}]
    steps: [{{ advance: {{ hours: 5 }} }}]
    expect: {{ output: {{ outcome: silent }} }}
  - test: long
    mocks: [{{ call: http, output: {{ answer: perhaps }} }}]
    steps: [{{ advance: {{ hours: 5 }} }}]
    expect: {{ output: {{ outcome: long }} }}
"
    );
    let (outcomes, coverage) = played(&source);
    all_pass(&outcomes);
    let taken: Vec<(&str, usize)> = coverage.workflows["desk/patient"]
        .branches
        .all
        .iter()
        .filter(|branch| branch.kind == "case")
        .map(|branch| (branch.label.as_str(), branch.taken))
        .collect();
    assert_eq!(taken, [("silent", 1), ("short", 0), ("long", 1)]);
    let file = &coverage.rules["desk/rules/words.rhai"];
    assert!(
        file.lines().values().all(|line| *line != Line::Missed),
        "{:?}",
        file.lines()
    );
    let ways: Vec<(usize, String, u64)> = file
        .ways()
        .into_iter()
        .map(|way| (way.line, way.what, way.taken))
        .collect();
    let way = |line, what: &str, taken| (line, what.to_string(), taken);
    assert_eq!(
        ways,
        [
            way(2, "if: holds", 1),
            way(2, "if: does not hold", 1),
            way(5, "case \"no\"", 0),
            way(5, "case _", 1),
        ]
    );
    let report = Report {
        outcomes: &outcomes,
        coverage: &coverage,
        partial: true,
        millis: 1,
    };
    let text = report::text(&report);
    assert!(
        text.contains(
            "desk/rules/words.rhai: 4 of 4 lines reached, 3 of 4 functions and branches taken"
        ),
        "{text}"
    );
    assert!(text.contains("not taken: line 5: case \"no\""), "{text}");
    let json = report::json(&report);
    assert_eq!(
        json["rules"]["desk/rules/words.rhai"]["lines"]["5"],
        "partly"
    );
    let page = report::html(&report, &tongban_dsl::draw::Names::default());
    assert!(page.contains("not taken: case &quot;no&quot;"));
}
