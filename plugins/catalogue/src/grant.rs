//! What issuing, extending and revoking a grant have in common.

use std::sync::Arc;

use tongban_expr::Value;
use tongban_plugin::{
    Call, Failure, GrantStatus, GrantWrite, May, RecordMode, RecordWrite, RegisterDefinition,
};
use tongban_register::{Lens, Writing, definition, existing, write};

/// The register of grants, when the call names no other.
pub(crate) const GRANTS: &str = "grants";
/// The function whose right in the register also covers extending and revoking.
pub(crate) const ISSUE: &str = "grant.issue";

/// The register of grants, when the call may write it.
pub(crate) async fn grants(
    call: &Call<'_>,
    register: &str,
) -> Result<Arc<RegisterDefinition>, Failure> {
    let definition = definition(call, register).await?;
    Lens::of(&definition, call, May::Write).or_else(|refused| {
        Lens::of_function(&definition, call, May::Write, ISSUE).map_err(|_| refused)
    })?;
    Ok(definition)
}

/// Changes the given fields of a grant's record.
pub(crate) async fn amended(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    given: Value,
) -> Result<Vec<RecordWrite>, Failure> {
    let how = Writing {
        mode: RecordMode::Amend,
        source: call.unit.map(ToOwned::to_owned),
        argument: "grant",
        ..Writing::default()
    };
    Ok(write(call, definition, &[given], &how).await?.records)
}

/// The record of a grant that is in force; `done` is what cannot be done to another one.
pub(crate) async fn in_force(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    id: &str,
    done: &str,
) -> Result<Value, Failure> {
    let id = id.to_owned();
    let found = existing(call, &definition.register, std::slice::from_ref(&id)).await?;
    let body = found
        .get(&id)
        .map(|found| found.record.body.clone())
        .ok_or_else(|| Failure::validation(format!("there is no grant `{id}`")).with_status(404))?;
    match body.text("status").unwrap_or_default() {
        "active" => Ok(body),
        status => Err(Failure::conflict(format!(
            "grant `{id}` is {status}, only one in force can be {done}"
        ))
        .with_retryable(false)),
    }
}

/// The last day of a grant, which must not be over.
pub(crate) fn until_day<'a>(day: &'a str, call: &Call<'_>) -> Result<&'a str, Failure> {
    match call.ports.calendar.end_of_day_ms(day) {
        None => Err(Failure::validation(format!(
            "`until` expects a day such as 2026-12-31, found `{day}`"
        ))),
        Some(end) if end < call.now_ms => Err(Failure::validation(format!(
            "`until` is {day}, which is over: a grant ends in the future"
        ))),
        Some(_) => Ok(day),
    }
}

/// The row that the exchange serves by, from the record of a grant.
pub(crate) fn row(record: &Value, id: &str, status: GrantStatus, call: &Call<'_>) -> GrantWrite {
    let text = |name: &str| record.text(name).unwrap_or_default().to_owned();
    let fields = record
        .get("fields")
        .and_then(Value::as_list)
        .unwrap_or_default();
    let until = record.text("until").or_else(|| record.text("validTo"));
    GrantWrite {
        id: id.to_owned(),
        resource: text("resource"),
        unit: text("holder"),
        fields: fields
            .iter()
            .filter_map(|field| field.as_str().map(ToOwned::to_owned))
            .collect(),
        rows: record.get("rows").cloned().unwrap_or_default(),
        mode: text("mode"),
        purpose: text("purpose"),
        quota: record.get("quota").and_then(Value::as_i64),
        ends_at_ms: until.and_then(|day| call.ports.calendar.end_of_day_ms(day)),
        status,
    }
}
