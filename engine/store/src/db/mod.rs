//! The only place that names a database. Everything above says `Call`s of `Statement`s to a `Session`.
//!
//! The closed list of differences: opening and checking (`sqlite.rs`, `postgres.rs`), migrating, BEGIN, the lock
//! clause and the bulk forms (`statement.rs`, `bulk.rs`), the database's clock, classes of errors (`class.rs`),
//! wake-ups (`hint.rs`) and full text.

mod bulk;
mod call;
mod class;
mod hint;
mod postgres;
mod script;
mod session;
mod slots;
mod sqlite;
mod statement;

pub(crate) use bulk::{Bulk, Value};
pub(crate) use call::{Call, FromRows};
pub(crate) use class::{Class, DbError};
pub(crate) use hint::Hints;
pub use hint::Wakeups;
pub(crate) use script::{Part, Script, Scripts};
pub(crate) use session::{Ran, Session};
pub(crate) use slots::Slots;
pub(crate) use statement::statements;
pub use statement::{Kind, Statement};

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::error::StoreError;

/// The statements of this folder.
pub(crate) const STATEMENTS: &[&[(&str, &Statement)]] = &[session::STATEMENTS, hint::STATEMENTS];

/// Which of the two databases, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Postgres(Arc<sqlx::postgres::PgConnectOptions>),
    Sqlite(sqlite::Place),
}

impl Database {
    /// Reads a URL.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            postgres::parse(url).map(Self::Postgres)
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            Ok(Self::Sqlite(sqlite::Place::parse(path)))
        } else {
            let found = url.split(':').next().unwrap_or_default();
            Err(StoreError::Settings(format!(
                "expected a database url that begins with `sqlite:` or `postgres:`, found `{found}:`"
            )))
        }
    }

    /// Checks the server or library, migrates, and keeps what must be held while the store is open.
    pub async fn prepare(&self, beside: bool) -> Result<Prepared, StoreError> {
        match self {
            Self::Postgres(options) => postgres::prepare(options).await,
            Self::Sqlite(place) => sqlite::prepare(place, beside).await,
        }
    }

    /// Opens one more session.
    pub async fn open(
        &self,
        access: Access,
        statements: Arc<AtomicU64>,
    ) -> Result<Session, DbError> {
        let connection = match self {
            Self::Postgres(options) => Connection::Postgres(match access {
                Access::Commit => postgres::connect_committing(options).await?,
                Access::Write | Access::Read => postgres::connect(options).await?,
            }),
            Self::Sqlite(place) => Connection::Sqlite(place.connect(access).await?),
        };
        Ok(Session::new(connection, statements))
    }

    /// Whether all work goes through one connection.
    pub fn is_memory(&self) -> bool {
        matches!(self, Self::Sqlite(place) if place.is_memory())
    }

    /// Whether there can be only one writer.
    pub fn has_one_writer(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Where hints come from; a server of its own listens for those of other nodes.
    pub fn hints(&self) -> Hints {
        match self {
            Self::Postgres(options) => Hints::remote(options.clone()),
            Self::Sqlite(_) => Hints::local(),
        }
    }
}

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
    pub checkpoint: Option<sqlite::Checkpointer>,
}

pub(crate) use sqlite::Checkpointer;
