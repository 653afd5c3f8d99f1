//! A task ends well: its output, the context, and where the flow goes on.

use tongban_expr::{CARRIED_MAX, Value};

use crate::effect::{Effect, RecordStatus, Why};
use crate::error::{Error, ErrorKind};
use crate::evaluate::{Moment, Stage};
use crate::frame::{BranchEnd, Frame, FrameId, Phase, ROOT, State};
use crate::instance::{Answer, Mark, Status};
use crate::machine::Machine;
use crate::program::{Body, Next, Program, Results, Task, TaskId};

/// Former answers that an instance keeps at most; older ones are asked again.
const ANSWERS_MAX: usize = 256;

impl Machine<'_> {
    /// Ends a frame with its raw output.
    pub(crate) fn complete(&mut self, id: FrameId, raw_output: Value, next: Option<Next>) {
        self.complete_as(id, raw_output, next, false);
    }

    /// The same; `reused`: a former answer is the output.
    pub(crate) fn complete_as(
        &mut self,
        id: FrameId,
        raw_output: Value,
        next: Option<Next>,
        reused: bool,
    ) {
        match self.results(id, &raw_output) {
            Ok(output) => {
                self.keep_answer(id, &raw_output);
                self.close(id, raw_output, output, next, reused);
            }
            Err(error) => {
                self.set_state(id, State::New);
                self.fault(id, error);
            }
        }
    }

    /// `output` and `export` of a task: gives the transformed output.
    pub(crate) fn results(&mut self, id: FrameId, raw: &Value) -> Result<Value, Error> {
        // The input may pass through as it is; what a task makes itself is bounded where it is made.
        raw.storable_within(CARRIED_MAX).map_err(|fault| {
            Error::new(
                ErrorKind::Runtime,
                format!("the output is refused: {fault}"),
            )
        })?;
        let results = &self.task_of(id).results;
        if results.are_plain() {
            return Ok(raw.clone());
        }
        let input = self.instance.input_of(id);
        self.transformed(id, results, &input, raw, "the output")
    }

    /// What `output` makes of a raw output; `export` makes the new context of that. `what` names it in messages.
    pub(crate) fn transformed(
        &mut self,
        id: FrameId,
        results: &Results,
        input: &Value,
        raw: &Value,
        what: &str,
    ) -> Result<Value, Error> {
        let moment = Moment {
            stage: Stage::Output,
            raw_output: Some(raw),
            ..Moment::definition(id, input)
        };
        let output = match &results.output_as {
            Some(template) => self.fill(template, &moment.on(raw))?,
            None => raw.clone(),
        };
        if let Some(schema) = &results.output_schema {
            schema.check(&output, what)?;
        }
        if let Some(template) = &results.export_as {
            let export = Moment {
                stage: Stage::Export,
                ..moment.on(&output)
            };
            let context = self.fill(template, &export)?;
            if let Some(schema) = &results.export_schema {
                schema.check(&context, "the exported context")?;
            }
            self.instance.fits_context(&context)?;
            self.set_context(id, context);
        }
        Ok(output)
    }

    /// A frame ended well: its extensions run, then the flow goes on in the frame around it.
    fn close(&mut self, id: FrameId, raw: Value, output: Value, next: Option<Next>, reused: bool) {
        let task = self.task_of(id);
        let shown = matches!(task.body, Body::Call(_) | Body::Child(_) | Body::Listen(_))
            .then(|| output.clone());
        let chosen = match task.body {
            Body::Switch(_) => self.chosen.take(),
            _ => None,
        };
        let correlation = self.correlation_of(id);
        let record = self.record(id, RecordStatus::Completed);
        record.note = chosen.map(|case| case.to_string());
        record.correlation = correlation;
        record.output = shown;
        record.reused = reused;
        if matches!(task.body, Body::Fork { .. }) {
            self.forget_beside(id);
        }
        self.undress(id);
        self.mark(id, Mark::Done);
        match task.after {
            Some(after) => self.run_after(id, after, raw, output, next),
            None => self.leave_task(id, output, next),
        }
    }

    /// Removes a frame whose task is over and goes on in the frame around it.
    pub(crate) fn leave_task(&mut self, id: FrameId, output: Value, next: Option<Next>) {
        let task = self.task_of(id);
        let Some(frame) = self.instance.frames.remove(&id) else {
            return;
        };
        if task.keep {
            self.keep_output(&frame, task, &output);
        }
        let next = next.unwrap_or(task.then);
        self.advance(frame.parent, frame.task, output, next, Some(&frame));
    }

    /// Closes the clock and ends the grounds of a frame.
    pub(crate) fn undress(&mut self, id: FrameId) {
        let task = self.task_of(id);
        let correction = self
            .instance
            .frames
            .get(&id)
            .is_some_and(|frame| frame.correction.is_some());
        if self.quiet || self.is_around(id) {
            return;
        }
        if task.clock.is_none() && task.pauses.is_none() && !correction {
            return;
        }
        let place = self.instance.place_of(id);
        if correction {
            self.effects.push(Effect::GroundLeave {
                place: place.clone(),
                ground: CORRECTION.to_owned(),
            });
        }
        if let Some(pauses) = &task.pauses {
            self.effects.push(Effect::GroundLeave {
                place: place.clone(),
                ground: pauses.ground.clone(),
            });
        }
        if task.clock.is_some() {
            self.effects.push(Effect::ClockClose { place });
        }
    }

    fn keep_output(&mut self, frame: &Frame, task: &Task, output: &Value) {
        if self.program.scope(task.home).branches {
            // Branches are read after the join, which keeps their outputs.
            return;
        }
        if let Some(line) = self.instance.line_mut(frame.parent) {
            line.steps.insert(task.label.clone(), output.clone().into());
        }
    }

    /// Keeps what people and other machines answered, for returns straight back.
    fn keep_answer(&mut self, id: FrameId, output: &Value) {
        let task = self.task_of(id);
        if !self.program.keeps_answers || !task.is_answered() {
            return;
        }
        let Some(State::Call(waiting)) = self.instance.doing(id) else {
            return;
        };
        let (run_id, args) = (waiting.run_id.clone(), waiting.args.clone());
        let place: std::sync::Arc<str> = self.instance.place_of(id).into();
        let sequence = self.next_sequence();
        let answers = &mut self.instance.answers;
        answers.retain(|answer| answer.place != place);
        if answers.len() >= ANSWERS_MAX {
            answers.remove(0);
        }
        answers.push(Answer {
            sequence,
            place,
            run_id,
            output: output.clone().into(),
            args,
        });
    }

    /// Goes on in `parent` after one of its tasks. `frame` is the frame that ended, `None` when the
    /// task was skipped.
    pub(crate) fn advance(
        &mut self,
        parent: FrameId,
        task: TaskId,
        output: Value,
        next: Next,
        frame: Option<&Frame>,
    ) {
        let task = self.program.task(task);
        let scope = self.program.scope(task.home);
        if next == Next::End {
            self.end_workflow(parent, output);
            return;
        }
        if scope.branches {
            self.branch_done(parent, task.position, output, frame);
            return;
        }
        if frame.is_some()
            && let Some(line) = self.instance.line_mut(parent)
        {
            line.pass(&task.label);
        }
        let position = match next {
            Next::Continue => task.position + 1,
            Next::To(position) => position,
            Next::Exit | Next::End => {
                self.list_done(parent, output, true);
                return;
            }
        };
        if position <= task.position
            && let Err(error) = self.count_runaway()
        {
            self.fault(parent, error);
            return;
        }
        match scope.tasks.get(position as usize) {
            Some(next) => self.due(parent, *next, output),
            None => self.list_done(parent, output, false),
        }
    }

    /// A frame's list is through, or was left by `exit`.
    pub(crate) fn list_done(&mut self, id: FrameId, output: Value, exit: bool) {
        let Some(frame) = self.instance.frames.get(&id) else {
            return;
        };
        match &frame.state_of {
            State::List(_) if id == ROOT => self.finish_workflow(output),
            State::List(_) if self.task_of(id).is_extension() => {
                self.extension_done(id, output, exit);
            }
            State::Around(_) => self.extensions_done(id),
            State::For { .. } if !exit => self.next_iteration(id, output),
            State::Try(trial) if trial.phase == Phase::Catch => {
                let next = match &self.task_of(id).body {
                    Body::Try(body) => body.then,
                    _ => None,
                };
                self.complete(id, output, next);
            }
            State::Listen(_) => self.item_done(id, output, exit),
            _ => self.complete(id, output, None),
        }
    }

    /// A branch of a fork ended.
    fn branch_done(&mut self, fork: FrameId, position: u32, output: Value, frame: Option<&Frame>) {
        let Body::Fork { scope, compete } = &self.task_of(fork).body else {
            return;
        };
        let base = self.context_at(fork);
        let context = frame
            .and_then(|frame| frame.context.as_ref())
            .map(crate::held::Held::value);
        let context = context.filter(|context| *context != base);
        let branches = &self.program.scope(*scope).tasks;
        // A branch that was skipped takes no part in a race.
        if *compete && frame.is_some() {
            self.end_children(fork, Why::Lost);
            if let Some(context) = context {
                self.set_context(fork, context);
            }
            if let Some(branch) = branches.get(position as usize) {
                self.keep_branch(fork, *branch, &output);
            }
            self.complete(fork, output, None);
            return;
        }
        let Some(State::Fork { done, .. }) = self.instance.doing_mut(fork) else {
            return;
        };
        done.insert(
            position,
            BranchEnd {
                output: output.into(),
                context: context.map(Into::into),
            },
        );
        if done.len() < branches.len() {
            return;
        }
        let done = std::mem::take(done);
        if *compete {
            let input = self.instance.input_of(fork);
            return self.complete(fork, input, None);
        }
        self.join(fork, branches, base, done);
    }

    /// All branches ended: their contexts merge and their outputs become a list, in declared order.
    fn join(
        &mut self,
        fork: FrameId,
        branches: &[TaskId],
        base: Value,
        done: std::collections::BTreeMap<u32, BranchEnd>,
    ) {
        let mut merged = base.clone();
        let mut outputs = Vec::with_capacity(done.len());
        for (end, branch) in done.into_values().zip(branches) {
            if let Some(context) = &end.context {
                merged = merge(&base, merged, context.get());
            }
            let output = end.output.value();
            self.keep_branch(fork, *branch, &output);
            outputs.push(output);
        }
        if merged != base {
            self.set_context(fork, merged);
        }
        self.complete(fork, Value::list(outputs), None);
    }

    /// Keeps a branch's output where the list around the fork can read it.
    fn keep_branch(&mut self, fork: FrameId, branch: TaskId, output: &Value) {
        let task = self.program.task(branch);
        if !task.keep {
            return;
        }
        let store = self.program.scope(task.home).store;
        let holder = self
            .instance
            .ancestors(fork)
            .find(|(_, frame)| frame.line().is_some_and(|line| line.scope == store));
        let holder = holder.map(|(id, _)| id);
        if let Some(line) = holder
            .and_then(|id| self.instance.frames.get_mut(&id))
            .and_then(Frame::line_mut)
        {
            line.steps.insert(task.label.clone(), output.clone().into());
        }
    }

    /// `end`: the whole workflow is through.
    fn end_workflow(&mut self, from: FrameId, output: Value) {
        // What the ending task stands in ends well with it; everything else is cut off.
        let around: Vec<FrameId> = self
            .instance
            .ancestors(from)
            .map(|(id, _)| id)
            .take_while(|id| *id != ROOT)
            .collect();
        for id in around {
            self.end_children(id, Why::Ended);
            // A task whose extensions run has ended already, or never began.
            if !self.is_around(id) {
                self.record(id, RecordStatus::Completed);
                self.undress(id);
                self.mark(id, Mark::Done);
            }
            self.instance.frames.remove(&id);
        }
        self.end_children(ROOT, Why::Ended);
        self.finish_workflow(output);
    }

    /// The main list is through.
    pub(crate) fn finish_workflow(&mut self, output: Value) {
        let program: &Program = self.program;
        let moment = Moment {
            stage: Stage::WorkflowOutput,
            ..Moment::definition(ROOT, &Value::Null)
        };
        let transformed = match &program.output_as {
            Some(template) => self.fill(template, &moment.on(&output)),
            None => Ok(output),
        };
        let checked = transformed.and_then(|output| match &program.output_schema {
            Some(schema) => schema
                .check(&output, "the workflow's output")
                .map(|()| output),
            None => Ok(output),
        });
        match checked.and_then(|output| self.refused_by_a_person(output)) {
            Ok(output) => {
                self.instance.output = output.clone().into();
                self.end_instance(Status::Completed, output, None);
            }
            Err(error) => self.fault(ROOT, error.at("/output")),
        }
    }

    /// A machine never refuses a person: what the author calls a refusal wants a person's decision before it.
    fn refused_by_a_person(&self, output: Value) -> Result<Value, Error> {
        let refusals = self.program.case.as_ref().map(|case| &case.refusals);
        let outcome = output.text("outcome").unwrap_or_default();
        let refuses = refusals.is_some_and(|all| all.iter().any(|one| one == outcome));
        if !refuses || self.instance.refused {
            return Ok(output);
        }
        let detail = format!(
            "the outcome `{outcome}` refuses a person, and no person of this case has decided so: let somebody decide whose outcome is marked `x-refusal`"
        );
        Err(Error::new(ErrorKind::Authorization, detail))
    }

    /// The instance has ended.
    pub(crate) fn end_instance(&mut self, status: Status, output: Value, error: Option<Error>) {
        self.instance.status = status;
        self.instance.error.clone_from(&error);
        if self.program.clock.is_some() {
            self.effects.push(Effect::ClockClose {
                place: String::new(),
            });
        }
        let word = match status {
            Status::Faulted => RecordStatus::Faulted,
            Status::Cancelled => RecordStatus::Cancelled,
            _ => RecordStatus::Completed,
        };
        let record = self.record_instance(word, None);
        record.error.clone_from(&error);
        if status == Status::Completed {
            // What is left is what a later jump (wake-up) needs: the main list.
            self.instance.pending.clear();
            self.instance.answers.clear();
            self.instance.returning.clear();
        }
        self.effects.push(Effect::Finish {
            status,
            output,
            error,
        });
    }
}

/// The ground of a return.
pub(crate) const CORRECTION: &str = "correction";

/// Lays what a branch changed over what was merged so far, key by key.
fn merge(base: &Value, merged: Value, branch: &Value) -> Value {
    let (Some(before), Some(after), Some(_)) =
        (base.as_object(), branch.as_object(), merged.as_object())
    else {
        return branch.clone();
    };
    let mut merged = merged;
    for (key, value) in after {
        if before.get(key) != Some(value) {
            merged.set(key, value.clone());
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        merged.remove(key);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_expr::value;

    #[test]
    fn a_branch_lays_only_what_it_changed_over_the_others() {
        let base = value!({"a": 1, "b": 1, "c": 1});
        let first = value!({"a": 2, "b": 1, "c": 1, "d": 1});
        let second = value!({"a": 1, "b": 3});
        let merged = merge(&base, merge(&base, base.clone(), &first), &second);
        assert_eq!(merged, value!({"a": 2, "b": 3, "d": 1}));
        assert_eq!(
            merge(&Value::Null, Value::Null, &value!({"x": 1})),
            value!({"x": 1})
        );
    }
}
