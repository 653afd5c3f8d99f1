//! Time limits with their ledgers.

use crate::write::rows;

rows! {
    /// A row of `clock`, all of it.
    ClockRow: Upsert "clock" key(instance_id, id) {
        /// The instance.
        instance_id: String,
        /// The clock's id in the instance.
        id: String,
        /// The legal basis.
        basis: Option<String>,
        /// The budget, such as `10` or a date.
        budget: String,
        /// The budget's unit.
        unit: String,
        /// The calendar it is counted by.
        calendar: Option<String>,
        /// When it started.
        started_at_ms: i64,
        /// The derived deadline.
        due_at_ms: Option<i64>,
        /// 1 while the deadline crosses an unpublished calendar.
        provisional: i64,
        /// When it stopped for good.
        closed_at_ms: Option<i64>,
    }
    /// A row of `clock_entry`.
    ClockEntryRow: Insert "clock_entry" key(instance_id, id, seq) {
        /// The instance.
        instance_id: String,
        /// The clock.
        id: String,
        /// The entry's number.
        seq: i64,
        /// `pause`, `resume`, `extend`, `rung`, `recompute`.
        kind: String,
        /// The ground, or the rung.
        ground: Option<String>,
        /// When.
        at_ms: i64,
        /// By whom.
        by_id: Option<String>,
        /// Why.
        why: Option<String>,
    }
}
