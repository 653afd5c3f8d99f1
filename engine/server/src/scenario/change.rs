//! `change: { path: value }` of scenario files.

use indexmap::IndexMap;
use tongban_expr::Value;

/// `base` with each path set; the error names the path that leads nowhere.
pub fn changed(base: &Value, change: &IndexMap<String, Value>) -> Result<Value, String> {
    let mut result = base.clone();
    for (path, value) in change {
        result
            .set_at(path, value.clone())
            .map_err(|error| format!("change `{path}`: {error}"))?;
    }
    Ok(result)
}

/// The changes as an object from paths to values, as acts carry them.
pub fn as_object(change: &IndexMap<String, Value>) -> Value {
    Value::object(
        change
            .iter()
            .map(|(path, value)| (path.clone(), value.clone())),
    )
}
