//! Registers and their records, who read them, and what may be read.

use crate::write::rows;

rows! {
    /// A row of `register`.
    RegisterRow: Upsert "register" key(name) {
        /// The register.
        name: String,
        /// The definition's version.
        version: String,
        /// The JSON Schema and the rest of the definition, JSON.
        schema: String,
        /// The authority of each field, JSON.
        authority: String,
        /// The rights, JSON.
        rights: String,
    }
    /// A row of `record`; written through `Change::records`.
    RecordRow: Upsert "record" key(register, id) {
        /// The register.
        register: String,
        /// The record.
        id: String,
        /// From 1.
        version: i64,
        /// The unit to which it belongs.
        unit_id: Option<String>,
        /// The data, JSON.
        body: String,
        /// Where each field came from, JSON.
        provenance: String,
        /// A mark such as `disputed`.
        mark: Option<String>,
        /// When it changed.
        changed_at_ms: i64,
    }
    /// A removed record.
    RecordGone: Delete "record" key(register, id) {
        /// The register.
        register: String,
        /// The record.
        id: String,
    }
    /// A row of `record_key`.
    RecordKeyRow: Upsert "record_key" key(register, name, value, slot) {
        /// The register.
        register: String,
        /// The declared key or indexed field.
        name: String,
        /// Its value as text.
        value: String,
        /// Empty for a unique key, the record's id otherwise.
        slot: String,
        /// The record.
        id: String,
    }
    /// All lookup values of a record.
    RecordKeysGone: Delete "record_key" key(register, id) {
        /// The register.
        register: String,
        /// The record.
        id: String,
    }
    /// A row of `record_history`.
    RecordHistoryRow: Insert "record_history" key(register, id, version) {
        /// The register.
        register: String,
        /// The record.
        id: String,
        /// The version.
        version: i64,
        /// The data of this version, JSON; `null` when removed.
        body: String,
        /// The instance that wrote it.
        by_instance: Option<String>,
        /// When.
        at_ms: i64,
    }
    /// A row of `access_log`: a read of a personal record.
    AccessRow: Insert "access_log" key(id) {
        /// UUIDv7 text.
        id: String,
        /// The register.
        register: String,
        /// The record; `None` for an export.
        record_id: Option<String>,
        /// Who read.
        who: String,
        /// Which instance or grant justifies it.
        why: String,
        /// Which fields, JSON.
        fields: String,
        /// How many records.
        count: i64,
        /// When.
        at_ms: i64,
    }
    /// A row of `grant_right`: which unit may read what.
    GrantRow: Upsert "grant_right" key(id) {
        /// UUIDv7 text.
        id: String,
        /// The resource.
        resource: String,
        /// The unit that may.
        unit_id: String,
        /// Which fields, JSON.
        fields: String,
        /// Which rows, JSON.
        row_filter: Option<String>,
        /// How: `api`, `file` and so on.
        mode: String,
        /// What for.
        purpose: String,
        /// How much, JSON.
        quota: Option<String>,
        /// Until when.
        ends_at_ms: Option<i64>,
        /// `active`, `suspended`, `revoked`, `ended`.
        status: String,
        /// The instance that issued it.
        instance_id: Option<String>,
    }
}
