//! What a write hands over: rows that ride in the instance's commit.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::Provenance;

/// How a record's row changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordMode {
    /// The whole body is new.
    Put,
    /// Single fields of the body were changed; `body` is the whole new body all the same.
    Amend,
}

/// One record to write, guarded by the version that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordWrite {
    /// The register.
    pub register: String,
    /// The value of the register's key.
    pub id: String,
    /// The committed version that this builds on; `None` when the record must not exist yet.
    pub base_version: Option<i64>,
    /// Put or amend.
    pub mode: RecordMode,
    /// The unit that the record belongs to.
    pub unit: Option<String>,
    /// The whole new body.
    pub body: Value,
    /// Alternative keys: name (`provider+name`) and value.
    pub keys: Vec<(String, String)>,
    /// Where the fields come from.
    pub provenance: Provenance,
    /// A mark that stands on the record.
    pub mark: Option<String>,
    /// The case that locks the record.
    pub lock: Option<String>,
    /// Keep this version in the history.
    pub history: bool,
}

/// Whether a grant is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantStatus {
    /// In force until its end.
    Active,
    /// Ended by its date.
    Expired,
    /// Ended by a decision.
    Revoked,
}

/// One row of `grant_right`: what the exchange serves by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantWrite {
    /// The grant's id, the key of its record in `grants`.
    pub id: String,
    /// The resource's code.
    pub resource: String,
    /// The unit that may use it.
    pub unit: String,
    /// The fields that may be read.
    pub fields: Vec<String>,
    /// A filter on rows; `Null` for all.
    pub rows: Value,
    /// How it is delivered (`api`, `file`, …).
    pub mode: String,
    /// What for.
    pub purpose: String,
    /// Calls a day; `None` for no limit.
    pub quota: Option<i64>,
    /// When it ends; `None` for no end.
    pub ends_at_ms: Option<i64>,
    /// In force or not.
    pub status: GrantStatus,
}

/// One row of the access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEntry {
    /// The register.
    pub register: String,
    /// The record; empty for a search that names none.
    pub record_id: String,
    /// The person, or `workflow:namespace/name` when the system started the case.
    pub who: String,
    /// The case, the purpose and the consent.
    pub why: String,
    /// The fields that were given, `*` for all.
    pub fields: Vec<String>,
    /// How many records were given; 0 says that one was looked for.
    pub count: u32,
    /// When.
    pub at_ms: i64,
}

/// What a write hands over.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// The result of the call.
    pub value: Value,
    /// Records to write.
    pub records: Vec<RecordWrite>,
    /// Grants to write.
    pub grants: Vec<GrantWrite>,
    /// Rows of the access log.
    pub access: Vec<AccessEntry>,
}

/// Merges the writes of one activation: a later write of a record replaces an earlier one but keeps
/// the version that the first was built on.
#[must_use]
pub fn merge(writes: impl IntoIterator<Item = RecordWrite>) -> Vec<RecordWrite> {
    let mut merged: IndexMap<(String, String), RecordWrite> = IndexMap::new();
    for mut write in writes {
        let key = (write.register.clone(), write.id.clone());
        if let Some(earlier) = merged.get(&key) {
            write.base_version = earlier.base_version;
            write.history |= earlier.history;
        }
        merged.insert(key, write);
    }
    merged.into_values().collect()
}
