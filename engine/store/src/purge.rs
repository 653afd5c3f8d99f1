//! What dies with an instance, when its time has come, and links that nobody can use any more.

use crate::db::{Bulk, Kind, Session, Statement, statements};
use crate::error::StoreError;
use crate::store::Store;

statements! {
    PURGE_DUE = same(
        "SELECT i.id FROM instance i
         WHERE i.purge_at_ms <= $1 AND i.ended_at_ms IS NOT NULL ORDER BY i.purge_at_ms LIMIT $2 {lock:i}");
    PURGE_TEXT = bulk(ID, "DELETE FROM text_index WHERE (kind, id) IN (SELECT 'case', r.id FROM {rows})");
    PURGE_INSTANCE = bulk(ID, "DELETE FROM instance WHERE id IN (SELECT r.id FROM {rows})");
    LINKS_EXPIRED = same(
        "DELETE FROM mail_link WHERE nonce IN (
             SELECT nonce FROM mail_link WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)");
    PURGE_HISTORY = bulk(ID, "DELETE FROM history WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_KEY = bulk(ID, "DELETE FROM key WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_WAKE = bulk(ID, "DELETE FROM wake WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_INBOX = bulk(ID, "DELETE FROM inbox WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_ACT = bulk(ID, "DELETE FROM act WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_BLOB = bulk(ID, "DELETE FROM blob WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_CHECKPOINT = bulk(ID, "DELETE FROM checkpoint WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_SUBSCRIPTION = bulk(ID, "DELETE FROM subscription WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_WORK_ITEM = bulk(ID, "DELETE FROM work_item WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_WORK_CANDIDATE = bulk(ID, "DELETE FROM work_candidate WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_DECISION = bulk(ID, "DELETE FROM decision WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_WORK_NOTE = bulk(ID, "DELETE FROM work_note WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_CLOCK = bulk(ID, "DELETE FROM clock WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_CLOCK_ENTRY = bulk(ID, "DELETE FROM clock_entry WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_PARTY = bulk(ID, "DELETE FROM party WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_SEARCH = bulk(ID, "DELETE FROM search WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_MAIL = bulk(ID, "DELETE FROM mail WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_MAIL_LINK = bulk(ID, "DELETE FROM mail_link WHERE instance_id IN (SELECT r.id FROM {rows})");
    PURGE_INCIDENT = bulk(ID, "DELETE FROM incident WHERE instance_id IN (SELECT r.id FROM {rows})");
}

const ID: &[(&str, Kind)] = &[("id", Kind::Text)];

/// At most this many instances go in one transaction.
const INSTANCES_MAX: i64 = 200;

/// The tables whose rows die with their instance; the head goes last.
const PURGED: &[&Statement] = &[
    &PURGE_HISTORY,
    &PURGE_KEY,
    &PURGE_WAKE,
    &PURGE_INBOX,
    &PURGE_ACT,
    &PURGE_BLOB,
    &PURGE_CHECKPOINT,
    &PURGE_SUBSCRIPTION,
    &PURGE_WORK_ITEM,
    &PURGE_WORK_CANDIDATE,
    &PURGE_DECISION,
    &PURGE_WORK_NOTE,
    &PURGE_CLOCK,
    &PURGE_CLOCK_ENTRY,
    &PURGE_PARTY,
    &PURGE_SEARCH,
    &PURGE_MAIL,
    &PURGE_MAIL_LINK,
    &PURGE_INCIDENT,
    &PURGE_TEXT,
    &PURGE_INSTANCE,
];

impl Store {
    /// Deletes ended instances past their time, with all their rows, in one transaction; returns how many.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn purge(&self, now_ms: i64, limit: i64) -> Result<usize, StoreError> {
        let mut lease = self.inner.committers.lease().await?;
        lease.begin().await?;
        match delete(&mut lease, now_ms, limit.min(INSTANCES_MAX)).await {
            Ok(count) => {
                lease.commit().await?;
                Ok(count)
            }
            Err(error) => {
                lease.rollback().await?;
                Err(error)
            }
        }
    }

    /// Deletes links that expired before a time (thirty days ago, so that a late click is still explained).
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn mail_links_expire(&self, before_ms: i64, limit: i64) -> Result<u64, StoreError> {
        Ok(self
            .inner
            .execute(LINKS_EXPIRED.call().int(before_ms).int(limit))
            .await?)
    }
}

async fn delete(session: &mut Session, now_ms: i64, limit: i64) -> Result<usize, StoreError> {
    let due: Vec<(String,)> = session
        .fetch(PURGE_DUE.call().int(now_ms).int(limit))
        .await?;
    if due.is_empty() {
        return Ok(0);
    }
    let ids = Bulk::texts(due.iter().map(|(id,)| id.as_str()));
    for statement in PURGED {
        session.execute(statement.call().rows(&ids)).await?;
    }
    Ok(due.len())
}
