//! The native filters: those of jaq that are pure, and ours in place of
//! jaq-json's, which exist for its own values only.

use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Error, RunPtr, ValR};

use super::J;
use super::values::positions;
use super::{deleting, regexes};
use crate::{Value, meter};

/// Natives of jaq that are left out: they read the clock, the environment or
/// the machine's zone, end the process, write to its log, or loop as long as
/// their argument says.
const REFUSED: [&str; 9] = [
    "env",
    "now",
    "halt",
    "debug_empty",
    "stderr_empty",
    "localtime",
    "strflocaltime",
    "jn",
    "yn",
];

/// Natives of jaq that ours replace: its regular expressions are another
/// engine than the one used everywhere else here, the others differ from jq.
const REPLACED: [&str; 5] = [
    "matches",
    "split_matches",
    "split_",
    "reverse",
    "todateiso8601",
];

/// Definitions in jq that use refused natives.
const REFUSED_DEFINITIONS: [&str; 4] = ["halt", "halt_error", "debug", "stderr"];

/// Definitions in jq that ours replace: without closures they take a tenth of
/// the time, or they differ from jq.
const REPLACED_DEFINITIONS: [(&str, usize); 18] = [
    ("add", 0),
    ("min", 0),
    ("max", 0),
    ("test", 1),
    ("test", 2),
    ("nan", 0),
    ("infinite", 0),
    ("gamma", 0),
    ("join", 1),
    ("del", 1),
    ("delpaths", 1),
    ("pick", 1),
    ("flatten", 0),
    ("flatten", 1),
    ("scan", 1),
    ("scan", 2),
    ("todate", 0),
    ("@base64d", 0),
];

/// Names an author may know from jq and not find here.
pub(super) const ABSENT: [&str; 15] = [
    "env",
    "now",
    "halt",
    "halt_error",
    "debug",
    "stderr",
    "input",
    "inputs",
    "input_line_number",
    "input_filename",
    "localtime",
    "strflocaltime",
    "jn",
    "yn",
    "$ENV",
];

pub(super) fn allowed_definition(name: &str, arguments: usize) -> bool {
    !REFUSED_DEFINITIONS.contains(&name) && !REPLACED_DEFINITIONS.contains(&(name, arguments))
}

/// Gives all native filters.
pub(super) fn all() -> impl Iterator<Item = Fun<J>> {
    let theirs = jaq_core::funs::<J>().chain(jaq_std::funs::<J>());
    let kept = theirs.filter(|(name, ..)| !REFUSED.contains(name) && !REPLACED.contains(name));
    let ours = own().into_vec().into_iter();
    kept.chain(
        ours.chain(regexes::natives().into_vec())
            .map(|native| run::<J>(native)),
    )
}

fn own() -> Box<[Filter<RunPtr<J>>]> {
    Box::new([
        ("length", v(0), |cv| bome(length(&cv.1))),
        ("has", v(1), |cv| {
            unary(cv, |value: Value, key| {
                Ok(Value::Bool(value.index_or_none(&key)?.is_some()))
            })
        }),
        ("contains", v(1), |cv| {
            unary(cv, |value, part| {
                if value.kind_name() == part.kind_name() {
                    Ok(Value::Bool(contains(&value, &part)))
                } else {
                    Err(Error::str(format_args!(
                        "{} cannot contain {}",
                        value.kind_name(),
                        part.kind_name()
                    )))
                }
            })
        }),
        ("delpaths", v(1), |cv| {
            unary(cv, |value, paths| deleting::delete(value, &paths))
        }),
        ("join", v(1), |cv| {
            unary(cv, |value, separator| join(&value, &separator))
        }),
        ("reverse", v(0), |cv| bome(reverse(&cv.1))),
        ("nan", v(0), |_| bome(Ok(Value::Float(f64::NAN)))),
        ("infinite", v(0), |_| bome(Ok(Value::Float(f64::INFINITY)))),
        ("indices", v(1), |cv| {
            unary(cv, |value, part| indices(&value, &part))
        }),
        ("bsearch", v(1), |cv| {
            unary(cv, |value, wanted| bsearch(&value, &wanted))
        }),
        ("add", v(0), |cv| bome(sum(cv.1))),
        ("min", v(0), |cv| {
            bome(extreme(&cv.1, |item, best| item < best))
        }),
        ("max", v(0), |cv| {
            bome(extreme(&cv.1, |item, best| item >= best))
        }),
        ("fromjson", v(0), |cv| bome(from_json(&cv.1))),
        ("tojson", v(0), |cv| bome(Ok(Value::from(cv.1.to_json())))),
        ("tobytes", v(0), |cv| bome(to_bytes(&cv.1))),
    ])
}

fn length(value: &Value) -> ValR<Value> {
    match value {
        Value::Null => Ok(Value::Int(0)),
        Value::Bool(_) => Err(Error::str(format_args!("{value} has no length"))),
        Value::Int(i) => i
            .checked_abs()
            .map(Value::Int)
            .ok_or_else(|| Error::str(format_args!("the length of {i} does not fit into 64 bits"))),
        Value::Float(f) => Ok(Value::Float(f.abs())),
        Value::Str(text) => {
            meter::spend(text.len() / 64);
            Ok(Value::from(text.chars().count()))
        }
        Value::Arr(list) => Ok(Value::from(list.len())),
        Value::Obj(object) => Ok(Value::from(object.len())),
    }
}

