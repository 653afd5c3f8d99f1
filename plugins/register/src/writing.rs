//! The one way in which records are written: identify, merge, derive, validate, guard.

use std::collections::{HashMap, HashSet};

use tongban_expr::{Budget, Scope, Script, Value, check_digit, value};
use tongban_plugin::{
    Call, Failure, FieldSource, History, Provenance, RecordMode, RecordWrite, RegisterDefinition,
    key_text,
};

use crate::reading::{Existing, existing};
use crate::schema::{Fault, Schema, refused, without_nulls};

/// How many records one call may write.
const RECORDS_MAX: usize = 10_000;
/// How long an id may be, in bytes: it is part of database keys.
const ID_MAX: usize = 200;

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
    /// Fields whose check digit does not fit: they are stored all the same, because real numbers
    /// exist that fail it.
    pub warnings: Vec<Value>,
}

/// One record on its way.
struct Draft {
    id: String,
    given: Value,
    before: Option<Existing>,
    body: Value,
    provenance: Provenance,
}

/// Prepares the rows of records by the register's own rules.
///
/// # Errors
/// Validation faults name every field; a taken key or a lock is a conflict.
pub async fn write(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    given: &[Value],
    how: &Writing,
) -> Result<Written, Failure> {
    if given.len() > RECORDS_MAX {
        return Err(Failure::validation(format!(
            "one call writes at most {RECORDS_MAX} records, found {}; use `batch`",
            given.len()
        )));
    }
    let mut written = Written::default();
    let ids = identify(call, definition, given, how).await?;
    let mut before = existing(call, &definition.register, &ids).await?;
    let source = source_of(call, how);
    let mut drafts = Vec::with_capacity(given.len());
    for (id, given) in ids.into_iter().zip(given) {
        let before = before.remove(&id);
        guard_lock(call, definition, &id, before.as_ref(), how)?;
        drafts.push(Draft::merge(
            call,
            definition,
            id,
            given,
            before,
            &source,
            &mut written,
        ));
    }
    derive(call, definition, &mut drafts)?;
    validate(definition, &drafts, how)?;
    warn(definition, &drafts, &mut written);
    guard_keys(call, definition, &drafts).await?;
    written.records = drafts
        .into_iter()
        .map(|draft| draft.row(definition, how, &source))
        .collect();
    Ok(written)
}

fn source_of(call: &Call<'_>, how: &Writing) -> String {
    how.source
        .clone()
        .or_else(|| call.starter.unit.clone())
        .or_else(|| call.unit.map(ToOwned::to_owned))
        .unwrap_or_else(|| format!("workflow:{}", call.workflow))
}

/// Gives every record its id: by its key, by an alternative key of a record that is there, or by a
/// new number.
async fn identify(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    given: &[Value],
    how: &Writing,
) -> Result<Vec<String>, Failure> {
    let mut ids: Vec<Option<String>> = Vec::with_capacity(given.len());
    let mut faults = Vec::new();
    for (place, record) in given.iter().enumerate() {
        let at = format!("{}[{place}]", how.argument);
        if record.as_object().is_none() {
            faults.push(Fault {
                field: at,
                message: format!("expects an object, found {}", record.kind_name()),
            });
            continue;
        }
        let key = record.at(&definition.key).filter(|key| !key.is_null());
        let id = key.map(good_key).transpose();
        match id {
            Ok(id) => ids.push(id),
            Err(message) => faults.push(Fault {
                field: format!("{at}.{}", definition.key),
                message,
            }),
        }
    }
    if !faults.is_empty() {
        return Err(refused(&definition.register, &faults));
    }
    if definition.many {
        return number_shared(call, definition, ids, how).await;
    }
    by_alternative(call, definition, given, &mut ids).await?;
    by_number(call, definition, &mut ids).await?;
    finish_ids(definition, ids, how)
}

fn good_key(key: &Value) -> Result<String, String> {
    let text = key_text(key).ok_or_else(|| {
        format!(
            "expects a text or a whole number as key, found {}",
            key.kind_name()
        )
    })?;
    if text.len() > ID_MAX {
        return Err(format!(
            "expects a key of at most {ID_MAX} bytes, found {}",
            text.len()
        ));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err("expects a key without control characters and outer spaces".to_owned());
    }
    Ok(text)
}

