//! Entering a task: its condition, its input, its clocks, and then what it does.

use std::sync::Arc;

use tongban_expr::Value;

use crate::effect::{Effect, RecordStatus};
use crate::error::{Error, ErrorKind};
use crate::evaluate::Moment;
use crate::frame::{Frame, FrameId, State};
use crate::instance::{Checkpoint, Mark, Pending};
use crate::machine::Machine;
use crate::program::{Body, Clock, Next, ScopeId, TaskId};

/// What running a task's body came to.
pub(crate) enum Outcome {
    /// It gave its raw output; the flow goes on by its `then`, or by this.
    Done(Value, Option<Next>),
    /// It waits, or runs other tasks.
    Lives,
}

impl Machine<'_> {
    /// Enters a task of the list or the branches that `parent` runs.
    pub(crate) fn enter(&mut self, parent: FrameId, task: TaskId, raw: Value) {
        let id = self.open_frame(parent, task, raw.clone());
        match self.admits(id, task, &raw) {
            Ok(false) => self.skip(id, raw),
            Ok(true) => match self.program.task(task).before {
                Some(before) => self.run_before(id, before, raw),
                None => self.start_task(id, &raw),
            },
            Err(error) => self.fault(id, error),
        }
    }

    /// Begins a task that is to be run.
    pub(crate) fn start_task(&mut self, id: FrameId, raw: &Value) {
        let ran = self
            .prepare(id, raw)
            .and_then(|input| self.execute(id, input));
        match ran {
            Ok(Outcome::Done(output, next)) => self.complete(id, output, next),
            Ok(Outcome::Lives) => {}
            Err(error) => self.fault(id, error),
        }
    }

    fn open_frame(&mut self, parent: FrameId, task: TaskId, raw: Value) -> FrameId {
        let label = self.program.task(task).label.clone();
        let in_fork = matches!(self.instance.doing(parent), Some(State::Fork { .. }));
        let context = in_fork.then(|| self.context_at(parent).into());
        let entry = self.next_entry(parent, &label);
        self.instance.next_frame += 1;
        let id = self.instance.next_frame;
        let frame = Frame {
            task,
            parent,
            name: label,
            entry,
            raw: raw.into(),
            input: crate::held::Held::default(),
            started_ms: self.now_ms,
            timeout_at_ms: None,
            context,
            title: None,
            state: None,
            correction: None,
            state_of: State::New,
        };
        self.instance.frames.insert(id, frame);
        id
    }

    /// The number that the next entry into a task has.
    fn next_entry(&self, parent: FrameId, label: &Arc<str>) -> u32 {
        let Some(frame) = self.instance.frames.get(&parent) else {
            return 1;
        };
        match &frame.state_of {
            State::Fork { entries, .. } => entries.get(label).map_or(1, |count| count + 1),
            _ => frame.line().map_or(1, |line| line.next_entry(label)),
        }
    }

    /// Whether a task is run at all: its `if`, for an extension its `when`.
    fn admits(&mut self, id: FrameId, task: TaskId, raw: &Value) -> Result<bool, Error> {
        let task = self.program.task(task);
        if let Some(condition) = &task.if_ {
            let extended = self.extended_input(id);
            let asked = extended.as_ref().unwrap_or(raw);
            if !self.holds(condition, &Moment::before(id, asked))? {
                return Ok(false);
            }
        }
        self.count_entry(id);
        Ok(true)
    }

    /// Everything before the body: gives the transformed input.
    fn prepare(&mut self, id: FrameId, raw: &Value) -> Result<Value, Error> {
        let task = self.task_of(id);
        let before = Moment::before(id, raw);
        self.record(id, RecordStatus::Started);
        if let Some(schema) = &task.input_schema {
            schema.check(raw, "the input")?;
        }
        let input = match &task.input_from {
            Some(from) => self.fill(from, &before)?,
            None => raw.clone(),
        };
        self.dress(id, &input)?;
        Ok(input)
    }

    /// Remembers that a task was entered once more.
    fn count_entry(&mut self, id: FrameId) {
        let Some(frame) = self.instance.frames.get(&id) else {
            return;
        };
        let (parent, label, entry) = (frame.parent, frame.name.clone(), frame.entry);
        let Some(parent) = self.instance.frames.get_mut(&parent) else {
            return;
        };
        match &mut parent.state_of {
            State::Fork { entries, .. } if entry > 1 => {
                entries.insert(label, entry);
            }
            State::Fork { .. } => {}
            _ => {
                if let Some(line) = parent.line_mut()
                    && entry > 1
                {
                    line.entries.insert(label, entry);
                }
            }
        }
    }

    /// Gives the frame what it carries while it is live: input, title, timeout, clock, ground, checkpoint.
    fn dress(&mut self, id: FrameId, input: &Value) -> Result<(), Error> {
        let task = self.task_of(id);
        let moment = Moment::definition(id, input);
        let title = task
            .title
            .as_ref()
            .map(|title| self.fill_text(title, &moment))
            .transpose()?
            .flatten();
        let state = task
            .state
            .as_ref()
            .map(|state| self.fill_text(state, &moment))
            .transpose()?
            .flatten();
        let timeout = task
            .timeout
            .as_ref()
            .map(|timeout| self.ahead(timeout, &moment))
            .transpose()?;
        let basis = match task
            .pauses
            .as_ref()
            .and_then(|pauses| pauses.basis.as_ref())
        {
            Some(basis) => self.fill_text(basis, &moment)?,
            None => None,
        };
        let clock = task
            .clock
            .as_ref()
            .map(|clock| self.clock_spec(clock, &moment))
            .transpose()?;
        if let Some(frame) = self.instance.frames.get_mut(&id) {
            frame.input = input.clone().into();
            (frame.title, frame.state, frame.timeout_at_ms) = (title, state, timeout);
        }
        if task.checkpoint {
            self.keep_checkpoint(id);
        }
        let place = self.instance.place_of(id);
        if let Some((spec, title)) = clock {
            let resume = self.resumes_clock(&place);
            self.effects.push(Effect::ClockOpen {
                place: place.clone(),
                spec,
                title,
                resume,
            });
        }
        if let Some(pauses) = &task.pauses {
            let ground = pauses.ground.clone();
            self.effects.push(Effect::GroundEnter {
                place: place.clone(),
                ground,
                basis,
            });
        }
        self.arrive(id, &place);
        Ok(())
    }

    /// A clock's parts, evaluated, and its title.
    pub(crate) fn clock_spec(
        &self,
        clock: &Clock,
        moment: &Moment<'_>,
    ) -> Result<(Value, Option<String>), Error> {
        let mut spec = Value::object::<&str, Value>([]);
        for (name, part) in &clock.parts {
            spec.set(name, self.fill(part, moment)?);
        }
        if !clock.stops.is_empty() {
            spec.set("stops", clock.stops.clone());
        }
        let title = match &clock.title {
            Some(title) => self.fill_text(title, moment)?,
            None => None,
        };
        Ok((spec, title))
    }

    fn keep_checkpoint(&mut self, id: FrameId) {
        let context = self.context_at(id).into();
        let sequence = self.next_sequence();
        let Some(frame) = self.instance.frames.get(&id) else {
            return;
        };
        let path = self.program.task(frame.task).path.clone();
        self.instance.checkpoints.insert(
            path,
            Checkpoint {
                sequence,
                raw: frame.raw.clone(),
                context,
            },
        );
    }

    /// Its `if` does not hold: the raw input goes on to the next task, `then` is not followed.
    fn skip(&mut self, id: FrameId, raw: Value) {
        self.record(id, RecordStatus::Skipped);
        self.mark(id, Mark::Skipped);
        let Some(frame) = self.instance.frames.remove(&id) else {
            return;
        };
        if let Some(line) = self.instance.line_mut(frame.parent) {
            line.steps.remove(&frame.name);
        }
        self.advance(frame.parent, frame.task, raw, Next::Continue, None);
    }

    fn execute(&mut self, id: FrameId, input: Value) -> Result<Outcome, Error> {
        match &self.task_of(id).body {
            Body::None => Err(Error::new(
                ErrorKind::Configuration,
                "the task does nothing that could be run",
            )),
            Body::Set(template) => self.set(id, template, &input),
            Body::Do(scope) | Body::Extension(scope) => Ok(self.run_list(id, *scope, input)),
            Body::Function { with, scope } => self.function(id, with.as_ref(), *scope, input),
            Body::Switch(cases) => self.switch(id, cases, input),
            Body::For(body) => self.start_loop(id, body, input),
            Body::Fork { scope, .. } => Ok(self.fork(id, *scope, input)),
            Body::Try(body) => self.start_trial(id, body, input),
            Body::Raise(raise) => self.raise(id, raise, &input),
            Body::Wait(duration) => self.wait(id, duration, input),
            Body::Emit(with) => self.emit(id, with, &input),
            Body::Listen(body) => self.start_listening(id, body, &input),
            Body::Call(call) => self.call(id, call, &input),
            Body::Script(run) => self.script(id, run, input),
            Body::Child(child) => self.child(id, child, &input),
        }
    }

    /// Runs a list in a frame.
    fn run_list(&mut self, id: FrameId, scope: ScopeId, input: Value) -> Outcome {
        self.set_state(id, State::List(crate::frame::Line::of(scope)));
        self.begin_list(id, scope, input)
    }

    fn function(
        &mut self,
        id: FrameId,
        with: Option<&crate::code::Template>,
        scope: ScopeId,
        input: Value,
    ) -> Result<Outcome, Error> {
        let arguments = match with {
            Some(with) => self.fill(with, &Moment::definition(id, &input))?,
            None => input,
        };
        Ok(self.run_list(id, scope, arguments))
    }

    /// Makes the first task of a list due; an empty list gives its input.
    pub(crate) fn begin_list(&mut self, id: FrameId, scope: ScopeId, input: Value) -> Outcome {
        match self.program.scope(scope).tasks.first() {
            Some(first) => {
                self.due(id, *first, input);
                Outcome::Lives
            }
            None => Outcome::Done(input, None),
        }
    }

    /// Makes a task due.
    pub(crate) fn due(&mut self, parent: FrameId, task: TaskId, raw: Value) {
        let label = self.program.task(task).label.clone();
        self.instance.pending.push(Pending {
            parent,
            task: label,
            raw: raw.into(),
        });
    }

    pub(crate) fn set_state(&mut self, id: FrameId, state: State) {
        if let Some(frame) = self.instance.frames.get_mut(&id) {
            frame.state_of = state;
        }
    }
}
