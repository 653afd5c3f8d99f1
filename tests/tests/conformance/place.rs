//! Places of properties in documents. `a/b` is a member `b` of a member `a` at any depth, `^` the document itself, `#` a
//! place in a list, `*` any member; `[k]`, `[!k]`, `[k=v]` ask for a member of what stands there, `k=v` for a text.

use serde_json::Value;

/// The document without what it has at a place; nothing when it has nothing there.
pub(crate) fn without(document: &Value, place: &str) -> Option<Value> {
    let mut document = document.clone();
    let steps: Vec<&str> = place.split('/').collect();
    let taken = match steps.split_first() {
        Some((&"^", rest)) => take(&mut document, rest),
        _ => take_anywhere(&mut document, &steps),
    };
    taken.then_some(document)
}

fn take_anywhere(value: &mut Value, steps: &[&str]) -> bool {
    let here = take(value, steps);
    let inner = match value {
        Value::Object(fields) => fields
            .values_mut()
            .fold(false, |taken, inner| take_anywhere(inner, steps) | taken),
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |taken, inner| take_anywhere(inner, steps) | taken),
        _ => false,
    };
    here | inner
}

/// Takes away all that these steps lead to; whether there was something.
fn take(value: &mut Value, steps: &[&str]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return false;
    };
    let (name, conditions) = step.split_once('[').unwrap_or((step, ""));
    let (name, text) = match name.split_once('=') {
        Some((name, text)) => (name, Some(text)),
        None => (name, None),
    };
    let fits = |inner: &Value| {
        text.is_none_or(|text| inner.as_str() == Some(text))
            && conditions
                .split('[')
                .filter(|condition| !condition.is_empty())
                .all(|condition| holds(inner, condition.trim_end_matches(']')))
    };
    match value {
        Value::Array(items) if name == "#" => items
            .iter_mut()
            .filter(|item| fits(item))
            .fold(false, |taken, item| take(item, rest) | taken),
        Value::Object(fields) => {
            let names: Vec<String> = fields
                .iter()
                .filter(|(key, inner)| (name == "*" || *key == name) && fits(inner))
                .map(|(key, _)| key.clone())
                .collect();
            names.iter().fold(false, |taken, key| {
                let one = match (rest.is_empty(), fields.get_mut(key)) {
                    (false, Some(inner)) => take(inner, rest),
                    _ => fields.remove(key).is_some(),
                };
                one | taken
            })
        }
        _ => false,
    }
}

fn holds(value: &Value, condition: &str) -> bool {
    match (condition.split_once('='), condition.strip_prefix('!')) {
        (Some((name, wanted)), _) => value[name].as_str() == Some(wanted),
        (None, Some(name)) => value.get(name).is_none(),
        (None, None) => value.get(condition).is_some(),
    }
}
