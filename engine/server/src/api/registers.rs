//! Records of registers through the API. Every read of a personal register leaves a row that says
//! who read what and why.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_plugin::{Demand, May, RegisterDefinition, RegisterRight, Starter};
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
#[serde(rename_all = "camelCase")]
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
    let definition = definition(&app, &name).await?;
    let definition = definition.ok_or_else(Problem::not_found)?;
    let starter = starter(&app, &client);
    let reading = Reading::of(&definition, &starter).ok_or_else(Problem::not_found)?;
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
    let rows = rows.map_err(Problem::from)?;
    let (rows, next) = cut(rows, limit, |row| Place {
        at_ms: 0,
        id: row.id.clone(),
        n: 0,
    });
    if reading.personal {
        log(&app, &client, &name, &query, rows.len()).await?;
    }
    let mut items = Vec::new();
    for row in rows {
        let body = Value::from_json(&row.body).map_err(Problem::internal)?;
        let Some(shown) = reading.shown(&body, &starter) else {
            continue;
        };
        items.push(RecordEntry {
            data: serde_json::to_value(&shown).map_err(Problem::internal)?,
            id: row.id,
            version: row.version,
            unit: row.unit_id,
            changed_at_ms: row.changed_at_ms,
        });
    }
    Ok(axum::Json(Page { items, next }))
}

/// What a register is; `None` when there is none of that name.
///
/// # Errors
/// The database refused, or the register cannot be read.
pub async fn definition(app: &App, name: &str) -> Result<Option<RegisterDefinition>, Problem> {
    // Names with a colon are the engine's own rows beside the registers.
    if name.contains(':') {
        return Ok(None);
    }
    let found = app.store().register(name).await.map_err(Problem::from)?;
    let Some(row) = found else {
        return Ok(None);
    };
    let schema = Value::from_json(&row.schema).map_err(Problem::internal)?;
    schema.to().map(Some).map_err(Problem::internal)
}

/// The key's person as the rights of a register see them.
fn starter(app: &App, client: &Client) -> Starter {
    let organisation = app.organisation();
    let person = client
        .person
        .as_deref()
        .and_then(|id| organisation.person(id));
    Starter {
        user: client.person.clone().unwrap_or_default(),
        unit: client.unit.clone(),
        roles: person
            .map(|person| person.roles.iter().map(|role| role.name.clone()).collect())
            .unwrap_or_default(),
        ..Starter::default()
    }
}

/// How a key may read a register: the records of its own unit, or what the register's rights show.
struct Reading {
    personal: bool,
    unit: Option<String>,
    rights: Vec<RegisterRight>,
}

impl Reading {
    /// A personal register is read by the unit that is its authority, and by others only through
    /// grants. Of any other one a key sees what its `rights` give to the roles of the key's person
    /// and to everybody; a register without such a line does not exist for it.
    fn of(definition: &RegisterDefinition, starter: &Starter) -> Option<Self> {
        if definition.personal {
            let unit = Some(starter.unit.clone()?);
            return Some(Self {
                personal: true,
                unit,
                rights: Vec::new(),
            });
        }
        let demand = Demand {
            workflow: "",
            function: "",
            starter,
            may: May::Read,
        };
        let rights: Vec<RegisterRight> =
            definition.allowing(&demand).into_iter().cloned().collect();
        (!rights.is_empty()).then_some(Self {
            personal: false,
            unit: None,
            rights,
        })
    }

    /// The fields of a record that may be seen; `None` when its row may not.
    fn shown(&self, body: &Value, starter: &Starter) -> Option<Value> {
        if self.personal {
            return Some(body.clone());
        }
        let own = starter.unit.as_deref().unwrap_or_default();
        let fits = |right: &&RegisterRight| {
            right.rows.iter().all(|(path, wanted)| {
                let found = body.at(path).unwrap_or(&Value::Null);
                match wanted.as_str() {
                    Some("own-unit") => !own.is_empty() && found.as_str() == Some(own),
                    _ => found == wanted,
                }
            })
        };
        let fitting: Vec<&RegisterRight> = self.rights.iter().filter(fits).collect();
        if fitting.is_empty() {
            return None;
        }
        let fields = body
            .entries()
            .filter(|(name, _)| fitting.iter().any(|right| right.fields.has(name)));
        Some(Value::object(
            fields.map(|(name, value)| (name.to_string(), value.clone())),
        ))
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
        .map_err(Problem::from)?
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
    use tongban_expr::value;

    fn definition(more: Value) -> RegisterDefinition {
        let whole = value!({ "register": "r", "key": "id", "schema": { "type": "object" } });
        whole.merged(&more).to().expect("a register")
    }

    fn starter(unit: Option<&str>, roles: &[&str]) -> Starter {
        Starter {
            unit: unit.map(str::to_owned),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Starter::default()
        }
    }

    #[test]
    fn personal_registers_show_a_unit_its_own_records_only() {
        let personal =
            definition(value!({ "personal": true, "rights": [{ "role": "*", "may": "read" }] }));
        let reading = Reading::of(&personal, &starter(Some("police"), &[])).expect("its own");
        assert!(reading.personal);
        assert_eq!(reading.unit.as_deref(), Some("police"));
        assert!(Reading::of(&personal, &starter(None, &[])).is_none());
    }

    #[test]
    fn other_registers_show_what_their_rights_give() {
        let grants = definition(value!({ "rights": [
            { "role": "officer", "may": "read", "fields": "*" },
            { "role": "leader", "may": "read", "fields": ["id", "holder"], "where": { "holder": "own-unit" } },
            { "workflow": "sharing/apply", "may": "write" }
        ] }));
        assert!(Reading::of(&grants, &starter(Some("police"), &[])).is_none());
        let record = value!({ "id": "G1", "holder": "police", "purpose": "check" });
        let officer = starter(Some("transport"), &["officer"]);
        let all = Reading::of(&grants, &officer).expect("an officer reads");
        assert_eq!(all.shown(&record, &officer), Some(record.clone()));
        let leader = starter(Some("police"), &["leader"]);
        let own = Reading::of(&grants, &leader).expect("a leader reads");
        assert_eq!(
            own.shown(&record, &leader),
            Some(value!({ "id": "G1", "holder": "police" }))
        );
        let other = starter(Some("transport"), &["leader"]);
        let none = Reading::of(&grants, &other).expect("a leader reads");
        assert_eq!(none.shown(&record, &other), None);
    }
}
