//! Rights on fields, columns of sub-tables included, and changes by path.

use serde::{Deserialize, Serialize};
use tongban_expr::{Segment, Value, segments};

use crate::{Difference, FormFault, Refusal};

/// What a step may do with the fields of a form. A path names everything below
/// it; `items[].type` (or `items.type`) names a column of a sub-table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldRights {
    /// May only be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// May be changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edit: Vec<String>,
    /// Is not shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hide: Vec<String>,
    /// Must have a value when the step is done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<String>,
}

impl FieldRights {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn parse(given: Option<&Value>) -> Result<Self, String> {
        let Some(given) = given.filter(|given| !given.is_null()) else {
            return Ok(Self::default());
        };
        if let Some((key, _)) = given
            .entries()
            .find(|(key, _)| !KEYS.contains(&key.as_str()))
        {
            return Err(format!("expected {}, found `{key}`", KEYS.join(", ")));
        }
        let list = |key: &str| -> Vec<String> {
            let items = given.get(key).into_iter().flat_map(Value::items);
            items.filter_map(Value::as_str).map(normal).collect()
        };
        Ok(Self {
            read: list("read"),
            edit: list("edit"),
            hide: list("hide"),
            require: list("require"),
        })
    }

    /// Whether a path lies at or below one of the editable fields.
    pub(crate) fn may_edit(&self, path: &str) -> bool {
        let path = normal(path);
        covered(&self.edit, &path) && !covered(&self.read, &path) && !covered(&self.hide, &path)
    }

    /// Whether a path may be filled in where everything else may (`collect`).
    pub(crate) fn may_fill(&self, path: &str) -> bool {
        let path = normal(path);
        let listed = self.edit.is_empty() || covered(&self.edit, &path);
        listed && !covered(&self.read, &path) && !covered(&self.hide, &path)
    }

    /// Whether a path is hidden.
    pub fn is_hidden(&self, path: &str) -> bool {
        covered(&self.hide, &normal(path))
    }

    /// The data without what is hidden.
    pub fn shown(&self, data: &Value) -> Value {
        self.hide
            .iter()
            .fold(data.clone(), |data, path| without(&data, &keys(path)))
    }

    /// Required fields that have no value.
    pub fn missing(&self, data: &Value) -> Vec<FormFault> {
        let mut faults = Vec::new();
        for path in &self.require {
            lacking(data, &keys(path), "", &mut faults);
        }
        faults
    }
}

const KEYS: [&str; 4] = ["read", "edit", "hide", "require"];

/// A path without its indexes: `items[0].type` and `items[].type` are `items.type`.
pub(crate) fn normal(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut depth = 0_u32;
    for letter in path.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain
}

fn keys(path: &str) -> Vec<String> {
    normal(path)
        .split('.')
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect()
}

