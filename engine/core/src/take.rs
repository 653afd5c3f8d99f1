//! Taking an event: the one door into an instance.

use tongban_expr::{COLLECTION_MAX, Value};

use crate::effect::{RecordStatus, Step};
use crate::environment::Env;
use crate::error::{Error, ErrorKind};
use crate::evaluate::{Moment, Stage};
use crate::event::Event;
use crate::frame::{Frame, FrameId, Line, ROOT, State};
use crate::instance::{FORMAT, Instance, Status};
use crate::machine::Machine;
use crate::program::{Body, Gives, Program};
use crate::refusal::{Refusal, Refused};
use crate::surroundings::Kind;

/// Events that a suspended instance keeps, and how many bytes of them.
const INBOX_MAX: usize = 1_000;
const INBOX_BYTES_MAX: u64 = 1 << 20;

/// Applies one event to an instance: the only thing that changes one.
///
/// # Errors
/// When the instance does not take the event; it is then as it was.
pub fn step(
    program: &Program,
    instance: Instance,
    event: Event,
    env: &Env,
    now_ms: i64,
) -> Result<Step, Refused> {
    let format = instance.format;
    let mut machine = Machine::new(program, instance, env, now_ms);
    let taken = match format > FORMAT {
        true => Err(Refusal::Newer(format)),
        false => machine.bind().and_then(|()| machine.take(event)),
    };
    match taken {
        Ok(()) => Ok(machine.finish()),
        Err(refusal) => Err(Refused {
            instance: Box::new(machine.instance),
            refusal,
        }),
    }
}

