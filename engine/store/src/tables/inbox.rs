//! What an instance is told by others: a child ended, cancel, an event. Inserted by anyone, consumed by its own change
//! (`Change::inbox_taken`).

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `inbox`.
    InboxRow: Ignore "inbox" key(instance_id, id) {
        /// The receiver.
        instance_id: String,
        /// Unique per receiver; made from what caused it, so that telling twice is telling once.
        id: String,
        /// What it is: `child`, `cancel`, `event` and so on.
        kind: String,
        /// The content, JSON.
        body: String,
        /// Due when at or before now; a claim pushes it ahead.
        ready_at_ms: i64,
    }
}

statements! {
    INBOX_CLAIM = same(
        "WITH due AS MATERIALIZED (
             SELECT i.instance_id, i.id FROM inbox i WHERE i.ready_at_ms <= $1
             ORDER BY i.ready_at_ms LIMIT $3 {lock:i})
         UPDATE inbox SET ready_at_ms = $2 FROM due
         WHERE inbox.instance_id = due.instance_id AND inbox.id = due.id
         RETURNING inbox.instance_id, inbox.id, inbox.kind, inbox.body, inbox.ready_at_ms");
    INBOX_OF = same(
        "SELECT instance_id, id, kind, body, ready_at_ms FROM inbox WHERE instance_id = $1 ORDER BY id LIMIT $2");
    INBOX_NEXT = same("SELECT ready_at_ms FROM inbox ORDER BY ready_at_ms LIMIT 1");
    INBOX_DROP = same("DELETE FROM inbox WHERE instance_id = $1 AND id = $2");
}

impl Store {
    /// Claims due inbox rows until `until_ms`.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn inbox_claim(
        &self,
        now_ms: i64,
        until_ms: i64,
        limit: i64,
    ) -> Result<Vec<InboxRow>, StoreError> {
        let mut rows: Vec<InboxRow> = self
            .inner
            .write(INBOX_CLAIM.call().int(now_ms).int(until_ms).int(limit))
            .await?;
        rows.sort_by(|left, right| {
            (&left.instance_id, &left.id).cmp(&(&right.instance_id, &right.id))
        });
        Ok(rows)
    }

    /// What waits for one instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn inbox_of(
        &self,
        instance_id: &str,
        limit: i64,
    ) -> Result<Vec<InboxRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| INBOX_OF.call().text(instance_id).int(limit))
            .await?)
    }

    /// The earliest time at which an inbox row may be claimed.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn inbox_next(&self) -> Result<Option<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.inner.fetch(|| INBOX_NEXT.call()).await?;
        Ok(rows.first().map(|(at,)| *at))
    }

    /// Drops a row whose receiver has ended.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn inbox_drop(&self, instance_id: &str, id: &str) -> Result<bool, StoreError> {
        Ok(self
            .inner
            .execute(INBOX_DROP.call().text(instance_id).text(id))
            .await?
            > 0)
    }
}
