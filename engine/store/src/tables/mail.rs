//! Mails to be sent, and the links in them.

use crate::write::rows;

rows! {
    /// A row of `mail`, all of it.
    MailRow: Upsert "mail" key(id) {
        /// UUIDv7 text; the Message-ID is made from it.
        id: String,
        /// The instance.
        instance_id: Option<String>,
        /// The work item.
        item_n: Option<i64>,
        /// The receiver.
        person_id: Option<String>,
        /// The template.
        template: String,
        /// What the template is filled with, or what was rendered, JSON.
        data: String,
        /// How often it was tried.
        attempt: i64,
        /// `waiting`, `sent`, `failed`, `withdrawn`.
        status: String,
        /// The Message-ID.
        message_id: String,
        /// The last error.
        error: Option<String>,
        /// When it was written.
        at_ms: i64,
        /// Due when at or before now; a claim pushes it ahead.
        ready_at_ms: i64,
    }
    /// What became of an attempt.
    MailTried: Update "mail" key(id) {
        /// The mail.
        id: String,
        /// How often it was tried.
        attempt: i64,
        /// The status.
        status: String,
        /// The last error.
        error: Option<String>,
        /// When it is tried again.
        ready_at_ms: i64,
    }
    /// A row of `mail_link`; the token itself is derived, never stored.
    MailLinkRow: Insert "mail_link" key(nonce) {
        /// The nonce from which the token is derived.
        nonce: String,
        /// The instance.
        instance_id: String,
        /// The work item.
        n: i64,
        /// The round.
        round: i64,
        /// The person.
        person_id: String,
        /// What the link is for.
        purpose: String,
        /// Until when it works.
        expires_at_ms: i64,
        /// When it was used.
        used_at_ms: Option<i64>,
    }
    /// The link was used.
    MailLinkUsed: Update "mail_link" key(nonce) {
        /// The nonce.
        nonce: String,
        /// When.
        used_at_ms: Option<i64>,
    }
}
