//! Finding records by the values of their fields: through the store's index of lookup values, never by reading a growing
//! register from end to end. What no index covers is read up to a bound, and refused beyond it.

use tongban_expr::Value;
use tongban_plugin::{
    Failure, Found, Query, Record, RegisterDefinition, index_name, index_text, key_text,
};
use tongban_store::Store;

use crate::record_rows::{read_record, unavailable};

/// How many records a search reads at most beside those that it gives.
const READ_MAX: usize = 10_000;
/// How many records are read at once.
const PAGE: i64 = 1_000;
/// How many index reads a search may make: lists of values are read value by value.
const WAYS_MAX: usize = 1_000;

/// Lookup name and text: all of them must hold.
type Way = Vec<(String, String)>;

pub(crate) async fn find(
    store: &Store,
    register: &str,
    definition: Option<&RegisterDefinition>,
    query: &Query,
) -> Result<Found, Failure> {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    if let Some(ids) = ids(definition, query) {
        return of_ids(store, register, &ids, query, limit).await;
    }
    let plan = Plan::of(definition, query);
    if plan.rest.is_empty() {
        by_index(store, register, &plan, limit).await
    } else {
        by_reading(store, register, &plan, limit).await
    }
}

/// The ids, when the key itself is among the conditions.
fn ids(definition: Option<&RegisterDefinition>, query: &Query) -> Option<Vec<String>> {
    let definition = definition.filter(|definition| !definition.many)?;
    let (_, wanted) = query
        .equal
        .iter()
        .find(|(path, _)| *path == definition.key)?;
    let mut ids: Vec<String> = each(wanted).iter().filter_map(key_text).collect();
    ids.sort();
    ids.dedup();
    Some(ids)
}

async fn of_ids(
    store: &Store,
    register: &str,
    ids: &[String],
    query: &Query,
    limit: usize,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    for ids in ids.chunks(1_000) {
        let wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
        let rows = store.records(register, &wanted).await;
        for row in rows.map_err(|error| unavailable(&error))? {
            let record = read_record(row)?;
            if query
                .equal
                .iter()
                .all(|(path, wanted)| fits(&record, path, wanted))
            {
                count(&mut found, record, limit);
            }
        }
    }
    Ok(found)
}

/// What the index answers, and what must be looked at in the records themselves.
struct Plan {
    /// No record fits two of them.
    ways: Vec<Way>,
    rest: Vec<(String, Value)>,
}

impl Plan {
    fn of(definition: Option<&RegisterDefinition>, query: &Query) -> Plan {
        let indexed = definition
            .map(RegisterDefinition::indexed)
            .unwrap_or_default();
        let mut plan = Plan {
            ways: vec![Way::new()],
            rest: Vec::new(),
        };
        let mut conditions: Vec<(&String, &Value)> = query
            .equal
            .iter()
            .map(|(path, wanted)| (path, wanted))
            .collect();
        // A state that most records have must not be what is read first.
        conditions.sort_by_key(|(path, _)| definition.is_some_and(|known| is_coarse(known, path)));
        for (path, wanted) in conditions {
            let texts = indexed.contains(path).then(|| texts(wanted)).flatten();
            match texts {
                Some(texts) if plan.ways.len() * texts.len() <= WAYS_MAX => {
                    plan.narrow(path, &texts)
                }
                _ => plan.rest.push((path.clone(), wanted.clone())),
            }
        }
        plan
    }

    fn narrow(&mut self, path: &str, texts: &[String]) {
        let name = index_name(path);
        let former = std::mem::take(&mut self.ways);
        for way in former {
            let held = way.iter().find(|(known, _)| *known == name);
            if let Some((_, held)) = held {
                // The same field twice: only a value that both allow is left.
                if texts.contains(held) {
                    self.ways.push(way);
                }
                continue;
            }
            for text in texts {
                let mut narrower = way.clone();
                narrower.push((name.clone(), text.clone()));
                self.ways.push(narrower);
            }
        }
    }

