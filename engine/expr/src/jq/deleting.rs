//! `delpaths` as in jq: all paths name places of the value as it was, however
//! many of its elements go.

use std::collections::BTreeSet;

use jaq_core::path::Opt;
use jaq_core::{Error, Exn, ValR, ValT as _};

use super::values::{bounds, within};
use crate::{Map, Value, meter};

/// Deletes what lies at `paths`, a list of lists of keys and indexes.
pub(super) fn delete(value: Value, paths: &Value) -> ValR<Value> {
    let unfit = |found: &Value| Error::typ(found.clone(), "list of paths");
    let list = paths.as_list().ok_or_else(|| unfit(paths))?;
    let mut sorted = Vec::with_capacity(list.len());
    for path in list {
        meter::tick();
        sorted.push(path.as_list().ok_or_else(|| unfit(path))?);
    }
    sorted.sort();
    below(value, &sorted, 0)
}

/// Deletes at paths, sorted, whose first `depth` parts lead to `value`.
fn below(mut value: Value, paths: &[&[Value]], depth: usize) -> ValR<Value> {
    // What ends here sorts before what goes on.
    if paths.first().is_some_and(|path| path.len() <= depth) {
        return Ok(Value::Null);
    }
    let mut gone = Vec::new();
    // From the end, so that a part that becomes shorter moves nothing yet to come.
    for group in paths
        .chunk_by(|one, next| one.get(depth) == next.get(depth))
        .rev()
    {
        meter::step();
        let Some(key) = group.first().and_then(|path| path.get(depth)) else {
            continue;
        };
        if group.first().is_some_and(|path| path.len() == depth + 1) {
            gone.push(key);
        } else if value
            .clone()
            .index_or_none(key)?
            .is_some_and(|part| !part.is_null())
        {
            let changed = value.map_index(key, Opt::Essential, |part| {
                std::iter::once(below(part, group, depth + 1).map_err(Exn::from))
            });
            value = changed.map_err(|exception| {
                exception
                    .get_err()
                    .unwrap_or_else(|_| Error::str("a path that cannot be deleted"))
            })?;
        }
    }
    without(value, &gone)
}

/// Takes the entries or elements at `keys` out, all at once.
fn without(value: Value, keys: &[&Value]) -> ValR<Value> {
    let unfit = |value: &Value, key: &Value| Error::index(value.clone(), key.clone());
    if keys.is_empty() {
        return Ok(value);
    }
    match &value {
        Value::Null => Ok(Value::Null),
        Value::Arr(list) => {
            let mut gone = BTreeSet::new();
            for key in keys {
                match key {
                    Value::Obj(ends) => {
                        let range = bounds(&(ends.get("start")..ends.get("end")), list.len())?;
                        meter::spend(range.len());
                        gone.extend(range);
                    }
                    Value::Int(_) | Value::Float(_) => {
                        let at = key.as_f64().map_or(0, |at| at.floor() as i64);
                        gone.extend(within(at, list.len()));
                    }
                    key => return Err(unfit(&value, key)),
                }
            }
            let kept = list.iter().enumerate().filter(|(at, _)| !gone.contains(at));
            Ok(kept.map(|(_, item)| item.clone()).collect())
        }
        Value::Obj(object) => {
            let mut gone = BTreeSet::new();
            for key in keys {
                gone.insert(key.as_str().ok_or_else(|| unfit(&value, key))?);
            }
            let mut kept = Map::default();
            for (key, item) in object
                .iter()
                .filter(|(key, _)| !gone.contains(key.as_str()))
            {
                meter::tick();
                kept.insert(key.clone(), item.clone());
            }
            Ok(Value::from_entries(kept))
        }
        other => match keys.first() {
            Some(key) => Err(unfit(other, key)),
            None => Ok(value),
        },
    }
}
