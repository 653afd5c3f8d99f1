//! The live part of an instance: a tree of frames, one for each task that is being run.
//!
//! A frame names its task by name inside its parent's list, so that a newer program can adopt it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::error::Error;
use crate::held::{Held, Place};

/// Number of a frame: never reused in an instance, and a child's is above its parent's.
pub(crate) type FrameId = u32;

/// The root frame: the workflow itself.
pub(crate) const ROOT: FrameId = 0;

/// A task that is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Its place in the program; found by name when a step begins.
    #[serde(skip)]
    pub(crate) task: u32,
    /// The frame around it; the root is its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) parent: FrameId,
    /// The task's name.
    pub(crate) name: Arc<str>,
    /// The how manieth entry, from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(crate) entry: u32,
    /// Its raw input.
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) raw: Held,
    /// Its transformed input.
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) input: Held,
    /// When it was entered.
    pub(crate) started_ms: i64,
    /// When its timeout ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_at_ms: Option<i64>,
    /// A branch's own copy of the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<Held>,
    /// Its title, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// The public state of the case while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// It was entered by a return, of this person: the ground `correction` holds here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) correction: Option<String>,
    /// What it is doing.
    pub(crate) state_of: State,
}

/// What a frame is doing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum State {
    /// It was entered and does nothing of its own yet.
    #[serde(rename = "new")]
    New,
    /// Runs a list: the workflow, `do`, the body of a function.
    #[serde(rename = "do")]
    List(Line),
    /// Runs a list for each item.
    #[serde(rename = "for")]
    For {
        /// The items.
        items: Held,
        /// Which one, from 0.
        index: u64,
        /// Its list.
        line: Line,
    },
    /// Runs branches: what those that ended gave, by branch.
    #[serde(rename = "fork")]
    Fork {
        /// By branch, in declared order.
        done: BTreeMap<u32, BranchEnd>,
        /// How often each branch was entered, when more than once.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        entries: BTreeMap<Arc<str>, u32>,
    },
    /// Tries a list.
    #[serde(rename = "try")]
    Try(Box<Trial>),
    /// Listens.
    #[serde(rename = "listen")]
    Listen(Box<Listening>),
    /// Waits for a call's answer.
    #[serde(rename = "call")]
    Call(Waiting),
    /// Waits for a child.
    #[serde(rename = "run")]
    Child(Waiting),
    /// Runs the extensions around it: it has not begun yet, or has ended already.
    #[serde(rename = "around")]
    Around(Box<Around>),
    /// Waits for a time.
    #[serde(rename = "wait")]
    Wait {
        /// Which.
        until_ms: i64,
    },
}

/// The extensions around a task being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Around {
    /// The list of extensions.
    pub(crate) line: Line,
    /// How the task ended; `None`: it has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Ended>,
}

/// How a task ended whose extensions still run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// Its raw output.
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) raw: Held,
    /// Its transformed output.
    #[serde(default, skip_serializing_if = "Held::is_null")]
    pub(crate) output: Held,
    /// Where the flow goes on; `None`: by the task's `then`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) onward: Option<Onward>,
}

/// A directive by names, so that a newer program can follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Onward {
    /// The next task.
    Continue,
    /// Leaves the list.
    Exit,
    /// Ends the workflow.
    End,
    /// A task of the list.
    To(Arc<str>),
}

/// A frame that waits for an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// Its run id.
    pub(crate) run_id: Arc<str>,
    /// Digest of the arguments, when a former answer may be reused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) args: Option<String>,
}

/// A list of tasks being run in order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Which list of the program; found when a step begins.
    #[serde(skip)]
    pub(crate) scope: u32,
    /// Names of the tasks that ended well, in order, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) passed: Vec<Arc<str>>,
    /// How often each task was entered deliberately, when more than once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) entries: BTreeMap<Arc<str>, u32>,
    /// Outputs that some expression reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) steps: BTreeMap<Arc<str>, Held>,
}

impl Line {
    pub(crate) fn of(scope: u32) -> Self {
        Self {
            scope,
            ..Self::default()
        }
    }

    /// The number of the next entry into a task. A first entry is told by the task having passed;
    /// only counts above one are written.
    pub(crate) fn next_entry(&self, name: &Arc<str>) -> u32 {
        match self.entries.get(name) {
            Some(count) => count + 1,
            None if self.passed.contains(name) => 2,
            None => 1,
        }
    }

    /// Remembers that a task ended well.
    pub(crate) fn pass(&mut self, name: &Arc<str>) {
        self.passed.retain(|passed| passed != name);
        self.passed.push(name.clone());
    }

    /// Takes the task and everything that passed after it off the list of what has passed, and
    /// gives the names.
    pub(crate) fn rewind(&mut self, name: &str) -> Vec<Arc<str>> {
        let Some(at) = self.passed.iter().position(|passed| &**passed == name) else {
            return Vec::new();
        };
        let dropped = self.passed.split_off(at);
        for name in &dropped {
            self.entries.entry(name.clone()).or_insert(1);
            self.steps.remove(name);
        }
        dropped
    }
}

/// How a branch ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BranchEnd {
    /// Its output.
    pub(crate) output: Held,
    /// Its context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<Held>,
}

