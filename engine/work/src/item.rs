//! One work item: what is asked at one place of the case, over its rounds.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::seat::Seat;
use crate::spec::{Mode, Spec};

/// What is asked at one place. A return and its second coming are rounds of
/// one item; going back on purpose (`then`) opens another item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The number within the case.
    pub n: u32,
    /// The run id that the answer goes to.
    pub run_id: String,
    /// The path of names.
    pub path: String,
    /// The path with iterations.
    pub place: String,
    /// What kind of work it is.
    pub kind: Kind,
    /// The title.
    pub title: String,
    /// What the author asked for.
    pub spec: Arc<Spec>,
    /// The round, from 1.
    pub round: u32,
    /// Where it stands.
    pub status: Status,
    /// The places of the signers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<Seat>,
    /// The decisions of this round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// The decisions of the round before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Decision>,
    /// How earlier rounds ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<RoundEnd>,
    /// When this round was opened.
    pub opened_ms: i64,
    /// How it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// What a `collect` was filled with, then what was last submitted.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// Fields to correct, with reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<(String, String)>,
    /// What whoever sent it back said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The item that asked for this correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// How often a correction was asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub corrections: u32,
    /// Reminders by people: how many, and when the last was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urged: Option<(u32, i64)>,
    /// Objections to a notice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<Objection>,
    /// Whether this round was entered by a return.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_return: bool,
}

/// The kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Decide.
    Approve,
    /// Fill in.
    Collect,
    /// Published; ends by itself.
    Notice,
    /// The applicant has the case back.
    Resubmit,
    /// The applicant completes what is missing; the officer waits.
    Correct,
}

impl Kind {
    /// The word stored in `work_item.kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Collect => "collect",
            Self::Notice => "notice",
            Self::Resubmit => "resubmit",
            Self::Correct => "correct",
        }
    }
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Somebody may act.
    Open,
    /// Waits for the other cases of its batch.
    Held,
    /// Waits for the applicant's correction.
    Correcting,
    /// This round was sent back; the next one may come.
    Returned,
    /// Has its outcome.
    Decided,
    /// Ended without one.
    Closed,
}

impl Status {
    /// The word stored in `work_item.status`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Held => "held",
            Self::Correcting => "correcting",
            Self::Returned => "returned",
            Self::Decided => "decided",
            Self::Closed => "closed",
        }
    }

    /// Whether the item still waits for something.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Held | Self::Correcting)
    }
}

/// How an item was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    /// When.
    pub at_ms: i64,
    /// `decided`, `timeout`, `returned`, `withdrawn`, or the core's reason.
    pub why: String,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// With which outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// How a round ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoundEnd {
    /// The round.
    pub round: u32,
    /// Why it ended.
    pub why: String,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    pub at_ms: i64,
}

/// What one signer said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The seat it counts for.
    pub seat: u32,
    /// In whose name it counts.
    pub signer: String,
    /// Who acted.
    pub person: String,
    /// The unit it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The outcome.
    pub outcome: String,
    /// The opinion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The reason's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a unit filled in (`collect` in mode `group`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// When.
    pub at_ms: i64,
    /// Through which channel.
    pub channel: String,
    /// The round that a kept answer comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<u32>,
}

impl Decision {
    /// For whom an agent acted.
    pub fn for_id(&self) -> Option<&str> {
        (self.person != self.signer).then_some(self.signer.as_str())
    }
}

/// A case that objects to a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// The case's number.
    pub number: String,
    /// Its outcome; none while it runs.
    pub outcome: Option<String>,
}

impl Item {
    /// The unit that answers, when all seats are of one unit.
    pub fn unit(&self) -> Option<&str> {
        let first = self.seats.first()?.unit.as_deref()?;
        self.seats
            .iter()
            .all(|seat| seat.unit.as_deref() == Some(first))
            .then_some(first)
    }

    /// Whether the applicant is barred from deciding here.
    pub(crate) fn bars_applicant(&self) -> bool {
        self.kind == Kind::Approve && self.spec.self_rule.bars(self.by_return)
    }

