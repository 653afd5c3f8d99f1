//! The commit protocol: many changes, one transaction, an answer for each.
//!
//! One round: keys, gate, apply, audit, COMMIT, of a small batch all at one go (`whole.rs`). A change that loses is left out and its neighbours commit. A batch that
//! the database refuses is halved until the bad change stands alone. A COMMIT without an answer is settled by the
//! batch's token. Lock order (INVARIANT): keys sorted and waiting; instances sorted, skipping; records sorted,
//! skipping; then only rows of gated instances and fresh inserts, table by table in one order. Hence no cycle.

mod apply;
mod audit;
mod batch;
mod drive;
mod gate;
mod keys;
mod plan;
mod records;
mod settle;
mod transaction;
mod whole;

use std::collections::HashSet;

use batch::{Answer, refusal, set};

use crate::change::Change;
use crate::error::StoreError;
use crate::inner::Inner;
use crate::outcome::{Lost, Outcome};
use crate::store::Store;

pub(crate) use audit::seal as audit_seal;

pub(crate) const STATEMENTS: &[&[(&str, &crate::db::Statement)]] = &[
    audit::STATEMENTS,
    gate::STATEMENTS,
    keys::STATEMENTS,
    plan::STATEMENTS,
    records::STATEMENTS,
];

/// How often a change waits for another of the same commit, or for an expired holder to go.
const ROUNDS_MAX: u32 = 8;

impl Store {
    /// Commits many changes in as few transactions as can be and answers each in its place.
    ///
    /// An `Err` in a place means that this change is not known to be durable; the others stand as answered. The future
    /// may be dropped: what was not committed is rolled back, what was committed stays.
    pub async fn commit(&self, changes: Vec<Change>) -> Vec<Answer> {
        commit(&self.inner, &changes).await
    }

    /// Commits one change.
    ///
    /// # Errors
    /// As `StoreError` says.
    pub async fn commit_one(&self, change: Change) -> Answer {
        let mut answers = self.commit(vec![change]).await;
        answers.pop().unwrap_or(Err(StoreError::Unclear))
    }
}

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
    note(store, &answers);
    answers
}

/// Notes whether the database takes what is written.
fn note(store: &Inner, answers: &[Answer]) {
    let committed = |answer: &Answer| matches!(answer, Ok(Outcome::Committed { .. }));
    let full = |answer: &Answer| matches!(answer, Err(StoreError::Resource(_)));
    if answers.iter().any(committed) {
        store.note(true);
    } else if answers.iter().any(full) {
        store.note(false);
    }
}

fn at<T>(list: &[Option<T>], place: usize) -> Option<&T> {
    list.get(place).and_then(Option::as_ref)
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
