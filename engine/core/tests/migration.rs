//! A newer program adopts an instance by the names of its tasks.

mod runner;

use tongban_core::{BLOB_ABOVE, Event, Instance, StateError, step};
use tongban_expr::{Value, value};

use crate::runner::surroundings::{Given, environment, program};

const OLD: &str =
    "do: [{ stage: { do: [{ ask: { call: approve } }, { last: { set: { v: 1 } } }] } }]";

fn waiting() -> Instance {
    let given = Given::usual();
    let old = program(OLD, &given).expect("a workflow");
    let start = Event::Start {
        input: value!({"n": 1}),
    };
    step(
        &old,
        Instance::new("i"),
        start,
        &environment(&Value::Null),
        0,
    )
    .expect("it begins")
    .instance
}

#[test]
fn tasks_may_move_and_be_added_as_long_as_the_live_ones_keep_their_places() {
    let given = Given::usual();
    let new = "do: [{ before: { set: { v: 0 } } }, { stage: { do: [{ added: { set: { v: 0 } } }, { ask: { call: approve } }, { last: { set: { v: 2 } } }] } }]";
    let new = program(new, &given).expect("a workflow");
    let instance = waiting();
    assert!(instance.misfits(&new).is_empty());
    let answer = Event::Returned {
        run_id: "stage/ask".into(),
        output: Value::Null,
    };
    let taken = step(&new, instance, answer, &environment(&Value::Null), 0).expect("it goes on");
    assert_eq!(taken.instance.output(), &value!({"v": 2}));
}

#[test]
fn a_program_without_the_live_task_is_refused() {
    let given = Given::usual();
    for other in [
        "do: [{ stage: { do: [{ renamed: { call: approve } }] } }]",
        "do: [{ stage: { do: [{ ask: { set: { n: 1 } } }] } }]",
        "do: [{ stage: { for: { in: '.x' }, do: [{ ask: { call: approve } }] } }]",
    ] {
        let other = program(other, &given).expect("a workflow");
        let instance = waiting();
        assert!(!instance.misfits(&other).is_empty());
        let before = instance.to_state(BLOB_ABOVE);
        let answer = Event::Returned {
            run_id: "stage/ask".into(),
            output: Value::Null,
        };
        let refused = step(&other, instance, answer, &environment(&Value::Null), 0)
            .expect_err("it does not fit");
        assert_eq!(refused.instance.to_state(BLOB_ABOVE), before);
    }
}

#[test]
fn a_state_of_a_newer_format_is_left_alone() {
    let state = waiting().to_state(BLOB_ABOVE);
    let newer = state.body.replacen("\"format\":1", "\"format\":2", 1);
    assert_eq!(
        Instance::from_state(&newer, &mut |_| None).expect_err("newer"),
        StateError::Newer(2)
    );
    let unknown = newer.replacen("\"frames\":", "\"trees\":", 1);
    assert_eq!(
        Instance::from_state(&unknown, &mut |_| None).expect_err("newer"),
        StateError::Newer(2)
    );
    assert!(matches!(
        Instance::from_state("{}", &mut |_| None),
        Err(StateError::Broken(_))
    ));
}

#[test]
fn a_large_value_becomes_a_blob_once_and_must_be_there() {
    let given = Given::usual();
    let text = "do: [{ ask: { call: approve } }]";
    let program = program(text, &given).expect("a workflow");
    let input = value!({"text": "x".repeat(20_000)});
    let env = environment(&Value::Null);
    let instance = step(
        &program,
        Instance::new("i"),
        Event::Start {
            input: input.clone(),
        },
        &env,
        0,
    )
    .expect("it begins")
    .instance;
    let state = instance.to_state(BLOB_ABOVE);
    let [(digest, value)] = state.blobs.as_slice() else {
        unreachable!("{:?}", state.blobs.len())
    };
    let large = input.get("text").expect("it was put there");
    assert_eq!(value, large, "the part that is large");
    assert_eq!(
        Instance::from_state(&state.body, &mut |_| None).expect_err("no blob"),
        StateError::NoBlob(digest.clone())
    );
    let read = Instance::from_state(&state.body, &mut |_| Some(large.clone())).expect("a state");
    assert_eq!(read.input(), &input);
}

#[test]
fn a_large_text_in_many_places_is_one_blob() {
    let given = Given::usual();
    let text =
        "do: [{ text: { set: '${ .text }' } }, { stage: { do: [{ ask: { call: approve } }] } }]";
    let program = program(text, &given).expect("a workflow");
    let input = value!({"text": "x".repeat(20_000)});
    let env = environment(&Value::Null);
    let instance = step(
        &program,
        Instance::new("i"),
        Event::Start { input },
        &env,
        0,
    )
    .expect("it begins")
    .instance;
    let state = instance.to_state(BLOB_ABOVE);
    assert_eq!(state.blobs.len(), 1, "the text, alone and in the input");
    assert!(state.body.len() < 2_000, "{}", state.body);
    let mut asked = 0;
    let read = Instance::from_state(&state.body, &mut |digest| {
        asked += 1;
        state
            .blobs
            .iter()
            .find(|(known, _)| known == digest)
            .map(|(_, value)| value.clone())
    });
    assert_eq!(read.expect("a state").to_state(BLOB_ABOVE), state);
    assert_eq!(asked, 1, "it is fetched once");
}
