//! Imports records into registers: the sample data of packs for the demo and for scenarios. An existing record stays.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use tongban_expr::{Budget, Scope, Script, Value};
use tongban_plugin::{FieldSource, History, Provenance, RecordMode, RegisterDefinition};
use tongban_runtime::Runtime;
use tongban_runtime::record_rows::record_row;
use tongban_store::{Change, Outcome, RecordWrite};

/// How many records one change writes.
const AT_ONCE: usize = 500;

/// Imports the records of one register; gives how many were new.
pub async fn import(
    runtime: &Runtime,
    register: &str,
    records: &[Value],
    now_ms: i64,
) -> anyhow::Result<usize> {
    let store = runtime.store();
    let row = store
        .register(register)
        .await?
        .with_context(|| format!("there is no register `{register}`"))?;
    let definition: RegisterDefinition = Value::from_json(&row.schema)?
        .to()
        .with_context(|| format!("register `{register}`"))?;
    let scripts = derived(&definition)?;
    let mut nth: BTreeMap<String, usize> = BTreeMap::new();
    let mut writes = Vec::new();
    for record in records {
        let mut body = record.clone();
        for (field, script) in &scripts {
            let value = script.run(body.clone(), &Scope::default(), &Budget::for_scripts());
            body.set(
                field,
                value.with_context(|| format!("register `{register}`: `{field}`"))?,
            );
        }
        let key = body
            .get(&definition.key)
            .and_then(tongban_plugin::key_text)
            .with_context(|| {
                format!(
                    "register `{register}`: a record has no `{}`: {body}",
                    definition.key
                )
            })?;
        let count = nth.entry(key.clone()).or_insert(0);
        *count += 1;
        let id = definition.row_id(&key, *count);
        if store.record(register, &id).await?.is_none() {
            writes.push(write(&definition, id, body, now_ms));
        }
    }
    let new = writes.len();
    for part in writes.chunks(AT_ONCE) {
        let mut change = Change::without_instance(now_ms);
        change.records = part.to_vec();
        match store.commit_one(change).await? {
            Outcome::Committed { .. } => {}
            other => bail!("register `{register}`: the records could not be written: {other:?}"),
        }
    }
    Ok(new)
}

fn derived(definition: &RegisterDefinition) -> anyhow::Result<Vec<(String, Script)>> {
    let mut scripts = Vec::new();
    for (field, path) in definition.extras().derived {
        let source = definition
            .scripts
            .get(&path)
            .with_context(|| format!("`{path}` is not in the pack"))?;
        scripts.push((field, Script::compile(source, &path)?));
    }
    Ok(scripts)
}

fn write(definition: &RegisterDefinition, id: String, body: Value, now_ms: i64) -> RecordWrite {
    let source = FieldSource {
        source: "import".to_string(),
        fetched_at_ms: now_ms,
        ..FieldSource::default()
    };
    let write = tongban_plugin::RecordWrite {
        register: definition.register.clone(),
        id,
        base_version: None,
        mode: RecordMode::Put,
        unit: definition.authority_of("*", &body).map(str::to_string),
        keys: definition.lookups_of(&body),
        provenance: Provenance([("*".to_string(), source)].into_iter().collect()),
        mark: None,
        lock: None,
        history: definition.history == History::Versions,
        body,
    };
    record_row(write, None)
}
