//! Finds definitions and records, and puts records into answers.

use std::collections::HashMap;
use std::sync::Arc;

use tongban_expr::{Value, value};
use tongban_plugin::{Call, Failure, Record, RegisterDefinition};

use crate::schema::Schema;
use crate::text::moment;

/// The definition of a register.
///
/// # Errors
/// [`Failure::configuration`] when there is none.
pub async fn definition(
    call: &Call<'_>,
    register: &str,
) -> Result<Arc<RegisterDefinition>, Failure> {
    call.ports
        .records
        .definition(register)
        .await?
        .ok_or_else(|| {
            Failure::configuration(format!(
                "there is no register `{register}`; publish the pack that brings it"
            ))
        })
}

/// What stands under an id now: committed, or prepared earlier in this activation.
#[derive(Debug, Clone)]
pub struct Existing {
    /// The committed version; `None` when the record was only prepared.
    pub version: Option<i64>,
    /// The record; its body and provenance are the prepared ones when there are any.
    pub record: Record,
}

/// The records under these ids, prepared ones over committed ones.
///
/// # Errors
/// Those of the port.
pub async fn existing(
    call: &Call<'_>,
    register: &str,
    ids: &[String],
) -> Result<HashMap<String, Existing>, Failure> {
    let committed = call.ports.records.get(register, ids).await?;
    let mut found: HashMap<String, Existing> = committed
        .into_iter()
        .map(|record| {
            let version = Some(record.version);
            (record.id.clone(), Existing { version, record })
        })
        .collect();
    for id in ids {
        let Some(write) = call.pending(register, id) else {
            continue;
        };
        let record = Record {
            register: register.to_owned(),
            id: id.clone(),
            version: write.base_version.unwrap_or(0) + 1,
            unit: write.unit.clone(),
            body: write.body.clone(),
            provenance: write.provenance.clone(),
            mark: write.mark.clone(),
            lock: write.lock.clone(),
            changed_at_ms: call.now_ms,
        };
        let version = write.base_version;
        found.insert(id.clone(), Existing { version, record });
    }
    Ok(found)
}

/// The fields of a record that an answer shows, empty ones as null.
pub(crate) fn shown(schema: &Schema, record: &Record, fields: &[String]) -> Value {
    let complete = schema.completed(&record.body);
    Value::object(fields.iter().map(|field| {
        let value = complete.get(field).cloned().unwrap_or_default();
        (field.as_str(), value)
    }))
}

/// What an answer says about a record beside its fields.
pub(crate) fn about(record: &Record, fields: &[String]) -> Value {
    let oldest = record
        .provenance
        .oldest_of_ms(fields)
        .unwrap_or(record.changed_at_ms);
    let source = record
        .provenance
        .of(fields.first().map_or("*", String::as_str))
        .map(|source| source.source.clone());
    value!({
        "id": record.id.as_str(),
        "version": record.version,
        "source": source,
        "fetchedAt": moment(oldest),
        "mark": record.mark.clone(),
        "lock": record.lock.clone(),
    })
}
