//! Calls that leave the machine: the intent is a row until its outcome is known.

use crate::write::rows;

rows! {
    /// A row of `act`.
    ActRow: Insert "act" key(instance_id, run_id) {
        /// The instance.
        instance_id: String,
        /// The entry into the task.
        run_id: String,
        /// The function.
        function: String,
        /// The connector whose limits apply.
        connector: Option<String>,
        /// The idempotency key.
        key: String,
        /// The arguments, JSON.
        args: String,
        /// How often it was begun; the first is counted by the insert.
        attempt: i64,
        /// The claim that may report a failure.
        token: Option<String>,
        /// The last error, problem+json.
        error: Option<String>,
        /// The task's timeout.
        deadline_ms: Option<i64>,
        /// Due when at or before now; a claim or lease pushes it ahead.
        ready_at_ms: i64,
    }
    /// The outcome is known, or the intent is withdrawn.
    ActGone: Delete "act" key(instance_id, run_id) {
        /// The instance.
        instance_id: String,
        /// The entry into the task.
        run_id: String,
    }
}
