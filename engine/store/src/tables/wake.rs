//! The earliest due time of an instance's timers: one row per instance, or none.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `wake`.
    Wake: Upsert "wake" key(instance_id) {
        /// The instance.
        instance_id: String,
        /// Due when at or before now; a claim pushes it ahead.
        ready_at_ms: i64,
    }
    /// No timer is left.
    WakeGone: Delete "wake" key(instance_id) {
        /// The instance.
        instance_id: String,
    }
}

statements! {
    WAKE_CLAIM = same(
        "WITH due AS MATERIALIZED (
             SELECT w.instance_id FROM wake w WHERE w.ready_at_ms <= $1 ORDER BY w.ready_at_ms LIMIT $3 {lock:w})
         UPDATE wake SET ready_at_ms = $2 FROM due WHERE wake.instance_id = due.instance_id
         RETURNING wake.instance_id, wake.ready_at_ms");
    WAKE_NEXT = same("SELECT ready_at_ms FROM wake ORDER BY ready_at_ms LIMIT 1");
    WAKE_READ = same("SELECT instance_id, ready_at_ms FROM wake WHERE instance_id = $1");
}

impl Store {
    /// Claims due wakes until `until_ms` and returns their instances. The claim is a hint: what decides is the version.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn wake_claim(
        &self,
        now_ms: i64,
        until_ms: i64,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let rows: Vec<Wake> = self
            .inner
            .write(WAKE_CLAIM.call().int(now_ms).int(until_ms).int(limit))
            .await?;
        let mut ids: Vec<String> = rows.into_iter().map(|wake| wake.instance_id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The earliest time at which any instance is due.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn wake_next(&self) -> Result<Option<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.inner.fetch(|| WAKE_NEXT.call()).await?;
        Ok(rows.first().map(|(at,)| *at))
    }

    /// The wake of one instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn wake(&self, instance_id: &str) -> Result<Option<Wake>, StoreError> {
        Ok(self
            .inner
            .fetch(|| WAKE_READ.call().text(instance_id))
            .await?
            .pop())
    }
}