    /// The seat whose turn it is, in a sequence.
    pub fn turn(&self) -> Option<&Seat> {
        self.seats.iter().find(|seat| !self.is_done(seat))
    }

    /// Whether a seat has given all the answers that it owes. Nobody signs
    /// twice in one round, so a seat whose people have all signed at another
    /// one owes nothing more.
    pub(crate) fn is_done(&self, seat: &Seat) -> bool {
        self.is_satisfied(seat, self.answers_of(seat.id))
    }

    /// Whether the seat of this number owes nothing more.
    pub(crate) fn is_done_seat(&self, id: u32) -> bool {
        self.seat(id).is_some_and(|seat| self.is_done(seat))
    }

    fn is_satisfied(&self, seat: &Seat, answers: usize) -> bool {
        let signed = |person: &String| {
            self.decisions
                .iter()
                .any(|decision| decision.signer == *person)
        };
        let shared = matches!(self.spec.mode, Mode::Sequence | Mode::Group);
        answers >= self.owed(seat)
            || (shared && !seat.people.is_empty() && seat.people.iter().all(signed))
    }

    /// How many answers of a seat there are in this round.
    pub(crate) fn answers_of(&self, seat: u32) -> usize {
        self.decisions
            .iter()
            .filter(|decision| decision.seat == seat)
            .count()
    }

    fn owed(&self, seat: &Seat) -> usize {
        match self.spec.mode {
            Mode::Group if self.kind == Kind::Approve => {
                (self.spec.pass.unwrap_or(1) as usize).clamp(1, seat.people.len().max(1))
            }
            _ => 1,
        }
    }

    /// People who may act now, agents included, each once; with the person
    /// that an agent stands for.
    pub fn current(&self) -> Vec<(&str, Option<&str>)> {
        if self.status != Status::Open {
            return Vec::new();
        }
        let mut people: Vec<(&str, Option<&str>)> = Vec::new();
        for seat in self.open_seats() {
            let own = seat.people.iter().map(|person| (person.as_str(), None));
            let agents = seat
                .agents
                .iter()
                .map(|(agent, person)| (agent.as_str(), Some(person.as_str())));
            let asked = seat
                .opinion
                .iter()
                .map(|opinion| (opinion.of.as_str(), None));
            let claimed = seat.claimed.as_ref().map(|(person, _)| person.as_str());
            let takes = |(person, _): &(&str, _)| match (&seat.opinion, claimed) {
                (Some(opinion), _) => opinion.of == *person,
                (None, Some(claimer)) => claimer == *person,
                (None, None) => true,
            };
            people.extend(own.chain(agents).chain(asked).filter(takes));
        }
        if self.spec.mode == Mode::Group {
            let decided = self.decisions.iter();
            // Who signed for himself may still sign for whom he stands in.
            people.retain(|(person, of)| {
                let signer = of.unwrap_or(person);
                !decided.clone().any(|decision| decision.signer == signer)
            });
        }
        // Two hundred signers are compared by sorting, not pair by pair.
        people.sort_unstable();
        people.dedup_by_key(|(person, _)| *person);
        people
    }

    /// Seats that may answer now.
    pub(crate) fn open_seats(&self) -> impl Iterator<Item = &Seat> {
        let sequence = self.spec.mode == Mode::Sequence;
        let mut answered: HashMap<u32, usize> = HashMap::new();
        for decision in &self.decisions {
            *answered.entry(decision.seat).or_default() += 1;
        }
        let done = move |seat: &Seat| {
            self.is_satisfied(seat, answered.get(&seat.id).copied().unwrap_or(0))
        };
        let mut open: Vec<&Seat> = Vec::new();
        for seat in &self.seats {
            if done(seat)
                || seat
                    .waits_for
                    .iter()
                    .any(|id| self.seat(*id).is_some_and(|other| !done(other)))
            {
                continue;
            }
            open.push(seat);
            if sequence {
                break;
            }
        }
        open.into_iter()
    }

    /// A seat by its id.
    pub fn seat(&self, id: u32) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.id == id)
    }

    /// How a round ended.
    pub(crate) fn round_end(&self, round: u32) -> Option<&RoundEnd> {
        self.rounds.iter().find(|end| end.round == round)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