async fn by_alternative(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    given: &[Value],
    ids: &mut [Option<String>],
) -> Result<(), Failure> {
    for (id, record) in ids.iter_mut().zip(given) {
        if id.is_some() {
            continue;
        }
        for (name, value) in definition.keys_of(record) {
            let holder = holders(call, definition, &name, std::slice::from_ref(&value)).await?;
            if let Some(known) = holder.get(&value) {
                *id = Some(known.clone());
                break;
            }
        }
    }
    Ok(())
}

async fn by_number(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    ids: &mut [Option<String>],
) -> Result<(), Failure> {
    let numbers = definition.extras().numbers;
    let Some((_, pattern)) = numbers.iter().find(|(field, _)| *field == definition.key) else {
        return Ok(());
    };
    let wanted = ids.iter().filter(|id| id.is_none()).count();
    let Ok(count @ 1..) = u32::try_from(wanted) else {
        return Ok(());
    };
    let unit = call.starter.unit.as_deref().unwrap_or_default();
    let sequence = format!(
        "register/{}/{}",
        definition.register,
        pattern.sequence(call.today, unit)
    );
    let mut taken: HashSet<String> = ids.iter().flatten().cloned().collect();
    let mut next = call.ports.records.draw(&sequence, count).await?;
    let mut left = count;
    for id in ids.iter_mut().filter(|id| id.is_none()) {
        loop {
            if left == 0 {
                next = call.ports.records.draw(&sequence, 1).await?;
                left = 1;
            }
            let number = pattern.number(call.today, unit, next);
            next += 1;
            left -= 1;
            // Records that were imported carry numbers that no sequence gave.
            let there = existing(call, &definition.register, std::slice::from_ref(&number)).await?;
            if there.is_empty() && taken.insert(number.clone()) {
                *id = Some(number);
                break;
            }
        }
    }
    Ok(())
}

/// Where a key has several records, each one put is a further one: `key#n`.
async fn number_shared(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    keys: Vec<Option<String>>,
    how: &Writing,
) -> Result<Vec<String>, Failure> {
    let keys = finish_ids_of(definition, keys, how)?;
    let records = call
        .ports
        .records
        .by_key(&definition.register, &definition.key, &keys)
        .await?;
    let mut last: HashMap<String, usize> = HashMap::new();
    let known = records.iter().map(|record| record.id.as_str());
    let pending = call
        .pending
        .iter()
        .filter(|write| write.register == definition.register)
        .map(|write| write.id.as_str());
    for id in known.chain(pending) {
        if let Some((key, nth)) = id.rsplit_once('#') {
            let nth = nth.parse().unwrap_or(0);
            let last = last.entry(key.to_owned()).or_default();
            *last = (*last).max(nth);
        }
    }
    Ok(keys
        .into_iter()
        .map(|key| {
            let nth = last.entry(key.clone()).or_default();
            *nth += 1;
            definition.row_id(&key, *nth)
        })
        .collect())
}

fn finish_ids_of(
    definition: &RegisterDefinition,
    ids: Vec<Option<String>>,
    how: &Writing,
) -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    let mut whole = Vec::with_capacity(ids.len());
    for (place, id) in ids.into_iter().enumerate() {
        match id {
            Some(id) => whole.push(id),
            None => faults.push(Fault {
                field: format!("{}[{place}].{}", how.argument, definition.key),
                message: "is the key and is required".to_owned(),
            }),
        }
    }
    if faults.is_empty() {
        Ok(whole)
    } else {
        Err(refused(&definition.register, &faults))
    }
}

fn finish_ids(
    definition: &RegisterDefinition,
    ids: Vec<Option<String>>,
    how: &Writing,
) -> Result<Vec<String>, Failure> {
    let ids = finish_ids_of(definition, ids, how)?;
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut faults = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        if let Some(earlier) = first.insert(id, place) {
            faults.push(Fault {
                field: format!("{}[{place}].{}", how.argument, definition.key),
                message: format!("is the same record as {}[{earlier}]", how.argument),
            });
        }
    }
    if faults.is_empty() {
        Ok(ids)
    } else {
        Err(refused(&definition.register, &faults))
    }
}

fn guard_lock(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    id: &str,
    before: Option<&Existing>,
    how: &Writing,
) -> Result<(), Failure> {
    let lock = before.and_then(|before| before.record.lock.as_deref());
    match lock {
        Some(holder) if how.lock.is_none() && holder != call.number => Err(Failure::conflict(
            format!(
                "record `{id}` of register `{}` is locked by case {holder}; it is opened from there",
                definition.register
            ),
        )
        .with_status(423)
        .with_retryable(false)),
        _ => Ok(()),
    }
}

