//! The commit protocol: many changes, one transaction, an answer for each.
//!
//! One round: keys, gate, apply, audit, COMMIT. A change that loses is left out and its neighbours commit. A batch that
//! the database refuses is halved until the bad change stands alone. A COMMIT without an answer is settled by the
//! batch's token. Lock order (INVARIANT): keys sorted and waiting; instances sorted, skipping; records sorted,
//! skipping; then only rows of gated instances and fresh inserts, table by table in one order. Hence no cycle.

mod apply;
mod audit;
mod gate;
mod keys;
mod settle;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::change::{Base, Change};
use crate::db::{Class, DbError, Session};
use crate::error::StoreError;
use crate::fault::{Fault, Point};
use crate::outcome::{Lost, Outcome, Refusal};
use crate::store::Inner;

pub(crate) use audit::{Chain, genesis as audit_genesis, hash as audit_hash};

pub(crate) const STATEMENTS: &[&[(&str, &crate::db::Statement)]] = &[
    apply::STATEMENTS,
    audit::STATEMENTS,
    gate::STATEMENTS,
    keys::STATEMENTS,
];

/// How often a batch is tried again after a deadlock or a busy database.
const ATTEMPTS_MAX: u32 = 5;
/// How long a batch waits for a database that is away: a restart takes a second or two.
const ABSENCE_MAX: Duration = Duration::from_secs(10);
const ABSENCE_PAUSE: Duration = Duration::from_millis(100);
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
        let (batch, mut later) = separate(changes, &pending, &mut answers);
        later.extend(run(store, changes, batch, &mut answers).await);
        later.sort_unstable();
        pending = later;
    }
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or(Ok(Outcome::Locked)))
        .collect()
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

/// Splits off the changes that must not meet an earlier one in the same transaction: a second change of an instance
/// has lost already, a second taker of a key waits for the first to be committed.
fn separate(
    changes: &[Change],
    pending: &[usize],
    answers: &mut [Option<Answer>],
) -> (Vec<usize>, Vec<usize>) {
    let (mut instances, mut keys) = (HashSet::new(), HashSet::new());
    let (mut batch, mut later) = (Vec::new(), Vec::new());
    for place in pending.iter().copied() {
        let Some(change) = changes.get(place) else {
            continue;
        };
        if let Some(instance) = &change.instance
            && !instances.insert(instance.id.as_str())
        {
            let current = None;
            set(
                answers,
                place,
                Ok(Outcome::Lost(Lost::Instance { current })),
            );
            continue;
        }
        let names = || {
            change
                .keys
                .iter()
                .map(|key| (key.scope.as_str(), key.value.as_str()))
        };
        if names().any(|name| keys.contains(&name)) {
            later.push(place);
        } else {
            keys.extend(names());
            batch.push(place);
        }
    }
    (batch, later)
}

/// Runs one batch to its end, halving it where the database refuses; returns the changes that must run again.
async fn run(
    store: &Inner,
    changes: &[Change],
    batch: Vec<usize>,
    answers: &mut [Option<Answer>],
) -> Vec<usize> {
    let mut again = Vec::new();
    let mut stack = vec![batch];
    while let Some(mut batch) = stack.pop() {
        let mut patience = Patience {
            attempts: 0,
            since: Instant::now(),
        };
        while !batch.is_empty() {
            let members: Vec<Member<'_>> = batch
                .iter()
                .filter_map(|place| changes.get(*place).map(|change| (*place, change)))
                .collect();
            match attempt(store, &members).await {
                Ok(decided) => {
                    decided
                        .outcomes
                        .into_iter()
                        .for_each(|(place, outcome)| set(answers, place, Ok(outcome)));
                    again.extend(decided.again);
                    break;
                }
                Err(Trouble::Late(losers)) => {
                    batch.retain(|place| !losers.iter().any(|(loser, _)| loser == place));
                    losers
                        .into_iter()
                        .for_each(|(place, outcome)| set(answers, place, Ok(outcome)));
                }
                Err(Trouble::Again(error)) if patience.lasts(&error) => {
                    tracing::debug!(
                        code = error.code,
                        error = error.text,
                        "the batch runs again"
                    );
                    patience.pause(&error).await;
                }
                Err(Trouble::Refused(error)) => {
                    if batch.len() > 1 {
                        let half = batch.split_off(batch.len() / 2);
                        stack.push(half);
                        stack.push(batch);
                    } else if let Some(place) = batch.first() {
                        set(
                            answers,
                            *place,
                            Ok(Outcome::Refused(refusal(error.code, error.text))),
                        );
                    }
                    break;
                }
                Err(Trouble::Again(error)) => {
                    for place in &batch {
                        set(answers, *place, Err(error.clone().into()));
                    }
                    break;
                }
                Err(Trouble::Stopped(error)) => {
                    for place in batch.iter().chain(stack.iter().flatten()) {
                        set(answers, *place, Err(error.clone()));
                    }
                    return again;
                }
            }
        }
    }
    again
}

