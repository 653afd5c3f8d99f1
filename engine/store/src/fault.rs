//! Faults on demand: a test or the simulator decides, at named points of a commit, what goes wrong.

/// Where a commit may be struck.
pub enum Point<'a> {
    /// Before BEGIN.
    Begin {
        /// The instances of the batch.
        instances: &'a [&'a str],
    },
    /// At the gate of one instance.
    Gate {
        /// The instance.
        instance: &'a str,
    },
    /// At COMMIT.
    Commit {
        /// The instances of the batch.
        instances: &'a [&'a str],
    },
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A deadlock or a busy database.
    Transient,
    /// The connection is lost before COMMIT.
    Connection,
    /// The database cannot write.
    Resource,
    /// The instance has another version (at the gate).
    Lose,
    /// The instance is locked by another (at the gate).
    Lock,
    /// COMMIT gets no answer.
    DropReply {
        /// Whether it happened all the same.
        committed: bool,
    },
}

/// Decides about faults.
pub trait Faults: Send + Sync {
    /// Says what goes wrong here, if anything.
    fn strike(&self, point: Point<'_>) -> Option<Fault>;
}
