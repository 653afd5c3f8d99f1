//! Drives one batch to its end: again after a deadlock or an absence, halved after a refusal, settled when unclear.

use std::time::{Duration, Instant};

use super::batch::{Answer, Decided, Failure, Member, refusal, set};
use super::settle;
use super::transaction::transaction;
use crate::change::Change;
use crate::db::{Class, DbError};
use crate::error::StoreError;
use crate::inner::Inner;
use crate::outcome::Outcome;

/// How often a batch is tried again after a deadlock or a busy database.
const ATTEMPTS_MAX: u32 = 5;
/// How long a batch waits for a database that is away: a restart takes a second or two.
const ABSENCE_MAX: Duration = Duration::from_secs(10);
const ABSENCE_PAUSE: Duration = Duration::from_millis(100);

/// Runs one batch to its end, halving it where the database refuses; returns the changes that must run again.
pub(super) async fn run(
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
                    halve(batch, error, &mut stack, answers);
                    break;
                }
                Err(Trouble::Again(error)) => {
                    fail(answers, &batch, &error.into());
                    break;
                }
                Err(Trouble::Stopped(error)) => {
                    stop(&batch, &stack, &error, answers);
                    return again;
                }
            }
        }
    }
    again
}

/// A refused batch is halved until the bad change stands alone.
fn halve(
    mut batch: Vec<usize>,
    error: DbError,
    stack: &mut Vec<Vec<usize>>,
    answers: &mut [Option<Answer>],
) {
    if batch.len() > 1 {
        let half = batch.split_off(batch.len() / 2);
        stack.push(half);
        stack.push(batch);
    } else if let Some(place) = batch.first() {
        let refused = Outcome::Refused(refusal(error.code, error.text));
        set(answers, *place, Ok(refused));
    }
}

/// Nothing more is tried. What was not tried yet is known not to be committed.
fn stop(batch: &[usize], left: &[Vec<usize>], error: &StoreError, answers: &mut [Option<Answer>]) {
    let rest = match error {
        StoreError::Unclear => StoreError::Unavailable("an earlier commit is unclear".into()),
        other => other.clone(),
    };
    fail(answers, batch, error);
    left.iter().for_each(|batch| fail(answers, batch, &rest));
}

fn fail(answers: &mut [Option<Answer>], batch: &[usize], error: &StoreError) {
    batch
        .iter()
        .for_each(|place| set(answers, *place, Err(error.clone())));
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
        match transaction(store, &mut lease, members, &token, &mut decided).await {
            Ok(()) => {
                store.committed(members.iter().any(|(_, change)| change.leaves_due_rows()));
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
