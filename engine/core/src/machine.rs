//! One step being taken: the instance under way, and what the step gives.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_expr::Value;

use crate::effect::{Effect, Record, RecordStatus, Step};
use crate::environment::Env;
use crate::error::{Error, ErrorKind};
use crate::frame::{Frame, FrameId, Phase, ROOT, State};
use crate::instance::{Instance, Mark, Pending, Status};
use crate::program::{Body, EXTENSION, Program, ScopeId, Task};
use crate::refusal::Refusal;

/// Tasks that one step enters at most before it hands over what it has.
const TASKS_PER_STEP: u32 = 1_000;

/// Backward jumps and undelayed retries without a wait between them.
const RUNAWAY_MAX: u32 = 100_000;

/// Iterations of a loop whose tasks are all told.
const TOLD_ITERATIONS: u64 = 1_000;

/// The state may take at most so many bytes, blobs left out.
pub(crate) const STATE_MAX: u64 = 1 << 20;

/// A step being taken.
pub(crate) struct Machine<'a> {
    pub(crate) program: &'a Program,
    pub(crate) env: &'a Env,
    pub(crate) now_ms: i64,
    pub(crate) instance: Instance,
    pub(crate) effects: Vec<Effect>,
    pub(crate) records: Vec<Record>,
    /// How often tasks ended that are only counted, by path.
    counted: BTreeMap<Arc<str>, u32>,
    /// Where what is not told is written to.
    uncounted: Option<Record>,
    /// The case that the last `switch` took, for its record; none when no case held.
    pub(crate) chosen: Option<Arc<str>>,
    pub(crate) consumed: bool,
    /// An ended instance is being changed: the world was told already that its frames are over.
    pub(crate) quiet: bool,
    /// Tasks entered in this step.
    pub(crate) entered: u32,
    pub(crate) workflow: OnceCell<Value>,
    pub(crate) secrets: OnceCell<Value>,
}

impl Instance {
    /// Paths of the live tasks that a program has no place for: empty when the program can adopt this
    /// instance as it is.
    #[must_use]
    pub fn misfits(&self, program: &Program) -> Vec<String> {
        let env = Env::default();
        Machine::new(program, self.clone(), &env, self.started_ms).misfits()
    }
}

impl<'a> Machine<'a> {
    pub(crate) fn new(program: &'a Program, instance: Instance, env: &'a Env, now_ms: i64) -> Self {
        Self {
            program,
            env,
            now_ms,
            instance,
            effects: Vec::new(),
            records: Vec::new(),
            counted: BTreeMap::new(),
            uncounted: None,
            chosen: None,
            consumed: false,
            quiet: false,
            entered: 0,
            workflow: OnceCell::new(),
            secrets: OnceCell::new(),
        }
    }

    /// Enters what is due until the instance waits, has ended or the step is long enough.
    pub(crate) fn run(&mut self) {
        while self.instance.status == Status::Running && self.entered < TASKS_PER_STEP {
            let Some(next) = self.instance.pending.pop() else {
                break;
            };
            let Some(task) = self.pending_task(&next) else {
                continue;
            };
            self.entered += 1;
            self.enter(next.parent, task, next.raw.value());
        }
        if self.instance.status != Status::Running {
            return;
        }
        let weight = self.instance.weight();
        if weight.bytes() > STATE_MAX {
            let detail = format!(
                "the state of the instance takes {} bytes, at most {STATE_MAX} (1 MiB) are allowed: {}; export and keep less, or split the work into child workflows",
                weight.bytes(),
                weight.heaviest()
            );
            self.fault_all(Error::new(ErrorKind::Runtime, detail));
        }
    }

    fn pending_task(&self, pending: &Pending) -> Option<u32> {
        let scope = self.scope_of(pending.parent)?;
        self.program.in_scope(scope, &pending.task)
    }

