//! A small batch at one go: everything from BEGIN to COMMIT goes to the database together, on the guess that all of it
//! wins. When the guess is wrong nothing was done, and the steps find out who lost and why.

use super::audit;
use super::batch::{Failure, Member};
use super::gate::{GATE_HOLDS, gate_rows};
use super::keys::{KEY_PUT, KEYS_FREE, key_rows};
use super::plan::{INBOX_TAKE, Planned, Step, inbox_rows, plan};
use crate::db::{Chain, Class, Part, Ran, Script, Session};
use crate::inner::Inner;
use crate::tables::audit::AuditRow;
use crate::write::{Cell, Mode, Operation, Write as _};

/// Above this the crossings no longer count, and the guess is wrong too often.
const CHANGES_MAX: usize = 16;

/// What became of a batch that was tried at one go.
pub(super) enum Whole {
    /// All of it is committed; the audit chain stands here.
    Committed(Option<Chain>),
    /// Nothing of it is done: step by step.
    Not,
}

/// Rows that the script borrows.
pub(super) struct Prepared {
    audit: Vec<Vec<Cell>>,
    head: Option<Chain>,
}

/// Computes the audit rows; `None` when the connection has no chain yet, which takes steps of its own.
pub(super) fn prepare(session: &Session, members: &[Member<'_>]) -> Option<Prepared> {
    let mut entries = members
        .iter()
        .flat_map(|(_, change)| &change.audit)
        .peekable();
    if entries.peek().is_none() {
        return Some(Prepared {
            audit: Vec::new(),
            head: None,
        });
    }
    let mut chain = session.chain.clone()?;
    let audit = entries.map(|entry| chain.link(entry)).collect();
    Some(Prepared {
        audit,
        head: Some(chain),
    })
}

/// The batch as a script; `None` when it cannot be one.
pub(super) fn script<'a>(
    members: &[Member<'a>],
    token: &'a str,
    prepared: &'a Prepared,
) -> Option<Script<'a>> {
    if members.len() > CHANGES_MAX {
        return None;
    }
    let mut parts = Vec::new();
    let gated = gate_rows(members);
    if !gated.is_empty() {
        parts.push(Part {
            rows: gated,
            condition: Some(&GATE_HOLDS),
            write: None,
            counted: false,
        });
    }
    parts.push(Part {
        rows: key_rows(members, token)?,
        condition: Some(&KEYS_FREE),
        write: Some(&KEY_PUT),
        counted: false,
    });
    let steps = plan(members);
    if !is_told_apart(&steps, members) {
        return None;
    }
    for step in steps {
        parts.push(match step {
            Step::Rows(planned) => planned.into_part(),
            Step::Inbox(taking) => Part {
                rows: inbox_rows(&taking),
                condition: None,
                write: Some(&INBOX_TAKE),
                counted: true,
            },
            Step::Records => return None,
        });
    }
    if !prepared.audit.is_empty() {
        parts.push(Part {
            rows: audit::rows(&prepared.audit),
            condition: None,
            write: Some(&AuditRow::operation().statement),
            counted: false,
        });
    }
    Some(Script { parts })
}

/// Sends the script.
pub(super) async fn run(
    store: &Inner,
    session: &mut Session,
    script: Script<'_>,
    head: Option<Chain>,
    fresh: bool,
) -> Result<Whole, Failure> {
    let Some(text) = store.scripts.text(&script, fresh) else {
        return Ok(Whole::Not);
    };
    match session.run(&script, &text).await {
        Ok(Ran::Committed) => Ok(Whole::Committed(head)),
        Ok(Ran::Not) => Ok(Whole::Not),
        Ok(Ran::Unclear) => Err(Failure::Unclear),
        Err(error) if error.class == Class::Connection => Err(Failure::Unclear),
        Err(error) => Err(error.into()),
    }
}

impl Prepared {
    /// Where the chain stands once the audit rows are committed.
    pub fn head(&self) -> Option<Chain> {
        self.head.clone()
    }
}

impl<'a> Planned<'a> {
    fn into_part(self) -> Part<'a> {
        Part {
            rows: self.rows,
            condition: None,
            write: Some(self.statement),
            // An insert that does not fail has written every row, and the states are those that the gate has seen.
            counted: self
                .told_apart
                .is_some_and(|(operation, _)| operation.mode == Mode::Update),
        }
    }
}

/// Whether no row is written by two parts: within one statement of PostgreSQL neither would see the other.
fn is_told_apart(steps: &[Step<'_>], members: &[Member<'_>]) -> bool {
    let mut before: Vec<(&Operation, &[&[Cell]])> = Vec::new();
    for step in steps {
        let Step::Rows(Planned {
            told_apart: Some((operation, rows)),
            ..
        }) = step
        else {
            continue;
        };
        let keys = operation.table == "key" && touches_keys(operation, rows, members);
        let same_table = |other: &&(&Operation, &[&[Cell]])| other.0.table == operation.table;
        let touched = before
            .iter()
            .filter(same_table)
            .any(|(other, others)| touch(operation, rows, other, others));
        if keys || touched {
            return false;
        }
        before.push((operation, rows));
    }
    true
}

/// Whether two operations may meet in a row: equal in all the key columns that both name.
fn touch(left: &Operation, lefts: &[&[Cell]], right: &Operation, rights: &[&[Cell]]) -> bool {
    let place = |operation: &Operation, name: &str| {
        operation
            .columns
            .iter()
            .position(|(column, _)| *column == name)
    };
    let shared: Vec<(usize, usize)> = left
        .key
        .iter()
        .filter(|name| right.key.contains(name))
        .filter_map(|name| Some((place(left, name)?, place(right, name)?)))
        .collect();
    lefts.iter().any(|one| {
        rights.iter().any(|other| {
            shared
                .iter()
                .all(|(here, there)| one.get(*here) == other.get(*there))
        })
    })
}

/// Whether rows of the table `key` are written that a change of the batch takes as well.
fn touches_keys(operation: &Operation, rows: &[&[Cell]], members: &[Member<'_>]) -> bool {
    let text = |row: &[Cell], place: usize| match row.get(place) {
        Some(Cell::Text(Some(text))) => text.clone(),
        _ => String::new(),
    };
    let [scope, value] = *operation.key_places() else {
        return true;
    };
    members
        .iter()
        .flat_map(|(_, change)| &change.keys)
        .any(|key| {
            rows.iter()
                .any(|row| text(row, scope) == key.scope && text(row, value) == key.value)
        })
}
