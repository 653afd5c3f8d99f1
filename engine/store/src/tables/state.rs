//! What rides with the state of a running instance: large values, checkpoints, subscriptions, consumed events.

use crate::db::{Bulk, Kind, Value, statements};
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `blob`: a large value that does not change, once per instance.
    BlobRow: Ignore "blob" key(instance_id, digest) {
        /// The instance.
        instance_id: String,
        /// The digest of the value.
        digest: String,
        /// The value, JSON.
        body: String,
    }
    /// A blob that nothing refers to any more.
    BlobGone: Delete "blob" key(instance_id, digest) {
        /// The instance.
        instance_id: String,
        /// The digest of the value.
        digest: String,
    }
    /// A row of `checkpoint`: what a task was entered with, the latest per path.
    CheckpointRow: Upsert "checkpoint" key(instance_id, path) {
        /// The instance.
        instance_id: String,
        /// The task.
        path: String,
        /// The entry into it.
        run_id: String,
        /// The raw input, JSON.
        input: String,
        /// `$context`, JSON.
        context: String,
    }
    /// One checkpoint less.
    CheckpointGone: Delete "checkpoint" key(instance_id, path) {
        /// The instance.
        instance_id: String,
        /// The task.
        path: String,
    }
    /// All checkpoints of an instance.
    CheckpointsGone: Delete "checkpoint" key(instance_id) {
        /// The instance.
        instance_id: String,
    }
    /// A row of `subscription`: what a listening frame waits for.
    SubscriptionRow: Upsert "subscription" key(instance_id, run_id, n) {
        /// The instance.
        instance_id: String,
        /// The entry into the listening task.
        run_id: String,
        /// The filter's number.
        n: i64,
        /// The shape of the correlation.
        shape: String,
        /// The expected value; empty when the shape expects none.
        value: String,
        /// 1 until events that came before were offered.
        fresh: i64,
    }
    /// The listening frame ended.
    SubscriptionGone: Delete "subscription" key(instance_id, run_id) {
        /// The instance.
        instance_id: String,
        /// The entry into the listening task.
        run_id: String,
    }
    /// A row of `event_taken`: the instance consumed the event.
    EventTaken: Insert "event_taken" key(event_seq, instance_id) {
        /// The event.
        event_seq: i64,
        /// The instance.
        instance_id: String,
        /// When the event's time to live ends.
        expires_at_ms: i64,
    }
}

statements! {
    BLOBS = bulk(BLOB,
        "SELECT b.instance_id, b.digest, b.body FROM {rows}
         JOIN blob b ON b.instance_id = r.instance_id AND b.digest = r.digest");
    CHECKPOINTS = same(
        "SELECT instance_id, path, run_id, input, context FROM checkpoint WHERE instance_id = $1 ORDER BY path");
    CHECKPOINT = same(
        "SELECT instance_id, path, run_id, input, context FROM checkpoint WHERE instance_id = $1 AND path = $2");
    SUBSCRIPTIONS_OF = same(
        "SELECT instance_id, run_id, n, shape, value, fresh FROM subscription
         WHERE instance_id = $1 ORDER BY run_id, n");
}

const BLOB: &[(&str, Kind)] = &[("instance_id", Kind::Text), ("digest", Kind::Text)];

impl Store {
    /// Loads blobs of an instance by digest.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn blobs(
        &self,
        instance_id: &str,
        digests: &[&str],
    ) -> Result<Vec<BlobRow>, StoreError> {
        let mut wanted = Bulk::new(BLOB);
        digests
            .iter()
            .for_each(|digest| wanted.push(&[Value::from(instance_id), Value::from(*digest)]));
        Ok(self.inner.fetch(|| BLOBS.call().rows(&wanted)).await?)
    }

    /// The checkpoints of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn checkpoints(&self, instance_id: &str) -> Result<Vec<CheckpointRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| CHECKPOINTS.call().text(instance_id))
            .await?)
    }

    /// The checkpoint of one task.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn checkpoint(
        &self,
        instance_id: &str,
        path: &str,
    ) -> Result<Option<CheckpointRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| CHECKPOINT.call().text(instance_id).text(path))
            .await?
            .pop())
    }

    /// The subscriptions of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn subscriptions_of(
        &self,
        instance_id: &str,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| SUBSCRIPTIONS_OF.call().text(instance_id))
            .await?)
    }
}
