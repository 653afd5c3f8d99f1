//! What can go wrong between the store and its caller. Losing a race is not an error: see `Outcome`.

use crate::bounds::{BLOB_BYTES_MAX, CHANGE_BYTES_MAX};

/// Why a call of the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or did not answer in time; nothing is known to be wrong with the request.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection broke in COMMIT and the outcome could not be settled in time: reload before acting again.
    #[error("the database did not say whether the commit happened")]
    Unclear,
    /// The database has no room, is read only or reports an I/O error: writing stops until it is repaired.
    #[error("the database cannot be written: {0}")]
    Resource(String),
    /// Too much waits to be committed: come back in a second.
    #[error("too many changes wait to be committed")]
    Busy,
    /// A row does not hold what its column promises.
    #[error("corrupt row in `{table}`: {detail}")]
    Corrupt {
        /// The table or statement that was read.
        table: &'static str,
        /// What was expected and found.
        detail: String,
    },
    /// The schema was written by a newer release.
    #[error("expected a schema of release {known} or older, found {found}; start a newer tongban")]
    SchemaNewer {
        /// The newest migration that this binary knows.
        known: i64,
        /// The migration that the database has.
        found: i64,
    },
    /// The settings name no usable database; the text says which setting and what is expected.
    #[error("{0}")]
    Settings(String),
    /// A change or row cannot be stored as given.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// Any other answer of the database: a defect of this program or of the schema.
    #[error("the database refused a statement: {0}")]
    Database(String),
}

/// Why a change cannot be queued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// More text than `CHANGE_BYTES_MAX`.
    #[error(
        "expected a change of at most {CHANGE_BYTES_MAX} bytes (4 MiB), large values apart, found {found}; `{table}` takes {most} of them"
    )]
    TooLarge {
        /// What the change takes.
        found: usize,
        /// The table whose rows take the most.
        table: &'static str,
        /// What they take.
        most: usize,
    },
    /// More text in blobs than `BLOB_BYTES_MAX`.
    #[error("expected large values of at most {BLOB_BYTES_MAX} bytes in one change, found {0}")]
    BlobsTooLarge(usize),
    /// A text that PostgreSQL cannot hold.
    #[error("expected text without NUL in `{0}`")]
    Nul(&'static str),
    /// A row of a running instance's own tables that belongs to another instance.
    #[error("expected rows of the changed instance only, found one of another instance in `{0}`")]
    Foreign(&'static str),
    /// Two writes of one record; they have to be merged first.
    #[error("expected one write of record `{0}`, found two")]
    RecordTwice(String),
    /// A new instance without its head row.
    #[error("expected the head row of each new instance")]
    HeadMissing,
}