    /// The result of the step.
    pub(crate) fn finish(self) -> Step {
        let more = self.instance.status == Status::Running && !self.instance.pending.is_empty();
        // What holds the tasks of an extension is no task.
        let mut records = self.records;
        records.retain(|record| record.kind != EXTENSION);
        for (path, count) in self.counted {
            let keyword = self.program.by_path.get(&path);
            let keyword = keyword.map_or("", |id| self.program.task(*id).keyword);
            records.push(Record {
                run_id: path.to_string(),
                path: path.to_string(),
                kind: keyword.to_owned(),
                note: Some(format!("×{count}")),
                at_ms: self.now_ms,
                ..nothing(RecordStatus::Completed)
            });
        }
        Step {
            instance: self.instance,
            effects: self.effects,
            records,
            more,
            consumed: self.consumed,
        }
    }

    /// Finds the tasks and lists of all frames in the program, by name.
    pub(crate) fn bind(&mut self) -> Result<(), Refusal> {
        let ids: Vec<FrameId> = self.instance.frames.keys().copied().collect();
        for id in ids {
            self.bind_frame(id)?;
        }
        Ok(())
    }

    /// Paths of the frames that the program has no place for.
    fn misfits(&mut self) -> Vec<String> {
        let ids: Vec<FrameId> = self.instance.frames.keys().copied().collect();
        let unfit: Vec<FrameId> = ids
            .into_iter()
            .filter(|id| self.bind_frame(*id).is_err())
            .collect();
        unfit
            .into_iter()
            .map(|id| self.instance.path_of(id))
            .collect()
    }

    fn bind_frame(&mut self, id: FrameId) -> Result<(), Refusal> {
        let Some(frame) = self.instance.frames.get(&id) else {
            return Ok(());
        };
        let task = if id == ROOT {
            0
        } else {
            let found = self
                .scope_of(frame.parent)
                .and_then(|scope| self.program.in_scope(scope, &frame.name));
            found.ok_or_else(|| Refusal::Misfit(self.instance.path_of(id)))?
        };
        let scope = list_of(self.program.task(task), &frame.state_of);
        let fits = same_kind(self.program.task(task), &frame.state_of);
        if !fits || (frame.line().is_some() && scope.is_none() && !lineless(&frame.state_of)) {
            return Err(Refusal::Misfit(self.instance.path_of(id)));
        }
        if let Some(frame) = self.instance.frames.get_mut(&id) {
            frame.task = task;
            if let (Some(line), Some(scope)) = (frame.line_mut(), scope) {
                line.scope = scope;
            }
        }
        Ok(())
    }

    /// The list or the branches that a frame runs.
    pub(crate) fn scope_of(&self, id: FrameId) -> Option<ScopeId> {
        let frame = self.instance.frames.get(&id)?;
        list_of(self.program.task(frame.task), &frame.state_of)
    }

