//! Running a lane: round after round while anything waits; an instance on which the engine fails is set aside.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use tongban_core::{Error, ErrorKind, Right};
use tongban_store::{Change, InboxRow, IncidentRow, StoreError, Wake, WakeGone};

use crate::error::RuntimeError;
use crate::lane::{Answer, Class, Input, Offered, Reply, What, answer_all};
use crate::node::{Kept, Node};
use crate::request::Operate;
use crate::rounds::{Round, Tries};

/// How long the timers of an instance rest on which the engine failed.
const PARKED_MS: i64 = 86_400_000;

/// How often the same inputs are tried against others' changes.
const ROUNDS: usize = 8;

/// Drops a lane whose runner is dropped in the middle, so that it does not stay busy for ever.
struct Runner<'n> {
    node: &'n Node,
    instance: &'n str,
    done: bool,
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.node.lanes.abandon(self.instance);
        }
    }
}

impl Node {
    /// Puts an input into the lane of an instance and sees that somebody runs it.
    pub(crate) async fn send(self: &Arc<Self>, instance: &str, input: Input) {
        if self.lanes.offer(instance, input) == Offered::Queued {
            return;
        }
        match &self.threads {
            Some(threads) => {
                let node = Arc::clone(self);
                let owned = instance.to_owned();
                if !threads.run(Box::pin(async move { node.run_lane(&owned).await })) {
                    self.lanes.abandon(instance);
                }
            }
            None => self.run_lane(instance).await,
        }
    }

    /// Runs a lane until nothing waits in it.
    async fn run_lane(self: &Arc<Self>, instance: &str) {
        let mut runner = Runner {
            node: self,
            instance,
            done: false,
        };
        loop {
            let inputs = self.lanes.take(instance);
            if inputs.is_empty() {
                break;
            }
            let wakes = inputs.iter().any(|input| matches!(input.what, What::Wake));
            let run = AssertUnwindSafe(self.run_inputs(instance, inputs)).catch_unwind();
            if run.await.is_err() {
                self.park(instance, wakes).await;
            }
        }
        runner.done = true;
    }

    /// A defect of ours in an activation: the instance is set aside for an operator, its neighbours go on.
    async fn park(&self, instance: &str, woken: bool) {
        tracing::error!(
            instance,
            "an activation ended in a panic; the instance is set aside"
        );
        let cause = "the engine failed on this instance; its log says where";
        self.set_aside(instance, woken, "defect", cause).await;
    }

    /// The instance waits for an operator: what woke it does not come again at once.
    pub(crate) async fn set_aside(&self, instance: &str, woken: bool, kind: &str, cause: &str) {
        self.forget(instance);
        self.poisoned(instance, kind, cause).await;
        if woken {
            let now_ms = self.clock.now_ms();
            let mut change = Change::without_instance(now_ms);
            change.add(Wake {
                instance_id: instance.to_owned(),
                ready_at_ms: now_ms + PARKED_MS,
            });
            if let Err(error) = self.commit(Class::Background, change).await {
                tracing::error!(instance, %error, "a defective instance could not be set aside");
            }
        }
    }

    async fn run_inputs(self: &Arc<Self>, instance: &str, mut inputs: Vec<Input>) {
        let mut tries = Tries::default();
        for round in 0..ROUNDS {
            tries.last = round + 2 >= ROUNDS;
            match self.run_round(instance, inputs, &mut tries).await {
                Round::Done => return,
                Round::Again(rest) => inputs = rest,
                Round::Locked(rest) => {
                    inputs = rest;
                    self.pause().await;
                }
            }
            tries.fresh = true;
        }
        // Background inputs go back to their rows, which come due again; people are told to try again.
        for input in inputs {
            input.answer(Err(RuntimeError::Busy { retry_after_s: 1 }));
        }
    }

    async fn pause(&self) {
        let millis = self.ids.between(2, 10);
        if self.threads.is_some() {
            self.clock.sleep(millis).await;
        }
    }

