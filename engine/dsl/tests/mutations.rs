//! Documents with one thing wrong that nobody thought of: always an answer, never a panic, places inside of the text.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod pack;

use pack::{Pack, documents};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tongban_dsl::render::{self, Report};
use tongban_dsl::{inspect, read_yaml};

/// Whole documents: with people, loops, forks, events, rules, both languages of expressions.
const WHOLE: &[&str] = &[
    "document:
  dsl: '1.0.3'
  namespace: sharing
  name: apply
  version: '1.0.0'
  metadata: { case: { title: '${ `共享申请:${form.resource}` }', number: 'GX{yyyy}-{seq:5}' }, clock: { due: { workingDays: 20 }, stops: [correction] } }
evaluate: { language: rhai }
input: { schema: { document: { $ref: forms/application.yaml } } }
do:
  - office: { call: approve, with: { to: [{ role: data-office, unit: '${ workflow.starter.unit }' }], due: { workingDays: 5 }, return: { to: [applicant], resume: choose } } }
  - leader: { if: 'input.outcome == \"approved\"', call: approve, with: { to: [{ head: bureau }] } }
  - decided: { switch: [{ no: { when: 'input.outcome != \"approved\"', then: refused } }] }
  - granted: { set: { outcome: granted, by: '${ steps.leader?.by }' }, then: end }
  - refused: { call: notify, with: { to: [applicant], template: mails/refused, data: { comment: '${ input.comment ?? \"\" }' } } }
",
    "document: { dsl: '1.0.3', namespace: test, name: poll, version: '1.0.0' }
use:
  secrets: [api]
  retries: { patient: { delay: PT1M, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } } }
schedule: { cron: '0 8 * * MON-FRI' }
timeout: { after: { days: 2 } }
do:
  - poll:
      try:
        - ask: { call: http, with: { method: get, endpoint: 'https://a.example/{id}', headers: { Authorization: 'Bearer ${ $secrets.api }' } } }
      catch: { errors: { with: { status: 503 } }, as: problem, retry: patient, do: [{ give: { set: { error: '${ $problem.title }' } } }] }
  - all: { fork: { branches: [{ one: { set: { n: '${ .n + 1 }' } } }, { two: { wait: { seconds: 5 } } }] } }
  - each: { for: { each: row, in: .rows, at: i }, while: .ok, do: [{ emit: { emit: { event: { with: { source: 'https://a.example', type: a.b, data: '${ $row }' } } } } }] }
  - heard: { listen: { to: { any: [{ with: { type: a.b } }], until: '${ . != null }' } } }
  - again: { if: '.n < 3', set: { n: '${ .n + 1 }' }, then: poll }
",
];

fn answered(source: &str) {
    let inspected = inspect(source, &Pack);
    assert!(
        inspected.definition.is_some() || !inspected.diagnostics.is_empty(),
        "neither a definition nor a fault:\n{source}"
    );
    let length = source.trim_start_matches('\u{feff}').len();
    for fault in &inspected.diagnostics {
        let span = fault.span;
        assert!(
            span.start <= span.end
                && span.end as usize <= length
                && span.line >= 1
                && span.column >= 1,
            "{fault:?}"
        );
        assert!(
            !fault.message.is_empty() && fault.help.is_some(),
            "{fault:?}"
        );
        assert!(!fault.message.contains('\n'), "{fault:?}");
    }
    let report = Report {
        path: "x.yaml",
        source,
        diagnostics: &inspected.diagnostics,
    };
    let _ = (
        render::text(&report, true),
        render::sarif(&[report]),
        render::json(&[report]),
    );
}

#[test]
fn the_whole_documents_are_sound() {
    for source in WHOLE {
        let inspected = inspect(source, &Pack);
        let errors: Vec<_> = inspected
            .diagnostics
            .iter()
            .filter(|fault| fault.is_error())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn a_document_that_ends_anywhere_is_answered() {
    for source in WHOLE {
        for (at, _) in source.char_indices() {
            answered(source.get(..at).unwrap_or_default());
        }
    }
}

/// Changes the value number `at`, counted in the order of the document; tells what is left to count.
fn changed(value: &mut Json, at: &mut usize, how: &Json) -> bool {
    if *at == 0 {
        *value = how.clone();
        return true;
    }
    *at -= 1;
    match value {
        Json::Array(items) => items.iter_mut().any(|item| changed(item, at, how)),
        Json::Object(fields) => fields.values_mut().any(|field| changed(field, at, how)),
        _ => false,
    }
}

/// Takes the key number `at` away, or gives it another name.
fn renamed(value: &mut Json, at: &mut usize, name: Option<&str>) -> bool {
    match value {
        Json::Array(items) => items.iter_mut().any(|item| renamed(item, at, name)),
        Json::Object(fields) => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            for key in keys {
                if *at == 0 {
                    let old = fields.remove(&key);
                    if let (Some(name), Some(old)) = (name, old) {
                        fields.insert(name.to_owned(), old);
                    }
                    return true;
                }
                *at -= 1;
                if fields
                    .get_mut(&key)
                    .is_some_and(|inner| renamed(inner, at, name))
                {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

fn kinds() -> impl Strategy<Value = Json> {
    prop::sample::select(vec![
        Json::Null,
        json!(true),
        json!(0),
        json!(-1.5),
        json!(""),
        json!("x"),
        json!("${ }"),
        json!("${ .a"),
        json!("{{ .a }}"),
        json!("审批：通过"),
        json!("PT5M"),
        json!([]),
        json!([null]),
        json!(["x"]),
        json!([{ "a": { "set": {} } }]),
        json!({}),
        json!({ "": null }),
        json!({ "do": [] }),
        json!({ "use": "x" }),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Any value of a document becomes another one, any key is lost or renamed.
    #[test]
    fn a_document_with_other_values_is_answered(
        seed in 0_usize..10_000,
        places in prop::collection::vec((0_usize..120, kinds(), 0_usize..3), 1..4),
    ) {
        let mut sources: Vec<String> = WHOLE.iter().map(|source| (*source).to_owned()).collect();
        for path in documents() {
            if !path.ends_with("alias-bomb.yaml") {
                sources.push(std::fs::read_to_string(path).unwrap());
            }
        }
        let source = &sources[seed % sources.len()];
        let Some(value) = read_yaml(source).0 else { return Ok(()) };
        let mut value: Json = serde_json::from_str(&value.to_json()).unwrap();
        for (mut at, how, kind) in places {
            match kind {
                0 => { changed(&mut value, &mut at, &how); }
                1 => { renamed(&mut value, &mut at, None); }
                _ => { renamed(&mut value, &mut at, Some("dou")); }
            }
        }
        answered(&serde_json::to_string_pretty(&value).unwrap());
    }
}
