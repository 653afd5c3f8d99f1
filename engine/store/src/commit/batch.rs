//! A batch on its way: its members, what was decided about them, and what ends it without a commit.

use crate::change::Change;
use crate::db::{Bulk, DbError, Session, Statement};
use crate::error::StoreError;
use crate::outcome::{Outcome, Refusal};

/// The answer for one change.
pub(crate) type Answer = Result<Outcome, StoreError>;

/// What ends a transaction without a commit.
pub(super) enum Failure {
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
pub(super) struct Decided {
    pub outcomes: Vec<(usize, Outcome)>,
    /// Changes that must run again: their key's holder was in this commit, or had expired and is gone now.
    pub again: Vec<usize>,
}

/// A change of this commit, with its place in it.
pub(super) type Member<'a> = (usize, &'a Change);

/// Answers one change.
pub(super) fn set(answers: &mut [Option<Answer>], place: usize, answer: Answer) {
    if let Some(slot) = answers.get_mut(place) {
        *slot = Some(answer);
    }
}

/// A count that is not what the gate promised is a defect: everything is rolled back.
pub(super) fn expect(table: &str, expected: usize, found: u64) -> Result<(), Failure> {
    if u64::try_from(expected) == Ok(found) {
        return Ok(());
    }
    Err(DbError::other(format!(
        "expected to write {expected} rows of `{table}`, wrote {found}"
    ))
    .into())
}

pub(super) async fn counted(
    session: &mut Session,
    table: &str,
    statement: &'static Statement,
    rows: &Bulk<'_>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let done = session.execute(statement.call().rows(rows)).await?;
    expect(table, rows.len(), done)
}

/// What the database refuses of a change, with the id of its line in the log.
pub(super) fn refusal(code: String, cause: String) -> Refusal {
    let log_id = uuid::Uuid::now_v7().to_string();
    tracing::error!(log_id, code, cause, "the database refused a change");
    Refusal {
        log_id,
        code,
        cause,
    }
}
