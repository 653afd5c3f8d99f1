//! Events received, the shapes by which they are found, and their routing.

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
    EventRouted: Update "event" key(seq) {
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
    SubscriptionSeen: Update "subscription" key(instance_id, run_id, n) {
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
