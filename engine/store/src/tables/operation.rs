//! What operators see: incidents, nodes; and the words by which things are found.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `incident`.
    IncidentRow: Ignore "incident" key(id) {
        /// UUIDv7 text.
        id: String,
        /// The instance.
        instance_id: Option<String>,
        /// `fault`, `outcome unknown`, `mail`, `refused` and so on.
        kind: String,
        /// The error, problem+json.
        error: String,
        /// When.
        at_ms: i64,
        /// By whom it was closed.
        closed_by: Option<String>,
        /// When it was closed.
        closed_at_ms: Option<i64>,
    }
    /// An incident is closed.
    IncidentClosed: Amend "incident" key(id) {
        /// The incident.
        id: String,
        /// By whom.
        closed_by: Option<String>,
        /// When.
        closed_at_ms: Option<i64>,
    }
    /// A row of `node`.
    NodeRow: Upsert "node" key(id) {
        /// The node.
        id: String,
        /// Its release.
        version: String,
        /// The highest state format that it understands.
        format_max: i64,
        /// When it was seen last.
        seen_at_ms: i64,
    }
    /// A row of `text_index`: words that an object is found by.
    TextRow: Upsert "text_index" key(kind, id) {
        /// `case`, `resource`, `person` and so on.
        kind: String,
        /// The object.
        id: String,
        /// Words separated by spaces; see `text::words`.
        words: String,
    }
    /// The object is gone.
    TextGone: Delete "text_index" key(kind, id) {
        /// The kind.
        kind: String,
        /// The object.
        id: String,
    }
}

statements! {
    INCIDENTS_OPEN = same(
        "SELECT id, instance_id, kind, error, at_ms, closed_by, closed_at_ms FROM incident
         WHERE closed_at_ms IS NULL AND id > $1 ORDER BY id LIMIT $2");
    INCIDENTS_OF = same(
        "SELECT id, instance_id, kind, error, at_ms, closed_by, closed_at_ms FROM incident
         WHERE instance_id = $1 ORDER BY id");
    INCIDENT = same(
        "SELECT id, instance_id, kind, error, at_ms, closed_by, closed_at_ms FROM incident WHERE id = $1");
    NODES = same("SELECT id, version, format_max, seen_at_ms FROM node WHERE seen_at_ms >= $1 ORDER BY id");
    NODE_SEEN = same(
        "INSERT INTO node (id, version, format_max, seen_at_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, format_max = excluded.format_max,
             seen_at_ms = excluded.seen_at_ms");
    NODES_GONE = same("DELETE FROM node WHERE seen_at_ms < $1");
    // Each count ends at 100,000 rows: how far behind a site is can be told without reading all that waits.
    GAUGES = same(
        "SELECT
             (SELECT COUNT(*) FROM (SELECT 1 FROM instance_state LIMIT 100000) AS counted) AS running,
             (SELECT COUNT(*) FROM (SELECT 1 FROM work_item WHERE status = 'open' LIMIT 100000) AS counted) AS open_items,
             (SELECT COUNT(*) FROM (SELECT 1 FROM wake WHERE ready_at_ms <= $1 LIMIT 100000) AS counted) AS due_wakes,
             (SELECT COUNT(*) FROM (SELECT 1 FROM inbox LIMIT 100000) AS counted) AS inbox,
             (SELECT COUNT(*) FROM (SELECT 1 FROM act LIMIT 100000) AS counted) AS acts,
             (SELECT COUNT(*) FROM (SELECT 1 FROM mail WHERE status = 'waiting' LIMIT 100000) AS counted) AS mails,
             (SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE routed = 0 LIMIT 100000) AS counted) AS events,
             (SELECT COUNT(*) FROM (SELECT 1 FROM incident WHERE closed_at_ms IS NULL LIMIT 100000) AS counted) AS incidents,
             (SELECT MIN(ready_at_ms) FROM wake) AS oldest_wake_ms");
}

/// How much of everything waits, each counted to 100,000 at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Gauges {
    /// Instances that have not ended.
    pub running: i64,
    /// Open work items.
    pub open_items: i64,
    /// Wakes that are due.
    pub due_wakes: i64,
    /// Inbox rows.
    pub inbox: i64,
    /// Acts without an outcome.
    pub acts: i64,
    /// Mails to be sent.
    pub mails: i64,
    /// Events to be routed.
    pub events: i64,
    /// Open incidents.
    pub incidents: i64,
    /// The earliest wake.
    pub oldest_wake_ms: Option<i64>,
}

impl Store {
    /// A page of open incidents, after an id.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn incidents_open(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<IncidentRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| INCIDENTS_OPEN.call().text(after).int(limit))
            .await?)
    }

    /// All incidents of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn incidents_of(&self, instance_id: &str) -> Result<Vec<IncidentRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| INCIDENTS_OF.call().text(instance_id))
            .await?)
    }

    /// One incident.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn incident(&self, id: &str) -> Result<Option<IncidentRow>, StoreError> {
        Ok(self.inner.fetch(|| INCIDENT.call().text(id)).await?.pop())
    }

    /// Says that a node lives, and forgets nodes unseen since `forget_before_ms`.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn node_seen(&self, row: &NodeRow, forget_before_ms: i64) -> Result<(), StoreError> {
        let call = NODE_SEEN
            .call()
            .text(row.id.as_str())
            .text(row.version.as_str());
        self.inner
            .execute(call.int(row.format_max).int(row.seen_at_ms))
            .await?;
        self.inner
            .execute(NODES_GONE.call().int(forget_before_ms))
            .await?;
        Ok(())
    }

    /// Nodes seen since a time.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn nodes(&self, since_ms: i64) -> Result<Vec<NodeRow>, StoreError> {
        Ok(self.inner.fetch(|| NODES.call().int(since_ms)).await?)
    }

    /// How much of everything waits.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn gauges(&self, now_ms: i64) -> Result<Gauges, StoreError> {
        Ok(self
            .inner
            .fetch(|| GAUGES.call().int(now_ms))
            .await?
            .pop()
            .unwrap_or_default())
    }
}
