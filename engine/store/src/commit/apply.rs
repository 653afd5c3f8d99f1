//! Step three: the rows of the winners, with their counts asserted.

use std::collections::HashSet;

use super::batch::{Failure, Member, expect};
use super::plan::{INBOX_TAKE, Step, Taking, inbox_rows, plan};
use super::records;
use crate::db::Session;
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
