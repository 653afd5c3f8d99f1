//! What an instance is told by others: a child ended, cancel, an event. Inserted by anyone, consumed by its own change
//! (`Change::inbox_taken`).

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
