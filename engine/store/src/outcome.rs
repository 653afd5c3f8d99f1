//! What became of a change.

use crate::tables::key::KeyRow;

/// The answer for one change of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is durable.
    Committed {
        /// The instance's version now; 0 for a change without an instance.
        version: i64,
    },
    /// Another change came first: reload and run the same inputs again at once.
    Lost(Lost),
    /// Another transaction holds the row just now: the same after a few milliseconds.
    Locked,
    /// A key is taken by a committed holder.
    KeyTaken {
        /// The row that holds it.
        holder: KeyRow,
    },
    /// A unique value of a record belongs to another record of the register.
    RecordKeyTaken {
        /// The register.
        register: String,
        /// The declared key.
        name: String,
        /// The value.
        value: String,
        /// The record that has it.
        holder: String,
    },
    /// Inbox rows that the change consumed are gone: another change took them. Reload and leave these out.
    InputGone {
        /// The ids of the missing rows.
        inbox: Vec<String>,
    },
    /// The database refuses this change by itself; its neighbours committed.
    Refused(Refusal),
}

/// What a losing change met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The instance has another version, or none when it ended or was never there.
    Instance {
        /// The version found.
        current: Option<i64>,
    },
    /// A guarded record has another version, or none when it does not exist.
    Record {
        /// The register.
        register: String,
        /// The record.
        id: String,
        /// The version found.
        current: Option<i64>,
    },
}

/// Why the database refused a change: the cause, never the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Names the line in the log.
    pub log_id: String,
    /// The SQLSTATE or SQLite code, or `change` when the change failed its own check.
    pub code: String,
    /// A line for the operator.
    pub cause: String,
}

impl Outcome {
    /// Whether the change is durable.
    pub fn is_committed(&self) -> bool {
        matches!(self, Outcome::Committed { .. })
    }
}