    /// The task of a frame.
    pub(crate) fn task_of(&self, id: FrameId) -> &'a Task {
        let task = self.instance.frames.get(&id).map_or(0, |frame| frame.task);
        self.program.task(task)
    }

    /// Notes what became of a task, for the picture of the run.
    pub(crate) fn mark(&mut self, id: FrameId, mark: Mark) {
        let task = self.task_of(id);
        if !task.is_extension() {
            self.instance.trail.insert(task.path.clone(), mark);
        }
    }

    /// Counts a backward jump or an undelayed retry.
    pub(crate) fn count_runaway(&mut self) -> Result<(), Error> {
        self.instance.runaway = self.instance.runaway.saturating_add(1);
        if self.instance.runaway <= RUNAWAY_MAX {
            return Ok(());
        }
        let detail = format!(
            "the flow went back more than {RUNAWAY_MAX} times without waiting for anything"
        );
        Err(Error::new(ErrorKind::Runtime, detail))
    }

    /// Notes what happened to a frame.
    pub(crate) fn record(&mut self, id: FrameId, status: RecordStatus) -> &mut Record {
        let task = self.task_of(id);
        if self.is_counted_only(id, status) {
            if status != RecordStatus::Started {
                let count = self.counted.entry(task.path.clone()).or_default();
                *count = count.saturating_add(1);
            }
            return self.uncounted.get_or_insert_with(|| nothing(status));
        }
        let record = Record {
            run_id: self.instance.run_id_of(id),
            path: task.path.to_string(),
            kind: task.keyword.to_owned(),
            status,
            attempt: self.attempt(id),
            at_ms: self.now_ms,
            output: None,
            error: None,
            reused: false,
            note: None,
            correlation: None,
        };
        self.push_record(record)
    }

    /// From the 1,001st iteration of a loop tasks that only compute are counted, not told one by one: a loop over
    /// much leaves a short history.
    fn is_counted_only(&self, id: FrameId, status: RecordStatus) -> bool {
        let plain = matches!(
            status,
            RecordStatus::Started | RecordStatus::Completed | RecordStatus::Skipped
        );
        let computes = || match &self.task_of(id).body {
            Body::Call(_) | Body::Child(_) | Body::Listen(_) | Body::Wait(_) | Body::Emit(_) => {
                false
            }
            _ => id != ROOT,
        };
        let late = |frame: &Frame| matches!(&frame.state_of, State::For { index, .. } if *index >= TOLD_ITERATIONS);
        plain
            && computes()
            && self
                .instance
                .ancestors(id)
                .skip(1)
                .any(|(_, frame)| late(frame))
    }

    /// Notes what happened to the instance.
    pub(crate) fn record_instance(
        &mut self,
        status: RecordStatus,
        note: Option<String>,
    ) -> &mut Record {
        self.push_record(Record {
            run_id: String::new(),
            path: String::new(),
            kind: "workflow".to_owned(),
            status,
            attempt: 1,
            at_ms: self.now_ms,
            output: None,
            error: None,
            reused: false,
            note,
            correlation: None,
        })
    }

    fn push_record(&mut self, record: Record) -> &mut Record {
        self.records.push(record);
        self.records.last_mut().expect("it was just pushed")
    }

    /// Which attempt of the nearest tried block around it a frame belongs to.
    fn attempt(&self, id: FrameId) -> u32 {
        let mut around = self.instance.ancestors(id).skip(1);
        let trial = around.find_map(|(_, frame)| match &frame.state_of {
            State::Try(trial) if trial.phase == Phase::Try => Some(trial.retries + 1),
            _ => None,
        });
        trial.unwrap_or(1)
    }

    /// The next number in the order of checkpoints and answers.
    pub(crate) fn next_sequence(&mut self) -> u32 {
        self.instance.sequence = self.instance.sequence.saturating_add(1);
        self.instance.sequence
    }
}

fn nothing(status: RecordStatus) -> Record {
    Record {
        run_id: String::new(),
        path: String::new(),
        kind: String::new(),
        status,
        attempt: 1,
        at_ms: 0,
        output: None,
        error: None,
        reused: false,
        note: None,
        correlation: None,
    }
}

/// The list or the branches of a task, by what it is doing.
fn list_of(task: &Task, state: &State) -> Option<ScopeId> {
    if let State::Around(around) = state {
        return if around.ended.is_some() {
            task.after
        } else {
            task.before
        };
    }
    match &task.body {
        Body::Do(scope)
        | Body::Function { scope, .. }
        | Body::Fork { scope, .. }
        | Body::Extension(scope) => Some(*scope),
        Body::For(body) => Some(body.scope),
        Body::Try(body) => match state {
            State::Try(trial) if trial.phase == Phase::Catch => body.catch,
            _ => Some(body.scope),
        },
        Body::Listen(body) => body.foreach.as_ref().and_then(|foreach| foreach.scope),
        _ => None,
    }
}

/// A listener without `foreach` has a list of its own that is never used.
fn lineless(state: &State) -> bool {
    matches!(state, State::Listen(_))
}

/// Whether a task does what the frame is doing.
fn same_kind(task: &Task, state: &State) -> bool {
    matches!(
        (state, &task.body),
        (State::New | State::Around(_), _)
            | (
                State::List(_),
                Body::Do(_) | Body::Function { .. } | Body::Extension(_)
            )
            | (State::For { .. }, Body::For(_))
            | (State::Fork { .. }, Body::Fork { .. })
            | (State::Try(_), Body::Try(_))
            | (State::Listen(_), Body::Listen(_))
            | (State::Call(_), Body::Call(_))
            | (State::Child(_), Body::Child(_))
            | (State::Wait { .. }, Body::Wait(_))
    )
}
