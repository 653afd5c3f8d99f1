//! The head of an instance (what lists need) and its history.

use crate::write::rows;

rows! {
    /// A row of `instance`: written when it is born.
    InstanceRow: Insert "instance" key(id) {
        /// UUIDv7 text.
        id: String,
        /// `namespace/name`.
        workflow: String,
        /// The digest of the bundle it runs.
        bundle: String,
        /// The case number, when the workflow has one.
        number: Option<String>,
        /// `running`, `suspended`, `faulted`, `completed`, `cancelled`, or the author's word for the end.
        status: String,
        /// What it waits for, in words of the runtime.
        wait: Option<String>,
        /// The last error, problem+json.
        last_error: Option<String>,
        /// The business key.
        business_key: Option<String>,
        /// The title for lists.
        title: Option<String>,
        /// The unit to which it belongs.
        unit_id: Option<String>,
        /// The person who started it.
        starter_id: Option<String>,
        /// The parent instance.
        parent_id: Option<String>,
        /// The output, JSON, once ended.
        output: Option<String>,
        /// When it started.
        started_at_ms: i64,
        /// When its head changed last.
        changed_at_ms: i64,
        /// When it ended.
        ended_at_ms: Option<i64>,
        /// When it may be purged.
        purge_at_ms: Option<i64>,
    }
    /// New values of the head's changing columns; all of them are written.
    HeadUpdate: Update "instance" key(id) {
        /// The instance.
        id: String,
        /// The new status.
        status: String,
        /// What it waits for now.
        wait: Option<String>,
        /// The last error.
        last_error: Option<String>,
        /// The title.
        title: Option<String>,
        /// The unit.
        unit_id: Option<String>,
        /// The output.
        output: Option<String>,
        /// When this change was made.
        changed_at_ms: i64,
        /// When it ended.
        ended_at_ms: Option<i64>,
        /// When it may be purged.
        purge_at_ms: Option<i64>,
    }
    /// A row of `history`: the records of one activation.
    HistoryRow: Insert "history" key(instance_id, version) {
        /// The instance.
        instance_id: String,
        /// The version that the activation made.
        version: i64,
        /// When.
        at_ms: i64,
        /// Who caused it.
        actor: Option<String>,
        /// The records, JSON.
        body: String,
    }
}