    /// The instance gets an incident by a change of its own that carries the cause, not the data.
    pub(crate) async fn poisoned(&self, instance: &str, kind: &str, cause: &str) {
        let now_ms = self.clock.now_ms();
        let mut change = Change::without_instance(now_ms);
        change.add(IncidentRow {
            // One instance has one such incident at a time, however often its inputs come again.
            id: format!("{kind}:{instance}"),
            instance_id: Some(instance.to_owned()),
            kind: kind.to_owned(),
            error: Error::new(ErrorKind::Runtime, cause).to_value().to_json(),
            at_ms: now_ms,
            closed_by: None,
            closed_at_ms: None,
        });
        if let Err(error) = self.commit(Class::Background, change).await {
            tracing::error!(instance, %error, "an incident could not be written");
        }
    }

    /// A failure counts only under the row's current token; an answer whose row is gone is late. The machine notes late
    /// answers itself, so only outdated failures are left out here.
    pub(crate) async fn without_void_answers(
        &self,
        instance: &str,
        inputs: Vec<Input>,
    ) -> Vec<Input> {
        let mut kept = Vec::with_capacity(inputs.len());
        for input in inputs {
            let outdated = match &input.what {
                What::Answer(Answer {
                    run_id,
                    token: Some(token),
                    result: Err(_),
                }) => {
                    let row = self.store.act(instance, run_id).await.ok().flatten();
                    row.is_some_and(|row| row.token.as_ref() != Some(token))
                }
                _ => false,
            };
            if outdated {
                input.answer(Ok(Reply::Done));
            } else {
                kept.push(input);
            }
        }
        kept
    }

    /// The instance does not run: people are told, rows that came too late are removed, and what revives it goes on.
    pub(crate) async fn take_ended(
        &self,
        instance: &str,
        inputs: Vec<Input>,
    ) -> Result<(Vec<Input>, Option<Arc<Kept>>), ()> {
        self.forget(instance);
        let known = match self.store.instance_head(instance).await {
            Ok(head) => head.is_some(),
            Err(error) => {
                answer_all(inputs, &RuntimeError::from(error));
                return Err(());
            }
        };
        let (reviving, rest): (Vec<Input>, Vec<Input>) =
            inputs.into_iter().partition(|input| revives(&input.what));
        for input in rest {
            let settled = self.lay_to_rest(instance, &input.what).await;
            if let Err(error) = settled {
                tracing::warn!(instance, %error, "a row of an ended instance could not be removed");
            }
            let error = if known {
                RuntimeError::Ended
            } else {
                RuntimeError::not_found("instance", instance)
            };
            input.answer(Err(error));
        }
        if reviving.is_empty() {
            return Ok((Vec::new(), None));
        }
        match self.load_ended(instance).await {
            Ok(Some(kept)) => Ok((reviving, Some(kept))),
            Ok(None) => {
                let error = if known {
                    RuntimeError::Unfit(
                        "the instance ended without leaving a state to go on from".to_owned(),
                    )
                } else {
                    RuntimeError::not_found("instance", instance)
                };
                for input in reviving {
                    let _ = self.lay_to_rest(instance, &input.what).await;
                    input.answer(Err(error.clone()));
                }
                Ok((Vec::new(), None))
            }
            Err(error) => {
                answer_all(reviving, &error);
                Err(())
            }
        }
    }

    async fn lay_to_rest(&self, instance: &str, what: &What) -> Result<(), StoreError> {
        match what {
            What::Inbox(told) => self.store.inbox_drop(instance, &told.id).await.map(|_| ()),
            What::Wake => {
                let mut change = Change::without_instance(self.clock.now_ms());
                change.add(WakeGone {
                    instance_id: instance.to_owned(),
                });
                self.commit(Class::Background, change).await.map(|_| ())
            }
            What::Answer(_) | What::Act { .. } | What::Operate { .. } | What::Refresh => Ok(()),
        }
    }

    /// The inbox's row as an input.
    pub(crate) fn told(row: InboxRow) -> Option<(String, Input)> {
        let body = match tongban_expr::Value::from_json(&row.body) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(instance = row.instance_id, id = row.id, %error, "a row of the inbox cannot be read");
                return None;
            }
        };
        let told = crate::lane::Told {
            id: row.id,
            kind: row.kind,
            body,
        };
        Some((row.instance_id, Input::background(What::Inbox(told))))
    }
}

/// Whether an input may set an ended instance running again.
fn revives(what: &What) -> bool {
    match what {
        What::Operate {
            operate: Operate::Jump(jump),
            ..
        } => matches!(jump.right, Right::Operator | Right::Revive),
        What::Inbox(told) => told.kind == "reopen",
        _ => false,
    }
}
