//! What opens work: a task that calls `approve`, `collect` or `notice`, and a
//! return to the applicant.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

/// A task that asks people.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// The run id that the answer goes to.
    pub run_id: String,
    /// The task's path of names without iterations, as authors write it in `return.to`.
    pub path: String,
    /// The path with `[i]` for iterations: one place is one item over its rounds.
    pub place: String,
    /// `approve`, `collect` or `notice`.
    pub function: String,
    /// The evaluated arguments of the call.
    pub args: Value,
    /// The task's title.
    pub title: Option<String>,
    /// Whether people's earlier answers at this place play a part.
    pub reopen: Reopen,
}

/// How a task is entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reopen {
    /// By the normal flow: a new item.
    #[default]
    Fresh,
    /// By a return: the next round of the item at this place.
    Round {
        /// Who signs in it.
        signing: Signing,
    },
    /// A parallel branch that a return entered again: the item goes on with
    /// the answers it has, in the same round.
    Keep,
}

/// Who signs in the next round of whoever returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signing {
    /// Everybody.
    #[default]
    All,
    /// Only whoever returned; the other approvals are kept.
    Returner,
    /// Whoever had not approved yet; approvals are kept.
    Open,
}

/// A return to the applicant.
#[derive(Clone, Debug, PartialEq)]
pub struct AskApplicant {
    /// The run id that the answer goes to.
    pub run_id: String,
    /// Fields to correct, with the reason for each.
    pub fields: Vec<(String, String)>,
    /// What the returner said.
    pub comment: String,
    /// Who returned it.
    pub by: String,
}

/// The way back after a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Resume {
    /// Everybody is asked again (逐级重走).
    Rerun,
    /// Straight back to whoever returned (原路返回).
    Direct,
}

/// What becomes of parallel branches that a return ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Siblings {
    /// Their answers stand.
    Keep,
    /// They are asked afresh.
    Cancel,
}

/// Where a case goes back to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReturnTo {
    /// The applicant, before the first task.
    Applicant,
    /// The latest work task that was passed.
    Previous,
    /// A task by its path.
    Step(String),
}

impl ReturnTo {
    /// Reads `applicant`, `previous` or a path.
    pub fn parse(text: &str) -> Self {
        match text {
            "applicant" => Self::Applicant,
            "previous" => Self::Previous,
            path => Self::Step(path.to_owned()),
        }
    }

    /// The word that authors write.
    pub fn word(&self) -> &str {
        match self {
            Self::Applicant => "applicant",
            Self::Previous => "previous",
            Self::Step(path) => path,
        }
    }
}
