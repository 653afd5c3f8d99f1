//! What issuing and revoking a grant have in common.

use std::sync::Arc;

use tongban_expr::Value;
use tongban_plugin::{Call, Failure, GrantStatus, GrantWrite, May, RegisterDefinition};
use tongban_register::{Lens, definition};

/// The register of grants, when the call names no other.
pub(crate) const GRANTS: &str = "grants";
/// The function whose right in the register also covers revoking.
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
