//! One transaction from BEGIN to COMMIT.

use std::collections::HashSet;

use super::{Decided, Failure, Member, apply, audit, gate, keys};
use crate::change::Change;
use crate::db::{Class, DbError, Session};
use crate::fault::{Fault, Point};
use crate::outcome::Outcome;
use crate::store::Inner;

/// One transaction. `decided` holds only when it returns `Ok`, or `Unclear` that is settled as committed.
pub(super) async fn transaction(
    store: &Inner,
    session: &mut Session,
    members: &[Member<'_>],
    token: &str,
    decided: &mut Decided,
) -> Result<(), Failure> {
    *decided = Decided::default();
    let ids: Vec<&str> = members
        .iter()
        .filter_map(|(_, change)| change.instance_id())
        .collect();
    store
        .strike(Point::Begin { instances: &ids })
        .map_or(Ok(()), Fault::into_failure)?;
    session.begin().await?;
    let taken = keys::take(session, members, token).await?;
    let mut losers = taken.losers.clone();
    losers.extend(gate::pass(store, session, members, &losers).await?);
    decided.again.clone_from(&taken.again);
    let lost = losers.iter().map(|(place, _)| *place);
    let out: HashSet<usize> = lost.chain(decided.again.iter().copied()).collect();
    let (left, winners): (Vec<Member<'_>>, Vec<Member<'_>>) =
        members.iter().partition(|(place, _)| out.contains(place));
    keys::release(session, &left, &taken).await?;
    apply::apply(session, &winners).await?;
    let head = audit::append(store, session, &winners).await?;
    decided.outcomes = losers;
    decided.outcomes.extend(
        winners
            .iter()
            .map(|(place, change)| (*place, committed(change))),
    );
    commit_session(store, session, &ids).await?;
    if let Some(chain) = head {
        store.committers.chain_lives(&chain.id);
        session.chain = Some(chain);
    }
    Ok(())
}

fn committed(change: &Change) -> Outcome {
    Outcome::Committed {
        version: change
            .instance
            .as_ref()
            .map_or(0, |instance| instance.base.next()),
    }
}

/// COMMIT, whose lost answer is the one thing that cannot be told from the outside.
async fn commit_session(
    store: &Inner,
    session: &mut Session,
    instances: &[&str],
) -> Result<(), Failure> {
    match store.strike(Point::Commit { instances }) {
        Some(Fault::DropReply { committed }) => {
            let done = if committed {
                session.commit().await
            } else {
                session.rollback().await
            };
            done?;
            return Err(Failure::Unclear);
        }
        Some(fault) => fault.into_failure()?,
        None => {}
    }
    match session.commit().await {
        Ok(()) => Ok(()),
        Err(error) if matches!(error.class, Class::Connection | Class::Resource) => {
            Err(Failure::Unclear)
        }
        Err(error) => Err(error.into()),
    }
}

impl Fault {
    fn into_failure(self) -> Result<(), Failure> {
        let (class, code) = match self {
            Fault::Transient => (Class::Transient, "injected: transient"),
            Fault::Connection => (Class::Connection, "injected: connection"),
            Fault::Resource => (Class::Resource, "injected: resource"),
            Fault::Lose | Fault::Lock | Fault::DropReply { .. } => return Ok(()),
        };
        Err(Failure::Database(DbError {
            class,
            code: code.into(),
            text: code.into(),
        }))
    }
}
