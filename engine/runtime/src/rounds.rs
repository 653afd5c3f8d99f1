//! One round of a lane: what waits is applied to the state, the change is handed over, and who waits is answered, or
//! the same inputs come again because another change was first.

use std::sync::Arc;

use tongban_store::{Base, Lost, Outcome, Refusal, StoreError};

use crate::activation::{Activation, Barred};
use crate::change::{Before, Handover};
use crate::error::RuntimeError;
use crate::lane::{Class, Input, Reply, What, answer_all};
use crate::node::{Kept, Node};
use crate::state::State;

/// What a round came to.
pub(crate) enum Round {
    /// Everybody has been answered.
    Done,
    /// The same inputs again, on a state read from the database.
    Again(Vec<Input>),
    /// The same after a moment.
    Locked(Vec<Input>),
}

/// What the rounds before have shown.
#[derive(Default)]
pub(crate) struct Tries {
    /// The state is read anew.
    pub fresh: bool,
    /// What was lost too often to be tried again.
    pub barred: Vec<Barred>,
    /// A record that is lost once more is barred.
    pub last: bool,
}

impl Tries {
    /// Bars a business key that another instance has; false when one was barred before.
    fn bar_business(&mut self, key: &str, instance: &str) -> bool {
        let mut barred = self.barred.iter();
        if barred.any(|known| matches!(known, Barred::Business { .. })) {
            return false;
        }
        self.barred.push(Barred::Business {
            key: key.to_owned(),
            instance: instance.to_owned(),
        });
        true
    }
}

/// The state on which a round rests.
struct Standing {
    kept: Arc<Kept>,
    /// The instance ended with it, and is revived.
    ended: bool,
    /// It was read after the inputs came.
    is_fresh: bool,
}

type Answers = Vec<Result<Reply, RuntimeError>>;

impl Standing {
    fn before(&self) -> Before {
        if self.ended {
            Before::ended(&self.kept.state)
        } else {
            Before::of(&self.kept.state)
        }
    }

    fn base(&self) -> Base {
        if self.ended {
            Base::Ended(self.kept.version)
        } else {
            Base::Running(self.kept.version)
        }
    }
}

impl Node {
    pub(crate) async fn run_round(
        self: &Arc<Self>,
        instance: &str,
        mut inputs: Vec<Input>,
        tries: &mut Tries,
    ) -> Round {
        let cached = if tries.fresh {
            None
        } else {
            self.cached(instance)
        };
        let is_fresh = cached.is_none();
        let kept = match cached {
            Some(kept) => Ok(Some(kept)),
            None => self.load(instance).await,
        };
        let (kept, ended) = match kept {
            Ok(Some(kept)) => (kept, false),
            Ok(None) => match self.take_ended(instance, inputs).await {
                Ok((rest, Some(kept))) => {
                    inputs = rest;
                    (kept, true)
                }
                Ok((_, None)) => return Round::Done,
                Err(()) => return Round::Done,
            },
            Err(error) => {
                answer_all(inputs, &error);
                return Round::Done;
            }
        };
        inputs = self.without_void_answers(instance, inputs).await;
        if inputs.is_empty() {
            return Round::Done;
        }
        let standing = Standing {
            kept,
            ended,
            is_fresh,
        };
        self.activate(instance, inputs, &standing, tries).await
    }

    async fn activate(
        self: &Arc<Self>,
        instance: &str,
        inputs: Vec<Input>,
        standing: &Standing,
        tries: &mut Tries,
    ) -> Round {
        let ready = match self
            .bundles
            .get(self, &standing.kept.state.head.bundle)
            .await
        {
            Ok(ready) => ready,
            Err(error) => {
                answer_all(inputs, &error);
                return Round::Done;
            }
        };
        let before = standing.before();
        let state = (*standing.kept.state).clone();
        let mut activation = Activation::new(self, ready, state, standing.base(), &tries.barred);
        let only = inputs.len() == 1;
        let mut answers = Vec::with_capacity(inputs.len());
        for input in &inputs {
            let answer = activation.apply(&input.what, only).await;
            if answer.is_err() && !standing.is_fresh {
                // A refusal counts only on a state that was read after the request came.
                self.forget(instance);
                return Round::Again(inputs);
            }
            answers.push(answer);
        }
        if answers.iter().all(Result::is_err)
            || is_idle_refresh(&inputs, &activation, &standing.kept.state)
        {
            give(inputs, answers);
            return Round::Done;
        }
        let handover = activation.into_handover(&before);
        if let Some(error) = handover.outgrown(&inputs) {
            self.forget(instance);
            answer_all(inputs, &error);
            return Round::Done;
        }
        self.hand_over(instance, inputs, answers, handover, tries)
            .await
    }

