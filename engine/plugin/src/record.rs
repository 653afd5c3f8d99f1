//! Records as they are read: body, version, where each field comes from.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tongban_expr::Value;

/// Where one field's value comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldSource {
    /// The unit or system whose word it is.
    pub source: String,
    /// When it was fetched or written, in UTC milliseconds.
    pub fetched_at_ms: i64,
    /// The case that approved it, if a case did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The number of that case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

/// Where a record's fields come from; the field `*` stands for all that are not named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provenance(pub IndexMap<String, FieldSource>);

impl Provenance {
    /// The source of a field, or of the whole record.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&FieldSource> {
        self.0.get(field).or_else(|| self.0.get("*"))
    }

    /// The oldest moment at which a part of the record was fetched.
    #[must_use]
    pub fn oldest_ms(&self) -> Option<i64> {
        self.0.values().map(|source| source.fetched_at_ms).min()
    }

    /// The same, among the given fields only.
    #[must_use]
    pub fn oldest_of_ms(&self, fields: &[String]) -> Option<i64> {
        fields
            .iter()
            .filter_map(|field| self.of(field))
            .map(|source| source.fetched_at_ms)
            .min()
    }
}

/// One committed record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The register.
    pub register: String,
    /// The value of the register's key.
    pub id: String,
    /// The committed version, from 1.
    pub version: i64,
    /// The unit that the record belongs to.
    pub unit: Option<String>,
    /// The record itself.
    pub body: Value,
    /// Where its fields come from.
    pub provenance: Provenance,
    /// An objection or another mark that stands on it.
    pub mark: Option<String>,
    /// The case that has locked it, if any.
    pub lock: Option<String>,
    /// When it was last changed.
    pub changed_at_ms: i64,
}

/// A search by equality.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Field path and value; a list of values means one of them.
    pub equal: Vec<(String, Value)>,
    /// How many records at most.
    pub limit: u32,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The records, at most the limit, in the order of their ids.
    pub records: Vec<Record>,
    /// How many there are in all.
    pub total: u64,
}
