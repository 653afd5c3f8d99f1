//! One run of a workflow, as plain data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::error::Error;
use crate::event::{Event, Signing};
use crate::frame::{Frame, FrameId, ROOT, State, is_zero};
use crate::held::{Held, Place};
use crate::parts::Known;
use crate::program::Program;

/// The format of the state that this release writes.
pub const FORMAT: u32 = 1;

/// Path, place and run id of the virtual task before the first: the applicant corrects the form.
pub const APPLICANT: &str = "@applicant";

/// How an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Made, not begun.
    Pending,
    /// Running or waiting, see [`Instance::is_waiting`].
    Running,
    /// Stands still until resumed.
    Suspended,
    /// Ended well.
    Completed,
    /// Ended with an error that nobody caught.
    Faulted,
    /// Ended from outside.
    Cancelled,
}

impl Status {
    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(
            self,
            Status::Completed | Status::Faulted | Status::Cancelled
        )
    }
}

/// One run of a workflow: only [`crate::step`] changes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instance {
    pub(crate) format: u32,
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) started_ms: i64,
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) input: Held,
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) context: Held,
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) form: Held,
    /// Version of the form, from 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) form_version: u32,
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) output: Held,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Error>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_at_ms: Option<i64>,
    /// Returns so far.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) returns: u32,
    /// Backward jumps and undelayed retries since the last wait.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) runaway: u32,
    /// Numbers checkpoints and answers in the order of their making.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) sequence: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) next_frame: FrameId,
    pub(crate) frames: BTreeMap<FrameId, Frame>,
    /// Entries that wait for the next step; empty unless a step ended with `more`. The last is next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pending: Vec<Pending>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) checkpoints: BTreeMap<Arc<str>, Checkpoint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) answers: Vec<Answer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) returning: Vec<Returning>,
    /// The applicant has been asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) applicant: Option<AtApplicant>,
    /// How often he has been.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) applicant_entries: u32,
    /// A person of this case has decided against the person whom it is about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) refused: bool,
    /// What became of each task that was reached, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) trail: BTreeMap<Arc<str>, Mark>,
    /// Events that came while it was suspended, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inbox: Vec<Event>,
    /// The frame whose error nobody caught.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) faulted: Option<FrameId>,
    /// Only in the stored text: values that stand in several places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) shared: Vec<Held>,
    /// Large parts that are in blobs already; copies of the instance remember them together.
    #[serde(skip)]
    pub(crate) known: Arc<Mutex<Known>>,
}

/// An entry into a task that is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) parent: FrameId,
    pub(crate) task: Arc<str>,
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) raw: Held,
}

/// What a task had when it was last entered, kept so that the flow may come back to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) sequence: u32,
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) raw: Held,
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) context: Held,
}

/// What a work task or an act gave, kept for returns straight back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) sequence: u32,
    pub(crate) place: Arc<str>,
    pub(crate) run_id: Arc<str>,
    pub(crate) output: Held,
    /// Digest of an act's arguments; a work task's answer has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) args: Option<String>,
}

/// A return that is on its way back to the task that made it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Returning {
    /// Place of the returning task, or of the fork that is joined.
    pub(crate) until: Arc<str>,
    pub(crate) signing: Signing,
    pub(crate) by: String,
    /// Answers that stand, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reuse: Vec<Answer>,
    /// Places of siblings' open items, to be opened with what was said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reopen: Vec<Arc<str>>,
    /// Places whose clocks go on with what was left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) clocks: Vec<Arc<str>>,
    /// Place of the target, as long as it was not entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Arc<str>>,
}

impl Returning {
    /// A return by somebody that is over when the task at a place, or the fork there, is reached again; nothing stands.
    pub(crate) fn until(place: impl Into<Arc<str>>, by: &str) -> Self {
        Self {
            until: place.into(),
            signing: Signing::All,
            by: by.to_owned(),
            reuse: Vec::new(),
            reopen: Vec::new(),
            clocks: Vec::new(),
            target: None,
        }
    }
}

/// The applicant has been asked to correct the form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AtApplicant {
    pub(crate) run_id: Arc<str>,
    pub(crate) since_ms: i64,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// It ended well.
    #[serde(rename = "d")]
    Done,
    /// It is being run.
    #[serde(rename = "l")]
    Doing,
    /// Its `if` did not hold.
    #[serde(rename = "s")]
    Skipped,
    /// It ended with an error.
    #[serde(rename = "f")]
    Failed,
    /// It was ended from outside.
    #[serde(rename = "c")]
    Cancelled,
}

/// A task that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveTask {
    /// Path of names.
    pub path: String,
    /// The run id under which its answer is awaited.
    pub run_id: String,
    /// The task's keyword, `applicant` while the form is being corrected.
    pub kind: &'static str,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Since when.
    pub since_ms: i64,
    /// Until when at most: its timer, if it has one.
    pub due_ms: Option<i64>,
}

