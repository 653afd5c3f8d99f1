//! `emit` and `run.workflow`.

use std::sync::Arc;

use tongban_expr::Value;

use crate::code::Template;
use crate::effect::Effect;
use crate::enter::Outcome;
use crate::error::Error;
use crate::evaluate::Moment;
use crate::frame::{FrameId, State, Waiting};
use crate::machine::Machine;
use crate::program::Child;
use crate::run_id::idempotency_key;
use crate::time;

impl Machine<'_> {
    /// Publishes an event. What the document does not say is filled in: `specversion`, `id`, `time`.
    pub(crate) fn emit(
        &mut self,
        id: FrameId,
        with: &[(Arc<str>, Template)],
        input: &Value,
    ) -> Result<Outcome, Error> {
        let run_id = self.instance.run_id_of(id);
        let given = self.fill_entries(with, &Moment::definition(id, input))?;
        let key = idempotency_key(&self.instance.id, &run_id);
        let mut event = Value::object([
            ("specversion", Value::from("1.0")),
            ("id", Value::from(key.get(..32).unwrap_or_default())),
            (
                "source",
                Value::from(format!("/workflows/{}", self.program.reference())),
            ),
            ("type", Value::Null),
            ("time", Value::from(time::iso(self.now_ms))),
        ]);
        for (name, value) in given.entries() {
            event.set(name, value.clone());
        }
        self.effects.push(Effect::Emit {
            run_id,
            event: event.clone(),
        });
        Ok(Outcome::Done(event, None))
    }

    /// Starts another workflow.
    pub(crate) fn child(
        &mut self,
        id: FrameId,
        child: &Child,
        input: &Value,
    ) -> Result<Outcome, Error> {
        let given = match &child.input {
            Some(template) => self.fill(template, &Moment::definition(id, input))?,
            None => Value::object::<&str, Value>([]),
        };
        let run_id = self.instance.run_id_of(id);
        self.effects.push(Effect::Child {
            run_id: run_id.clone(),
            namespace: child.namespace.clone(),
            name: child.name.clone(),
            version: child.version.clone(),
            input: given,
            awaited: child.awaited,
        });
        // One that is not awaited is answered as soon as it was started, so that a failure to start it is the task's.
        self.set_state(
            id,
            State::Child(Waiting {
                run_id: run_id.into(),
                args: None,
            }),
        );
        Ok(Outcome::Lives)
    }
}
