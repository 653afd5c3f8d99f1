//! Events received, the shapes by which they are found, and their routing.

use super::state::SubscriptionRow;
use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A new row of `event`; a second one of the same source and id is dropped.
    EventRow: Ignore "event" key(source, id) {
        /// The CloudEvents source.
        source: String,
        /// The CloudEvents id.
        id: String,
        /// The CloudEvents type.
        event_type: String,
        /// The whole event, JSON.
        body: String,
        /// When it was received.
        received_at_ms: i64,
        /// When its time to live ends.
        expires_at_ms: i64,
        /// 1 once every subscription of the time was told.
        routed: i64,
        /// Where a paged fan-out goes on.
        cursor: Option<String>,
    }
    /// How far the routing of an event has come.
    EventRouted: Amend "event" key(seq) {
        /// The event.
        seq: i64,
        /// 1 when done.
        routed: i64,
        /// Where it goes on otherwise.
        cursor: Option<String>,
    }
    /// A row of `listen_shape`: how the events of a type are matched.
    ListenShapeRow: Upsert "listen_shape" key(shape, bundle) {
        /// The digest of type, filter and expressions.
        shape: String,
        /// The event type; empty for any.
        event_type: String,
        /// The filter, JSON.
        filter: String,
        /// The correlation expressions, JSON.
        from_exprs: String,
        /// The bundle that declares it.
        bundle: String,
    }
    /// A bundle is withdrawn.
    ListenShapeGone: Delete "listen_shape" key(shape, bundle) {
        /// The shape.
        shape: String,
        /// The bundle.
        bundle: String,
    }
    /// Subscriptions whose early events were offered.
    SubscriptionSeen: Amend "subscription" key(instance_id, run_id, n) {
        /// The instance.
        instance_id: String,
        /// The entry into the listening task.
        run_id: String,
        /// The filter's number.
        n: i64,
        /// 0.
        fresh: i64,
    }
}