    fn fits(&self, record: &Record) -> bool {
        self.rest
            .iter()
            .all(|(path, wanted)| fits(record, path, wanted))
    }
}

/// True for fields of few different values.
fn is_coarse(definition: &RegisterDefinition, path: &str) -> bool {
    let own = definition
        .schema
        .get("properties")
        .and_then(|all| all.get(path));
    own.or_else(|| definition.adds.get(path))
        .is_some_and(|property| {
            property.get("enum").is_some() || property.text("type") == Some("boolean")
        })
}

/// The texts under which the wanted values are looked up; `None` when one of them has none.
fn texts(wanted: &Value) -> Option<Vec<String>> {
    let mut texts = each(wanted)
        .iter()
        .map(index_text)
        .collect::<Option<Vec<_>>>()?;
    texts.sort();
    texts.dedup();
    Some(texts)
}

/// A list of values means one of them.
fn each(wanted: &Value) -> &[Value] {
    wanted.as_list().unwrap_or(std::slice::from_ref(wanted))
}

fn fits(record: &Record, path: &str, wanted: &Value) -> bool {
    let found = record.body.at(path).unwrap_or(&Value::Null);
    each(wanted).contains(found)
}

fn pairs(way: &Way) -> Vec<(&str, &str)> {
    way.iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

fn count(found: &mut Found, record: Record, limit: usize) {
    found.total += 1;
    if found.records.len() < limit {
        found.records.push(record);
    }
}

/// The index says it all: no more records are read than are given, the others are counted.
async fn by_index(
    store: &Store,
    register: &str,
    plan: &Plan,
    limit: usize,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    for way in &plan.ways {
        let way = pairs(way);
        let mut after = String::new();
        let mut taken = 0;
        while taken < limit {
            let room = i64::try_from(limit - taken).unwrap_or(PAGE).min(PAGE);
            let page = store.record_find(register, &way, &after, room).await;
            let page = page.map_err(|error| unavailable(&error))?;
            let ended = i64::try_from(page.len()).unwrap_or(PAGE) < room;
            if let Some(last) = page.last() {
                after.clone_from(&last.id);
            }
            taken += page.len();
            for row in page {
                found.records.push(read_record(row)?);
            }
            if ended {
                break;
            }
        }
        let all = if taken < limit {
            u64::try_from(taken).unwrap_or(u64::MAX)
        } else {
            let all = store.record_find_count(register, &way).await;
            u64::try_from(all.map_err(|error| unavailable(&error))?).unwrap_or(0)
        };
        found.total += all;
        if plan.ways.len() > 1 {
            found.records.sort_by(|left, right| left.id.cmp(&right.id));
            found.records.truncate(limit);
        }
    }
    Ok(found)
}

/// Some condition has no index: what the others leave is read, up to a bound.
async fn by_reading(
    store: &Store,
    register: &str,
    plan: &Plan,
    limit: usize,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut read = 0;
    for way in &plan.ways {
        let way = pairs(way);
        let mut after = String::new();
        loop {
            let page = store.record_find(register, &way, &after, PAGE).await;
            let page = page.map_err(|error| unavailable(&error))?;
            let ended = i64::try_from(page.len()).unwrap_or(PAGE) < PAGE;
            if let Some(last) = page.last() {
                after.clone_from(&last.id);
            }
            read += page.len();
            if read > READ_MAX {
                return Err(too_many(register, plan));
            }
            for row in page {
                let record = read_record(row)?;
                if plan.fits(&record) {
                    count(&mut found, record, usize::MAX);
                }
            }
            if ended {
                break;
            }
        }
    }
    found.records.sort_by(|left, right| left.id.cmp(&right.id));
    found.records.truncate(limit);
    Ok(found)
}

fn too_many(register: &str, plan: &Plan) -> Failure {
    let fields: Vec<&str> = plan.rest.iter().map(|(path, _)| path.as_str()).collect();
    Failure::configuration(format!(
        "a search in register `{register}` by `{}` would read more than {READ_MAX} records, because no index covers it; mark the field with `x-index: true` in the register's schema",
        fields.join("`, `")
    ))
}
