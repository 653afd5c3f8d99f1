//! What holds for one call that writes, and what comes of it.

use tongban_expr::Value;
use tongban_plugin::{Call, Prepared, RecordMode, RecordWrite, RegisterDefinition};

/// How to write.
#[derive(Debug, Clone)]
pub struct Writing {
    /// Put or amend.
    pub mode: RecordMode,
    /// The case that locks the records from now on.
    pub lock: Option<String>,
    /// The unit whose word the new values are; the starter's unit when absent.
    pub source: Option<String>,
    /// Sets or, by an empty text, clears the mark on the records.
    pub mark: Option<String>,
    /// The argument's name in faults, `records`.
    pub argument: &'static str,
}

impl Default for Writing {
    fn default() -> Self {
        Self {
            mode: RecordMode::Put,
            lock: None,
            source: None,
            mark: None,
            argument: "records",
        }
    }
}

/// What was prepared.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The rows, one for each record, in the order given.
    pub records: Vec<RecordWrite>,
    /// Fields whose authority's value was kept against the given one.
    pub kept: Vec<Value>,
    /// Fields that the register does not have: they were left out.
    pub ignored: Vec<String>,
    /// Fields whose check digit does not fit: they are stored all the same, because real numbers
    /// exist that fail it.
    pub warnings: Vec<Value>,
}

/// What holds for all records of one call.
pub(crate) struct Frame<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) definition: &'a RegisterDefinition,
    pub(crate) how: &'a Writing,
    /// Whose word the given values are.
    pub(crate) source: String,
    pub(crate) fields: Vec<String>,
    pub(crate) defaults: Value,
    /// The key is a number in the schema.
    pub(crate) numeric_key: bool,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(
        call: &'a Call<'a>,
        definition: &'a RegisterDefinition,
        how: &'a Writing,
    ) -> Self {
        let source = how
            .source
            .clone()
            .or_else(|| call.starter.unit.clone())
            .or_else(|| call.unit.map(ToOwned::to_owned))
            .unwrap_or_else(|| format!("workflow:{}", call.workflow));
        let document = definition.document();
        let key = document
            .get("properties")
            .and_then(|properties| properties.get(&definition.key));
        let numeric = key.and_then(|key| key.text("type"));
        Self {
            call,
            definition,
            how,
            source,
            fields: definition.fields(),
            defaults: Value::object(definition.extras().defaults),
            numeric_key: matches!(numeric, Some("integer" | "number")),
        }
    }
}

impl Written {
    /// The rows, with what the caller is told about them.
    pub(crate) fn prepared(self, value: Value) -> Prepared {
        Prepared {
            value: value.with("warnings", self.warnings),
            records: self.records,
            ..Prepared::default()
        }
    }
}
