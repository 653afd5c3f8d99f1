//! Why an act is refused. Each reason has a stable word for problem types and
//! an HTTP status.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::FormFault;

/// A refused act; the desk is unchanged.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Refusal {
    /// No such item, or the person has nothing to do with it: both look alike.
    #[error("no such work item")]
    NotFound,
    /// Somebody decided, and his decision stands.
    #[error("already decided by `{by}`")]
    AlreadyDecided {
        /// Who.
        by: String,
        /// When.
        at_ms: i64,
        /// What.
        outcome: String,
    },
    /// The item is closed.
    #[error("the item was closed: {why}")]
    Closed {
        /// Why: `decided`, `returned`, `timeout`, `cancelled` …
        why: String,
        /// By whom; none when nobody did.
        by: Option<String>,
        /// When.
        at_ms: i64,
    },
    /// The decision speaks of an earlier round.
    #[error("round {round} was closed ({why}); round {current} is open")]
    RoundClosed {
        /// The round named.
        round: u32,
        /// The current round.
        current: u32,
        /// Why the earlier one ended.
        why: String,
        /// By whom.
        by: Option<String>,
        /// When.
        at_ms: i64,
    },
    /// The instance is suspended.
    #[error("the case is suspended")]
    Suspended,
    /// The item waits: for a correction, a batch, an opinion, an earlier signer.
    #[error("the item waits for {what}")]
    Waiting {
        /// For what: `correction`, `batch`, `opinion`, `turn`, `signer`.
        what: String,
        /// For whom, when one person is waited for.
        who: Option<String>,
    },
    /// Another person has claimed it.
    #[error("claimed by `{by}`")]
    ClaimedBy {
        /// Who.
        by: String,
        /// When.
        at_ms: i64,
    },
    /// Nothing to claim: the item is one person's own.
    #[error("the item needs no claim")]
    NotClaimable,
    /// The act does not fit the function (`submit` on an `approve`, …).
    #[error("`{act}` is not possible on a `{function}` item")]
    WrongAct {
        /// The act.
        act: String,
        /// The function.
        function: String,
    },
    /// The act exists but not in this form.
    #[error("{what} is not supported: {help}")]
    NotSupported {
        /// What.
        what: String,
        /// What to do instead.
        help: String,
    },
    /// The step does not allow the act.
    #[error("this step does not allow `{act}`")]
    NotAllowed {
        /// The act.
        act: String,
    },
    /// The applicant may not decide his own case.
    #[error("nobody decides his own application")]
    SelfApproval,
    /// The person has signed once already in this vote.
    #[error("one person signs once in a vote")]
    OnePersonOneVote,
    /// The agent's turn is over, or never was.
    #[error("`{who}` does not act for `{for_whom}` now")]
    NotAgent {
        /// The agent.
        who: String,
        /// The person that he wanted to act for.
        for_whom: String,
    },
    /// Not an outcome of the step.
    #[error("unknown outcome `{outcome}`; expected one of {}", expected.join(", "))]
    UnknownOutcome {
        /// What was given.
        outcome: String,
        /// What the step offers.
        expected: Vec<String>,
    },
    /// The outcome wants a comment.
    #[error("`{outcome}` wants a comment")]
    CommentRequired {
        /// The outcome or act.
        outcome: String,
    },
    /// The outcome wants a reason from its list.
    #[error("`{outcome}` wants a reason; expected one of {}", expected.join(", "))]
    ReasonRequired {
        /// The outcome.
        outcome: String,
        /// The codes.
        expected: Vec<String>,
    },
    /// Not a code of the list.
    #[error("unknown reason `{reason}`; expected one of {}", expected.join(", "))]
    UnknownReason {
        /// What was given.
        reason: String,
        /// The codes.
        expected: Vec<String>,
    },
    /// The step does not let people write this field.
    #[error("field `{field}` may not be changed in this step")]
    FieldNotEditable {
        /// The field.
        field: String,
    },
    /// Only the respondent changes his figures.
    #[error("field `{field}` holds a respondent's figures; return the form instead of changing it")]
    Figures {
        /// The field.
        field: String,
    },
    /// What was filled in has faults.
    #[error("the form has {} fault(s)", faults.len())]
    FormFaults {
        /// All of them.
        faults: Vec<FormFault>,
    },
    /// Warnings of the form want a statement.
    #[error("the form has {} warning(s) that want a statement", warnings.len())]
    StatementRequired {
        /// The warnings.
        warnings: Vec<FormFault>,
    },
    /// A path in `change` cannot be written.
    #[error("{reason}")]
    BadChange {
        /// Why.
        reason: String,
    },
    /// The case changed since the person looked.
    #[error("the case changed since you looked at it")]
    Changed {
        /// The digest of what it looks like now.
        digest: String,
    },
    /// Not a target of a return.
    #[error("`{to}` is not a target here; expected one of {}", allowed.join(", "))]
    NotATarget {
        /// What was given.
        to: String,
        /// What the author allows.
        allowed: Vec<String>,
    },
    /// The author fixed how a return goes on.
    #[error("`{what}` is fixed by the author")]
    ReturnFixed {
        /// `resume`, `siblings` or `signing`.
        what: String,
    },
    /// The case was returned as often as it may be.
    #[error("the case was returned {count} times, which is the limit")]
    ReturnLimit {
        /// How often.
        count: u32,
    },
    /// The one list of corrections was sent already.
    #[error("a correction was asked for {count} time(s), which is the limit")]
    CorrectionUsedUp {
        /// How often.
        count: u32,
    },
    /// A list of corrections names nothing.
    #[error("say what is to be corrected")]
    NothingToCorrect,
    /// Reminded a moment ago, or often enough.
    #[error("reminded already; possible again later")]
    UrgedAlready {
        /// When it is possible again; none when the limit is reached.
        again_at_ms: Option<i64>,
    },
    /// Nothing to take back, or too late.
    #[error("too late to take it back: {why}")]
    TooLate {
        /// Why.
        why: String,
    },
    /// Nobody of this name, or not fit to take over.
    #[error("`{who}` cannot take this: {why}")]
    UnfitPerson {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// More signers than an item may have.
    #[error("a work item has at most {max} signers")]
    TooManySigners {
        /// The bound.
        max: usize,
    },
}

