//! By what right the flow may be moved, and in what state of the instance: every cell of the table.

mod runner;

use tongban_core::{Event, Instance, Jump, Program, Refusal, Right, Status, Target, step};
use tongban_expr::{Value, value};

use crate::runner::surroundings::{Given, environment, program};

const STATES: [Status; 5] = [
    Status::Running,
    Status::Suspended,
    Status::Faulted,
    Status::Cancelled,
    Status::Completed,
];

/// What is allowed in each of [`STATES`].
const TABLE: [(Right, [bool; 5]); 4] = [
    (Right::Return, [true, false, false, false, false]),
    (Right::Withdrawal, [true, false, false, false, false]),
    (Right::Operator, [true, true, true, false, false]),
    (Right::Revive, [false, false, true, true, true]),
];

fn sent(program: &Program, instance: Instance, event: Event) -> Result<Instance, Refusal> {
    let env = environment(&Value::Null);
    match step(program, instance, event, &env, 0) {
        Ok(taken) => Ok(taken.instance),
        Err(refused) => Err(refused.refusal),
    }
}

/// An instance that has passed `intake` and stands like this at `office`, or after it.
fn standing(program: &Program, status: Status) -> Instance {
    let returned = |run_id: &str| Event::Returned {
        run_id: run_id.to_owned(),
        output: Value::Null,
    };
    let (run_id, reason) = ("office".to_owned(), String::new());
    let last = match status {
        Status::Suspended => Some(Event::Suspend { reason }),
        Status::Cancelled => Some(Event::Cancel { reason }),
        Status::Completed => Some(returned("office")),
        Status::Faulted => Some(Event::Failed {
            run_id,
            error: tongban_core::Error::new(tongban_core::ErrorKind::Runtime, "it failed"),
        }),
        _ => None,
    };
    let start = Event::Start {
        input: value!({"n": 1}),
    };
    let events = [start, returned("intake")].into_iter().chain(last);
    let instance = events.fold(Instance::new("i"), |instance, event| {
        sent(program, instance, event).expect("an event that is taken")
    });
    assert_eq!(instance.status(), status);
    instance
}

#[test]
fn every_right_in_every_state() {
    let text = "do: [{ intake: { call: approve } }, { office: { call: approve } }]";
    let program = program(text, &Given::usual()).expect("a workflow");
    for (right, allowed) in TABLE {
        for (status, allowed) in STATES.into_iter().zip(allowed) {
            let jump = Jump {
                right,
                from: matches!(right, Right::Return | Right::Withdrawal)
                    .then(|| "office".to_owned()),
                ..Jump::operator(Target::Task("intake".into()), "li", "why")
            };
            let moved = sent(&program, standing(&program, status), Event::jump(jump));
            let cell = format!("{right:?} of one that is {status:?}");
            let by_people = matches!(right, Right::Return | Right::Withdrawal);
            match moved {
                Ok(instance) => {
                    assert!(allowed, "{cell} should be refused");
                    assert_eq!(instance.status(), Status::Running, "{cell}");
                    let live = instance.live();
                    let live: Vec<&str> = live.iter().map(|task| task.run_id.as_str()).collect();
                    assert_eq!(live, ["intake#2"], "{cell}");
                }
                Err(Refusal::Suspended) => {
                    assert!(
                        !allowed && by_people && status == Status::Suspended,
                        "{cell}"
                    );
                }
                Err(refusal) => {
                    assert!(!allowed, "{cell}: {refusal}");
                    assert_eq!(refusal, Refusal::Status(status), "{cell}");
                }
            }
        }
    }
}
