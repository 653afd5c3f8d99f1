//! Whatever happens in whatever order: the state survives its text, answers that come late or twice
//! change nothing, and an instance that runs always has something that will wake it.

mod runner;

use std::collections::BTreeSet;

use proptest::prelude::*;
use tongban_core::{
    BLOB_ABOVE, Effect, Env, Event, Instance, Jump, Mode, Program, Siblings, Status, Step, Target,
    step,
};
use tongban_expr::{Value, value};

use crate::runner::scenario::BEGIN_MS;
use crate::runner::surroundings::{Given, environment, program};

const WORKFLOW: &str = "
timeout: { after: P30D }
do:
  - intake: { call: approve, export: { as: '$context + { intake: . }' } }
  - each:
      for: { each: item, in: '$form.list' }
      do:
        - ask:
            try: [{ send: { timeout: { after: PT50S }, call: send, with: { item: '${ $item }' } } }]
            catch: { retry: { delay: PT5S, backoff: { exponential: {} }, jitter: { from: PT0S, to: PT3S }, limit: { attempt: { count: 2 } } }, do: [{ gave: { set: { up: true } } }] }
  - both:
      fork:
        branches:
          - people: { do: [{ first: { call: approve } }, { second: { call: approve, with: { return: { to: [applicant, first, intake] } } } }] }
          - events: { listen: { to: { all: [{ with: { type: a } }, { with: { type: b } }] } } }
          - race: { fork: { compete: true, branches: [{ wait: { wait: PT40S } }, { part: { run: { workflow: { namespace: a, name: b, version: '1.0.0' } } } }] } }
  - again: { switch: [{ more: { when: '$form.rounds > 1 and ($context.rounds // 1) < $form.rounds', then: count } }], then: last }
  - count: { set: { n: 1 }, export: { as: '$context + { rounds: (($context.rounds // 1) + 1) }' }, then: both }
  - last: { set: { intake: '${ $steps.intake }', context: '${ $context.rounds }' } }
";

/// The same with extensions of every kind around its tasks.
const EXTENSIONS: &str = "
use:
  extensions:
    - note: { extend: call, when: '$task.name != \"first\"', before: [{ ask: { call: send, with: { before: '${ $task.name }' } } }], after: [{ keep: { call: save } }] }
    - slow: { extend: composite, before: [{ wait: { wait: PT3S } }], after: [{ wait: { wait: PT2S } }, { out: { if: '$form.rounds == 2', set: '${ . }', then: exit } }] }
    - skip: { extend: switch, when: '($context.rounds // 1) > 2', before: [{ instead: { set: { skipped: true }, then: exit } }] }
    - look: { extend: try, before: [{ may: { try: [{ t: { call: send } }], catch: { retry: { delay: PT1S, limit: { attempt: { count: 1 } } } } } }] }
    - hear: { extend: listen, after: [{ one: { listen: { to: { one: { with: { type: a } } } } } }] }
";

/// One thing that is tried; the numbers choose among what is there.
#[derive(Debug, Clone)]
enum Try {
    Answer(usize),
    Fail(usize),
    Late(usize),
    Hear(usize, u32),
    Time(i64),
    Return(usize, usize, bool, bool),
    Form,
    Applicant,
    Suspend,
    Resume,
    Operator(usize),
    Cancel,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = prop_oneof![
        8 => (0usize..8).prop_map(Try::Answer),
        2 => (0usize..8).prop_map(Try::Fail),
        2 => (0usize..8).prop_map(Try::Late),
        3 => (0usize..8, 0u32..3).prop_map(|(at, n)| Try::Hear(at, n)),
        3 => (1i64..60_000).prop_map(Try::Time),
        2 => (0usize..8, 0usize..4, any::<bool>(), any::<bool>())
            .prop_map(|(from, to, direct, keep)| Try::Return(from, to, direct, keep)),
        1 => Just(Try::Form),
        2 => Just(Try::Applicant),
        1 => Just(Try::Suspend),
        2 => Just(Try::Resume),
        1 => (0usize..6).prop_map(Try::Operator),
        1 => prop_oneof![9 => Just(Try::Form), 1 => Just(Try::Cancel)],
    ];
    prop::collection::vec(one, 1..60)
}