fn covered(fields: &[String], path: &str) -> bool {
    fields.iter().any(|field| {
        field == "*"
            || path == field
            || path
                .strip_prefix(field.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
    })
}

fn without(data: &Value, keys: &[String]) -> Value {
    let Some((first, rest)) = keys.split_first() else {
        return data.clone();
    };
    if let Some(items) = data.as_list() {
        return Value::list(items.iter().map(|item| without(item, keys)).collect());
    }
    let mut data = data.clone();
    if rest.is_empty() {
        data.remove(first);
    } else if let Some(child) = data.get(first) {
        let child = without(child, rest);
        data.set(first, child);
    }
    data
}

fn lacking(data: &Value, keys: &[String], at: &str, faults: &mut Vec<FormFault>) {
    if let Some(items) = data.as_list() {
        for (index, item) in items.iter().enumerate() {
            lacking(item, keys, &format!("{at}[{index}]"), faults);
        }
        return;
    }
    let Some((first, rest)) = keys.split_first() else {
        if data.is_null() || data.as_str() == Some("") {
            faults.push(FormFault::required(at));
        }
        return;
    };
    let at = if at.is_empty() {
        first.clone()
    } else {
        format!("{at}.{first}")
    };
    lacking(data.get(first).unwrap_or(&Value::Null), rest, &at, faults);
}

/// The data with a set of changes applied, each checked first.
///
/// # Errors
/// The check's refusal, or [`Refusal::BadChange`].
pub(crate) fn changed(
    data: &Value,
    change: &Value,
    may: impl Fn(&str) -> Result<(), Refusal>,
) -> Result<Value, Refusal> {
    if change.is_null() {
        return Ok(data.clone());
    }
    if change.as_object().is_none() {
        let reason = format!(
            "`change` is an object from paths to values, found {}",
            change.kind_name()
        );
        return Err(Refusal::BadChange { reason });
    }
    let mut changed = data.clone();
    for (path, value) in change.entries() {
        let path = path.as_str();
        // Writing what stands there already is no change: forms post all they show.
        if data.at(path) == Some(value) {
            continue;
        }
        may(path)?;
        changed
            .set_at(path, value.clone())
            .map_err(|error| Refusal::BadChange {
                reason: error.to_string(),
            })?;
    }
    Ok(changed)
}

/// What differs between two versions, leaf by leaf; lists of another length as a whole.
pub fn difference(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(old, new, String::new(), &mut found);
    found
}

/// The most differences that are told apart; a larger change is shown as a whole.
const DIFFERENCES_MAX: usize = 500;

fn compare(old: &Value, new: &Value, at: String, found: &mut Vec<Difference>) {
    if old == new || found.len() >= DIFFERENCES_MAX {
        return;
    }
    let join = |key: &str| {
        if at.is_empty() {
            key.to_owned()
        } else {
            format!("{at}.{key}")
        }
    };
    match (old, new) {
        (Value::Obj(_), Value::Obj(_)) => {
            for (key, new) in new.entries() {
                compare(old.get(key).unwrap_or(&Value::Null), new, join(key), found);
            }
            for (key, old) in old.entries().filter(|(key, _)| new.get(key).is_none()) {
                compare(old, &Value::Null, join(key), found);
            }
        }
        (Value::Arr(old_items), Value::Arr(new_items)) if old_items.len() == new_items.len() => {
            for (index, (old, new)) in old_items.iter().zip(new_items.iter()).enumerate() {
                compare(old, new, format!("{at}[{index}]"), found);
            }
        }
        _ => found.push(Difference {
            field: at,
            old: old.clone(),
            new: new.clone(),
        }),
    }
}

/// Whether a schema says this of a path: on the schema itself or on a property
/// on the way (`readOnly`, `x-figures`).
pub(crate) fn says(schema: &Value, path: &str, keyword: &str) -> bool {
    let holds = |schema: &Value| schema.get(keyword).and_then(Value::as_bool) == Some(true);
    let root = schema;
    let mut at = schema;
    if holds(at) {
        return true;
    }
    let Ok(way) = segments(&path.replace("[]", "[0]")) else {
        return false;
    };
    for segment in way {
        let next = match &segment {
            Segment::Index(_) => at.get("items"),
            Segment::Key(key) => {
                let table = at.get("items").filter(|_| at.get("properties").is_none());
                table
                    .unwrap_or(at)
                    .get("properties")
                    .and_then(|properties| properties.get(key))
            }
        };
        let Some(next) = next else { return false };
        at = referred(root, next);
        if holds(next) || holds(at) {
            return true;
        }
    }
    false
}

/// The first place below which the schema says this and the two versions
/// differ, however the difference was written: a field by its path, the group
/// around it as a whole, a row that came or went.
pub(crate) fn touched(schema: &Value, old: &Value, new: &Value, keyword: &str) -> Option<String> {
    let look = Touched {
        root: schema,
        keyword,
    };
    look.at(schema, old, new, String::new(), 0)
}

/// Schemas that refer to themselves end here.
const DEPTH_MAX: usize = 64;

struct Touched<'a> {
    root: &'a Value,
    keyword: &'a str,
}

