//! The only place that names a database. Everything above says `Call`s of `Statement`s to a `Session`.
//!
//! The closed list of differences: opening and checking (`sqlite.rs`, `postgres.rs`), migrating, BEGIN, the lock
//! clause and the bulk forms (`statement.rs`, `bulk.rs`), the database's clock, classes of errors (`class.rs`),
//! wake-ups (`hint.rs`) and full text.

mod bulk;
mod call;
mod checkpoint;
mod class;
mod connection;
mod database;
mod hint;
mod postgres;
mod script;
mod session;
mod slots;
mod sqlite;
pub(crate) mod statement;

pub use bulk::Cell;
pub(crate) use bulk::{Bulk, Value};
pub(crate) use call::{Call, FromRows};
pub(crate) use checkpoint::Checkpointer;
pub(crate) use class::{Class, DbError};
pub(crate) use connection::Access;
pub(crate) use database::Database;
pub(crate) use hint::Hints;
pub use hint::Wakeups;
pub(crate) use script::{Part, Script, Scripts};
pub(crate) use session::{Chain, Ran, Session};
pub(crate) use slots::Slots;
pub(crate) use statement::statements;
pub use statement::{Kind, Mode, Statement};

/// The statements of this folder.
pub(crate) const STATEMENTS: &[&[(&str, &Statement)]] = &[session::STATEMENTS, hint::STATEMENTS];