impl Machine<'_> {
    fn take(&mut self, event: Event) -> Result<(), Refusal> {
        match self.instance.status {
            Status::Pending => match event {
                Event::Start { input } => self.start(input),
                _ => return Err(Refusal::Status(Status::Pending)),
            },
            Status::Running => self.take_running(event)?,
            Status::Suspended => self.take_suspended(event)?,
            status => self.take_ended(event, status)?,
        }
        self.run();
        Ok(())
    }

    fn take_running(&mut self, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Start { .. } => return Err(Refusal::Begun),
            Event::Resume => return Err(Refusal::Status(Status::Running)),
            Event::Returned { .. } | Event::Failed { .. } | Event::Heard { .. } => {
                self.deliver(event)
            }
            Event::Due => {
                self.run();
                self.fire_due();
            }
            Event::Continue => {}
            Event::Form { form } => self.set_form(form),
            Event::Jump(jump) => self.jump(&jump)?,
            Event::Suspend { reason } => {
                self.instance.status = Status::Suspended;
                self.record_instance(RecordStatus::Suspended, Some(reason));
            }
            Event::Cancel { reason } => self.cancel(&reason),
        }
        Ok(())
    }

    fn take_suspended(&mut self, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Start { .. } => Err(Refusal::Begun),
            Event::Form { .. } | Event::Suspend { .. } => Err(Refusal::Suspended),
            Event::Due | Event::Continue => Ok(()),
            Event::Returned { .. } | Event::Failed { .. } | Event::Heard { .. } => {
                self.keep_for_later(event)
            }
            Event::Cancel { reason } => {
                self.cancel(&reason);
                Ok(())
            }
            Event::Jump(jump) => {
                self.jump(&jump)?;
                self.deliver_kept();
                Ok(())
            }
            Event::Resume => {
                self.instance.status = Status::Running;
                self.record_instance(RecordStatus::Resumed, None);
                self.deliver_kept();
                Ok(())
            }
        }
    }

    fn take_ended(&mut self, event: Event, status: Status) -> Result<(), Refusal> {
        match event {
            Event::Start { .. } => Err(Refusal::Begun),
            Event::Returned { run_id, .. } | Event::Failed { run_id, .. } => {
                self.note_late(&run_id);
                Ok(())
            }
            Event::Heard { .. } | Event::Due | Event::Continue => Ok(()),
            Event::Jump(jump) => self.jump(&jump),
            Event::Form { .. } | Event::Suspend { .. } | Event::Resume | Event::Cancel { .. } => {
                Err(Refusal::Status(status))
            }
        }
    }

    /// Keeps an event of a suspended instance, if somebody waits for it.
    fn keep_for_later(&mut self, event: Event) -> Result<(), Refusal> {
        let wanted = match &event {
            Event::Heard { run_id, n, event } => {
                let listener = self.find_waiting(run_id);
                self.consumed =
                    listener.is_some_and(|id| self.wants_event(id, *n, event).is_some());
                self.consumed
            }
            Event::Returned { run_id, .. } | Event::Failed { run_id, .. } => {
                let known = self.find_answerable(run_id).is_some() || self.asks(run_id);
                if !known {
                    self.note_late(run_id);
                }
                known
            }
            _ => false,
        };
        let kept: u64 = self
            .instance
            .inbox
            .iter()
            .chain([&event])
            .map(Event::weight)
            .sum();
        if wanted && (self.instance.inbox.len() >= INBOX_MAX || kept > INBOX_BYTES_MAX) {
            return Err(Refusal::InboxFull);
        }
        if wanted && !self.instance.inbox.contains(&event) {
            self.instance.inbox.push(event);
        }
        Ok(())
    }

    fn deliver_kept(&mut self) {
        for event in std::mem::take(&mut self.instance.inbox) {
            match (self.instance.status, &event) {
                (Status::Running, _) => self.deliver(event),
                (_, Event::Returned { run_id, .. } | Event::Failed { run_id, .. }) => {
                    self.note_late(&run_id.clone())
                }
                // What was heard was consumed when it came; an instance that has ended does nothing with it.
                _ => {}
            }
            self.run();
        }
    }

    fn start(&mut self, input: Value) {
        self.instance.status = Status::Running;
        self.instance.started_ms = self.now_ms;
        self.instance.input = input.clone().into();
        let scope = match &self.program.task(0).body {
            Body::Do(scope) => *scope,
            _ => 0,
        };
        self.instance
            .frames
            .insert(ROOT, root_frame(scope, self.now_ms));
        self.record_instance(RecordStatus::Started, None);
        match self.begin(input) {
            Ok(input) => {
                if let crate::enter::Outcome::Done(output, _) = self.begin_list(ROOT, scope, input)
                {
                    self.finish_workflow(output);
                }
            }
            Err(error) => self.fault_all(error.at("/input")),
        }
    }

    /// The workflow's input, its timeout and its clock.
    fn begin(&mut self, raw: Value) -> Result<Value, Error> {
        raw.storable_within(COLLECTION_MAX).map_err(|fault| {
            Error::new(
                ErrorKind::Validation,
                format!("the input is refused: {fault}"),
            )
        })?;
        if let Some(schema) = &self.program.input_schema {
            schema.check(&raw, "the workflow's input")?;
        }
        let moment = Moment {
            stage: Stage::WorkflowInput,
            ..Moment::before(ROOT, &raw)
        };
        let input = match &self.program.input_from {
            Some(from) => self.fill(from, &moment)?,
            None => raw.clone(),
        };
        self.instance.context = input.clone().into();
        self.set_form(input.clone());
        if let Some(frame) = self.instance.frames.get_mut(&ROOT) {
            frame.input = input.clone().into();
        }
        let moment = Moment::definition(ROOT, &input);
        if let Some(timeout) = &self.program.timeout {
            let at_ms = self.ahead(timeout, &moment);
            self.instance.timeout_at_ms = Some(at_ms.map_err(|error| error.at("/timeout"))?);
        }
        if let Some(clock) = &self.program.clock {
            let (spec, title) = self
                .clock_spec(clock, &moment)
                .map_err(|error| error.at("/document/metadata/clock"))?;
            let place = String::new();
            self.effects.push(crate::effect::Effect::ClockOpen {
                place,
                spec,
                title,
                resume: false,
            });
        }
        Ok(input)
    }

    /// Gives an answer or an event to whom it belongs.
    fn deliver(&mut self, event: Event) {
        match event {
            Event::Returned { run_id, output } => match self.find_answerable(&run_id) {
                Some(id) => self.answered(id, output),
                None if self.asks(&run_id) => self.applicant_answered(),
                None => self.note_late(&run_id),
            },
            Event::Failed { run_id, error } => match self.find_answerable(&run_id) {
                Some(id) => {
                    self.waited(id);
                    self.set_state(id, State::New);
                    self.fault(id, error.raised_elsewhere());
                }
                None if self.asks(&run_id) => self.fault_all(error),
                None => self.note_late(&run_id),
            },
            Event::Heard { run_id, n, event } => {
                if let Some(id) = self.find_waiting(&run_id) {
                    self.instance.runaway = 0;
                    self.hear(id, n, &event);
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, id: FrameId, output: Value) {
        self.waited(id);
        let of_people =
            matches!(&self.task_of(id).body, Body::Call(call) if call.kind == Kind::Work);
        if of_people && output.get("refusal") == Some(&Value::Bool(true)) {
            self.instance.refused = true;
        }
        match output.storable() {
            Ok(()) => {
                let output = self.taken_of(id, output);
                self.complete(id, output, None);
            }
            Err(fault) => {
                self.set_state(id, State::New);
                self.fault(
                    id,
                    Error::new(
                        ErrorKind::Communication,
                        format!("the answer is refused: {fault}"),
                    ),
                );
            }
        }
    }

    /// What a `run` makes of the answer.
    fn taken_of(&self, id: FrameId, answer: Value) -> Value {
        let gives = match &self.task_of(id).body {
            Body::Call(call) => call.gives,
            Body::Child(child) => child.gives,
            _ => Gives::Result,
        };
        match gives {
            Gives::Result => answer,
            Gives::Nothing => Value::Null,
            Gives::Input => self.instance.input_of(id),
        }
    }

    /// A wait ended, unless it was one that never leaves the activation.
    fn waited(&mut self, id: FrameId) {
        let at_once = matches!(&self.task_of(id).body, Body::Call(call) if matches!(call.kind, Kind::Read | Kind::Write));
        if !at_once {
            self.instance.runaway = 0;
        }
    }

    fn asks(&self, run_id: &str) -> bool {
        self.instance
            .applicant
            .as_ref()
            .is_some_and(|asked| *asked.run_id == *run_id)
    }

    /// The frame that waits under a run id.
    fn find_waiting(&self, run_id: &str) -> Option<FrameId> {
        let waits = |frame: &Frame| frame.waiting().is_some_and(|waiting| **waiting == *run_id);
        self.instance
            .frames
            .iter()
            .find(|(_, frame)| waits(frame))
            .map(|(id, _)| *id)
    }

    /// The call or child that waits for an answer under a run id.
    fn find_answerable(&self, run_id: &str) -> Option<FrameId> {
        let state = |id: &FrameId| self.instance.frames.get(id).map(|frame| &frame.state_of);
        self.find_waiting(run_id)
            .filter(|id| matches!(state(id), Some(State::Call(_) | State::Child(_))))
    }

    /// Nobody waits for this answer any more: it is noted, and changes nothing.
    fn note_late(&mut self, run_id: &str) {
        let path = path_of_run_id(run_id);
        let task = self
            .program
            .by_path
            .get(path.as_str())
            .map(|id| self.program.task(*id));
        let kind = task.map_or("workflow", |task| task.keyword).to_owned();
        let record = self.record_instance(RecordStatus::Late, None);
        record.run_id = run_id.to_owned();
        record.path = path;
        record.kind = kind;
    }
}

fn root_frame(scope: u32, now_ms: i64) -> Frame {
    Frame {
        task: 0,
        parent: ROOT,
        name: "".into(),
        entry: 1,
        raw: crate::held::Held::default(),
        input: crate::held::Held::default(),
        started_ms: now_ms,
        timeout_at_ms: None,
        context: None,
        title: None,
        state: None,
        correction: None,
        state_of: State::List(Line::of(scope)),
    }
}

/// The path in a run id: without the numbers of entries and iterations.
fn path_of_run_id(run_id: &str) -> String {
    let bare = |part: &str| part.split(['#', '[']).next().unwrap_or_default().to_owned();
    run_id.split('/').map(bare).collect::<Vec<_>>().join("/")
}
