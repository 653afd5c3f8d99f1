//! A form's data as people see them who do not take part: masked fields (`x-mask`) stay masked, whatever face shows them.

use std::collections::BTreeMap;

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
        in_members(self.form.fields(), &mut data, &mut hide);
        data
    }

    /// The texts of some data that these masks hide.
    pub fn cover(&self, data: &Json) -> Cover {
        let mut cover = Cover::default();
        let mut data = data.clone();
        in_members(self.form.fields(), &mut data, &mut |mask, leaf| {
            cover.add(mask, leaf);
        });
        cover
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
                            in_field(field, value, &mut hide);
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

/// Does something with every text and number below masked members.
fn in_members<'a>(
    fields: impl Iterator<Item = &'a Field>,
    data: &mut Json,
    act: &mut dyn FnMut(Mask, &mut Json),
) {
    for field in fields {
        if let Some(value) = data.get_mut(&field.name) {
            in_field(field, value, act);
        }
    }
}

fn in_field(field: &Field, value: &mut Json, act: &mut dyn FnMut(Mask, &mut Json)) {
    if let Some(mask) = field.mask {
        return in_leaves(mask, value, act);
    }
    match (&field.kind, value) {
        (Kind::Group(children), value) => in_members(children.iter(), value, act),
        (Kind::Table { columns, .. }, Json::Array(rows)) => {
            for row in rows {
                in_members(columns.iter(), row, act);
            }
        }
        // One row of the table.
        (Kind::Table { columns, .. }, row) => in_members(columns.iter(), row, act),
        _ => {}
    }
}

fn in_leaves(mask: Mask, value: &mut Json, act: &mut dyn FnMut(Mask, &mut Json)) {
    match value {
        Json::String(_) | Json::Number(_) => act(mask, value),
        Json::Array(items) => items.iter_mut().for_each(|item| in_leaves(mask, item, act)),
        Json::Object(members) => members
            .values_mut()
            .for_each(|item| in_leaves(mask, item, act)),
        Json::Null | Json::Bool(_) => {}
    }
}

fn hide(mask: Mask, leaf: &mut Json) {
    if let Some(text) = text_of(leaf) {
        *leaf = Json::String(mask.apply(&text));
    }
}

/// What a text or a number reads like.
fn text_of(leaf: &Json) -> Option<String> {
    match leaf {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A shorter text is covered only where it stands alone: within others it may mean anything.
const WITHIN_BYTES_MIN: usize = 6;

/// Texts that masks hide, each with what is shown for it, wherever else they are told: in results, errors, remarks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cover {
    texts: BTreeMap<String, String>,
}

impl Cover {
    fn add(&mut self, mask: Mask, leaf: &Json) {
        if let Some(text) = text_of(leaf).filter(|text| !text.is_empty()) {
            let shown = mask.apply(&text);
            self.texts.insert(text, shown);
        }
    }

    /// Covers what another one covers, too.
    pub fn join(&mut self, other: Self) {
        self.texts.extend(other.texts);
    }

    /// Whether it covers nothing.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Covers every such text in a value: alone, within longer ones, and in names of members.
    pub fn over(&self, told: &mut Json) {
        if self.is_empty() {
            return;
        }
        match told {
            Json::Array(items) => items.iter_mut().for_each(|item| self.over(item)),
            Json::Object(members) => {
                members.values_mut().for_each(|item| self.over(item));
                if members.keys().any(|name| self.covered(name).is_some()) {
                    let renamed = std::mem::take(members).into_iter();
                    members.extend(
                        renamed.map(|(name, item)| (self.covered(&name).unwrap_or(name), item)),
                    );
                }
            }
            leaf => {
                let covered = text_of(leaf).and_then(|text| self.covered(&text));
                if let Some(covered) = covered {
                    *leaf = Json::String(covered);
                }
            }
        }
    }

    /// A text with what is hidden in it covered; `None` when there is nothing of it.
    fn covered(&self, text: &str) -> Option<String> {
        if let Some(shown) = self.texts.get(text) {
            return Some(shown.clone());
        }
        let mut shown = None;
        let within = |hidden: &&String| hidden.len() >= WITHIN_BYTES_MIN;
        for hidden in self.texts.keys().filter(within) {
            let known = shown.as_deref().unwrap_or(text);
            if known.contains(hidden.as_str()) {
                let mask = self.texts.get(hidden).map_or("", String::as_str);
                shown = Some(known.replace(hidden.as_str(), mask));
            }
        }
        shown
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

    #[test]
    fn what_is_masked_is_covered_wherever_else_it_is_told() {
        let data = json!({ "who": { "id": "990000199001010017", "name": "张三" }, "rows": [{ "phone": "13800001234" }], "kin": ["李四", ""] });
        let cover = masks().cover(&data);
        let mut told = json!({
            "holder": "990000199001010017",
            "rows": ["call 13800001234, 张三", { "990000199001010017": "unfit" }],
            "kin": "李四的表", "number": 13_800_001_234_i64, "open": true
        });
        cover.over(&mut told);
        let shown = json!({
            "holder": "990***********0017",
            "rows": ["call 138****1234, 张三", { "990***********0017": "unfit" }],
            "kin": "李*的表", "number": "138****1234", "open": true
        });
        assert_eq!(told, shown, "the name is not masked in its form");
        let mut short = json!(["1", "21", 1]);
        let one = json!({ "rows": [{ "phone": "1" }] });
        masks().cover(&one).over(&mut short);
        assert_eq!(short, json!(["*", "21", "*"]));
        assert!(masks().cover(&json!({})).is_empty());
    }
}
