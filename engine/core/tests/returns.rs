//! The table of returns: every target × straight back or by rerun × siblings kept or cancelled × who
//! signs. Each row says what happens from the return until everything has been answered.

mod runner;

use std::fmt::Write;

use tongban_core::{Effect, Event, Instance, Program, Reopen, Right, Status, step};
use tongban_expr::{Value, value};

use crate::runner::events::jump;
use crate::runner::scenario::BEGIN_MS;
use crate::runner::surroundings::{Given, environment, program};

const TABLE: &str = include_str!("return_table.yaml");

/// `judge` returns while in the other branches one item is done, one is open behind a done one, and
/// an act and a read lie on the way.
const WORKFLOW: &str = "
do:
  - intake: { call: approve }
  - tell: { call: send, with: { to: x } }
  - checks:
      fork:
        branches:
          - household:
              metadata: { clock: { due: { days: 5 } } }
              do:
                - look: { call: approve }
                - count: { call: lookup, with: { n: '${ $form.n }' } }
                - stage:
                    do:
                      - first: { call: approve }
                      - judge: { call: approve }
          - vehicles:
              do:
                - ask: { call: approve }
                - sign: { call: approve }
          - funds: { call: approve }
  - head: { call: approve, with: { context: '${ $context }' } }
";

struct Play {
    program: Program,
    instance: Instance,
    trace: Vec<String>,
    /// Calls that wait for an answer, in the order of opening.
    open: Vec<String>,
}

impl Play {
    fn send(&mut self, event: Event) {
        let env = environment(&Value::Null);
        let taken = step(&self.program, self.instance.clone(), event, &env, BEGIN_MS)
            .expect("an event that is taken");
        self.instance = taken.instance;
        for effect in taken.effects {
            self.note(&effect);
        }
    }

    fn note(&mut self, effect: &Effect) {
        let mut line = String::new();
        match effect {
            Effect::Call(call) => {
                self.open.push(call.run_id.clone());
                write!(line, "ask {}", call.run_id).expect("text");
                match &call.resume {
                    Reopen::Fresh => {}
                    Reopen::Keep => line.push_str(" keeping"),
                    Reopen::Round { signing, by } => {
                        write!(line, " round of {by} signing {signing:?}").expect("text");
                    }
                }
            }
            Effect::Withdraw { run_id, why } => {
                self.open.retain(|open| open != run_id);
                write!(line, "close {run_id} {why:?}").expect("text");
            }
            Effect::Reused { run_id, former, .. } => {
                write!(line, "reuse {former} for {run_id}").expect("text")
            }
            Effect::AskApplicant { run_id, .. } => {
                self.open.push(run_id.clone());
                write!(line, "ask {run_id}").expect("text");
            }
            Effect::ClockOpen { place, resume, .. } => {
                write!(
                    line,
                    "clock {place} {}",
                    if *resume { "goes on" } else { "anew" }
                )
                .expect("text");
            }
            Effect::ClockClose { place } => write!(line, "clock {place} ends").expect("text"),
            Effect::GroundEnter { place, .. } => {
                write!(line, "correction at {place}").expect("text")
            }
            Effect::GroundLeave { place, .. } => {
                write!(line, "corrected at {place}").expect("text")
            }
            Effect::Finish { status, .. } => write!(line, "{status:?}").expect("text"),
            other => unreachable!("{other:?}"),
        }
        self.trace.push(line);
    }

    fn answer(&mut self, run_id: &str) {
        self.open.retain(|open| open != run_id);
        self.send(Event::Returned {
            run_id: run_id.to_owned(),
            output: value!({"of": run_id}),
        });
    }
}

/// The instance at the moment of the return.
fn at_the_return() -> Play {
    let given = Given::usual();
    let program = program(WORKFLOW, &given).expect("a workflow");
    let mut play = Play {
        program,
        instance: Instance::new("i"),
        trace: Vec::new(),
        open: Vec::new(),
    };
    play.send(Event::Start {
        input: value!({"n": 1}),
    });
    for run_id in [
        "intake",
        "tell",
        "checks/household/look",
        "checks/household/count",
        "checks/vehicles/ask",
        "checks/funds",
    ] {
        play.answer(run_id);
    }
    play.answer("checks/household/stage/first");
    assert_eq!(
        play.open,
        ["checks/vehicles/sign", "checks/household/stage/judge"]
    );
    play.trace.clear();
    play
}

/// What happens after a return until the instance has ended.
fn trace(row: &Value) -> Vec<String> {
    let mut play = at_the_return();
    let cell = row.clone().with("from", "checks/household/stage/judge");
    let jump = jump(&cell.with("by", "li"), Right::Return);
    play.send(Event::jump(jump));
    assert_eq!(
        play.instance.context(),
        &value!({"n": 1}),
        "a return keeps the context"
    );
    while let Some(next) = play.open.first().cloned() {
        if next.starts_with('@') {
            play.send(Event::Form {
                form: value!({"n": 2}),
            });
        }
        play.answer(&next);
        assert!(play.trace.len() < 100, "{:#?}", play.trace);
    }
    assert_eq!(play.instance.status(), Status::Completed);
    let to_applicant = row.text("to") == Some("applicant");
    let n = if to_applicant { 2 } else { 1 };
    assert_eq!(
        play.instance.form(),
        &value!({"n": n}),
        "only the applicant changed the form"
    );
    play.trace
}

#[test]
fn every_cell_of_the_table() {
    let (rows, faults) = tongban_dsl::read_yaml(TABLE);
    assert!(faults.is_empty(), "{faults:?}");
    let rows = rows.expect("a table");
    let mut cells = std::collections::BTreeSet::new();
    let mut wrong = String::new();
    for row in rows.items() {
        let cell: Vec<&str> = ["to", "mode", "siblings", "signing"]
            .iter()
            .filter_map(|key| row.text(key))
            .collect();
        assert!(cells.insert(cell.join(" ")), "{cell:?} stands twice");
        let found = trace(row);
        let expected: Vec<&str> = row
            .get("then")
            .into_iter()
            .flat_map(Value::items)
            .filter_map(Value::as_str)
            .collect();
        if found != expected {
            writeln!(
                wrong,
                "- {{ to: {}, mode: {}, siblings: {}, signing: {} }}",
                cell[0], cell[1], cell[2], cell[3]
            )
            .expect("text");
            for line in found {
                writeln!(wrong, "    - '{line}'").expect("text");
            }
        }
    }
    assert!(wrong.is_empty(), "these cells are different:\n{wrong}");
    assert_eq!(cells.len(), 5 * 2 * 2 * 3, "the table has every cell");
}
