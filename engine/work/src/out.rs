//! What the desk wants done: the runtime feeds it to the core, the mail loop
//! and the tables.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::Principal;

use crate::{Resume, ReturnTo, Siblings, Signing};

/// One wish of the desk, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// The task of this run id has its answer.
    Completed {
        /// The run id.
        run_id: String,
        /// The function's result.
        output: Value,
    },
    /// Send the case back.
    Jump(JumpRequest),
    /// The case has a new version of its form. Comes before the `Completed`
    /// or `Jump` that depends on it.
    Form(FormChange),
    /// Tell somebody.
    Mail(MailRequest),
    /// A row of the table `decision`: insert, or replace the row of its key.
    Decision(DecisionRow),
    /// A row of the table `clock_entry`.
    ClockEntry(ClockEntryRow),
    /// Somebody may see the case from now on.
    Party {
        /// Who, as in the table `party`.
        principal: Principal,
        /// Why: `signer`, `agent`, `applicant`, `copy`.
        why: String,
    },
    /// Something for the history.
    Note(Note),
    /// The applicant withdrew, or is deemed to have: the case ends.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// People named by a rung whom only the runtime can find (`late: LEVEL` of a batch).
    Late {
        /// The clock.
        clock: String,
        /// The place of the batch.
        place: String,
        /// The level whose units are late.
        level: String,
        /// The rung.
        rung: String,
        /// The card, when the rung gives one.
        card: Option<Card>,
    },
}

/// A return, for the core to carry out.
#[derive(Clone, Debug, PartialEq)]
pub struct JumpRequest {
    /// The run id of whoever sends it back; for a withdrawal the run id of the
    /// task that is taken away from others, when one is open.
    pub from: Option<String>,
    /// Where to.
    pub to: ReturnTo,
    /// The way back.
    pub resume: Resume,
    /// What becomes of parallel branches.
    pub siblings: Siblings,
    /// Who signs in the next round.
    pub signing: Signing,
    /// Fields to correct, with reasons.
    pub fields: Vec<(String, String)>,
    /// Why.
    pub comment: String,
    /// Who.
    pub by: String,
    /// Whether a signer takes his own decision back (撤回): refused by the
    /// core when an act was taken since.
    pub withdrawal: bool,
}

/// A new version of the case's form.
#[derive(Clone, Debug, PartialEq)]
pub struct FormChange {
    /// The whole form.
    pub form: Value,
    /// Paths with the old and the new value.
    pub difference: Vec<Difference>,
    /// Who changed it.
    pub by: String,
    /// In which item.
    pub n: u32,
    /// Why: `resubmitted`, `corrected`, `edited`.
    pub why: String,
}

/// One changed field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The path.
    pub field: String,
    /// Before.
    pub old: Value,
    /// After.
    pub new: Value,
}

/// A mail (and inbox message) to one person.
#[derive(Clone, Debug, PartialEq)]
pub struct MailRequest {
    /// To whom: a person's id.
    pub to: String,
    /// What about.
    pub kind: MailKind,
    /// The pack's own template, where the author named one for it.
    pub template: Option<String>,
    /// The item, when it is about one.
    pub n: Option<u32>,
    /// The item's round.
    pub round: u32,
    /// Whether the mail carries a link that lets this person decide.
    pub link: bool,
    /// Values for the template.
    pub data: Value,
}

/// The standard mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailKind {
    /// Something to decide or fill in.
    Task,
    /// The case came back to the applicant (return or 补正).
    Correction,
    /// A deadline comes near.
    Reminder,
    /// A card was shown.
    Card,
    /// Somebody urges.
    Urge,
    /// The item was handed over or an opinion is asked for.
    Handed,
}

impl Out {
    /// A mail of the engine's own words about an item, with a link to it.
    pub(crate) fn mail(to: String, kind: MailKind, n: u32, round: u32, data: Value) -> Out {
        Out::Mail(MailRequest {
            to,
            kind,
            template: None,
            n: Some(n),
            round,
            link: true,
            data,
        })
    }
}

impl MailKind {
    /// The name of the template, `work/task`.
    pub fn template(self) -> &'static str {
        match self {
            Self::Task => "work/task",
            Self::Correction => "work/correction",
            Self::Reminder => "work/reminder",
            Self::Card => "work/card",
            Self::Urge => "work/urge",
            Self::Handed => "work/handed",
        }
    }
}

/// The colour of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Card {
    /// Near.
    Blue,
    /// Nearer.
    Yellow,
    /// Over.
    Red,
}

impl Card {
    /// Reads the colour.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "blue" => Some(Self::Blue),
            "yellow" => Some(Self::Yellow),
            "red" => Some(Self::Red),
            _ => None,
        }
    }

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// A row of the table `decision`. Its key is (n, round, signer).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRow {
    /// The item.
    pub n: u32,
    /// The round.
    pub round: u32,
    /// The signer's place: the person in whose name it counts.
    pub signer_id: String,
    /// Who acted.
    pub person_id: String,
    /// For whom, when an agent acted.
    pub for_id: Option<String>,
    /// The outcome, or `return`, `correct`, `opinion`, `withdrawn`.
    pub act: String,
    /// The opinion.
    pub comment: Option<String>,
    /// The reason's code.
    pub reason: Option<String>,
    /// What was filled in or changed.
    pub form: Option<Value>,
    /// The digest of what the person saw.
    pub seen_digest: Option<String>,
    /// The channel.
    pub channel: String,
    /// When.
    pub at_ms: i64,
    /// The round that a kept approval comes from.
    pub kept_from: Option<u32>,
}

/// A row of the table `clock_entry`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockEntryRow {
    /// The clock.
    pub clock: String,
    /// Its number within the clock, from 1.
    pub seq: u32,
    /// `pause`, `resume`, `extend`, `rung`, `recompute`, `close`.
    pub kind: String,
    /// The ground of a pause, or the rung.
    pub ground: Option<String>,
    /// When.
    pub at_ms: i64,
    /// By whom; `system` for the engine.
    pub by: String,
    /// The basis, the card, the reason.
    pub why: String,
}

/// Something that happened at the desk, for the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The item; none for a clock's.
    pub n: Option<u32>,
    /// `opened`, `claimed`, `returned`, `corrected`, `urged`, `commented`, `auto` …
    pub kind: String,
    /// Who.
    pub by: String,
    /// When.
    pub at_ms: i64,
    /// Words, outcome, rung …
    pub data: Value,
}
