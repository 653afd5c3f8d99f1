//! The commit protocol: many changes, one transaction, an answer for each.
//!
//! One round: keys, gate, apply, audit, COMMIT, of a small batch all at one go (`whole.rs`). A change that loses is left out and its neighbours commit. A batch that
//! the database refuses is halved until the bad change stands alone. A COMMIT without an answer is settled by the
//! batch's token. Lock order (INVARIANT): keys sorted and waiting; instances sorted, skipping; records sorted,
//! skipping; then only rows of gated instances and fresh inserts, table by table in one order. Hence no cycle.

mod apply;
mod audit;
mod drive;
mod gate;
mod keys;
mod plan;
mod records;
mod settle;
mod transaction;
mod whole;

use std::collections::HashSet;

use crate::change::Change;
use crate::db::DbError;
use crate::error::StoreError;
use crate::outcome::{Lost, Outcome, Refusal};
use crate::store::Inner;

pub(crate) use audit::{Chain, genesis as audit_genesis, hash as audit_hash, seal as audit_seal};

pub(crate) const STATEMENTS: &[&[(&str, &crate::db::Statement)]] = &[
    audit::STATEMENTS,
    gate::STATEMENTS,
    keys::STATEMENTS,
    plan::STATEMENTS,
    records::STATEMENTS,
];

/// How often a change waits for another of the same commit, or for an expired holder to go.
const ROUNDS_MAX: u32 = 8;

/// The answer for one change.
pub(crate) type Answer = Result<Outcome, StoreError>;

/// What ends a transaction without a commit.
enum Failure {
    /// These changes turned out to lose only while their rows were written.
    Late(Vec<(usize, Outcome)>),
    Database(DbError),
    /// COMMIT was sent and not answered.
    Unclear,
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Failure::Database(error)
    }
}

/// What a transaction decided about its changes.
#[derive(Default)]
struct Decided {
    outcomes: Vec<(usize, Outcome)>,
    /// Changes that must run again: their key's holder was in this commit, or had expired and is gone now.
    again: Vec<usize>,
}

/// A change of this commit, with its place in it.
type Member<'a> = (usize, &'a Change);

/// Commits the changes and answers each in its place.
pub(crate) async fn commit(store: &Inner, changes: &[Change]) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = changes.iter().map(check).collect();
    let mut pending: Vec<usize> = (0..changes.len())
        .filter(|place| at(&answers, *place).is_none())
        .collect();
    for _ in 0..ROUNDS_MAX {
        if pending.is_empty() {
            break;
        }
        let batch = first_of_each(changes, &pending, &mut answers);
        pending = drive::run(store, changes, batch, &mut answers).await;
        pending.sort_unstable();
    }
    let answers: Vec<Answer> = answers
        .into_iter()
        .map(|answer| answer.unwrap_or(Ok(Outcome::Locked)))
        .collect();
    store.note(&answers);
    answers
}

fn at<T>(list: &[Option<T>], place: usize) -> Option<&T> {
    list.get(place).and_then(Option::as_ref)
}

fn set(answers: &mut [Option<Answer>], place: usize, answer: Answer) {
    if let Some(slot) = answers.get_mut(place) {
        *slot = Some(answer);
    }
}

fn check(change: &Change) -> Option<Answer> {
    let error = change.check().err()?;
    Some(Ok(Outcome::Refused(refusal(
        "change".into(),
        error.to_string(),
    ))))
}

/// Leaves out a second change of one instance: it has lost already.
fn first_of_each(
    changes: &[Change],
    pending: &[usize],
    answers: &mut [Option<Answer>],
) -> Vec<usize> {
    let mut instances = HashSet::new();
    let mut batch = Vec::new();
    for place in pending.iter().copied() {
        let id = changes.get(place).and_then(Change::instance_id);
        if id.is_none_or(|id| instances.insert(id)) {
            batch.push(place);
        } else {
            set(
                answers,
                place,
                Ok(Outcome::Lost(Lost::Instance { current: None })),
            );
        }
    }
    batch
}

fn refusal(code: String, cause: String) -> Refusal {
    let log_id = uuid::Uuid::now_v7().to_string();
    tracing::error!(log_id, code, cause, "the database refused a change");
    Refusal {
        log_id,
        code,
        cause,
    }
}
