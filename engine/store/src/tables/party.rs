//! Who may see an instance, and by which fields it is found.

use crate::write::rows;

rows! {
    /// A row of `party`.
    PartyRow: Ignore "party" key(principal, instance_id) {
        /// A person, a unit, a role at a unit.
        principal: String,
        /// The instance.
        instance_id: String,
        /// `starter`, `signer`, `unit`, `copied` and so on.
        why: String,
        /// Since when.
        at_ms: i64,
    }
    /// A row of `search`.
    SearchRow: Ignore "search" key(workflow, name, value, instance_id) {
        /// The workflow.
        workflow: String,
        /// The field.
        name: String,
        /// Its value as text.
        value: String,
        /// The instance.
        instance_id: String,
    }
    /// A former search value.
    SearchGone: Delete "search" key(workflow, name, value, instance_id) {
        /// The workflow.
        workflow: String,
        /// The field.
        name: String,
        /// The former value.
        value: String,
        /// The instance.
        instance_id: String,
    }
}