impl Draft {
    /// Lays the given fields over the record: a field that is not given stays, null empties it, and
    /// the word of a field's authority stands against any other.
    fn merge(
        call: &Call<'_>,
        definition: &RegisterDefinition,
        id: String,
        given: &Value,
        before: Option<Existing>,
        source: &str,
        written: &mut Written,
    ) -> Self {
        let (mut body, mut provenance) = match &before {
            Some(before) => (before.record.body.clone(), before.record.provenance.clone()),
            None => (defaults(definition), Provenance::default()),
        };
        let fields = given
            .entries()
            .filter(|(field, _)| definition.many || field.as_str() != definition.key);
        for (field, value) in fields {
            let held = body.get(field).filter(|held| !held.is_null());
            let value = without_nulls(value);
            let authority = definition.authority_of(field, &body);
            let speaks = provenance.of(field).map(|from| from.source.as_str());
            let outranked = before.is_some()
                && held.is_some_and(|held| *held != value)
                && authority.is_some()
                && authority == speaks
                && authority != Some(source);
            if outranked {
                written.kept.push(value!({
                    "id": id.as_str(),
                    "field": field.as_str(),
                    "authority": authority,
                    "source": source,
                }));
                continue;
            }
            if value.is_null() {
                body.remove(field);
                provenance.0.shift_remove(field.as_str());
                continue;
            }
            body.set(field, value);
            provenance
                .0
                .insert(field.to_string(), said_by(call, source));
        }
        if !definition.many {
            body.set(&definition.key, key_value(definition, &id));
        }
        let provenance = condensed(provenance, &body, &definition.key);
        Self {
            id,
            given: given.clone(),
            before,
            body,
            provenance,
        }
    }

    fn row(self, definition: &RegisterDefinition, how: &Writing, source: &str) -> RecordWrite {
        let former = self.before.as_ref().map(|before| &before.record);
        let unit = definition
            .authority_of("*", &self.body)
            .unwrap_or(source)
            .to_owned();
        let lock = how
            .lock
            .clone()
            .or_else(|| former.and_then(|record| record.lock.clone()));
        let mark = match &how.mark {
            Some(mark) => Some(mark.clone()).filter(|mark| !mark.is_empty()),
            None => former.and_then(|record| record.mark.clone()),
        };
        RecordWrite {
            register: definition.register.clone(),
            base_version: self.before.as_ref().and_then(|before| before.version),
            mode: how.mode,
            unit: Some(unit),
            keys: definition.keys_of(&self.body),
            id: self.id,
            body: self.body,
            provenance: self.provenance,
            mark,
            lock,
            history: definition.history == History::Versions,
        }
    }
}

/// The key as the schema wants it: a number where it asks for one.
fn key_value(definition: &RegisterDefinition, id: &str) -> Value {
    let document = definition.document();
    let kind = document
        .get("properties")
        .and_then(|properties| properties.get(&definition.key))
        .and_then(|property| property.get("type"))
        .and_then(Value::as_str);
    match (kind, id.parse::<i64>()) {
        (Some("integer" | "number"), Ok(number)) => Value::Int(number),
        _ => Value::from(id),
    }
}

fn defaults(definition: &RegisterDefinition) -> Value {
    Value::object(definition.extras().defaults)
}

fn said_by(call: &Call<'_>, source: &str) -> FieldSource {
    FieldSource {
        source: source.to_owned(),
        fetched_at_ms: call.now_ms,
        instance: Some(call.instance.to_owned()),
        case: Some(call.number.to_owned()).filter(|number| !number.is_empty()),
    }
}

/// One entry `*` where all fields have the same source: most records do, and rows stay small.
fn condensed(mut provenance: Provenance, body: &Value, key: &str) -> Provenance {
    let named = |field: &str| field == key || provenance.0.contains_key(field);
    if body.entries().all(|(field, _)| named(field)) {
        provenance.0.shift_remove("*");
    }
    let mut sources = provenance.0.values();
    let Some(first) = sources.next().cloned() else {
        return provenance;
    };
    if sources.all(|source| *source == first) {
        Provenance([("*".to_owned(), first)].into_iter().collect())
    } else {
        provenance
    }
}

