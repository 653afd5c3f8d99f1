//! The store's conformance: every case runs on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod audit;
mod batches;
mod births;
mod claims;
mod committer;
mod faults;
mod lists;
mod notices;
mod protocol;
mod records;
mod rest;
mod schema;
mod statements;
mod support;
mod together;
