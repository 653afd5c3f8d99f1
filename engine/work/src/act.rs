//! What a person does at the desk, through whichever channel.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::{Resume, ReturnTo, Siblings, Signing};

/// One act of one person on one work item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Act {
    /// The item's number within its case.
    pub n: u32,
    /// The round that the person saw; none takes the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// Who acts.
    pub who: String,
    /// For whom, when an agent acts for somebody who is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_whom: Option<String>,
    /// Through which channel.
    pub channel: Channel,
    /// The digest of what the person saw; checked when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_digest: Option<String>,
    /// What he does.
    pub what: What,
}

/// The door through which an act came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Channel {
    /// The web console.
    Console,
    /// The HTTP API.
    Api,
    /// The page behind a mail's link.
    Mail,
    /// A bulk job.
    Bulk,
    /// A deadline with `timeout: OUTCOME`.
    Timer,
    /// The engine by a rule of the author (skip, repeat, empty).
    System,
}

impl Channel {
    /// The word stored with decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Api => "api",
            Self::Mail => "mail",
            Self::Bulk => "bulk",
            Self::Timer => "timer",
            Self::System => "system",
        }
    }
}

/// When an added signer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AddWhen {
    /// Before the one who adds him, who then decides (前加签).
    Before,
    /// After the one who adds him (后加签).
    After,
    /// Beside the other signers (并加签).
    Beside,
}

impl AddWhen {
    /// The word that the history keeps.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Beside => "beside",
        }
    }
}

/// The acts. `change` is an object from paths to values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What {
    /// Decide an `approve` item.
    Decide {
        /// One of the item's outcomes.
        outcome: String,
        /// The opinion.
        #[serde(default)]
        comment: Option<String>,
        /// A code of the outcome's list of reasons.
        #[serde(default)]
        reason: Option<String>,
        /// Changes of the case's form, within `fields.edit`.
        #[serde(default)]
        change: Value,
        /// The statement that warnings of the form want.
        #[serde(default)]
        statement: Option<String>,
    },
    /// Answer a `collect` item.
    Submit {
        /// One of the item's outcomes; the first when absent.
        #[serde(default)]
        outcome: Option<String>,
        /// The whole form; what the step hides or locks may be left out.
        #[serde(default)]
        data: Option<Value>,
        /// Changes on top of the data, or of what the item was filled with.
        #[serde(default)]
        change: Value,
        /// A comment.
        #[serde(default)]
        comment: Option<String>,
        /// A code of the outcome's list of reasons.
        #[serde(default)]
        reason: Option<String>,
        /// The statement that warnings of the form want.
        #[serde(default)]
        statement: Option<String>,
    },
    /// Take an item that several people may take.
    Claim,
    /// Give it back.
    Unclaim,
    /// Send the case back.
    Return {
        /// Where to.
        to: ReturnTo,
        /// The way back, where the author lets the returner choose.
        #[serde(default)]
        resume: Option<Resume>,
        /// What becomes of parallel branches.
        #[serde(default)]
        siblings: Option<Siblings>,
        /// Who signs in this item's next round.
        #[serde(default)]
        signing: Option<Signing>,
        /// Fields to correct, with the reason for each.
        #[serde(default)]
        fields: Vec<(String, String)>,
        /// Why.
        #[serde(default)]
        comment: Option<String>,
    },
    /// Ask the applicant once for what is missing (补正); clocks stand still.
    Correct {
        /// Fields with what is missing.
        items: Vec<(String, String)>,
        /// Words above the list.
        #[serde(default)]
        comment: Option<String>,
    },
    /// The applicant sends the corrected form.
    Resubmit {
        /// The whole form.
        #[serde(default)]
        data: Option<Value>,
        /// Changes on top of it.
        #[serde(default)]
        change: Value,
        /// What he says about it.
        #[serde(default)]
        comment: Option<String>,
        /// The statement that warnings of the form want.
        #[serde(default)]
        statement: Option<String>,
    },
    /// Say something without deciding.
    Comment {
        /// What.
        text: String,
    },
    /// Hand the decision over for good (转办).
    Transfer {
        /// To whom.
        to: String,
        /// Why.
        #[serde(default)]
        comment: Option<String>,
    },
    /// Ask somebody for an opinion and decide afterwards (委派).
    Delegate {
        /// Whom.
        to: String,
        /// Why.
        #[serde(default)]
        comment: Option<String>,
    },
    /// Add a signer (加签).
    AddSigner {
        /// Whom.
        who: String,
        /// When he decides.
        when: AddWhen,
        /// Why.
        #[serde(default)]
        comment: Option<String>,
    },
    /// Take an added signer out before he decided (减签).
    RemoveSigner {
        /// Whom.
        who: String,
    },
    /// Remind whoever holds it up (催办).
    Urge {
        /// What to tell them.
        #[serde(default)]
        comment: Option<String>,
    },
    /// Take one's own decision back (撤回).
    Withdraw {
        /// Why.
        #[serde(default)]
        comment: Option<String>,
    },
}

impl What {
    /// The word of the act, as the API writes it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Decide { .. } => "decide",
            Self::Submit { .. } => "submit",
            Self::Claim => "claim",
            Self::Unclaim => "unclaim",
            Self::Return { .. } => "return",
            Self::Correct { .. } => "correct",
            Self::Resubmit { .. } => "resubmit",
            Self::Comment { .. } => "comment",
            Self::Transfer { .. } => "transfer",
            Self::Delegate { .. } => "delegate",
            Self::AddSigner { .. } => "addSigner",
            Self::RemoveSigner { .. } => "removeSigner",
            Self::Urge { .. } => "urge",
            Self::Withdraw { .. } => "withdraw",
        }
    }
}
