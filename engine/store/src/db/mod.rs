//! The only place that names a database. Everything above says `Call`s of `Statement`s to a `Conn`.
//!
//! The closed list of differences: opening and checking (`sqlite.rs`, `postgres.rs`), migrating, BEGIN, the lock
//! clause and the bulk forms (`statement.rs`, `bulk.rs`), the database's clock, classes of errors (`class.rs`),
//! wake-ups and full text.

mod bulk;
mod statement;

pub(crate) use bulk::{Bulk, Value};
pub use statement::{Kind, Statement};
pub(crate) use statement::statements;