impl Touched<'_> {
    fn at(
        &self,
        schema: &Value,
        old: &Value,
        new: &Value,
        place: String,
        depth: usize,
    ) -> Option<String> {
        if old == new || depth > DEPTH_MAX {
            return None;
        }
        let said = |schema: &Value| schema.get(self.keyword).and_then(Value::as_bool) == Some(true);
        let resolved = referred(self.root, schema);
        if said(schema) || said(resolved) {
            return Some(place);
        }
        let (gone, below) = (Value::Null, depth + 1);
        for schema in [schema, resolved] {
            let properties = schema
                .get("properties")
                .into_iter()
                .flat_map(Value::entries);
            for (name, schema) in properties {
                let place = match place.is_empty() {
                    true => name.to_string(),
                    false => format!("{place}.{name}"),
                };
                let (old, new) = (
                    old.get(name).unwrap_or(&gone),
                    new.get(name).unwrap_or(&gone),
                );
                if let Some(found) = self.at(schema, old, new, place, below) {
                    return Some(found);
                }
            }
            let Some(items) = schema.get("items") else {
                continue;
            };
            let rows = |of: &'_ Value| of.as_list().map_or(0, <[Value]>::len);
            for row in 0..rows(old).max(rows(new)) {
                let cell = |of: &Value| of.as_list().and_then(|rows| rows.get(row)).cloned();
                let (old, new) = (cell(old).unwrap_or_default(), cell(new).unwrap_or_default());
                let found = self.at(items, &old, &new, format!("{place}[{row}]"), below);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

fn referred<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema
        .text("$ref")
        .and_then(|reference| reference.strip_prefix("#/"));
    let found = target.and_then(|path| path.split('/').try_fold(root, |at, key| at.get(key)));
    found.unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use tongban_expr::value;

    use super::*;

    fn rights(given: Value) -> FieldRights {
        FieldRights::parse(Some(&given)).expect("the rights are well formed")
    }

    #[test]
    fn a_path_covers_what_lies_below_and_nothing_beside() {
        let rights =
            rights(value!({"edit": ["scope.items", "validTo"], "read": ["scope.items[].code"]}));
        assert!(rights.may_edit("scope.items") && rights.may_edit("scope.items[3].name"));
        assert!(
            !rights.may_edit("scope")
                && !rights.may_edit("scope.itemsToo")
                && !rights.may_edit("scope.items[0].code")
        );
    }

    #[test]
    fn a_hidden_column_is_taken_out_of_every_row() {
        let rights = rights(value!({"hide": ["rows[].id", "secret"]}));
        let shown = rights.shown(
            &value!({"rows": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], "secret": 1}),
        );
        assert_eq!(shown, value!({"rows": [{"name": "a"}, {"name": "b"}]}));
    }

    #[test]
    fn a_required_column_is_missed_row_by_row() {
        let rights = rights(value!({"require": ["rows[].job", "class"]}));
        let faults = rights.missing(&value!({"rows": [{"job": "x"}, {"job": ""}, {}]}));
        let fields: Vec<_> = faults.into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["rows[1].job", "rows[2].job", "class"]);
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(FieldRights::parse(Some(&value!({"write": ["a"]}))).is_err());
    }

    #[test]
    fn differences_are_leaves() {
        let old = value!({"a": 1, "rows": [{"x": 1}, {"x": 2}], "gone": true});
        let new = value!({"a": 1, "rows": [{"x": 1}, {"x": 3}], "come": [1]});
        let fields: Vec<_> = difference(&old, &new)
            .into_iter()
            .map(|one| one.field)
            .collect();
        assert_eq!(fields, ["rows[1].x", "come", "gone"]);
    }

    #[test]
    fn what_is_marked_is_found_inside_of_what_was_written_as_a_whole() {
        let schema = value!({
            "$defs": {"row": {"properties": {"count": {"x-figures": true}, "note": {}}}},
            "properties": {
                "group": {"properties": {"total": {"x-figures": true}, "name": {}}},
                "rows": {"items": {"$ref": "#/$defs/row"}}
            }
        });
        let old = value!({"group": {"total": 1, "name": "a"}, "rows": [{"count": 1, "note": "x"}]});
        let found = |new: Value| touched(&schema, &old, &new, "x-figures");
        let with = |path: &str, value: Value| {
            let mut new = old.clone();
            new.set_at(path, value).expect("the path fits");
            new
        };
        assert_eq!(
            found(with("group", value!({"total": 2, "name": "a"}))).as_deref(),
            Some("group.total")
        );
        assert_eq!(
            found(with("group", value!({"name": "a"}))).as_deref(),
            Some("group.total")
        );
        assert_eq!(
            found(with("rows", value!([]))).as_deref(),
            Some("rows[0].count")
        );
        let longer = value!([{"count": 1, "note": "x"}, {"count": 5}]);
        assert_eq!(
            found(with("rows", longer)).as_deref(),
            Some("rows[1].count")
        );
        assert_eq!(found(with("group.name", "b".into())), None);
        assert_eq!(
            found(with("rows", value!([{"count": 1, "note": "y"}]))),
            None
        );
    }

    #[test]
    fn keywords_are_found_through_tables_and_references() {
        let schema = value!({
            "$defs": {"row": {"properties": {"code": {"readOnly": true}, "name": {}}}},
            "properties": {"rows": {"items": {"$ref": "#/$defs/row"}}, "fixed": {"readOnly": true}}
        });
        assert!(
            says(&schema, "rows[0].code", "readOnly") && says(&schema, "fixed.below", "readOnly")
        );
        assert!(!says(&schema, "rows[0].name", "readOnly") && !says(&schema, "rows", "readOnly"));
    }
}