/// A `try` being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// What it is at.
    pub(crate) phase: Phase,
    /// Retries so far.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) retries: u32,
    /// When the first error was caught: `limit.duration` counts from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_error_ms: Option<i64>,
    /// When this attempt is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempt_ends_ms: Option<i64>,
    /// The caught error, seen by `catch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Error>,
    /// The list of the phase.
    pub(crate) line: Line,
}

/// The phases of a `try`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Runs the tried tasks.
    Try,
    /// Waits before the next attempt.
    Pause {
        /// Until then.
        until_ms: i64,
    },
    /// Runs `catch.do`.
    Catch,
}

/// A `listen` being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listening {
    /// Its run id.
    pub(crate) run_id: Arc<str>,
    /// What was consumed, or what `foreach` made of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) consumed: Vec<Held>,
    /// Numbers of the filters that have had their event (`all`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) heard: Vec<u32>,
    /// Correlation values fixed by the first event, by filter and key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) correlated: BTreeMap<String, Value>,
    /// Events that wait for `foreach`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) queue: Vec<Held>,
    /// The event that `foreach` is at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<Held>,
    /// Its number, from 0.
    #[serde(default, skip_serializing_if = "is_zero_wide")]
    pub(crate) index: u64,
    /// No further events are taken.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) closed: bool,
    /// The list of `foreach`.
    #[serde(default)]
    pub(crate) line: Line,
}

impl Frame {
    /// The list that this frame runs at the moment.
    pub(crate) fn line(&self) -> Option<&Line> {
        match &self.state_of {
            State::List(line) | State::For { line, .. } => Some(line),
            State::Try(trial) => Some(&trial.line),
            State::Listen(listening) => Some(&listening.line),
            State::Around(around) => Some(&around.line),
            _ => None,
        }
    }

    /// Whether the extensions around it run: it has nothing of its own then.
    pub(crate) fn is_around(&self) -> bool {
        matches!(self.state_of, State::Around(_))
    }

    /// The list that this frame runs at the moment.
    pub(crate) fn line_mut(&mut self) -> Option<&mut Line> {
        match &mut self.state_of {
            State::List(line) | State::For { line, .. } => Some(line),
            State::Try(trial) => Some(&mut trial.line),
            State::Listen(listening) => Some(&mut listening.line),
            State::Around(around) => Some(&mut around.line),
            _ => None,
        }
    }

    /// The iteration that it is in, for run ids.
    pub(crate) fn iteration(&self) -> Option<u64> {
        match &self.state_of {
            State::For { index, .. } => Some(*index),
            State::Listen(listening) if listening.item.is_some() => Some(listening.index),
            _ => None,
        }
    }

    /// Run id, when it waits for an answer from outside.
    pub(crate) fn waiting(&self) -> Option<&Arc<str>> {
        match &self.state_of {
            State::Call(waiting) | State::Child(waiting) => Some(&waiting.run_id),
            State::Listen(listening) if !listening.closed => Some(&listening.run_id),
            _ => None,
        }
    }

    /// Its earliest timer.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        let own = match &self.state_of {
            State::Wait { until_ms } => Some(*until_ms),
            State::Try(trial) => match trial.phase {
                Phase::Pause { until_ms } => Some(until_ms),
                Phase::Try => trial.attempt_ends_ms,
                Phase::Catch => None,
            },
            _ => None,
        };
        match (own, self.timeout_at_ms) {
            (Some(own), Some(timeout)) => Some(own.min(timeout)),
            (own, timeout) => own.or(timeout),
        }
    }

    /// Shows every value of the frame.
    pub(crate) fn each_held(&mut self, visit: &mut dyn FnMut(&mut Held, Place)) {
        visit(&mut self.raw, Place::TaskInput);
        visit(&mut self.input, Place::TaskInput);
        if let Some(context) = &mut self.context {
            visit(context, Place::Context);
        }
        match &mut self.state_of {
            State::For { items, .. } => visit(items, Place::Collection),
            State::Fork { done, .. } => {
                for end in done.values_mut() {
                    visit(&mut end.output, Place::Branch);
                    if let Some(context) = &mut end.context {
                        visit(context, Place::Branch);
                    }
                }
            }
            State::Listen(listening) => {
                listening
                    .consumed
                    .iter_mut()
                    .for_each(|held| visit(held, Place::Consumed));
                listening
                    .queue
                    .iter_mut()
                    .for_each(|held| visit(held, Place::Consumed));
                if let Some(item) = &mut listening.item {
                    visit(item, Place::Consumed);
                }
            }
            State::Around(around) => {
                if let Some(ended) = &mut around.ended {
                    visit(&mut ended.raw, Place::TaskInput);
                    visit(&mut ended.output, Place::TaskInput);
                }
            }
            _ => {}
        }
        if let Some(line) = self.line_mut() {
            line.steps
                .values_mut()
                .for_each(|held| visit(held, Place::Steps));
        }
    }
}

pub(crate) fn is_zero(n: &u32) -> bool {
    *n == 0
}

fn is_zero_wide(n: &u64) -> bool {
    *n == 0
}

fn is_one(n: &u32) -> bool {
    *n == 1
}

fn one() -> u32 {
    1
}

pub(crate) fn is_false(flag: &bool) -> bool {
    !flag
}