/// How long a batch is tried again.
struct Patience {
    attempts: u32,
    since: Instant,
}

impl Patience {
    fn lasts(&self, error: &DbError) -> bool {
        match error.class {
            Class::Connection => self.since.elapsed() < ABSENCE_MAX,
            _ => self.attempts < ATTEMPTS_MAX,
        }
    }

    async fn pause(&mut self, error: &DbError) {
        self.attempts += 1;
        let pause = match error.class {
            Class::Connection if self.attempts > 1 => ABSENCE_PAUSE,
            _ => Duration::from_millis(u64::from(self.attempts.pow(2))),
        };
        tokio::time::sleep(pause).await;
    }
}

/// What the driver of a batch has to do after a failed attempt.
enum Trouble {
    Late(Vec<(usize, Outcome)>),
    Again(DbError),
    Refused(DbError),
    Stopped(StoreError),
}

async fn attempt(store: &Inner, members: &[Member<'_>]) -> Result<Decided, Trouble> {
    let token = uuid::Uuid::now_v7().to_string();
    let mut decided = Decided::default();
    let failure = {
        let mut lease = store.committers.lease().await.map_err(trouble)?;
        let lost = store.committers.lost_chains();
        match transaction(store, &mut lease, members, &token, lost, &mut decided).await {
            Ok(()) => {
                store
                    .committed(&mut lease, members.iter().map(|(_, change)| *change))
                    .await;
                return Ok(decided);
            }
            Err(Failure::Unclear) => {
                lease.break_off();
                Failure::Unclear
            }
            Err(failure) => {
                // A failed ROLLBACK breaks the session; PostgreSQL then rolls back by itself.
                if let Err(error) = lease.rollback().await {
                    tracing::debug!(error = error.text, "a transaction could not be rolled back");
                }
                failure
            }
        }
    };
    match failure {
        Failure::Late(losers) if losers.is_empty() => {
            Err(Trouble::Refused(DbError::other("a change lost to itself")))
        }
        Failure::Late(losers) => Err(Trouble::Late(losers)),
        Failure::Database(error) => {
            if error.class == Class::Connection {
                store.committers.forget_idle();
            }
            Err(trouble(error))
        }
        Failure::Unclear => match settle::settle(store, &token).await {
            Ok(true) => Ok(decided),
            Ok(false) => Err(Trouble::Again(DbError::connection(
                "the commit did not happen",
            ))),
            Err(error) => Err(Trouble::Stopped(error)),
        },
    }
}

fn trouble(error: DbError) -> Trouble {
    match error.class {
        Class::Transient | Class::Connection => Trouble::Again(error),
        Class::Resource => Trouble::Stopped(error.into()),
        Class::Other => Trouble::Refused(error),
    }
}

/// One transaction. `decided` holds only when it returns `Ok`, or `Unclear` that is settled as committed.
async fn transaction(
    store: &Inner,
    session: &mut Session,
    members: &[Member<'_>],
    token: &str,
    lost_chains: Vec<Chain>,
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
    let mut losers = taken.losers;
    losers.extend(gate::pass(store, session, members, &losers).await?);
    decided.again = taken.again;
    let out = |place: usize, again: &[usize], losers: &[(usize, Outcome)]| {
        again.contains(&place) || losers.iter().any(|(loser, _)| *loser == place)
    };
    let (left, winners): (Vec<Member<'_>>, Vec<Member<'_>>) = members
        .iter()
        .partition(|(place, _)| out(*place, &decided.again, &losers));
    keys::release(session, &left, &taken.won).await?;
    apply::apply(session, &winners).await?;
    let head = audit::append(store, session, &winners, lost_chains).await?;
    decided.outcomes = losers;
    decided.outcomes.extend(
        winners
            .iter()
            .map(|(place, change)| (*place, committed(change))),
    );
    commit_session(store, session, &ids).await?;
    if let Some(chain) = head {
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

fn refusal(code: String, cause: String) -> Refusal {
    let log_id = uuid::Uuid::now_v7().to_string();
    tracing::error!(log_id, code, cause, "the database refused a change");
    Refusal {
        log_id,
        code,
        cause,
    }
}

/// The instances whose versions the batch must gate, sorted.
fn gated<'a>(members: &[Member<'a>]) -> Vec<(&'a str, i64, usize)> {
    let mut list: Vec<(&str, i64, usize)> = members
        .iter()
        .filter_map(|(place, change)| {
            let instance = change.instance.as_ref()?;
            match instance.base {
                Base::Running(version) => Some((instance.id.as_str(), version, *place)),
                Base::New | Base::Ended(_) => None,
            }
        })
        .collect();
    list.sort_unstable();
    list
}
