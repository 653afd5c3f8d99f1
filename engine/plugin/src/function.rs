//! The three kinds of functions that a plugin may give.

use std::sync::Arc;

use async_trait::async_trait;
use tongban_expr::Value;

use crate::{AccessEntry, ActCall, Call, Failure, Prepared, Signature};

/// What a read gives: the value, and who looked at which personal records.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The result of the call.
    pub value: Value,
    /// Rows for the access log; they commit with the change.
    pub access: Vec<AccessEntry>,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self {
            value,
            access: Vec::new(),
        }
    }
}

/// A function without effect. It may run any number of times.
#[async_trait]
pub trait Read: Send + Sync {
    /// Gives the function's signature.
    fn signature(&self) -> &Signature;
    /// Answers from committed data.
    ///
    /// # Errors
    /// A [`Failure`] becomes the task's error.
    async fn read(&self, args: &Value, call: &Call<'_>) -> Result<Answer, Failure>;
}

/// A function whose rows ride in the instance's commit.
#[async_trait]
pub trait Write: Send + Sync {
    /// Gives the function's signature.
    fn signature(&self) -> &Signature;
    /// Prepares rows from committed data and from `call.pending`; it may run again after a lost
    /// guard, and nothing of the first run is then visible.
    ///
    /// # Errors
    /// A [`Failure`] becomes the task's error; nothing is written.
    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure>;
}

/// A function that leaves the machine. Its intent was committed before.
#[async_trait]
pub trait Act: Send + Sync {
    /// Gives the function's signature.
    fn signature(&self) -> &Signature;
    /// Performs the call once. The same `call.key` may come again after a crash.
    ///
    /// # Errors
    /// A [`Failure`] is a known outcome. Dropping the future leaves the outcome unknown.
    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure>;

    /// Whether it is dropped when nobody waits for its outcome any more: its task timed out or was cancelled. Others
    /// run to their end, for what was sent cannot be called back.
    fn is_interruptible(&self) -> bool {
        false
    }
}

/// What a plugin crate gives to the engine.
#[derive(Clone, Default)]
pub struct Plugin {
    /// The plugin's name, as packs require it.
    pub name: String,
    /// Its reads.
    pub reads: Vec<Arc<dyn Read>>,
    /// Its writes.
    pub writes: Vec<Arc<dyn Write>>,
    /// Its acts.
    pub acts: Vec<Arc<dyn Act>>,
}

impl Plugin {
    /// Makes an empty plugin.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds a read.
    #[must_use]
    pub fn read(mut self, function: impl Read + 'static) -> Self {
        self.reads.push(Arc::new(function));
        self
    }

    /// Adds a write.
    #[must_use]
    pub fn write(mut self, function: impl Write + 'static) -> Self {
        self.writes.push(Arc::new(function));
        self
    }

    /// Adds an act.
    #[must_use]
    pub fn act(mut self, function: impl Act + 'static) -> Self {
        self.acts.push(Arc::new(function));
        self
    }

    /// All signatures, reads first.
    pub fn signatures(&self) -> impl Iterator<Item = &Signature> {
        let reads = self.reads.iter().map(|function| function.signature());
        let writes = self.writes.iter().map(|function| function.signature());
        let acts = self.acts.iter().map(|function| function.signature());
        reads.chain(writes).chain(acts)
    }
}
