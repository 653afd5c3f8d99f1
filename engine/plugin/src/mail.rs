//! The mail transport's contract.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One mail to one person, ready to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The sender, `name@domain` or `Name <name@domain>`.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The subject; one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part, when there is one.
    pub html: Option<String>,
    /// The Message-ID with angle brackets. It comes from the row, so that a repeated send is known.
    pub message_id: String,
    /// The Message-ID that this mail answers.
    pub in_reply_to: Option<String>,
    /// The thread, oldest first.
    pub references: Vec<String>,
    /// Further headers, for example `List-Id`.
    pub headers: Vec<(String, String)>,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct MailReason {
    /// The SMTP reply code, when the server gave one.
    pub code: Option<u16>,
    /// What happened, for the incident.
    pub text: String,
}

/// Whether sending again can help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailFailure {
    /// It cannot: bad address, refused by a 5xx, a header that would inject.
    #[error("mail refused for good: {0}")]
    Permanent(MailReason),
    /// It may: 4xx, no connection, no answer in time (also after the final dot).
    #[error("mail not sent now: {0}")]
    Transient(MailReason),
}

impl MailFailure {
    /// Makes a permanent failure.
    #[must_use]
    pub fn permanent(code: Option<u16>, text: impl Into<String>) -> Self {
        Self::Permanent(MailReason {
            code,
            text: text.into(),
        })
    }

    /// Makes a transient failure.
    #[must_use]
    pub fn transient(code: Option<u16>, text: impl Into<String>) -> Self {
        Self::Transient(MailReason {
            code,
            text: text.into(),
        })
    }

    /// True when sending again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient(_))
    }
}

/// Sends one mail. The runtime counts attempts and keeps the row.
#[async_trait]
pub trait MailTransport: Send + Sync {
    /// Sends the message; `Ok` only after the server took it.
    ///
    /// # Errors
    /// [`MailFailure::Transient`] may be tried again under the same Message-ID.
    async fn send(&self, message: &Message) -> Result<(), MailFailure>;
}
