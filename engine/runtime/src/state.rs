//! The state of one instance as the runtime keeps it: the machine's side, the people's side, the
//! case's facts, and what the runtime itself has to remember between two activations.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tongban_core::{BLOB_ABOVE, Call, Instance, StateError};
use tongban_expr::Value;
use tongban_plugin::Starter;
use tongban_work::Desk;

/// Facts of a case that do not change from step to step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseHead {
    /// `namespace/name`.
    pub workflow: String,
    /// The version that it runs.
    pub version: String,
    /// Digest of the bundle that it runs.
    pub bundle: String,
    /// The case number; empty when the workflow gives none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// The title for lists.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The business key that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who started it.
    #[serde(default, skip_serializing_if = "is_nobody")]
    pub starter: Starter,
    /// The case that it was started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<CaseLink>>,
    /// The instance whose task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// How many instances stand above it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub depth: u32,
    /// When it started.
    pub started_ms: i64,
    /// Nonce of the markers of its secrets, when its workflow uses any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The schedule that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

/// The case that another one was started from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseLink {
    /// Its instance.
    pub instance: String,
    /// Its number.
    pub number: String,
    /// Its workflow.
    pub workflow: String,
    /// Its outcome at that time, or null.
    #[serde(default)]
    pub outcome: Value,
    /// The notice that this one objects to: its work item's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<u32>,
}

/// Where an instance reports to when it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    /// The parent instance.
    pub instance: String,
    /// The task of it that waits.
    pub run_id: String,
    /// The item's number, for a child of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u64>,
    /// Whether the parent waits; a detached child reports nothing.
    pub awaited: bool,
}

/// What the runtime remembers between activations; nearly always empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The raw input of an instance that was born by its parent's change and has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newborn: Option<Value>,
    /// The step budget was crossed: go on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
    /// Run ids of acts whose outcome is not known yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub acts: BTreeSet<String>,
    /// Awaited children by the run id that waits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, String>,
    /// Batches by run id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub batches: BTreeMap<String, Batch>,
    /// Reads that had to wait for a commit of what was written before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postponed: Vec<Call>,
    /// How many cases it has started.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub born: u64,
    /// It has had a work item: the final state is kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub had_work: bool,
    /// The search fields as last written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<(String, String)>,
}

impl Memory {
    /// The instance goes on by itself, without a timer and without anybody's input.
    pub fn goes_on(&self) -> bool {
        let starts = |batch: &Batch| {
            let running = u64::try_from(batch.running.len()).unwrap_or(u64::MAX);
            batch.next < batch.total && (!batch.wait || running < batch.at_once)
        };
        self.newborn.is_some()
            || self.more
            || !self.postponed.is_empty()
            || self.batches.values().any(starts)
    }
}

/// One case for each item of a list, being worked through.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The task's place, by which clocks speak of it.
    pub place: String,
    /// The children's workflow.
    pub workflow: String,
    /// Digest of the blob that holds the items.
    pub items: String,
    /// How many items there are.
    pub total: u64,
    /// The next item to start.
    pub next: u64,
    /// Children that have not ended, by item; empty when they are detached.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub running: BTreeMap<u64, String>,
    /// How many ended well.
    pub completed: u64,
    /// How many ended with an error.
    pub faulted: u64,
    /// How many were cancelled.
    pub cancelled: u64,
    /// How many run at a time.
    pub at_once: u64,
    /// Whether the task waits for the children's ends.
    pub wait: bool,
}

/// One instance between two activations.
#[derive(Debug, Clone)]
pub struct State {
    /// The case's facts.
    pub head: CaseHead,
    /// The machine's side.
    pub flow: Instance,
    /// The people's side.
    pub desk: Desk,
    /// What the runtime remembers.
    pub memory: Memory,
    /// Digests of the blobs that are stored already; found again when the state is read.
    pub blobs: BTreeSet<String>,
}

/// A state as text.
pub struct Encoded {
    /// Its format.
    pub format: i64,
    /// Its text.
    pub body: String,
    /// Large values, by digest.
    pub blobs: Vec<(String, Value)>,
}

#[derive(Serialize)]
struct RestOut<'a> {
    head: &'a CaseHead,
    #[serde(skip_serializing_if = "Option::is_none")]
    desk: Option<&'a Desk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<&'a Memory>,
}

#[derive(Deserialize)]
struct RestIn {
    head: CaseHead,
    #[serde(default)]
    desk: Desk,
    #[serde(default)]
    memory: Memory,
}

#[derive(Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    flow: &'a RawValue,
    rest: RestIn,
}

impl State {
    /// An instance that has not begun.
    pub fn new(id: &str, head: CaseHead) -> State {
        State {
            head,
            flow: Instance::new(id),
            desk: Desk::default(),
            memory: Memory::default(),
            blobs: BTreeSet::new(),
        }
    }

    /// The state as text; large values that do not change go to blobs.
    pub fn encode(&self) -> Encoded {
        let flow = self.flow.to_state(BLOB_ABOVE);
        let rest = RestOut {
            head: &self.head,
            desk: (self.desk != Desk::default()).then_some(&self.desk),
            memory: (self.memory != Memory::default()).then_some(&self.memory),
        };
        let rest =
            serde_json::to_string(&rest).expect("plain data with text keys always has a JSON text");
        let body = format!("{{\"flow\":{},\"rest\":{rest}}}", flow.body);
        Encoded {
            format: i64::from(flow.format),
            body,
            blobs: flow.blobs,
        }
    }

    /// Reads a state; `blob` gives a large value by its digest.
    pub fn decode(
        body: &str,
        blob: &mut dyn FnMut(&str) -> Option<Value>,
    ) -> Result<State, StateError> {
        let text: Text<'_> =
            serde_json::from_str(body).map_err(|error| StateError::Broken(error.to_string()))?;
        let mut blobs = BTreeSet::new();
        let flow = Instance::from_state(text.flow.get(), &mut |digest| {
            blobs.insert(digest.to_owned());
            blob(digest)
        })?;
        Ok(State {
            head: text.rest.head,
            flow,
            desk: text.rest.desk,
            memory: text.rest.memory,
            blobs,
        })
    }
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_nobody(starter: &Starter) -> bool {
    *starter == Starter::default()
}