struct Play {
    program: Program,
    env: Env,
    instance: Instance,
    now_ms: i64,
    open: Vec<String>,
    ended: Vec<String>,
}

impl Play {
    fn new(workflow: &str) -> Self {
        let given = Given::usual();
        Self {
            program: program(workflow, &given).expect("a workflow"),
            env: environment(&Value::Null),
            instance: Instance::new("i"),
            now_ms: BEGIN_MS,
            open: Vec::new(),
            ended: Vec::new(),
        }
    }

    fn event(&self, tried: &Try) -> Option<Event> {
        let pick = |list: &[String], at: usize| list.get(at % list.len().max(1)).cloned();
        Some(match tried {
            Try::Answer(at) => Event::Returned {
                run_id: pick(&self.open, *at)?,
                output: value!({"of": *at}),
            },
            Try::Fail(at) => Event::Failed {
                run_id: pick(&self.open, *at)?,
                error: tongban_core::Error::new(tongban_core::ErrorKind::Communication, "no"),
            },
            Try::Late(at) => Event::Returned {
                run_id: pick(&self.ended, *at)?,
                output: value!({"late": true}),
            },
            Try::Hear(at, n) => Event::Heard {
                run_id: pick(&self.open, *at)?,
                n: *n,
                event: value!({"id": *n, "type": if *n == 0 { "a" } else { "b" }, "data": *n}),
            },
            Try::Time(_) => Event::Due,
            Try::Return(from, to, direct, keep) => {
                let to = match to {
                    0 => Target::Applicant,
                    1 => Target::Previous,
                    2 => Target::Task("intake".into()),
                    _ => Target::Task("first".into()),
                };
                let mut jump = Jump::back(pick(&self.open, *from)?, to, "li");
                jump.mode = if *direct { Mode::Direct } else { Mode::Rerun };
                jump.siblings = if *keep {
                    Siblings::Keep
                } else {
                    Siblings::Cancel
                };
                Event::jump(jump)
            }
            Try::Form => Event::Form {
                form: value!({"list": [1], "rounds": 2}),
            },
            Try::Applicant => Event::Returned {
                run_id: self.instance.live().first()?.run_id.clone(),
                output: Value::Null,
            },
            Try::Suspend => Event::Suspend {
                reason: String::new(),
            },
            Try::Resume => Event::Resume,
            Try::Operator(at) => {
                let paths: Vec<String> = self.program.paths().map(str::to_owned).collect();
                Event::jump(Jump::operator(
                    Target::Task(pick(&paths, *at * 3)?),
                    "op",
                    "tried",
                ))
            }
            Try::Cancel => Event::Cancel {
                reason: String::new(),
            },
        })
    }

    /// Takes an event twice: with the state in memory and with the state read from its text.
    fn take(&mut self, event: &Event) -> Option<Step> {
        let state = self.instance.to_state(BLOB_ABOVE);
        let read = Instance::from_state(&state.body, &mut |digest| {
            state
                .blobs
                .iter()
                .find(|(known, _)| known == digest)
                .map(|(_, value)| value.clone())
        });
        let read = read.expect("a state that can be read");
        let here = step(
            &self.program,
            self.instance.clone(),
            event.clone(),
            &self.env,
            self.now_ms,
        );
        let there = step(&self.program, read, event.clone(), &self.env, self.now_ms);
        match (here, there) {
            (Ok(here), Ok(there)) => {
                assert_eq!(here.effects, there.effects);
                assert_eq!(here.records, there.records);
                assert_eq!(
                    here.instance.to_state(BLOB_ABOVE),
                    there.instance.to_state(BLOB_ABOVE)
                );
                Some(here)
            }
            (Err(here), Err(there)) => {
                assert_eq!(here.refusal, there.refusal);
                assert_eq!(here.instance.to_state(BLOB_ABOVE), state);
                None
            }
            (here, there) => unreachable!("{here:?} and {there:?}"),
        }
    }

