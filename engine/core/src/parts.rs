//! Large parts of values: what is left to a blob when the state is written, and put back when it is read.
//!
//! A part is the smallest container or text that is large by itself: of `{count: 3, ids: […]}` it is the
//! list, so that a counter beside it can change without the list being stored again.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongban_expr::{Map, Value};

/// A value in more parts than this is left to one blob whole.
const PARTS_MAX: usize = 64;

/// One step on the way from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Step {
    /// Into a list.
    Item(usize),
    /// Into an object.
    Entry(String),
}

/// The way from a value to a part of it; empty for the value itself.
pub(crate) type Way = Vec<Step>;

/// The identity of a text or container: two clones of one value have the same.
pub(crate) fn identity(value: &Value) -> Option<usize> {
    match value {
        Value::Arr(list) => Some(Arc::as_ptr(list).cast::<u8>() as usize),
        Value::Obj(object) => Some(Arc::as_ptr(object).cast::<u8>() as usize),
        Value::Str(text) => Some(text.as_str().as_ptr() as usize),
        _ => None,
    }
}

/// Large parts that stood in the state when it was written or read last. It holds the values, so that
/// an identity is never another value's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(HashMap<usize, (Value, Option<String>)>);

impl Known {
    /// Whether this very value stood in the state before.
    pub(crate) fn has(&self, value: &Value) -> bool {
        identity(value).is_some_and(|identity| self.0.contains_key(&identity))
    }

    /// The digest of the blob that holds this very value.
    pub(crate) fn digest(&self, value: &Value) -> Option<&String> {
        let (_, digest) = self.0.get(&identity(value)?)?;
        digest.as_ref()
    }

    /// Takes over what another knows.
    pub(crate) fn learn(&mut self, other: Known) {
        for (identity, entry) in other.0 {
            self.0.entry(identity).or_insert(entry);
        }
    }

    pub(crate) fn remember(&mut self, value: &Value, digest: Option<String>) {
        if let Some(identity) = identity(value) {
            let entry = self.0.entry(identity);
            let known = entry.or_insert_with(|| (value.clone(), None));
            known.1 = known.1.take().or(digest);
        }
    }
}

/// The parts of a value heavier than `above`, which it is itself, in their order.
pub(crate) fn parts(value: &Value, above: u64, known: &Known) -> Vec<(Way, Value)> {
    let mut found = Vec::new();
    find(value, &mut Vec::new(), above, known, &mut found);
    found
}

/// Gives how much of the value is left when what was found is taken out.
fn find(
    value: &Value,
    way: &mut Way,
    above: u64,
    known: &Known,
    found: &mut Vec<(Way, Value)>,
) -> u64 {
    let before = found.len();
    let mut rest = value.weight();
    // What was a part before is one again: its children need not be looked at.
    if !known.has(value) {
        let mut enter = |step: Step, child: &Value, way: &mut Way| {
            way.push(step);
            let left = find(child, way, above, known, found);
            way.pop();
            rest = rest.saturating_sub(child.weight()).saturating_add(left);
        };
        match value {
            Value::Obj(object) => {
                for (key, child) in object.iter().filter(|(_, child)| child.weight() > above) {
                    enter(Step::Entry(key.to_string()), child, way);
                }
            }
            Value::Arr(list) => {
                let heavy = list.iter().enumerate();
                for (at, child) in heavy.filter(|(_, child)| child.weight() > above) {
                    enter(Step::Item(at), child, way);
                }
            }
            _ => {}
        }
    }
    if found.len() == before || rest > above || found.len() - before > PARTS_MAX {
        found.truncate(before);
        found.push((way.clone(), value.clone()));
        return 0;
    }
    rest
}

/// The value with null in the place of what stands at the ways.
pub(crate) fn emptied(value: &Value, ways: &[&[Step]]) -> Value {
    if ways.iter().any(|way| way.is_empty()) {
        return Value::Null;
    }
    let below = |wanted: &Step| -> Vec<&[Step]> {
        let ways = ways.iter().filter_map(|way| way.split_first());
        ways.filter(|(step, _)| *step == wanted)
            .map(|(_, rest)| rest)
            .collect()
    };
    let child = |step: Step, child: &Value| match below(&step) {
        ways if ways.is_empty() => child.clone(),
        ways => emptied(child, &ways),
    };
    match value {
        Value::Obj(object) => {
            let entries = object.iter();
            let entries = entries
                .map(|(key, value)| (key.clone(), child(Step::Entry(key.to_string()), value)));
            Value::from_entries(entries.collect::<Map>())
        }
        Value::Arr(list) => {
            let items = list.iter().enumerate();
            Value::list(
                items
                    .map(|(at, item)| child(Step::Item(at), item))
                    .collect(),
            )
        }
        plain => plain.clone(),
    }
}

/// The value with `part` at a way that [`parts`] gave for it; `None` when there is no such place.
pub(crate) fn put_back(value: &Value, way: &[Step], part: Value) -> Option<Value> {
    let Some((step, rest)) = way.split_first() else {
        return Some(part);
    };
    match (value, step) {
        (Value::Obj(object), Step::Entry(key)) => {
            let child = put_back(object.get(key.as_str())?, rest, part)?;
            Some(value.clone().with(key, child))
        }
        (Value::Arr(list), Step::Item(at)) => {
            let mut items = list.to_vec();
            let place = items.get_mut(*at)?;
            *place = put_back(place, rest, part)?;
            Some(Value::list(items))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tongban_expr::value;

    use super::*;

    fn ways(value: &Value) -> Vec<Way> {
        let found = parts(value, 100, &Known::default());
        for (way, part) in &found {
            assert!(part.weight() > 100, "{way:?}");
        }
        let taken: Vec<&[Step]> = found.iter().map(|(way, _)| way.as_slice()).collect();
        let rest = emptied(value, &taken);
        assert!(rest.weight() <= 100 + 4 * found.len() as u64, "{rest}");
        let whole = found
            .iter()
            .try_fold(rest, |rest, (way, part)| put_back(&rest, way, part.clone()));
        assert_eq!(whole.as_ref(), Some(value));
        found.into_iter().map(|(way, _)| way).collect()
    }

    #[test]
    fn the_smallest_large_part_is_taken_out() {
        let list = || Value::list((0..200).map(Value::from).collect());
        let text = || Value::from("x".repeat(200));
        let entry = |key: &str| Step::Entry(key.to_owned());
        assert_eq!(ways(&list()), [Way::new()]);
        assert_eq!(ways(&text()), [Way::new()]);
        assert_eq!(
            ways(&value!({"count": 3, "ids": (list()), "in": {"a": [1, (text())]}})),
            [
                vec![entry("ids")],
                vec![entry("in"), entry("a"), Step::Item(1)]
            ]
        );
        // What is left would be large itself, or too many parts: the whole is one.
        let beside = Value::object((0..40).map(|n| (format!("k{n}"), Value::from(n))));
        assert_eq!(ways(&beside.with("ids", list())), [Way::new()]);
        assert_eq!(ways(&Value::list(vec![text(); 65])), [Way::new()]);
    }

    #[test]
    fn a_way_that_leads_nowhere_is_told() {
        let value = value!({"a": [1]});
        let way = [Step::Entry("a".to_owned()), Step::Item(1)];
        assert_eq!(put_back(&value, &way, Value::Null), None);
        assert_eq!(put_back(&value, &way[1..], Value::Null), None);
    }
}
