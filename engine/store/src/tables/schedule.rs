//! When workflows start by themselves.

use crate::write::rows;

rows! {
    /// A row of `schedule`.
    ScheduleRow: Upsert "schedule" key(id) {
        /// `<workflow>#<n>`.
        id: String,
        /// The workflow.
        workflow: String,
        /// The schedule's number in the workflow.
        n: i64,
        /// Cron, every or after, JSON.
        spec: String,
        /// The time zone.
        zone: String,
        /// `skip`, `once` or `all`.
        catch_up: String,
        /// The last tick that started an instance.
        last_tick_ms: Option<i64>,
        /// The next tick; a claim pushes it ahead.
        ready_at_ms: i64,
    }
    /// After a tick.
    ScheduleTicked: Update "schedule" key(id) {
        /// The schedule.
        id: String,
        /// The tick.
        last_tick_ms: Option<i64>,
        /// The next one.
        ready_at_ms: i64,
    }
    /// Superseded.
    ScheduleGone: Delete "schedule" key(id) {
        /// The schedule.
        id: String,
    }
}
