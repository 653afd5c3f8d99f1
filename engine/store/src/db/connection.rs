//! A connection to either database, and what is asked of it.

use super::checkpoint::Checkpointer;

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Transactions of many changes, and on SQLite all that writes.
    Commit,
    /// Single statements that claim or write, and reads.
    Write,
    Read,
}

/// A connection to either database.
#[derive(Debug)]
pub(crate) enum Connection {
    Postgres(sqlx::PgConnection),
    Sqlite(sqlx::SqliteConnection),
}

/// What `Database::prepare` leaves behind.
pub(crate) struct Prepared {
    /// The first session, with the schema in place.
    pub first: Connection,
    /// Held while the store is open.
    pub lock: Option<std::fs::File>,
    /// Told after commits; a second connection checkpoints.
    pub checkpoint: Option<Checkpointer>,
}
