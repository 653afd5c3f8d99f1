//! The fields by which records are found without reading a register from end to end.

use tongban_expr::Value;

use crate::RegisterDefinition;

/// Stands before a field in the name of its lookup value, so that a field alone is never taken for a key.
const MARK: &str = "=";

/// A longer text has no lookup value: it would outgrow what databases index.
const TEXT_MAX: usize = 200;

impl RegisterDefinition {
    /// The paths that are indexed: of `views`, of `where` in `rights`, the parts of `alternatives`, `after` of `retention`, every
    /// property with `x-index: true`, and the key where it has `many` records.
    #[must_use]
    pub fn indexed(&self) -> Vec<String> {
        let marked = self
            .properties()
            .into_iter()
            .filter(|(_, property)| property.get("x-index").and_then(Value::as_bool) == Some(true))
            .map(|(name, _)| name);
        let mut paths: Vec<String> = marked
            .chain(self.views.values().cloned())
            .chain(
                self.rights
                    .iter()
                    .flat_map(|right| right.rows.keys().cloned()),
            )
            .chain(self.alternatives.iter().flatten().cloned())
            .chain(
                self.retention
                    .iter()
                    .map(|retention| retention.after.clone()),
            )
            .chain(self.many.then(|| self.key.clone()))
            .filter(|path| self.many || *path != self.key)
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// Everything by which a record is found beside its id: its further keys and the values of its indexed fields.
    #[must_use]
    pub fn lookups_of(&self, body: &Value) -> Vec<(String, String)> {
        let indexed = self.indexed();
        let fields = indexed.iter().filter_map(|path| {
            let text = index_text(body.at(path).unwrap_or(&Value::Null))?;
            Some((index_name(path), text))
        });
        let mut lookups = self.keys_of(body);
        lookups.extend(fields);
        lookups
    }
}

/// The name under which an indexed field's value is kept.
#[must_use]
pub fn index_name(path: &str) -> String {
    format!("{MARK}{path}")
}

/// True for a lookup value that many records may share.
#[must_use]
pub fn is_index(name: &str) -> bool {
    name.starts_with(MARK)
}

/// A scalar as it is looked up: values that are equal have the same text, others never do. Lists, objects and long texts
/// have none.
#[must_use]
pub fn index_text(value: &Value) -> Option<String> {
    match value {
        Value::Arr(_) | Value::Obj(_) => None,
        Value::Str(text) if text.len() > TEXT_MAX => None,
        Value::Float(number) => match whole(*number) {
            Some(number) => Some(number.to_string()),
            None => Some(value.to_json()),
        },
        other => Some(other.to_json()),
    }
}

/// 2.0 is equal to 2.
fn whole(number: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and within what a float counts exactly"
    )]
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}