impl Refusal {
    /// The step does not allow the act of this word.
    pub(crate) fn not_allowed(act: &str) -> Self {
        Self::NotAllowed {
            act: act.to_owned(),
        }
    }

    /// A stable word for the problem's type, `already-decided`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::AlreadyDecided { .. } => "already-decided",
            Self::Closed { .. } => "closed",
            Self::RoundClosed { .. } => "round-closed",
            Self::Suspended => "suspended",
            Self::Waiting { .. } => "waiting",
            Self::ClaimedBy { .. } => "claimed",
            Self::NotClaimable => "not-claimable",
            Self::WrongAct { .. } => "wrong-act",
            Self::NotSupported { .. } => "not-supported",
            Self::NotAllowed { .. } => "not-allowed",
            Self::SelfApproval => "self-approval",
            Self::OnePersonOneVote => "one-person-one-vote",
            Self::NotAgent { .. } => "not-agent",
            Self::UnknownOutcome { .. } => "unknown-outcome",
            Self::CommentRequired { .. } => "comment-required",
            Self::ReasonRequired { .. } => "reason-required",
            Self::UnknownReason { .. } => "unknown-reason",
            Self::FieldNotEditable { .. } => "field-not-editable",
            Self::Figures { .. } => "figures",
            Self::FormFaults { .. } => "form-faults",
            Self::StatementRequired { .. } => "statement-required",
            Self::BadChange { .. } => "bad-change",
            Self::Changed { .. } => "changed",
            Self::NotATarget { .. } => "not-a-target",
            Self::ReturnFixed { .. } => "return-fixed",
            Self::ReturnLimit { .. } => "return-limit",
            Self::CorrectionUsedUp { .. } => "correction-used-up",
            Self::NothingToCorrect => "nothing-to-correct",
            Self::UrgedAlready { .. } => "urged-already",
            Self::TooLate { .. } => "too-late",
            Self::UnfitPerson { .. } => "unfit-person",
            Self::TooManySigners { .. } => "too-many-signers",
        }
    }

    /// The HTTP status: 404 hides, 403 forbids, 409 is a conflict with what
    /// others did, 429 asks for patience, 422 is a fault of the request.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::SelfApproval
            | Self::NotAllowed { .. }
            | Self::NotAgent { .. }
            | Self::OnePersonOneVote => 403,
            Self::AlreadyDecided { .. }
            | Self::Closed { .. }
            | Self::RoundClosed { .. }
            | Self::Suspended
            | Self::Waiting { .. }
            | Self::ClaimedBy { .. }
            | Self::NotClaimable
            | Self::Changed { .. }
            | Self::ReturnLimit { .. }
            | Self::CorrectionUsedUp { .. }
            | Self::TooLate { .. } => 409,
            Self::UrgedAlready { .. } => 429,
            _ => 422,
        }
    }
}

/// A task that cannot be opened: its arguments are wrong, or nobody can take it.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkError {
    /// An argument cannot be read.
    #[error("`{argument}`: {reason}")]
    Argument {
        /// The argument's name.
        argument: String,
        /// What was expected and found.
        reason: String,
    },
    /// Nobody is left to ask, not even an administrator.
    #[error("nobody can take this step: {0}")]
    Nobody(String),
    /// More signers than an item may have.
    #[error("a work item has at most {max} signers, found {found}; use `batch` for more")]
    TooManySigners {
        /// How many there would be.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// A rule of the engine forbids the step as written.
    #[error("{0}")]
    Forbidden(String),
}
