//! Mails to be sent, and the links in them.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
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
    MailTried: Amend "mail" key(id) {
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
    MailLinkUsed: Amend "mail_link" key(nonce) {
        /// The nonce.
        nonce: String,
        /// When.
        used_at_ms: Option<i64>,
    }
}

statements! {
    MAIL_CLAIM = same(
        "WITH due AS MATERIALIZED (
             SELECT m.id FROM mail m WHERE m.status = 'waiting' AND m.ready_at_ms <= $1
             ORDER BY m.ready_at_ms LIMIT $3 {lock:m})
         UPDATE mail SET ready_at_ms = $2, attempt = mail.attempt + 1 FROM due WHERE mail.id = due.id
         RETURNING mail.id, mail.instance_id, mail.item_n, mail.person_id, mail.template, mail.data, mail.attempt, mail.status, mail.message_id, mail.error, mail.at_ms, mail.ready_at_ms");
    MAIL_RENEW = same(
        "UPDATE mail SET ready_at_ms = $3 WHERE id = $1 AND attempt = $2 AND status = 'waiting'");
    MAIL = same("SELECT id, instance_id, item_n, person_id, template, data, attempt, status, message_id, error, at_ms, ready_at_ms FROM mail WHERE id = $1");
    MAILS = same(
        "SELECT id, instance_id, item_n, person_id, template, data, attempt, status, message_id, error, at_ms, ready_at_ms
         FROM mail WHERE id < $1 ORDER BY id DESC LIMIT $2");
    MAILS_OF_PERSON = same(
        "SELECT id, instance_id, item_n, person_id, template, data, attempt, status, message_id, error, at_ms, ready_at_ms
         FROM mail WHERE person_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    MAILS_OF_INSTANCE = same(
        "SELECT id, instance_id, item_n, person_id, template, data, attempt, status, message_id, error, at_ms, ready_at_ms
         FROM mail WHERE instance_id = $1 ORDER BY id");
    MAIL_NEXT = same("SELECT ready_at_ms FROM mail WHERE status = 'waiting' ORDER BY ready_at_ms LIMIT 1");
    MAIL_LINK = same(
        "SELECT nonce, instance_id, n, round, person_id, purpose, expires_at_ms, used_at_ms FROM mail_link WHERE nonce = $1");
    MAIL_LINKS_OF = same(
        "SELECT nonce, instance_id, n, round, person_id, purpose, expires_at_ms, used_at_ms FROM mail_link
         WHERE instance_id = $1 AND n = $2 ORDER BY nonce");
}

impl Store {
    /// Claims due mails until `until_ms`, with their attempt counted.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn mail_claim(
        &self,
        now_ms: i64,
        until_ms: i64,
        limit: i64,
    ) -> Result<Vec<MailRow>, StoreError> {
        let mut rows: Vec<MailRow> = self
            .inner
            .write(MAIL_CLAIM.call().int(now_ms).int(until_ms).int(limit))
            .await?;
        rows.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(rows)
    }

    /// Prolongs the lease of a mail that is being sent; false when somebody else has taken it since.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn mail_renew(
        &self,
        id: &str,
        attempt: i64,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        let call = MAIL_RENEW.call().text(id).int(attempt).int(until_ms);
        Ok(self.inner.execute(call).await? > 0)
    }

    /// One mail.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn mail(&self, id: &str) -> Result<Option<MailRow>, StoreError> {
        Ok(self.inner.fetch(|| MAIL.call().text(id)).await?.pop())
    }

    /// The mails of one person, or of all, newest first, before an id (`None` for the beginning).
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn mails(
        &self,
        person_id: Option<&str>,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<MailRow>, StoreError> {
        let before = before.unwrap_or(AFTER_ALL);
        Ok(match person_id {
            Some(person) => {
                self.inner
                    .fetch(|| MAILS_OF_PERSON.call().text(person).text(before).int(limit))
                    .await?
            }
            None => {
                self.inner
                    .fetch(|| MAILS.call().text(before).int(limit))
                    .await?
            }
        })
    }

    /// The mails of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn mails_of(&self, instance_id: &str) -> Result<Vec<MailRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| MAILS_OF_INSTANCE.call().text(instance_id))
            .await?)
    }

    /// The earliest time at which a mail may be claimed.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn mail_next(&self) -> Result<Option<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.inner.fetch(|| MAIL_NEXT.call()).await?;
        Ok(rows.first().map(|(at,)| *at))
    }

    /// One link.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn mail_link(&self, nonce: &str) -> Result<Option<MailLinkRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| MAIL_LINK.call().text(nonce))
            .await?
            .pop())
    }

    /// The links of a work item.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn mail_links(
        &self,
        instance_id: &str,
        n: i64,
    ) -> Result<Vec<MailLinkRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| MAIL_LINKS_OF.call().text(instance_id).int(n))
            .await?)
    }
}

/// Sorts after every id.
pub(crate) const AFTER_ALL: &str = "~";
