//! Values as the texts of queries, headers and forms.

use tongban_expr::Value;
use tongban_plugin::Failure;

/// The texts of a value: one of a scalar, one for each element of a list, none of null.
pub(crate) fn texts(value: &Value, at: &str) -> Result<Vec<String>, Failure> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Str(text) => Ok(vec![text.to_string()]),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => Ok(vec![value.to_json()]),
        Value::Arr(items) => {
            let mut all = Vec::new();
            for item in items.iter() {
                if item.as_list().is_some() {
                    return Err(no_text(item, at));
                }
                all.extend(texts(item, at)?);
            }
            Ok(all)
        }
        Value::Obj(_) => Err(no_text(value, at)),
    }
}

fn no_text(value: &Value, at: &str) -> Failure {
    Failure::configuration(format!(
        "`{at}` expects a text, a number, a boolean or a list of them, found {}",
        value.kind_name()
    ))
}