    /// Commits the change and answers.
    async fn hand_over(
        self: &Arc<Self>,
        instance: &str,
        inputs: Vec<Input>,
        answers: Answers,
        handover: Handover,
        tries: &mut Tries,
    ) -> Round {
        let class = if inputs.iter().any(|input| input.class == Class::People) {
            Class::People
        } else {
            Class::Background
        };
        match self.commit_here(class, handover.change).await {
            Ok(Outcome::Committed { version }) => {
                match handover.next {
                    Some(state) => self.keep(instance, version, state, handover.bytes),
                    None => self.forget(instance),
                }
                give(inputs, answers);
                // Whoever waits has the answer before this node's jobs are called.
                self.hand(handover.handed);
                Round::Done
            }
            Ok(outcome) => {
                self.forget(instance);
                self.lost(instance, inputs, outcome, tries).await
            }
            Err(error) => {
                self.forget(instance);
                tracing::warn!(instance, %error, "a change could not be committed");
                if let StoreError::Change(refused) = &error {
                    // The same inputs would come to the same change again.
                    let wakes = inputs.iter().any(|input| matches!(input.what, What::Wake));
                    let cause = format!("the change of this activation was refused: {refused}");
                    self.set_aside(instance, wakes, "refused", &cause).await;
                }
                answer_all(inputs, &RuntimeError::from(error));
                Round::Done
            }
        }
    }

    async fn lost(
        self: &Arc<Self>,
        instance: &str,
        mut inputs: Vec<Input>,
        outcome: Outcome,
        tries: &mut Tries,
    ) -> Round {
        match outcome {
            Outcome::Committed { .. } => Round::Done,
            Outcome::Locked => Round::Locked(inputs),
            Outcome::Lost(Lost::Record { register, id, .. }) => {
                if tries.last {
                    tries.barred.push(Barred::Record { register, id });
                }
                Round::Again(inputs)
            }
            Outcome::Lost(Lost::Instance { .. }) => Round::Again(inputs),
            Outcome::RecordKeyTaken {
                register,
                name,
                value,
                ..
            } => {
                tries.barred.push(Barred::Key {
                    register,
                    name,
                    value,
                });
                Round::Again(inputs)
            }
            Outcome::InputGone { inbox } => {
                inputs.retain(
                    |input| !matches!(&input.what, What::Inbox(told) if inbox.contains(&told.id)),
                );
                if inputs.is_empty() {
                    Round::Done
                } else {
                    Round::Again(inputs)
                }
            }
            Outcome::KeyTaken { holder } => {
                let (key, other) = (holder.value, holder.instance_id.unwrap_or_default());
                if tries.bar_business(&key, &other) {
                    return Round::Again(inputs);
                }
                let error = RuntimeError::Conflict {
                    key,
                    instance: other,
                };
                self.poisoned(instance, "key taken", &error.to_string())
                    .await;
                answer_all(inputs, &error);
                Round::Done
            }
            Outcome::Refused(refusal) => {
                let error = refused(instance, &refusal);
                self.poisoned(instance, "refused", &refusal.cause).await;
                answer_all(inputs, &error);
                Round::Done
            }
        }
    }
}

/// What whoever waits is told of a change that the database refused.
fn refused(instance: &str, refusal: &Refusal) -> RuntimeError {
    tracing::error!(
        instance,
        log_id = refusal.log_id,
        code = refusal.code,
        cause = refusal.cause,
        "the database refused a change"
    );
    RuntimeError::Internal(format!(
        "the change was refused (log {}): {}",
        refusal.log_id, refusal.cause
    ))
}

/// Each input gets its answer.
fn give(inputs: Vec<Input>, answers: Answers) {
    for (input, answer) in inputs.into_iter().zip(answers) {
        input.answer(answer);
    }
}

/// A new organisation that changes nothing for this instance leaves no version behind.
fn is_idle_refresh(inputs: &[Input], activation: &Activation<'_>, before: &State) -> bool {
    inputs
        .iter()
        .all(|input| matches!(input.what, What::Refresh))
        && before.memory.newborn.is_none()
        && activation.state.desk == before.desk
}