/// Runs the scripts of `x-derived`: they see the record and give the field.
fn derive(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    drafts: &mut [Draft],
) -> Result<(), Failure> {
    for (field, path) in definition.extras().derived {
        let broken = |why: String| {
            Failure::expression(format!(
                "`{path}`, which gives `{field}` of register `{}`: {why}",
                definition.register
            ))
        };
        let source = definition.scripts.get(&path).ok_or_else(|| {
            Failure::configuration(format!(
                "register `{}` derives `{field}` by `{path}`, which is not in the pack",
                definition.register
            ))
        })?;
        let script = Script::compile(source, &path).map_err(|why| broken(why.to_string()))?;
        let scope = Scope {
            units: call.ports.directory.clone(),
            ..Scope::default()
        };
        for draft in drafts.iter_mut() {
            let input = draft.body.clone();
            let value = script
                .run(input, &scope, &Budget::for_scripts())
                .map_err(|why| broken(why.to_string()))?;
            draft.body.set(&field, value);
        }
    }
    Ok(())
}

fn validate(
    definition: &RegisterDefinition,
    drafts: &[Draft],
    how: &Writing,
) -> Result<(), Failure> {
    let compiled = Schema::of(definition)?.compiled(&definition.register)?;
    let faults: Vec<Fault> = drafts
        .iter()
        .enumerate()
        .flat_map(|(place, draft)| {
            let at = format!("{}[{place}]", how.argument);
            let known = definition.fields();
            let strange = draft
                .given
                .entries()
                .filter(|(name, _)| !known.iter().any(|field| field == name.as_str()))
                .map(|(name, _)| Fault {
                    field: format!("{at}.{name}"),
                    message: "is not a field of the register".to_owned(),
                })
                .collect::<Vec<_>>();
            let mut faults = compiled.faults(&draft.body, &at);
            faults.extend(strange);
            faults
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(refused(&definition.register, &faults))
    }
}

fn warn(definition: &RegisterDefinition, drafts: &[Draft], written: &mut Written) {
    for (field, check) in definition.extras().checks {
        for draft in drafts {
            let Some(text) = draft.body.get(&field).and_then(Value::as_str) else {
                continue;
            };
            let fits = match check.as_str() {
                "resident-id" => check_digit::resident_id_ok(text),
                "uscc" => check_digit::uscc_ok(text),
                "organisation-code" => check_digit::organisation_code_ok(text),
                _ => true,
            };
            if !fits {
                written.warnings.push(value!({
                    "id": draft.id.as_str(),
                    "field": field.as_str(),
                    "text": "the check digit does not fit",
                }));
            }
        }
    }
}

/// Refuses an alternative key that another record has.
async fn guard_keys(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    drafts: &[Draft],
) -> Result<(), Failure> {
    let mut wanted: HashMap<String, Vec<(String, &Draft)>> = HashMap::new();
    for draft in drafts {
        for (name, value) in definition.keys_of(&draft.body) {
            if name != definition.key {
                wanted.entry(name).or_default().push((value, draft));
            }
        }
    }
    for (name, list) in wanted {
        let values: Vec<String> = list.iter().map(|(value, _)| value.clone()).collect();
        let mut holders = holders(call, definition, &name, &values).await?;
        for (value, draft) in list {
            let holder = holders.entry(value).or_insert_with(|| draft.id.clone());
            if *holder != draft.id {
                return Err(Failure::conflict(format!(
                    "register `{}` has record `{holder}` with the same {}; change that record, or give another {}",
                    definition.register,
                    name.replace('+', ", "),
                    name.replace('+', " or ")
                ))
                .with_retryable(false));
            }
        }
    }
    Ok(())
}

/// Who has these values of an alternative key, committed or prepared.
async fn holders(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    name: &str,
    values: &[String],
) -> Result<HashMap<String, String>, Failure> {
    let register = definition.register.as_str();
    let committed = call.ports.records.by_key(register, name, values).await?;
    let value_of = |keys: Vec<(String, String)>| {
        keys.into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    let mut holders = HashMap::new();
    for record in committed {
        // A record that this activation has changed no longer holds its former keys.
        if call.pending(register, &record.id).is_none()
            && let Some(value) = value_of(definition.keys_of(&record.body))
        {
            holders.insert(value, record.id);
        }
    }
    for write in call
        .pending
        .iter()
        .filter(|write| write.register == register)
    {
        if let Some(value) = value_of(write.keys.clone()) {
            holders.insert(value, write.id.clone());
        }
    }
    Ok(holders)
}
