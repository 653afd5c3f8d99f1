//! The arguments of `approve`, `collect` and `notice`, read once when a task
//! is entered and stored with the item.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::{Budget, Selector};

use crate::field::FieldRights;
use crate::{Resume, Siblings, Signing};

/// What a function asks of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    /// Who is asked.
    pub to: Vec<Selector>,
    /// Who is not, though a selector names him.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Selector>,
    /// How answers come together.
    pub mode: Mode,
    /// What a vote must reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<u32>,
    /// What people may answer; the first is what a joint vote must reach.
    pub outcomes: Vec<Outcome>,
    /// Outcomes that want a comment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comment: Vec<String>,
    /// Code lists of reasons by outcome.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, String>,
    /// Rights on the fields of the form.
    #[serde(skip_serializing_if = "FieldRights::is_default")]
    pub fields: FieldRights,
    /// The form: a reference or a schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
    /// A rule file that checks the form besides its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What is shown beside the form.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub show: Value,
    /// Whether and how a correction may be asked for (补正).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<CorrectSpec>,
    /// Whether and where a case may be sent back to.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub returns: Option<ReturnSpec>,
    /// When whoever is asked is the applicant.
    #[serde(rename = "self")]
    pub self_rule: SelfRule,
    /// When nobody is left to ask.
    pub empty: EmptyRule,
    /// When somebody approved this case before.
    pub repeat: RepeatRule,
    /// The outcome when the deadline passes; none means that nothing is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Opened together with other cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchSpec>,
    /// A public notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeSpec>,
    /// Whether the form may be filled in without a connection.
    #[serde(skip_serializing_if = "is_false")]
    pub offline: bool,
    /// What the device records besides: `photo`, `position`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<String>,
}

/// How the answers of several people come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// The first decision decides (或签).
    #[default]
    Any,
    /// Everybody must reach the first outcome (会签).
    All,
    /// One after the other (依次审批).
    Sequence,
    /// So many percent of the signers.
    Share,
    /// So many signers.
    Count,
    /// So much weight.
    Weight,
    /// So many of each unit (分组会签).
    Group,
}

impl Mode {
    /// Whether a time limit may give the work to others (超时转办): the
    /// electorate of a vote and the units of a group are fixed when it opens.
    pub(crate) fn hands_on(self) -> bool {
        matches!(self, Self::Any | Self::All | Self::Sequence)
    }
}

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The name that the process routes by.
    pub name: String,
    /// The button's title.
    pub title: String,
    /// The same in English, when the author gave one (`x-en`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_en: Option<String>,
    /// Whether it refuses a natural person: never by machine.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refusal: bool,
}

/// 补正: one list of what is missing; clocks stand still meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectSpec {
    /// How long the applicant has.
    pub due: Option<Budget>,
    /// How often it may be asked for.
    pub times: u32,
    /// `withdraw`, or an outcome; none gives the case back to the officer.
    pub at_timeout: Option<String>,
}

/// Where a case may be sent back to, and how it comes forward again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnSpec {
    /// `applicant`, `previous`, `any` or paths of tasks.
    pub to: Vec<String>,
    /// Fixed by the author; none lets the returner choose.
    pub resume: Option<Resume>,
    /// Fixed by the author; none lets the returner choose.
    pub siblings: Option<Siblings>,
    /// Fixed by the author; none lets the returner choose.
    pub signing: Option<Signing>,
    /// Whether reasons are given field by field.
    pub fields: bool,
    /// Returns per instance; 0 means none.
    pub max: u32,
}

/// When whoever is asked is the applicant (审批人=发起人).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SelfRule {
    /// His superior is asked instead.
    #[default]
    Superior,
    /// He decides himself.
    Allow,
    /// His place counts as approved, with a recorded decision.
    Skip,
    /// The head of his unit is asked instead.
    Head,
}

impl SelfRule {
    /// Whether the applicant may not decide. Automatic skips do not apply in a round entered by return: then he
    /// decides himself.
    pub(crate) fn bars(self, by_return: bool) -> bool {
        match self {
            Self::Allow => false,
            Self::Skip => !by_return,
            Self::Superior | Self::Head => true,
        }
    }
}

/// When nobody is left to ask (审批人为空).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EmptyRule {
    /// The administrator of the unit.
    #[default]
    Administrator,
    /// Counts as approved, with a recorded decision.
    Pass,
    /// Counts as the last outcome, with a recorded decision.
    Reject,
    /// These people.
    Others(Vec<Selector>),
}

/// When somebody approved this case before (自动去重).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RepeatRule {
    /// He is asked again.
    #[default]
    Ask,
    /// His first approval counts.
    First,
    /// His approval counts when it was the step before.
    Adjacent,
}

/// Work that a level takes up together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchSpec {
    /// Search fields that cases of one batch share.
    pub by: Vec<String>,
    /// Whether the item opens only when all of them have arrived.
    pub complete: bool,
}

/// A public notice (公示).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeSpec {
    /// The template.
    pub template: String,
    /// What the public sees, masked.
    pub data: Value,
    /// The process that objections start.
    pub objections: Option<String>,
    /// Whether the notice waits for the objections' outcomes.
    pub wait: bool,
}

/// The bound on returns of one instance when the author names none.
pub const RETURNS_MAX: u32 = 10;

impl Spec {
    /// The first outcome: what a joint vote must reach.
    pub fn first(&self) -> &str {
        self.outcomes
            .first()
            .map_or("approved", |outcome| &outcome.name)
    }

    /// The names of all outcomes.
    pub(crate) fn outcome_names(&self) -> Vec<String> {
        self.outcomes
            .iter()
            .map(|outcome| outcome.name.clone())
            .collect()
    }

    /// One outcome.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.name == name)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
