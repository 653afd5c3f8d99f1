//! Records as plugins see them, and as the store keeps them.

use tongban_expr::Value;
use tongban_plugin::{
    Failure, FieldSource, Provenance, Record, RecordWrite, RegisterDefinition, is_index, merge,
};
use tongban_store::{RecordKey, RecordNext, RecordRow, StoreError};

/// The entry of a record's provenance that names the case by which it is locked.
const LOCK: &str = "#lock";

/// A register's definition as it was published.
pub fn read_definition(register: &str, schema: &str) -> Result<RegisterDefinition, Failure> {
    serde_json::from_str(schema)
        .map_err(|error| Failure::configuration(format!("the register `{register}`: {error}")))
}

/// A row as plugins see it.
pub fn read_record(row: RecordRow) -> Result<Record, Failure> {
    let broken = |what: &str| {
        Failure::runtime(format!(
            "the record `{}` of `{}` has no readable {what}",
            row.id, row.register
        ))
    };
    let body = Value::from_json(&row.body).map_err(|_| broken("body"))?;
    let mut provenance: Provenance =
        serde_json::from_str(&row.provenance).map_err(|_| broken("provenance"))?;
    let lock = provenance.0.shift_remove(LOCK).map(|source| source.source);
    Ok(Record {
        register: row.register,
        id: row.id,
        version: row.version,
        unit: row.unit_id,
        body,
        provenance,
        mark: row.mark,
        lock,
        changed_at_ms: row.changed_at_ms,
    })
}

/// The writes of one activation (or of an import), merged in order, as the store takes them.
pub fn record_rows(writes: Vec<RecordWrite>, by_instance: &str) -> Vec<tongban_store::RecordWrite> {
    merge(writes)
        .into_iter()
        .map(|write| record_row(write, Some(by_instance)))
        .collect()
}

/// One write as the store takes it.
pub fn record_row(write: RecordWrite, by_instance: Option<&str>) -> tongban_store::RecordWrite {
    let mut provenance = write.provenance;
    if let Some(lock) = write.lock {
        provenance.0.insert(
            LOCK.to_owned(),
            FieldSource {
                source: lock,
                ..FieldSource::default()
            },
        );
    }
    let next = RecordNext::Put {
        unit_id: write.unit,
        body: write.body.to_json(),
        provenance: serde_json::to_string(&provenance).expect("a provenance is texts and numbers"),
        mark: write.mark,
        // Alternative keys are unique in their register, indexed fields are not; where a key has many records
        // (`KEY#1`, `KEY#2` …) they share it.
        keys: write
            .keys
            .into_iter()
            .map(|(name, value)| RecordKey {
                unique: !is_index(&name) && !write.id.starts_with(&format!("{value}#")),
                name,
                value,
            })
            .collect(),
    };
    tongban_store::RecordWrite {
        register: write.register,
        id: write.id,
        base: write.base_version.unwrap_or(0),
        next,
        history: write.history,
        by_instance: by_instance.map(str::to_owned),
    }
}

pub(crate) fn unavailable(error: &StoreError) -> Failure {
    Failure::communication(format!("the registers cannot be read now: {error}"))
}
