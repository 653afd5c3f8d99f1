//! The earliest due time of an instance's timers: one row per instance, or none.

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
