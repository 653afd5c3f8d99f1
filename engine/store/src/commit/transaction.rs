//! One transaction from BEGIN to COMMIT.

use std::collections::HashSet;

use super::batch::{Decided, Failure, Member};
use super::gate::Struck;
use super::whole::{self, Whole};
use super::{apply, audit, gate, keys};
use crate::change::Change;
use crate::db::{Chain, Class, DbError, Session};
use crate::fault::{Fault, Point};
use crate::inner::Inner;
use crate::outcome::Outcome;

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
    let struck = gate::strike(store, members);
    let mut at_commit = AtCommit::new(store, &ids);
    let all = members.iter();
    decided.outcomes = all
        .map(|(place, change)| (*place, committed(change)))
        .collect();
    let head = match at_one_go(store, session, members, token, &struck, &mut at_commit).await? {
        Whole::Committed(head) => head,
        Whole::Not => {
            step_by_step(session, members, token, decided, &struck, &mut at_commit).await?
        }
    };
    if let Some(chain) = head {
        store.committers.chain_lives(&chain.id);
        session.chain = Some(chain);
    }
    Ok(())
}

/// On the guess that everybody wins.
async fn at_one_go(
    store: &Inner,
    session: &mut Session,
    members: &[Member<'_>],
    token: &str,
    struck: &Struck<'_>,
    at_commit: &mut AtCommit<'_>,
) -> Result<Whole, Failure> {
    let Some(prepared) = whole::prepare(session, members).filter(|_| struck.is_empty()) else {
        return Ok(Whole::Not);
    };
    let Some(script) = whole::script(members, token, &prepared) else {
        return Ok(Whole::Not);
    };
    let fault = at_commit.fault();
    match fault {
        // Not to send it is to lose it.
        Some(Fault::DropReply { committed: false }) => return Err(Failure::Unclear),
        Some(Fault::DropReply { committed: true }) | None => {}
        Some(other) => other.into_failure()?,
    }
    let whole = whole::run(store, session, script, prepared.head(), members.len() == 1).await?;
    match (&whole, fault) {
        (Whole::Committed(_), Some(Fault::DropReply { .. })) => Err(Failure::Unclear),
        _ => Ok(whole),
    }
}

/// Keys, gate, rows, audit, COMMIT; who loses is left out. Gives where the audit chain stands.
async fn step_by_step(
    session: &mut Session,
    members: &[Member<'_>],
    token: &str,
    decided: &mut Decided,
    struck: &Struck<'_>,
    at_commit: &mut AtCommit<'_>,
) -> Result<Option<Chain>, Failure> {
    session.begin().await?;
    let taken = keys::take(session, members, token).await?;
    let mut losers = taken.losers.clone();
    losers.extend(gate::pass(struck, session, members, &losers).await?);
    decided.again.clone_from(&taken.again);
    let lost = losers.iter().map(|(place, _)| *place);
    let out: HashSet<usize> = lost.chain(decided.again.iter().copied()).collect();
    let (left, winners): (Vec<Member<'_>>, Vec<Member<'_>>) =
        members.iter().partition(|(place, _)| out.contains(place));
    keys::release(session, &left, &taken).await?;
    apply::apply(session, &winners).await?;
    let head = audit::append(at_commit.store, session, &winners).await?;
    decided.outcomes = losers;
    decided.outcomes.extend(
        winners
            .iter()
            .map(|(place, change)| (*place, committed(change))),
    );
    commit_session(session, at_commit).await?;
    Ok(head)
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
    session: &mut Session,
    at_commit: &mut AtCommit<'_>,
) -> Result<(), Failure> {
    match at_commit.fault() {
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

/// What a test lets go wrong at COMMIT: asked once for each transaction, however it is committed.
struct AtCommit<'a> {
    store: &'a Inner,
    instances: &'a [&'a str],
    asked: Option<Option<Fault>>,
}

impl<'a> AtCommit<'a> {
    fn new(store: &'a Inner, instances: &'a [&'a str]) -> Self {
        Self {
            store,
            instances,
            asked: None,
        }
    }

    fn fault(&mut self) -> Option<Fault> {
        let instances = self.instances;
        *self
            .asked
            .get_or_insert_with(|| self.store.strike(Point::Commit { instances }))
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
