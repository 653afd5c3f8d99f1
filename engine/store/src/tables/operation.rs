//! What operators see: incidents, bulk acts, nodes; and attachments.

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
    IncidentClosed: Update "incident" key(id) {
        /// The incident.
        id: String,
        /// By whom.
        closed_by: Option<String>,
        /// When.
        closed_at_ms: Option<i64>,
    }
    /// A row of `bulk`.
    BulkRow: Upsert "bulk" key(id) {
        /// UUIDv7 text.
        id: String,
        /// What is done to each target.
        what: String,
        /// How the targets were chosen, JSON.
        filter: String,
        /// By whom.
        by_id: String,
        /// `running`, `done`, `cancelled`.
        status: String,
        /// When it began.
        at_ms: i64,
    }
    /// A row of `bulk_item`.
    BulkItemRow: Upsert "bulk_item" key(bulk_id, seq) {
        /// The bulk act.
        bulk_id: String,
        /// The target's number.
        seq: i64,
        /// The target.
        target: String,
        /// What became of it; `None` while it waits.
        result: Option<String>,
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
    /// A row of `attachment_use`.
    AttachmentUseRow: Upsert "attachment_use" key(instance_id, digest, name) {
        /// The instance.
        instance_id: String,
        /// The attachment.
        digest: String,
        /// The name that the person gave it.
        name: String,
        /// By whom it was added.
        by_id: String,
        /// When.
        at_ms: i64,
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
