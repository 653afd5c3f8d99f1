//! Large collections: the state stays small, what does not change is written once, and what is too
//! large says how large.

mod runner;

use std::collections::BTreeSet;

use tongban_core::{BLOB_ABOVE, Event, Instance, Record, RecordStatus, Status, Step, step};
use tongban_expr::{Value, value};

use crate::runner::surroundings::{Given, environment, program};

/// What the stored states of a run took.
#[derive(Debug, Default)]
struct Stored {
    steps: usize,
    body_max: usize,
    blobs: BTreeSet<String>,
    blob_bytes: usize,
}

impl Stored {
    fn take(&mut self, instance: &Instance) {
        let state = instance.to_state(BLOB_ABOVE);
        self.steps += 1;
        self.body_max = self.body_max.max(state.body.len());
        for (digest, value) in state.blobs {
            if self.blobs.insert(digest) {
                self.blob_bytes += value.to_json().len();
            }
        }
    }
}

/// Runs a document to its end, its state being stored between the steps.
fn run(text: &str, input: Value) -> (Instance, Stored) {
    let (instance, stored, _) = run_told(text, input);
    (instance, stored)
}

/// The same, with what was told of it.
fn run_told(text: &str, input: Value) -> (Instance, Stored, Vec<Record>) {
    let given = Given::usual();
    let program = program(text, &given).expect("a workflow");
    let env = environment(&Value::Null);
    let begin = Event::Start { input };
    let mut taken: Step = step(&program, Instance::new("i"), begin, &env, 0).expect("it begins");
    let mut stored = Stored::default();
    let mut told = std::mem::take(&mut taken.records);
    while taken.more {
        stored.take(&taken.instance);
        taken = step(&program, taken.instance, Event::Continue, &env, 0).expect("it goes on");
        told.append(&mut taken.records);
    }
    (taken.instance, stored, told)
}

fn ids(count: i64) -> Value {
    let first = 100_000_000_000_000_000;
    Value::list((first..first + count).map(Value::from).collect())
}

#[test]
fn a_loop_over_much_stores_its_collection_once() {
    let text = "do: [{ all: {
        for: { each: id, in: '${ .ids }' },
        do: [{ one: { set: '${ . + {last: $id} }', export: { as: '${ $context + {seen: (($context.seen // 0) + 1)} }' } } }]
    } }, { told: { set: '${ {last: .last, seen: $context.seen} }' } }]";
    let input = value!({"ids": (ids(20_000)), "year": 2026});
    let (instance, stored) = run(text, input);
    assert_eq!(
        instance.status(),
        Status::Completed,
        "{:?}",
        instance.error()
    );
    assert_eq!(
        instance.output(),
        &value!({"last": 100_000_000_000_019_999_i64, "seen": 20_000})
    );
    assert!(stored.steps >= 20, "{stored:?}");
    assert!(stored.body_max < 2_000, "{stored:?}");
    // The list, in whatever it is carried along.
    assert_eq!(stored.blobs.len(), 1, "{stored:?}");
    assert_eq!(stored.blob_bytes, 20_000 * 19 + 1);
}

#[test]
fn a_state_that_was_read_again_stores_nothing_twice() {
    let given = Given::usual();
    let text = "do: [{ ask: { call: approve } }, { note: { set: '${ {n: 1} }', export: { as: '${ $context + {n: 1} }' } } }, { again: { call: approve } }]";
    let program = program(text, &given).expect("a workflow");
    let env = environment(&Value::Null);
    let input = value!({"ids": (ids(2_000)), "year": 2026});
    let begin = Event::Start {
        input: input.clone(),
    };
    let asked = step(&program, Instance::new("i"), begin, &env, 0).expect("it begins");
    let state = asked.instance.to_state(BLOB_ABOVE);
    assert_eq!(state.blobs.len(), 1);
    assert!(state.body.len() < 1_000, "{}", state.body);
    let fetch = |digest: &str| {
        let mut blobs = state.blobs.iter();
        blobs
            .find(|(known, _)| known == digest)
            .map(|(_, value)| value.clone())
    };
    let read = Instance::from_state(&state.body, &mut |digest| fetch(digest)).expect("a state");
    assert_eq!(read.input(), &input);
    assert_eq!(read.to_state(BLOB_ABOVE), state);
    let answer = Event::Returned {
        run_id: "ask".into(),
        output: Value::Null,
    };
    let noted = step(&program, read, answer, &env, 0).expect("it goes on");
    assert_eq!(noted.instance.context(), &input.with("n", 1));
    let next = noted.instance.to_state(BLOB_ABOVE);
    assert_eq!(next.blobs, state.blobs);
    assert!(next.body.len() < 1_000, "{}", next.body);
}

