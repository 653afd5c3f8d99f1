//! Lanes: what waits for an instance on this node, and who runs it.
//!
//! A lane exists while something waits or is being applied. Whoever puts the first input into an
//! idle lane runs it; everybody else's inputs are taken along.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tongban_expr::Value;
use tongban_store::Priority;
use tongban_work::Act;

use crate::error::RuntimeError;
use crate::request::{Acted, Caller, Operate};

/// The most inputs that one activation takes.
pub const INPUTS_MAX: usize = 100;

/// Who waits for an input's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A person, through the API, the console or a mail, or an act's result.
    People,
    /// Timers, schedules, children, imports.
    Background,
}

impl Class {
    /// Its place in the queue in front of the database.
    pub fn priority(self) -> Priority {
        match self {
            Class::People => Priority::People,
            Class::Background => Priority::Background,
        }
    }
}

/// What an accepted input gives to whoever sent it.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A decision.
    Acted(Acted),
    /// Anything else.
    Done,
}

/// Where the answer to an input goes.
pub type ReplyTo = oneshot::Sender<Result<Reply, RuntimeError>>;

/// What may happen to an instance, as the runtime sees it.
#[derive(Debug, Clone)]
pub enum What {
    /// A person decided, submitted, claimed …
    Act {
        /// What they did.
        act: Box<Act>,
        /// Through which door.
        caller: Caller,
        /// The nonce of the mail link that is used up by it.
        link: Option<String>,
    },
    /// An operator's act.
    Operate {
        /// What.
        operate: Operate,
        /// Why.
        reason: String,
        /// Who.
        caller: Caller,
    },
    /// An act has a known outcome.
    Answer(Answer),
    /// A row of the inbox.
    Inbox(Told),
    /// A timer is due, or the instance has more to do.
    Wake,
    /// The organisation or a calendar changed: agents and deadlines are found anew.
    Refresh,
}

/// The known outcome of an act.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which entry into which task.
    pub run_id: String,
    /// The claim under which it was performed: a failure counts only under the row's current one.
    pub token: Option<String>,
    /// What came out.
    pub result: Result<Value, tongban_core::Error>,
}

/// A row of the inbox, read.
#[derive(Debug, Clone)]
pub struct Told {
    /// The row's id.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Its content.
    pub body: Value,
}

/// One input.
pub struct Input {
    /// What happened.
    pub what: What,
    /// Who waits.
    pub class: Class,
    /// Where the answer goes, when somebody waits.
    pub reply: Option<ReplyTo>,
}

impl Input {
    /// An input that nobody waits for.
    pub fn background(what: What) -> Input {
        Input {
            what,
            class: Class::Background,
            reply: None,
        }
    }

    /// Answers whoever waits.
    pub fn answer(self, answer: Result<Reply, RuntimeError>) {
        if let Some(reply) = self.reply {
            // Who asked may have gone: then nobody needs the answer.
            let _ = reply.send(answer);
        }
    }
}

/// Answers everybody who waits with the same error.
pub(crate) fn answer_all(inputs: Vec<Input>, error: &RuntimeError) {
    for input in inputs {
        input.answer(Err(error.clone()));
    }
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Input>,
    running: bool,
}

/// All lanes of a node that have something to do.
#[derive(Default)]
pub struct Lanes {
    lanes: Mutex<HashMap<String, Lane>>,
}

/// What became of an offered input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// The lane was idle: who offered must run it.
    Run,
    /// Somebody runs it.
    Queued,
}

impl Lanes {
    /// Puts an input into the lane of `instance`.
    pub fn offer(&self, instance: &str, input: Input) -> Offered {
        let mut lanes = self.lanes.lock();
        let lane = match lanes.get_mut(instance) {
            Some(lane) => lane,
            None => lanes.entry(instance.to_owned()).or_default(),
        };
        // Two waiting wakes are one: both say no more than "look".
        let twin = matches!(input.what, What::Wake)
            && lane
                .waiting
                .iter()
                .any(|other| matches!(other.what, What::Wake));
        if !twin {
            lane.waiting.push_back(input);
        }
        if std::mem::replace(&mut lane.running, true) {
            Offered::Queued
        } else {
            Offered::Run
        }
    }

    /// Takes what waits, at most `INPUTS_MAX`; nothing means that the lane is idle now.
    pub fn take(&self, instance: &str) -> Vec<Input> {
        let mut lanes = self.lanes.lock();
        let Some(lane) = lanes.get_mut(instance) else {
            return Vec::new();
        };
        if lane.waiting.is_empty() {
            lanes.remove(instance);
            return Vec::new();
        }
        let count = lane.waiting.len().min(INPUTS_MAX);
        lane.waiting.drain(..count).collect()
    }

    /// Drops a lane whose runner was dropped: who waits learns it by the closed channel.
    pub fn abandon(&self, instance: &str) {
        self.lanes.lock().remove(instance);
    }

    /// How many lanes have something to do.
    pub fn len(&self) -> usize {
        self.lanes.lock().len()
    }

    /// Whether nothing is waiting or running.
    pub fn is_empty(&self) -> bool {
        self.lanes.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_input_of_an_idle_lane_runs_it() {
        let lanes = Lanes::default();
        let told = |id: &str| {
            Input::background(What::Inbox(Told {
                id: id.into(),
                kind: "event".into(),
                body: Value::Null,
            }))
        };
        assert_eq!(lanes.offer("i", told("1")), Offered::Run);
        assert_eq!(lanes.offer("i", told("2")), Offered::Queued);
        assert_eq!(lanes.take("i").len(), 2);
        assert_eq!(
            lanes.offer("i", told("3")),
            Offered::Queued,
            "it is still running"
        );
        assert_eq!(lanes.take("i").len(), 1);
        assert!(lanes.take("i").is_empty());
        assert!(lanes.is_empty());
        assert_eq!(lanes.offer("i", told("4")), Offered::Run);
    }

    #[test]
    fn an_activation_takes_a_hundred_inputs_and_one_wake() {
        let lanes = Lanes::default();
        for number in 0..150 {
            let told = Told {
                id: number.to_string(),
                kind: "event".into(),
                body: Value::Null,
            };
            lanes.offer("i", Input::background(What::Inbox(told)));
        }
        lanes.offer("j", Input::background(What::Wake));
        lanes.offer("j", Input::background(What::Wake));
        assert_eq!((lanes.take("i").len(), lanes.take("i").len()), (100, 50));
        assert_eq!(lanes.take("j").len(), 1);
    }
}
