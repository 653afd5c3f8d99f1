//! Step three: the rows of the winners, with their counts asserted.

use std::collections::HashSet;

use super::plan::{INBOX_TAKE, Step, Taking, inbox_rows, plan};
use super::{Failure, Member, records};
use crate::db::{Bulk, DbError, Session, Statement};
use crate::outcome::Outcome;

/// Writes all rows of the winners.
pub(super) async fn apply(session: &mut Session, winners: &[Member<'_>]) -> Result<(), Failure> {
    for step in plan(winners) {
        match step {
            Step::Rows(planned) => {
                let call = planned.statement.call().rows(&planned.rows);
                let done = session.execute(call).await?;
                if planned.counted {
                    expect(planned.table, planned.rows.len(), done)?;
                }
            }
            Step::Inbox(taking) => take_inbox(session, taking).await?,
            Step::Records => records::write(session, winners).await?,
        }
    }
    Ok(())
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

/// Consumes inbox rows. A row that is gone was consumed by another change of the instance: its taker has to look again.
async fn take_inbox(session: &mut Session, taking: Taking<'_>) -> Result<(), Failure> {
    let found: HashSet<(String, String)> = session
        .fetch(INBOX_TAKE.call().rows(&inbox_rows(&taking)))
        .await?
        .into_iter()
        .collect();
    let mut late: Vec<(usize, Outcome)> = Vec::new();
    for (instance, row, place) in taking {
        if found.contains(&(instance.to_owned(), row.to_owned())) {
            continue;
        }
        let known = late.iter_mut().find(|(loser, _)| *loser == place);
        match known {
            Some((_, Outcome::InputGone { inbox })) => inbox.push(row.to_owned()),
            _ => late.push((
                place,
                Outcome::InputGone {
                    inbox: vec![row.to_owned()],
                },
            )),
        }
    }
    if late.is_empty() {
        Ok(())
    } else {
        Err(Failure::Late(late))
    }
}