impl Instance {
    /// An instance that has not begun. Its first event is [`Event::Start`].
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            format: FORMAT,
            id: id.into(),
            status: Status::Pending,
            started_ms: 0,
            input: Held::default(),
            context: Held::default(),
            form: Held::default(),
            form_version: 0,
            output: Held::default(),
            error: None,
            timeout_at_ms: None,
            returns: 0,
            runaway: 0,
            sequence: 0,
            next_frame: ROOT,
            frames: BTreeMap::new(),
            pending: Vec::new(),
            checkpoints: BTreeMap::new(),
            answers: Vec::new(),
            returning: Vec::new(),
            applicant: None,
            applicant_entries: 0,
            refused: false,
            trail: BTreeMap::new(),
            inbox: Vec::new(),
            faulted: None,
            shared: Vec::new(),
            known: Arc::default(),
        }
    }

    /// Format of the state; a higher one than [`FORMAT`] is left alone.
    #[must_use]
    pub fn format(&self) -> u32 {
        self.format
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether it runs and waits for something from outside or for a time.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.status == Status::Running && self.pending.is_empty()
    }

    /// When it began.
    #[must_use]
    pub fn started_ms(&self) -> i64 {
        self.started_ms
    }

    /// The raw input of the workflow.
    #[must_use]
    pub fn input(&self) -> &Value {
        self.input.get()
    }

    /// The context of the main scope.
    #[must_use]
    pub fn context(&self) -> &Value {
        self.context.get()
    }

    /// The current form.
    #[must_use]
    pub fn form(&self) -> &Value {
        self.form.get()
    }

    /// The output, once it has ended well.
    #[must_use]
    pub fn output(&self) -> &Value {
        self.output.get()
    }

    /// The error that ended it.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// How often it was returned.
    #[must_use]
    pub fn returns(&self) -> u32 {
        self.returns
    }

    /// Outputs of tasks of the main list that some expression reads, by name.
    #[must_use]
    pub fn steps(&self) -> Value {
        let line = self.frames.get(&ROOT).and_then(Frame::line);
        let steps = line.into_iter().flat_map(|line| &line.steps);
        Value::object(steps.map(|(name, held)| (&**name, held.value())))
    }

    /// The earliest time at which it wants [`Event::Due`].
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        if self.status != Status::Running {
            return None;
        }
        let frames = self.frames.values().filter_map(Frame::due_ms);
        frames.chain(self.timeout_at_ms).min()
    }

    /// The tasks that wait, in the order in which they were entered.
    #[must_use]
    pub fn live(&self) -> Vec<LiveTask> {
        if self.status.has_ended() {
            return Vec::new();
        }
        let applicant = self.applicant.iter().map(|asked| LiveTask {
            path: APPLICANT.to_owned(),
            run_id: asked.run_id.to_string(),
            kind: "applicant",
            title: None,
            since_ms: asked.since_ms,
            due_ms: None,
        });
        let frames = self
            .frames
            .iter()
            .filter_map(|(id, frame)| self.live_task(*id, frame));
        applicant.chain(frames).collect()
    }

    fn live_task(&self, id: FrameId, frame: &Frame) -> Option<LiveTask> {
        let kind = match &frame.state_of {
            State::Call(_) => "call",
            State::Child(_) => "run",
            State::Listen(listening) if !listening.closed => "listen",
            State::Wait { .. } => "wait",
            State::Try(trial) if matches!(trial.phase, crate::frame::Phase::Pause { .. }) => "try",
            _ => return None,
        };
        Some(LiveTask {
            path: self.path_of(id),
            run_id: frame
                .waiting()
                .map_or_else(|| self.run_id_of(id), |run_id| run_id.to_string()),
            kind,
            title: frame.title.clone(),
            since_ms: frame.started_ms,
            due_ms: frame.due_ms(),
        })
    }

    /// What became of each task of the program that was reached, by path, in the order of the
    /// document; live ones are [`Mark::Doing`].
    #[must_use]
    pub fn marks(&self, program: &Program) -> Vec<(String, Mark)> {
        let mut trail = self.trail.clone();
        if !self.status.has_ended() {
            for id in self.frames.keys().filter(|id| **id != ROOT) {
                trail.insert(self.path_of(*id).into(), Mark::Doing);
            }
        }
        let paths = program.paths();
        paths
            .filter_map(|path| trail.get(path).map(|mark| (path.to_owned(), *mark)))
            .collect()
    }

    /// The public state of the case: `metadata.state` of the innermost live task that has one.
    #[must_use]
    pub fn state_word(&self) -> Option<&str> {
        if self.status.has_ended() {
            return None;
        }
        let depth = |id: FrameId| self.ancestors(id).count();
        let stated = self
            .frames
            .iter()
            .filter_map(|(id, frame)| Some((depth(*id), frame.state.as_deref()?)));
        // Of equally deep ones the first entered speaks.
        stated
            .fold(None, |best: Option<(usize, &str)>, next| match best {
                Some(best) if best.0 >= next.0 => Some(best),
                _ => Some(next),
            })
            .map(|(_, state)| state)
    }

    /// Whether the applicant has the case.
    #[must_use]
    pub fn is_with_applicant(&self) -> bool {
        self.applicant.is_some() && !self.status.has_ended()
    }

    /// Shows every value of the state.
    pub(crate) fn each_held(&mut self, visit: &mut dyn FnMut(&mut Held, Place)) {
        visit(&mut self.input, Place::Input);
        visit(&mut self.context, Place::Context);
        visit(&mut self.form, Place::Form);
        visit(&mut self.output, Place::Output);
        self.frames
            .values_mut()
            .for_each(|frame| frame.each_held(visit));
        self.pending
            .iter_mut()
            .for_each(|pending| visit(&mut pending.raw, Place::TaskInput));
        for checkpoint in self.checkpoints.values_mut() {
            visit(&mut checkpoint.raw, Place::Checkpoint);
            visit(&mut checkpoint.context, Place::Checkpoint);
        }
        let reuse = self
            .returning
            .iter_mut()
            .flat_map(|returning| &mut returning.reuse);
        self.answers
            .iter_mut()
            .chain(reuse)
            .for_each(|answer| visit(&mut answer.output, Place::Answer));
    }
}