    fn follow(&mut self, taken: Step) {
        self.instance = taken.instance;
        for effect in &taken.effects {
            match effect {
                Effect::Call(call) => self.begin(&call.run_id),
                Effect::Child {
                    run_id,
                    awaited: true,
                    ..
                }
                | Effect::Listen { run_id, .. }
                | Effect::AskApplicant { run_id, .. } => self.begin(run_id),
                Effect::Withdraw { run_id, .. } | Effect::Unlisten { run_id } => self.end(run_id),
                Effect::Reused { run_id, .. } => {
                    assert!(!self.open.contains(run_id), "{run_id} is asked and reused")
                }
                _ => {}
            }
        }
        for record in taken.records {
            // What was answered is over; a late answer was over before.
            if matches!(
                record.status,
                tongban_core::RecordStatus::Completed | tongban_core::RecordStatus::Faulted
            ) {
                self.open.retain(|open| *open != record.run_id);
                self.ended.push(record.run_id);
            }
        }
    }

    fn begin(&mut self, run_id: &str) {
        assert!(
            !self.open.iter().any(|open| open == run_id),
            "{run_id} is asked twice at once"
        );
        self.open.push(run_id.to_owned());
    }

    fn end(&mut self, run_id: &str) {
        let before = self.open.len();
        self.open.retain(|open| open != run_id);
        assert_eq!(
            self.open.len() + 1,
            before,
            "{run_id} was withdrawn and not open: {:?}",
            self.open
        );
        self.ended.push(run_id.to_owned());
    }

    /// What the world was told to wait for is what the instance waits for.
    fn check(&self) {
        let told: BTreeSet<&str> = self.open.iter().map(String::as_str).collect();
        let live = self.instance.live();
        let waits = live
            .iter()
            .filter(|task| !matches!(task.kind, "wait" | "try"));
        let waits: BTreeSet<&str> = waits.map(|task| task.run_id.as_str()).collect();
        assert_eq!(told, waits);
        if self.instance.status() == Status::Running {
            assert!(
                !live.is_empty() && self.instance.is_waiting(),
                "nothing will wake it"
            );
        }
        if self.instance.status().has_ended() {
            assert!(self.open.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(tries in tries()) {
        played(WORKFLOW, &tries)?;
    }

    #[test]
    fn whatever_happens_around_extended_tasks(tries in tries()) {
        played(&format!("{EXTENSIONS}{WORKFLOW}"), &tries)?;
    }
}

fn played(workflow: &str, tries: &[Try]) -> Result<(), TestCaseError> {
    let mut play = Play::new(workflow);
    let start = Event::Start {
        input: value!({"list": [1, 2], "rounds": 2}),
    };
    let taken = play.take(&start).expect("it begins");
    play.follow(taken);
    for tried in tries {
        if let Try::Time(passed) = tried {
            play.now_ms += passed;
        }
        let Some(event) = play.event(tried) else {
            continue;
        };
        let before = play.instance.to_state(BLOB_ABOVE);
        let Some(taken) = play.take(&event) else {
            continue;
        };
        let known = match &event {
            Event::Returned { run_id, .. } => {
                let live = play.instance.live();
                play.open.contains(run_id) || live.iter().any(|task| task.run_id == *run_id)
            }
            _ => true,
        };
        if !known {
            prop_assert!(taken.effects.is_empty(), "a late answer has effects");
            prop_assert_eq!(&taken.instance.to_state(BLOB_ABOVE), &before);
        }
        play.follow(taken);
        play.check();
    }
    Ok(())
}

#[test]
fn a_long_loop_keeps_a_small_state() {
    let given = Given::usual();
    let text = "
do:
  - make: { set: { list: '${ [range(8000)] }' } }
  - each:
      for: { each: n, in: '.list' }
      do: [{ keep: { set: { n: '${ $n }' } } }]
  - ask: { call: approve }
";
    let program = program(text, &given).expect("a workflow");
    let env = environment(&Value::Null);
    let mut taken = step(
        &program,
        Instance::new("i"),
        Event::Start { input: Value::Null },
        &env,
        0,
    )
    .expect("it begins");
    let mut steps = 1;
    while taken.more {
        let state = taken.instance.to_state(BLOB_ABOVE);
        assert!(state.body.len() < 1_000, "{}", state.body);
        assert_eq!(state.blobs.len(), 1, "the list, wherever it stands");
        taken = step(&program, taken.instance, Event::Continue, &env, 0).expect("it goes on");
        steps += 1;
    }
    assert_eq!(steps, 9);
    assert_eq!(taken.instance.live().len(), 1);
    assert!(
        taken.instance.to_state(BLOB_ABOVE).blobs.is_empty(),
        "what nobody needs any more is gone"
    );
}
