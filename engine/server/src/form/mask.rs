//! A form's data as people see them who do not take part: masked fields (`x-mask`) stay masked, whatever face shows them.

use serde_json::Value as Json;

use super::access::schema_path;
use super::build::{Offers, build};
use super::field::{Choice, Field, Form, Kind, Mask};

/// Masks hang on the schema alone: no list of choices is asked for.
struct Nothing;

impl Offers for Nothing {
    fn code(&self, _list: &str) -> Option<Vec<Choice>> {
        None
    }
    fn chosen(&self, _path: &str) -> Option<Vec<Choice>> {
        None
    }
    fn units(&self, _level: Option<&str>) -> Vec<Choice> {
        Vec::new()
    }
}

/// The masks of a form.
#[derive(Debug, Clone)]
pub struct Masks {
    form: Form,
}

impl Masks {
    /// The masks of a schema; none when it has no masked field.
    pub fn of(schema: &Json) -> Option<Self> {
        let form = build(schema, &Nothing);
        form.masks_anything().then_some(Self { form })
    }

    /// The data of the form with its masked fields masked.
    #[must_use]
    pub fn masked(&self, mut data: Json) -> Json {
        mask_members(self.form.fields(), &mut data);
        data
    }

    /// Masks the old and new values of every difference (`field`, `old`, `new`) that is told anywhere in a value.
    pub fn mask_differences(&self, told: &mut Json) {
        match told {
            Json::Array(items) => items
                .iter_mut()
                .for_each(|item| self.mask_differences(item)),
            Json::Object(members) => {
                let path = members.get("field").and_then(Json::as_str);
                let field = path.and_then(|path| self.form.field(&schema_path(path)));
                if let Some(field) = field {
                    for name in ["old", "new"] {
                        if let Some(value) = members.get_mut(name) {
                            mask_field(field, value);
                        }
                    }
                }
                members
                    .values_mut()
                    .for_each(|value| self.mask_differences(value));
            }
            _ => {}
        }
    }
}

fn mask_members<'a>(fields: impl Iterator<Item = &'a Field>, data: &mut Json) {
    for field in fields {
        if let Some(value) = data.get_mut(&field.name) {
            mask_field(field, value);
        }
    }
}

fn mask_field(field: &Field, value: &mut Json) {
    if let Some(mask) = field.mask {
        return cover(mask, value);
    }
    match (&field.kind, value) {
        (Kind::Group(children), value) => mask_members(children.iter(), value),
        (Kind::Table { columns, .. }, Json::Array(rows)) => {
            for row in rows {
                mask_members(columns.iter(), row);
            }
        }
        // One row of the table.
        (Kind::Table { columns, .. }, row) => mask_members(columns.iter(), row),
        _ => {}
    }
}

/// Masks every text and number at or below a value.
fn cover(mask: Mask, value: &mut Json) {
    match value {
        Json::String(text) => *text = mask.apply(text),
        Json::Number(number) => *value = Json::String(mask.apply(&number.to_string())),
        Json::Array(items) => items.iter_mut().for_each(|item| cover(mask, item)),
        Json::Object(members) => members.values_mut().for_each(|item| cover(mask, item)),
        Json::Null | Json::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masks() -> Masks {
        let schema = json!({ "type": "object", "properties": {
            "who": { "type": "object", "properties": { "id": { "type": "string", "x-mask": "id" }, "name": { "type": "string" } } },
            "rows": { "type": "array", "items": { "type": "object", "properties": { "phone": { "type": "string", "x-mask": "phone" } } } },
            "kin": { "type": "array", "items": { "type": "string" }, "x-mask": "name" },
        } });
        Masks::of(&schema).expect("it masks")
    }

    #[test]
    fn groups_rows_and_lists_are_masked_and_the_rest_stays() {
        let data = json!({ "who": { "id": "990000199001010017", "name": "张三" }, "rows": [{ "phone": "13800001234" }], "kin": ["李四"], "more": 1 });
        let shown = json!({ "who": { "id": "990***********0017", "name": "张三" }, "rows": [{ "phone": "138****1234" }], "kin": ["李*"], "more": 1 });
        assert_eq!(masks().masked(data), shown);
    }

    #[test]
    fn differences_are_masked_by_their_field() {
        let mut told = json!([{ "data": { "difference": [
            { "field": "rows[0].phone", "old": "13800001234", "new": null },
            { "field": "rows[1]", "old": null, "new": { "phone": "13800001234" } },
            { "field": "who.name", "old": "张三", "new": "李四" },
        ] } }]);
        masks().mask_differences(&mut told);
        let shown = json!([{ "data": { "difference": [
            { "field": "rows[0].phone", "old": "138****1234", "new": null },
            { "field": "rows[1]", "old": null, "new": { "phone": "138****1234" } },
            { "field": "who.name", "old": "张三", "new": "李四" },
        ] } }]);
        assert_eq!(told, shown);
    }

    #[test]
    fn a_form_without_masks_has_none() {
        assert!(
            Masks::of(&json!({ "type": "object", "properties": { "a": { "type": "string" } } }))
                .is_none()
        );
    }
}
