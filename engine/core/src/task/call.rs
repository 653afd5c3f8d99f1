//! `call` of a function: its arguments, its key, former answers that stand in for it.

use tongban_expr::Value;

use crate::code::Template;
use crate::compile::POLICIES;
use crate::effect::{Call as CallEffect, Effect, Reopen};
use crate::enter::Outcome;
use crate::error::Error;
use crate::evaluate::Moment;
use crate::frame::{FrameId, State, Waiting};
use crate::machine::Machine;
use crate::program::Call;
use crate::run_id::idempotency_key;
use crate::surroundings::Kind;

impl Machine<'_> {
    pub(crate) fn call(
        &mut self,
        id: FrameId,
        call: &Call,
        input: &Value,
    ) -> Result<Outcome, Error> {
        let args = self.arguments(id, call, input)?;
        let place = self.instance.place_of(id);
        let run_id = self.instance.run_id_of(id);
        let digest = (call.kind == Kind::Act && self.program.keeps_answers).then(|| args.digest());
        self.set_state(
            id,
            State::Call(Waiting {
                run_id: run_id.as_str().into(),
                args: digest.clone(),
            }),
        );
        if let Some(answer) = self.former_answer(&place, call.kind, digest.as_deref()) {
            let output = answer.output.value();
            self.effects.push(Effect::Reused {
                run_id,
                path: self.task_of(id).path.to_string(),
                former: answer.run_id.to_string(),
                output: output.clone(),
            });
            self.complete_as(id, output, None, true);
            return Ok(Outcome::Lives);
        }
        let resume = if call.kind == Kind::Work {
            self.reopening(&place)
        } else {
            Reopen::Fresh
        };
        let effect = self.call_effect(id, call, args, resume, &Moment::definition(id, input))?;
        self.effects.push(effect);
        Ok(Outcome::Lives)
    }

    /// The effect of a call.
    fn call_effect(
        &self,
        id: FrameId,
        call: &Call,
        args: Value,
        resume: Reopen,
        moment: &Moment<'_>,
    ) -> Result<Effect, Error> {
        let task = self.task_of(id);
        let run_id = self.instance.run_id_of(id);
        let own_key = match &task.idempotency_key {
            Some(key) => self.fill_text(key, moment)?,
            None => None,
        };
        let (entry, title) = self
            .instance
            .frames
            .get(&id)
            .map_or((1, None), |frame| (frame.entry, frame.title.clone()));
        Ok(Effect::Call(Box::new(CallEffect {
            path: task.path.to_string(),
            place: self.instance.place_of(id),
            entry,
            function: call.function.clone(),
            kind: call.kind,
            args,
            key: own_key.unwrap_or_else(|| idempotency_key(&self.instance.id, &run_id)),
            timeout_at_ms: self.soonest_timeout(id),
            title,
            resume,
            metadata: if task.extra.is_empty() {
                Value::Null
            } else {
                self.fill_entries(&task.extra, moment)?
            },
            run_id,
        })))
    }

    /// When the task or one around it times out.
    fn soonest_timeout(&self, id: FrameId) -> Option<i64> {
        let around = self
            .instance
            .ancestors(id)
            .filter_map(|(_, frame)| match &frame.state_of {
                State::Wait { .. } => None,
                _ => frame.due_ms(),
            });
        around.chain(self.instance.timeout_at_ms).min()
    }

    /// Opens a call again whose frame was kept: after a fault or a cancellation that was undone.
    pub(crate) fn call_again(&mut self, id: FrameId, call: &Call) -> Result<(), Error> {
        let input = self.instance.input_of(id);
        let args = self.arguments(id, call, &input)?;
        let resume = if call.kind == Kind::Work {
            Reopen::Keep
        } else {
            Reopen::Fresh
        };
        let effect = self.call_effect(id, call, args, resume, &Moment::definition(id, &input))?;
        self.effects.push(effect);
        Ok(())
    }

    fn arguments(&self, id: FrameId, call: &Call, input: &Value) -> Result<Value, Error> {
        let moment = Moment::definition(id, input);
        let args = match &call.with {
            Some(with) => self.fill(with, &moment)?,
            None => Value::object::<&str, Value>([]),
        };
        self.authenticate(args, call, &moment)
    }

    /// Puts reusable authentication policies in the place of their names.
    fn authenticate(&self, args: Value, call: &Call, moment: &Moment<'_>) -> Result<Value, Error> {
        let mut args = args;
        for path in POLICIES {
            let named = path.iter().try_fold(&args, |here, key| here.get(key));
            let name = named.and_then(|policy| policy.as_str().or_else(|| policy.text("use")));
            if let Some(policy) = name.and_then(|name| call.policies.get(name)) {
                let policy: &Template = policy;
                let filled = self.fill(policy, moment)?;
                args = replaced(args, path, filled);
            }
        }
        Ok(args)
    }
}

/// An object with the value at a path of keys replaced.
fn replaced(object: Value, path: &[&str], value: Value) -> Value {
    match path {
        [] => value,
        [key, rest @ ..] => {
            let inner = object.get(key).cloned().unwrap_or_default();
            object.with(key, replaced(inner, rest, value))
        }
    }
}
