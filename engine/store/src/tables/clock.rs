//! Time limits with their ledgers.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
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

statements! {
    CLOCKS = same(
        "SELECT instance_id, id, basis, budget, unit, calendar, started_at_ms, due_at_ms, provisional, closed_at_ms
         FROM clock WHERE instance_id = $1 ORDER BY id");
    CLOCK_ENTRIES = same(
        "SELECT instance_id, id, seq, kind, ground, at_ms, by_id, why FROM clock_entry
         WHERE instance_id = $1 ORDER BY id, seq");
    CLOCKS_OF_CALENDAR = same(
        "SELECT instance_id, id, basis, budget, unit, calendar, started_at_ms, due_at_ms, provisional, closed_at_ms
         FROM clock WHERE calendar = $1 AND closed_at_ms IS NULL AND due_at_ms >= $2
         ORDER BY due_at_ms, instance_id, id LIMIT $3");
}

impl Store {
    /// The clocks of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn clocks(&self, instance_id: &str) -> Result<Vec<ClockRow>, StoreError> {
        Ok(self.inner.fetch(|| CLOCKS.call().text(instance_id)).await?)
    }

    /// The ledgers of all clocks of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn clock_entries(&self, instance_id: &str) -> Result<Vec<ClockEntryRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| CLOCK_ENTRIES.call().text(instance_id))
            .await?)
    }

    /// Running clocks that a change of a calendar may move.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn clocks_of_calendar(
        &self,
        calendar: &str,
        from_ms: i64,
        limit: i64,
    ) -> Result<Vec<ClockRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| {
                CLOCKS_OF_CALENDAR
                    .call()
                    .text(calendar)
                    .int(from_ms)
                    .int(limit)
            })
            .await?)
    }
}
