//! Records of registers through the API. Every read of a personal register leaves a row that says
//! who read what and why.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tongban_store::{AccessRow, Change, Outcome};
use utoipa::{IntoParams, ToSchema};

use super::body::Query;
use super::cursor::{Page, Place, cut, limit};
use crate::app::App;
use crate::problem::Problem;
use crate::security::identity::Client;

/// Which records to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// Why they are read; needed for personal registers, and logged.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// A record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordEntry {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// The unit to which it belongs.
    pub unit: Option<String>,
    /// The data.
    pub data: serde_json::Value,
    /// When it changed.
    pub changed_at_ms: i64,
}

/// Read records that the key's unit may read.
#[utoipa::path(get, path = "/api/v1/registers/{name}/records", tag = "registers", params(("name" = String, Path), RecordQuery),
    responses((status = 200, body = Page<RecordEntry>), (status = 404, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn records(
    State(app): State<App>,
    client: Client,
    Path(name): Path<String>,
    Query(query): Query<RecordQuery>,
) -> Result<axum::Json<Page<RecordEntry>>, Problem> {
    let register = app
        .store()
        .register(&name)
        .await
        .map_err(Problem::internal)?
        .ok_or_else(Problem::not_found)?;
    let definition: serde_json::Value =
        serde_json::from_str(&register.schema).map_err(Problem::internal)?;
    let reading = Reading::of(&definition, &client).ok_or_else(Problem::not_found)?;
    if reading.personal
        && query
            .purpose
            .as_deref()
            .is_none_or(|purpose| purpose.trim().is_empty())
    {
        return Err(Problem::unacceptable(
            "this register holds personal data: say in `purpose` why it is read",
        ));
    }
    let limit = limit(query.limit)?;
    let after = Place::read(query.cursor.as_deref())?
        .map(|place| place.id)
        .unwrap_or_default();
    let rows = match reading.unit.as_deref() {
        Some(unit) => {
            app.store()
                .records_of_unit(&name, unit, &after, limit + 1)
                .await
        }
        None => app.store().record_find(&name, &[], &after, limit + 1).await,
    };
    let rows = rows.map_err(Problem::internal)?;
    let (rows, next) = cut(rows, limit, |row| Place {
        at_ms: 0,
        id: row.id.clone(),
        n: 0,
    });
    if reading.personal {
        log(&app, &client, &name, &query, rows.len()).await?;
    }
    let items = rows.into_iter().map(|row| RecordEntry {
        data: serde_json::from_str(&row.body).unwrap_or_default(),
        id: row.id,
        version: row.version,
        unit: row.unit_id,
        changed_at_ms: row.changed_at_ms,
    });
    Ok(axum::Json(Page {
        items: items.collect(),
        next,
    }))
}

/// How a key may read a register: all of it, or the records of its own unit only.
struct Reading {
    personal: bool,
    unit: Option<String>,
}

impl Reading {
    /// A personal register is read by the unit that is its authority, and by others only through
    /// grants; an open one by every key with the scope.
    fn of(definition: &serde_json::Value, client: &Client) -> Option<Self> {
        let personal = definition
            .get("personal")
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false);
        if !personal {
            return Some(Self {
                personal,
                unit: None,
            });
        }
        client.unit.clone().map(|unit| Self {
            personal,
            unit: Some(unit),
        })
    }
}

async fn log(
    app: &App,
    client: &Client,
    register: &str,
    query: &RecordQuery,
    count: usize,
) -> Result<(), Problem> {
    let now_ms = app.now_ms();
    let mut change = Change::without_instance(now_ms);
    change.add(AccessRow {
        id: uuid::Uuid::now_v7().to_string(),
        register: register.to_owned(),
        record_id: None,
        who: client.caller().name(),
        why: query.purpose.clone().unwrap_or_default(),
        fields: "[\"*\"]".to_owned(),
        count: i64::try_from(count).unwrap_or(i64::MAX),
        at_ms: now_ms,
    });
    match app
        .store()
        .commit_one(change)
        .await
        .map_err(Problem::internal)?
    {
        Outcome::Committed { .. } => Ok(()),
        other => Err(Problem::internal(format!(
            "the access log did not take a row: {other:?}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(unit: Option<&str>) -> Client {
        Client {
            prefix: "p".into(),
            unit: unit.map(str::to_owned),
            person: None,
            scopes: Default::default(),
        }
    }

    #[test]
    fn personal_registers_show_a_unit_its_own_records_only() {
        let personal = json!({ "personal": true });
        let reading = Reading::of(&personal, &client(Some("police"))).expect("its own");
        assert!(reading.personal);
        assert_eq!(reading.unit.as_deref(), Some("police"));
        assert!(Reading::of(&personal, &client(None)).is_none());
        let open =
            Reading::of(&json!({ "personal": false }), &client(Some("police"))).expect("open");
        assert!(!open.personal && open.unit.is_none());
    }
}