statements! {
    EVENT_ADD = same(
        "INSERT INTO event (source, id, event_type, body, received_at_ms, expires_at_ms, routed)
         VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING RETURNING seq");
    EVENTS_UNROUTED = same(
        "SELECT seq, source, id, event_type, body, received_at_ms, expires_at_ms, routed, cursor
         FROM event WHERE routed = 0 AND seq > $1 ORDER BY seq LIMIT $2");
    EVENTS_UNSENT = same(
        "SELECT seq, source, id, event_type, body, received_at_ms, expires_at_ms, routed, cursor
         FROM event WHERE routed = 2 ORDER BY seq LIMIT $1");
    // Types that a current version or somebody who listens now names, of a family of types.
    TYPES_HEARD = same(
        "SELECT DISTINCT s.event_type FROM listen_shape s
         WHERE s.event_type >= $1 AND s.event_type < $2
           AND (EXISTS (SELECT 1 FROM workflow w WHERE w.current_bundle = s.bundle OR w.current_bundle || $3 = s.bundle)
                OR EXISTS (SELECT 1 FROM subscription u WHERE u.shape = s.shape))
         ORDER BY s.event_type");
    EVENTS_OF_TYPE = same(
        "SELECT seq, source, id, event_type, body, received_at_ms, expires_at_ms, routed, cursor
         FROM event WHERE event_type = $1 AND seq > $2 AND received_at_ms >= $3 AND expires_at_ms > $4
         ORDER BY seq LIMIT $5");
    EVENT_READ = same(
        "SELECT seq, source, id, event_type, body, received_at_ms, expires_at_ms, routed, cursor
         FROM event WHERE seq = $1");
    SUBSCRIPTIONS_FOR = same(
        "SELECT instance_id, run_id, n, shape, value, fresh FROM subscription
         WHERE shape = $1 AND value = $2 AND instance_id > $3 ORDER BY instance_id, run_id, n LIMIT $4");
    SUBSCRIPTIONS_FRESH = same(
        "SELECT instance_id, run_id, n, shape, value, fresh FROM subscription
         WHERE fresh = 1 AND instance_id > $1 ORDER BY instance_id LIMIT $2");
    SHAPES_OF_TYPE = same(
        "SELECT shape, event_type, filter, from_exprs, bundle FROM listen_shape
         WHERE event_type = $1 OR event_type = '' ORDER BY shape, bundle");
    TAKEN_BY = same("SELECT event_seq, instance_id, expires_at_ms FROM event_taken WHERE event_seq = $1 AND instance_id = $2");
    EVENTS_EXPIRED = same(
        "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)");
    TAKEN_EXPIRED = same(
        "DELETE FROM event_taken WHERE (event_seq, instance_id) IN (
             SELECT event_seq, instance_id FROM event_taken WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)");
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    /// The order in which events came.
    pub seq: i64,
    /// The CloudEvents source.
    pub source: String,
    /// The CloudEvents id.
    pub id: String,
    /// The CloudEvents type.
    pub event_type: String,
    /// The whole event, JSON.
    pub body: String,
    /// When it was received.
    pub received_at_ms: i64,
    /// When its time to live ends.
    pub expires_at_ms: i64,
    /// 1 once routed, 2 while it also waits for the site's sink.
    pub routed: i64,
    /// Where a paged fan-out goes on.
    pub cursor: Option<String>,
}

impl Store {
    /// Stores an event that came from outside; `None` when its source and id are known already.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn event_add(&self, row: &EventRow) -> Result<Option<i64>, StoreError> {
        let call = EVENT_ADD
            .call()
            .text(row.source.as_str())
            .text(row.id.as_str())
            .text(row.event_type.as_str())
            .text(row.body.as_str())
            .int(row.received_at_ms)
            .int(row.expires_at_ms);
        let rows: Vec<(i64,)> = self.inner.write(call).await?;
        Ok(rows.first().map(|(seq,)| *seq))
    }

    /// Events whose routing is not done, after a sequence number.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn events_unrouted(&self, after: i64, limit: i64) -> Result<Vec<Event>, StoreError> {
        Ok(self
            .inner
            .fetch(|| EVENTS_UNROUTED.call().int(after).int(limit))
            .await?)
    }

    /// Events that are routed here and wait to be sent to the site's sink, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn events_unsent(&self, limit: i64) -> Result<Vec<Event>, StoreError> {
        Ok(self.inner.fetch(|| EVENTS_UNSENT.call().int(limit)).await?)
    }

    /// Types from `from` to before `to` that somebody names: a workflow's current version, its hidden listener (its
    /// bundle's digest with `hidden` behind), or a listener that waits now.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn types_heard(
        &self,
        from: &str,
        to: &str,
        hidden: &str,
    ) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self
            .inner
            .fetch(|| TYPES_HEARD.call().text(from).text(to).text(hidden))
            .await?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }

    /// Live events of a type received since `since_ms`, for a listener that came later.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn events_of_type(
        &self,
        event_type: &str,
        after: i64,
        since_ms: i64,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let call = || {
            EVENTS_OF_TYPE
                .call()
                .text(event_type)
                .int(after)
                .int(since_ms)
                .int(now_ms)
                .int(limit)
        };
        Ok(self.inner.fetch(call).await?)
    }

    /// One event.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn event(&self, seq: i64) -> Result<Option<Event>, StoreError> {
        Ok(self.inner.fetch(|| EVENT_READ.call().int(seq)).await?.pop())
    }

    /// A page of the subscriptions that expect a value, after an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn subscriptions_for(
        &self,
        shape: &str,
        value: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| {
                SUBSCRIPTIONS_FOR
                    .call()
                    .text(shape)
                    .text(value)
                    .text(after)
                    .int(limit)
            })
            .await?)
    }

    /// Subscriptions that were not yet offered the events that came before them.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn subscriptions_fresh(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| SUBSCRIPTIONS_FRESH.call().text(after).int(limit))
            .await?)
    }

    /// The shapes by which events of a type are matched, those for any type among them.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn listen_shapes(&self, event_type: &str) -> Result<Vec<ListenShapeRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| SHAPES_OF_TYPE.call().text(event_type))
            .await?)
    }

    /// Whether an instance consumed an event.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn event_is_taken(&self, seq: i64, instance_id: &str) -> Result<bool, StoreError> {
        let rows: Vec<super::state::EventTaken> = self
            .inner
            .fetch(|| TAKEN_BY.call().int(seq).text(instance_id))
            .await?;
        Ok(!rows.is_empty())
    }

    /// Deletes events past their time to live; returns how many rows went.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn events_expire(&self, now_ms: i64, limit: i64) -> Result<u64, StoreError> {
        let events = self
            .inner
            .execute(EVENTS_EXPIRED.call().int(now_ms).int(limit))
            .await?;
        Ok(events
            + self
                .inner
                .execute(TAKEN_EXPIRED.call().int(now_ms).int(limit))
                .await?)
    }
}
