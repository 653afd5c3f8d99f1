//! Idioms that are right and must not be remarked on.

use tongban_dsl::signatures::{self, Signature};
use tongban_dsl::{Reference, Surroundings, inspect};

struct Engine;

impl Surroundings for Engine {
    fn function(&self, name: &str) -> Option<Signature> {
        signatures::engine()
            .iter()
            .find(|signature| signature.name == name)
            .cloned()
            .or_else(|| signatures::language(name))
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

fn quiet(language: &str, body: &str) {
    let source = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: quiet, version: '1.0.0' }}\nevaluate: {{ language: {language} }}\n{body}"
    );
    let inspected = inspect(&source, &Engine);
    assert_eq!(inspected.diagnostics, [], "{source}");
    assert!(inspected.definition.is_some());
}

#[test]
fn a_skipped_step_hands_the_refusal_on() {
    quiet(
        "rhai",
        "do:
  - office: { call: approve, with: { to: [{ role: office, unit: '${ workflow.starter.unit }' }] } }
  - leader: { if: 'input.outcome == \"approved\"', call: approve, with: { to: [{ head: bureau }], return: { to: [applicant, office, previous], resume: choose } } }
  - decided: { switch: [{ no: { when: 'input.outcome != \"approved\"', then: refused } }] }
  - granted: { set: { outcome: granted, by: '${ steps.office.by }', last: '${ steps.leader?.by ?? steps.office.by }' }, then: end }
  - refused: { set: { outcome: refused, comment: '${ input.comment ?? \"\" }' } }
",
    );
}

#[test]
fn loops_that_end_somewhere() {
    quiet(
        "jq",
        "do:
  - work:
      do:
        - check: { switch: [{ done: { when: .n > 3, then: end } }] }
        - count: { set: { n: '${ .n + 1 }' } }
      then: work
",
    );
    quiet(
        "jq",
        "do:\n  - poll: { call: http, with: { method: get, endpoint: 'https://a.example/{id}' } }\n  - again: { wait: PT5M, then: poll }\n",
    );
}

#[test]
fn steps_after_a_fork_and_over_the_whole_case() {
    quiet(
        "rhai",
        "do:
  - sources:
      fork:
        branches:
          - household: { set: { x: 1 } }
          - marriage: { do: [{ ask: { set: { y: 1 } } }, { tell: { set: { z: '${ steps.ask.y }' } } }] }
  - judge: { input: { from: '#{ a: steps.household, b: steps.marriage }' }, run: { script: { language: rhai, code: 'input.a' } } }
  - open: { for: { each: member, in: 'form.members' }, do: [{ one: { set: { id: '${ member.id }', n: '${ index }', before: '${ steps.judge.x }' } } }] }
output: { as: '#{ verdict: steps.judge, output: output }' }
",
    );
}

#[test]
fn going_back_on_purpose() {
    quiet(
        "rhai",
        "do:
  - route: { call: collect, with: { to: [applicant], form: forms/route.yaml, due: { minutes: 30 }, timeout: silent } }
  - handle: { call: collect, with: { to: [{ head: '${ steps.route.data.unit }' }], form: forms/handling.yaml, outcomes: { submitted: 已办, notOurs: 不属本部门 }, data: '${ steps.handle?.data }' } }
  - handled: { switch: [{ back: { when: 'input.outcome == \"notOurs\"', then: route } }] }
  - closed: { set: { outcome: closed } }
",
    );
}

#[test]
fn errors_secrets_and_functions() {
    quiet(
        "jq",
        "use:
  secrets: [api]
  errors: { denied: { type: 'https://a.example/denied', status: 403, title: '${ \"denied: \\(.name)\" }' } }
  retries: { patient: { delay: PT1M, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } } }
  timeouts: { short: { after: PT10S } }
  authentications: { service: { bearer: { token: '${ $secrets.api }' } } }
  functions:
    fetch-pet:
      input: { schema: { document: { type: object, properties: { id: { type: integer } }, required: [id] } } }
      call: http
      with: { method: get, endpoint: { uri: 'https://a.example/{id}', authentication: { use: service } } }
do:
  - pet:
      timeout: short
      try:
        - fetch: { call: fetch-pet, with: { id: '${ .id }' } }
      catch:
        errors: { with: { status: 503 } }
        as: problem
        when: $problem.status == 503
        retry: patient
        do: [{ give: { set: { error: '${ $problem.title }' }, export: { as: '$context + { failed: true }' } } }]
  - check: { if: .error != null, raise: { error: denied } }
",
    );
}

#[test]
fn events() {
    quiet(
        "jq",
        "schedule: { on: { any: [{ with: { type: a.b } }], until: '${ length > 3 }' } }
do:
  - heard:
      listen: { to: { all: [{ with: { type: a.b, data: '${ .n > 3 }' }, correlate: { order: { from: .data.order, expect: '${ .order }' } } }] }, read: envelope }
      foreach: { item: event, at: i, do: [{ note: { set: { n: '${ $i }', id: '${ $event.id }' } } }], output: { as: .n } }
  - told: { emit: { event: { with: { source: 'https://a.example', type: a.c, data: { n: '${ .n }' } } } } }
",
    );
}
