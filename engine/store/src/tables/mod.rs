//! One file per aggregate: its row structs, its statements and its reads side by side.

pub mod absence;
pub mod act;
pub mod audit;
pub mod bundle;
pub mod clock;
pub mod draft;
pub mod event;
pub mod inbox;
pub mod instance;
pub mod key;
pub mod mail;
pub mod operation;
pub(crate) mod order;
pub mod organisation;
pub mod party;
pub mod record;
pub mod schedule;
pub mod session;
pub mod state;
pub mod wake;
pub mod work_item;

use crate::write::Operation;

/// The statements of every file.
pub(crate) const STATEMENTS: &[&[(&str, &crate::db::Statement)]] = &[
    absence::STATEMENTS,
    act::STATEMENTS,
    audit::STATEMENTS,
    bundle::STATEMENTS,
    clock::STATEMENTS,
    draft::STATEMENTS,
    event::STATEMENTS,
    inbox::STATEMENTS,
    instance::STATEMENTS,
    key::STATEMENTS,
    mail::STATEMENTS,
    operation::STATEMENTS,
    organisation::STATEMENTS,
    record::STATEMENTS,
    schedule::STATEMENTS,
    session::STATEMENTS,
    state::STATEMENTS,
    wake::STATEMENTS,
    work_item::STATEMENTS,
];

/// The operations of every file.
pub(crate) const OPERATIONS: &[&[fn() -> &'static Operation]] = &[
    act::OPERATIONS,
    audit::OPERATIONS,
    bundle::OPERATIONS,
    clock::OPERATIONS,
    draft::OPERATIONS,
    event::OPERATIONS,
    inbox::OPERATIONS,
    instance::OPERATIONS,
    key::OPERATIONS,
    mail::OPERATIONS,
    operation::OPERATIONS,
    organisation::OPERATIONS,
    party::OPERATIONS,
    record::OPERATIONS,
    schedule::OPERATIONS,
    session::OPERATIONS,
    state::OPERATIONS,
    wake::OPERATIONS,
    work_item::OPERATIONS,
];
