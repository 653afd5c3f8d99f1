//! What rides with the state of a running instance: large values, checkpoints, subscriptions, consumed events.

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
