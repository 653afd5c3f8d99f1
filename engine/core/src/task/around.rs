//! Extensions: the tasks that run before and after every task of a kind.
//!
//! They look on: the extended task has its raw input, and its output goes on, whatever they give. Only `then: exit`
//! in the list of an extension puts its output in the place of the task's: before the task, which is bypassed then, as
//! its raw output; after it as its output.

use tongban_expr::Value;

use crate::effect::RecordStatus;
use crate::enter::Outcome;
use crate::error::Error;
use crate::evaluate::Moment;
use crate::frame::{Around, Ended, Frame, FrameId, Line, Onward, State};
use crate::instance::Mark;
use crate::machine::Machine;
use crate::program::{Next, ScopeId, TaskId};

impl Machine<'_> {
    /// Whether the extensions around a frame's task run at the moment.
    pub(crate) fn is_around(&self, id: FrameId) -> bool {
        self.instance.frames.get(&id).is_some_and(Frame::is_around)
    }

    /// The frame of the task that is extended, for everything inside its extensions.
    pub(crate) fn extended(&self, id: FrameId) -> Option<(FrameId, &Frame)> {
        let mut way = self.instance.ancestors(id);
        let inside = way.find(|(_, frame)| self.program.task(frame.task).is_extension());
        inside.and_then(|_| way.next())
    }

    /// The raw input of the task that the extension of this frame is about to extend.
    pub(crate) fn extended_input(&self, id: FrameId) -> Option<Value> {
        if !self.task_of(id).is_extension() {
            return None;
        }
        self.extended(id).map(|(_, frame)| frame.raw.value())
    }

    /// Runs what the extensions have before a task.
    pub(crate) fn run_before(&mut self, id: FrameId, scope: ScopeId, raw: Value) {
        let around = Around {
            line: Line::of(scope),
            ended: None,
        };
        self.run_around(id, scope, around, raw);
    }

    /// Runs what the extensions have after a task.
    pub(crate) fn run_after(
        &mut self,
        id: FrameId,
        scope: ScopeId,
        raw: Value,
        output: Value,
        next: Option<Next>,
    ) {
        let home = self.task_of(id).home;
        let around = Around {
            line: Line::of(scope),
            ended: Some(Ended {
                raw: raw.into(),
                output: output.clone().into(),
                onward: next.map(|next| self.onward(next, home)),
            }),
        };
        if let Some(frame) = self.instance.frames.get_mut(&id) {
            frame.timeout_at_ms = None;
            frame.state = None;
            frame.correction = None;
        }
        self.run_around(id, scope, around, output);
    }

    fn run_around(&mut self, id: FrameId, scope: ScopeId, around: Around, input: Value) {
        self.set_state(id, State::Around(Box::new(around)));
        if let Outcome::Done(..) = self.begin_list(id, scope, input) {
            self.extensions_done(id);
        }
    }

    /// One extension is through. What it gave is left, unless it ended with `exit`.
    pub(crate) fn extension_done(&mut self, id: FrameId, output: Value, exit: bool) {
        let Some(frame) = self.instance.frames.get(&id) else {
            return;
        };
        let (task, before) = (frame.parent, frame.raw.value());
        if !exit {
            self.complete(id, before, None);
            return;
        }
        if let Some(ended) = self.ended_mut(task) {
            ended.output = output.clone().into();
            self.complete(id, output, None);
            return;
        }
        let by = self.task_of(id).name.clone();
        self.instance.frames.remove(&id);
        match self.instead(task, &output) {
            Ok(output) => {
                self.record(task, RecordStatus::Skipped).note =
                    Some(format!("{by} gave its output"));
                self.mark(task, Mark::Skipped);
                self.leave_task(task, output, None);
            }
            Err(error) => self.fault(task, error),
        }
    }

    /// What was given in the place of a task is its raw output: the task's own `output` and `export` see it.
    fn instead(&mut self, id: FrameId, given: &Value) -> Result<Value, Error> {
        self.set_state(id, State::New);
        let raw = self.instance.raw_of(id);
        let input = match &self.task_of(id).input_from {
            Some(from) => self.fill(from, &Moment::before(id, &raw))?,
            None => raw,
        };
        if let Some(frame) = self.instance.frames.get_mut(&id) {
            frame.input = input.into();
        }
        self.results(id, given)
    }

    /// All extensions on one side of a task are through.
    pub(crate) fn extensions_done(&mut self, id: FrameId) {
        match self.ended_mut(id).map(|ended| ended.clone()) {
            None => {
                let raw = self.instance.raw_of(id);
                self.set_state(id, State::New);
                self.start_task(id, &raw);
            }
            Some(ended) => {
                let home = self.task_of(id).home;
                let next = ended.onward.map(|onward| self.following(&onward, home));
                self.leave_task(id, ended.output.value(), next);
            }
        }
    }

    fn ended_mut(&mut self, id: FrameId) -> Option<&mut Ended> {
        match self.instance.doing_mut(id) {
            Some(State::Around(around)) => around.ended.as_mut(),
            _ => None,
        }
    }

    /// A directive of a list by names.
    fn onward(&self, next: Next, home: ScopeId) -> Onward {
        let label = |position: u32| -> Option<std::sync::Arc<str>> {
            let task: TaskId = *self.program.scope(home).tasks.get(position as usize)?;
            Some(self.program.task(task).label.clone())
        };
        match next {
            Next::Continue => Onward::Continue,
            Next::Exit => Onward::Exit,
            Next::End => Onward::End,
            Next::To(position) => label(position).map_or(Onward::Continue, Onward::To),
        }
    }

    /// A directive by names, in the program as it is now.
    fn following(&self, onward: &Onward, home: ScopeId) -> Next {
        match onward {
            Onward::Continue => Next::Continue,
            Onward::Exit => Next::Exit,
            Onward::End => Next::End,
            Onward::To(label) => self
                .program
                .scope(home)
                .by_label
                .get(label)
                .map_or(Next::Continue, |position| Next::To(*position)),
        }
    }
}