/// Adds up the elements of a list or the values of an object.
fn sum(value: Value) -> ValR<Value> {
    use jaq_core::ValT as _;
    // Texts are written once, not once for each of them.
    if let Value::Arr(list) = &value
        && !list.is_empty()
        && list.iter().all(|item| matches!(item, Value::Str(_)))
    {
        return join(&value, &Value::Null);
    }
    let mut items = value.values();
    items.try_fold(Value::Null, |sum, item| sum + item?)
}

/// Joins what is in a list into one text, which is written once.
fn join(value: &Value, separator: &Value) -> ValR<Value> {
    use jaq_core::ValT as _;
    let mut text = String::new();
    for (at, item) in value.clone().values().enumerate() {
        let item = item?;
        let between = match separator {
            _ if at == 0 => "",
            Value::Null => "",
            Value::Str(between) => between.as_str(),
            other => return Err(Error::typ(other.clone(), "text")),
        };
        let written = match &item {
            Value::Null => None,
            Value::Str(_) => None,
            Value::Arr(_) | Value::Obj(_) => return Err(Error::typ(item, "text or number")),
            plain => Some(plain.to_json()),
        };
        let part = written.as_deref().or(item.as_str()).unwrap_or_default();
        meter::draw(between.len() + part.len());
        text.push_str(between);
        text.push_str(part);
    }
    Ok(Value::from(text))
}

fn reverse(value: &Value) -> ValR<Value> {
    match value {
        Value::Null => Ok(Value::list(Vec::new())),
        Value::Str(text) => {
            meter::spend(text.len() / 16);
            Ok(Value::from(text.chars().rev().collect::<String>()))
        }
        Value::Arr(list) => Ok(list.iter().rev().cloned().collect()),
        other => Err(Error::typ(other.clone(), "list or text")),
    }
}

fn extreme(value: &Value, better: impl Fn(&Value, &Value) -> bool) -> ValR<Value> {
    let list = value
        .as_list()
        .ok_or_else(|| Error::typ(value.clone(), "list"))?;
    let mut best: Option<&Value> = None;
    for item in list {
        if best.is_none_or(|best| better(item, best)) {
            best = Some(item);
        }
    }
    Ok(best.cloned().unwrap_or_default())
}

fn contains(value: &Value, part: &Value) -> bool {
    meter::step();
    match (value, part) {
        (Value::Str(text), Value::Str(part)) => {
            meter::spend(text.len() / 64);
            text.contains(part.as_str())
        }
        (Value::Arr(list), Value::Arr(parts)) => parts
            .iter()
            .all(|part| list.iter().any(|item| contains(item, part))),
        (Value::Obj(object), Value::Obj(parts)) => parts.iter().all(|(key, part)| {
            object
                .get(key.as_str())
                .is_some_and(|item| contains(item, part))
        }),
        _ => value == part,
    }
}

fn indices(value: &Value, part: &Value) -> ValR<Value> {
    match (value, part) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Str(text), Value::Str(part)) => Ok(text_positions(text, part)),
        (Value::Arr(list), Value::Arr(part)) => {
            Ok(positions(list, part).map(Value::from).collect())
        }
        (Value::Arr(list), item) => {
            let found = list.iter().enumerate().filter(|(_, other)| *other == item);
            Ok(found.map(|(at, _)| Value::from(at)).collect())
        }
        (value, part) => Err(Error::index(value.clone(), part.clone())),
    }
}

/// Gives where `part` stands in `text`, in characters, overlaps included.
fn text_positions(text: &str, part: &str) -> Value {
    if part.is_empty() {
        return Value::list(Vec::new());
    }
    meter::spend(text.len());
    text.char_indices()
        .enumerate()
        .filter(|(_, (at, _))| text.get(*at..).is_some_and(|rest| rest.starts_with(part)))
        .map(|(count, _)| Value::from(count))
        .collect()
}

fn bsearch(value: &Value, wanted: &Value) -> ValR<Value> {
    let list = value
        .as_list()
        .ok_or_else(|| Error::typ(value.clone(), "list"))?;
    Ok(match list.binary_search_by(|item| item.cmp(wanted)) {
        Ok(at) => Value::from(at),
        Err(at) => Value::Int(-1 - i64::try_from(at).unwrap_or(i64::MAX - 1)),
    })
}

fn from_json(value: &Value) -> ValR<Value> {
    let text = value
        .as_str()
        .ok_or_else(|| Error::typ(value.clone(), "text"))?;
    // The shortest elements take two bytes of text and sixteen of memory.
    meter::draw(text.len().saturating_mul(8));
    meter::spend(text.len() / 8);
    Value::from_json(text)
        .map_err(|error| Error::str(format_args!("cannot read the text as JSON: {error}")))
}

/// jq has byte strings here; our values have texts only.
fn to_bytes(value: &Value) -> ValR<Value> {
    match value {
        Value::Str(_) => Ok(value.clone()),
        other => Err(Error::typ(other.clone(), "text")),
    }
}
