//! The order in which every transaction writes the tables, and whose their rows are.

use crate::write::Operation;

/// The tables in the one order in which every transaction writes them.
pub(crate) const ORDER: &[&str] = &[
    "key",
    "instance_state",
    "instance",
    "history",
    "wake",
    "inbox",
    "act",
    "blob",
    "checkpoint",
    "subscription",
    "listen_shape",
    "event",
    "event_taken",
    "schedule",
    "work_item",
    "work_candidate",
    "decision",
    "work_note",
    "draft",
    "clock",
    "clock_entry",
    "party",
    "search",
    "mail",
    "mail_link",
    "attachment",
    "attachment_use",
    "file",
    "bundle",
    "bundle_file",
    "workflow",
    "register",
    "record",
    "record_key",
    "record_history",
    "access_log",
    "grant_right",
    "unit",
    "unit_ancestor",
    "person",
    "post",
    "membership",
    "role",
    "absence",
    "calendar_day",
    "right_rule",
    "session",
    "api_key",
    "credential",
    "bulk",
    "bulk_item",
    "incident",
    "node",
    "text_index",
    "sequence",
    "audit",
    "audit_chain",
];

/// The place of a table in `ORDER`.
pub(crate) fn order(table: &str) -> usize {
    ORDER
        .iter()
        .position(|name| *name == table)
        .unwrap_or(ORDER.len())
}

/// The column that says to which instance a row belongs, for the tables that only the instance's own change writes.
pub(crate) fn instance_column(operation: &Operation) -> Option<usize> {
    let name = match operation.table {
        "instance" => "id",
        "history" | "wake" | "act" | "blob" | "checkpoint" | "subscription" | "event_taken"
        | "work_item" | "work_candidate" | "decision" | "clock" | "clock_entry" | "party"
        | "search" => "instance_id",
        _ => return None,
    };
    operation
        .columns
        .iter()
        .position(|(column, _)| *column == name)
}
