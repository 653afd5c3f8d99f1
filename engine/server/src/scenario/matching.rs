//! Matching in part: an expectation holds when everything that it names is there.

use tongban_expr::Value;

/// Where `found` does not have what `expected` names; `None` when it has all of it.
pub fn difference(expected: &Value, found: &Value) -> Option<String> {
    at("", expected, found)
}

/// Whether a list has a member for each expectation; the first expectation without one.
pub fn missing<'a>(expected: &'a [Value], found: &[Value]) -> Option<&'a Value> {
    expected
        .iter()
        .find(|wanted| !found.iter().any(|one| difference(wanted, one).is_none()))
}

fn at(path: &str, expected: &Value, found: &Value) -> Option<String> {
    if let Some(members) = expected.as_object() {
        return members.iter().find_map(|(name, wanted)| {
            let inner = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}.{name}")
            };
            at(&inner, wanted, found.get(name).unwrap_or(&Value::Null))
        });
    }
    if let Some(items) = expected.as_list() {
        let Some(have) = found.as_list() else {
            return Some(told(path, expected, found));
        };
        if items.iter().all(|item| item.as_object().is_none()) {
            return (items != have).then(|| told(path, expected, found));
        }
        return missing(items, have).map(|wanted| {
            format!(
                "{}: expected a member like {wanted}, found {found}",
                named(path)
            )
        });
    }
    let same = match (expected.as_f64(), found.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => expected == found,
    };
    (!same).then(|| told(path, expected, found))
}

fn told(path: &str, expected: &Value, found: &Value) -> String {
    format!("{}: expected {expected}, found {found}", named(path))
}

fn named(path: &str) -> &str {
    if path.is_empty() { "value" } else { path }
}