#[test]
fn a_list_that_grows_in_the_context_is_told_what_it_takes() {
    let text = "do: [{ grown: { try: [{ big: {
        set: '${ [range(200000)] }', export: { as: '${ $context + {all: .} }' } } }],
        catch: { as: fault, do: [{ told: { set: '${ $fault.detail }' } }] } } }]";
    let (instance, _) = run(text, value!({}));
    let told = instance.output().as_str().unwrap_or_default();
    assert!(
        told.starts_with("the exported context takes 1288")
            && told.contains("at most 1048576 (1 MiB)"),
        "{told}"
    );
    let text = "do: [{ keep: { for: { each: n, in: '${ [range(3)] }' }, do: [
        { big: { set: '${ [range(100000)] }', export: { as: '${ $context + {(\"k\\($n)\"): .} }' } } },
        { pause: { set: '${ {} }' } } ] } }]";
    let (instance, _) = run(text, value!({}));
    let error = instance.error().expect("it faults");
    let detail = error.detail.clone().unwrap_or_default();
    assert!(detail.contains("takes 1"), "{detail}");
    assert!(detail.contains("context"), "{detail}");
}

#[test]
fn what_is_too_large_says_how_large() {
    let made = "do: [{ big: { set: { a: '${ \"x\" * 5000000 }', b: '${ \"x\" * 5000000 }' } } }]";
    let (instance, _) = run(made, value!({}));
    let detail = instance.error().and_then(|error| error.detail.clone());
    let detail = detail.unwrap_or_default();
    assert!(
        detail.contains("takes 10000015 bytes as JSON, at most 8388608 (8 MiB)"),
        "{detail}"
    );
}

#[test]
fn late_iterations_are_counted_and_their_faults_told() {
    let text = "do: [{ all: {
        for: { each: n, in: '${ [range(2500)] }' },
        do: [
          { guarded: { try: [
              { odd: { if: '${ $n % 2 == 1 }', set: { n: 1 } } },
              { fails: { if: '${ $n == 2000 }', raise: { error: { type: 'https://example.org/no', status: 400 } } } }
          ], catch: { do: [] } } } ] } }]";
    let (instance, _, told) = run_told(text, Value::Null);
    assert_eq!(
        instance.status(),
        Status::Completed,
        "{:?}",
        instance.error()
    );
    let of = |path: &'static str| told.iter().filter(move |record| record.path == path);
    let single = of("all/guarded/odd").filter(|record| record.note.is_none());
    let ended = single.filter(|record| record.status != RecordStatus::Started);
    assert_eq!(ended.count(), 1_000);
    let counted = of("all/guarded/odd").filter_map(|record| record.note.as_deref());
    let counted: Vec<u32> = counted
        .filter_map(|note| note.strip_prefix('×')?.parse().ok())
        .collect();
    assert_eq!(counted.iter().sum::<u32>(), 1_500, "{counted:?}");
    let faults = of("all/guarded/fails").filter(|record| record.status == RecordStatus::Faulted);
    assert_eq!(faults.count(), 1);
    assert!(told.len() < 8_000, "{}", told.len());
}

/// What carries a large input along may be as large, and a little larger.
#[test]
fn a_large_input_is_carried_along() {
    let text = "do: [{ all: {
        for: { each: id, in: '${ .ids[:3] }' },
        do: [{ one: { set: '${ . + {last: $id} }', export: { as: '${ $context + {last: $id} }' } } }] } },
      { told: { set: { last: '${ $context.last }', whole: '${ . }' } } }]";
    let (instance, stored) = run(text, value!({"ids": (ids(500_000))}));
    assert_eq!(
        instance.status(),
        Status::Completed,
        "{:?}",
        instance.error()
    );
    assert!(instance.output().weight() > 500_000 * 19);
    assert_eq!(stored.blobs.len(), 0, "it ended at once");
}

/// The input may be larger than what a task makes: it passes, and its list is a loop's collection.
#[test]
fn a_large_input_passes_through() {
    let text = "do: [{ all: { for: { each: id, in: '${ .ids }', at: n }, while: '${ $n < 3 }', do: [{ one: { set: '${ {last: $id} }' } }] } }]";
    let (instance, _) = run(text, value!({"ids": (ids(500_000))}));
    assert_eq!(
        instance.status(),
        Status::Completed,
        "{:?}",
        instance.error()
    );
    let text = "do: [{ nothing: { switch: [{ never: { when: '${ false }', then: end } }] } }]";
    let (instance, _) = run(text, value!({"ids": (ids(500_000))}));
    assert_eq!(instance.output().weight(), 500_000 * 19 + 1 + 8);
}
