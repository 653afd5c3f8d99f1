//! What an answer about a case keeps to itself: what its form masks, wherever else it is told; what the steps hide from
//! who takes part; and what reviewers say to one another.

use serde_json::Value as Json;
use tongban_expr::Value;
use tongban_runtime::CaseView;
use tongban_work::FieldRights;

use crate::api::body::{json, value};
use crate::form::{Cover, Masks};
use crate::problem::Problem;
use crate::reveal::Look;
use crate::visibility;

/// A case that stands deeper below others takes no masks from further above.
const LEVELS_MAX: usize = 8;

/// The words of a note that are for those who sign.
const WORDS: [&str; 5] = ["comment", "text", "reason", "fields", "items"];

/// What somebody does not see of a case.
#[derive(Debug, Default)]
pub struct Veil {
    masks: Option<Masks>,
    cover: Cover,
    hidden: FieldRights,
    /// Whose words reach the reader all the same: his own.
    reader: Option<String>,
    /// Items whose signers talk among themselves.
    closed: Vec<u32>,
}

impl Veil {
    /// What a looker does not see.
    ///
    /// # Errors
    /// The database refused.
    pub async fn of(look: &Look<'_>) -> Result<Self, Problem> {
        let person = look.asker.person;
        let applicant = person.filter(|person| look.head.starter_id.as_deref() == Some(*person));
        let items = look.case.desk.items().iter().map(|item| item.n);
        // Who takes part reads what was said before; who applied only what was said to him.
        let closed = items.filter(|n| applicant.is_some_and(|who| !look.case.hears(*n, who)));
        let mut veil = Self {
            hidden: FieldRights {
                hide: visibility::hidden_fields(look.case, look.asker),
                ..FieldRights::default()
            },
            reader: person.map(str::to_owned),
            closed: closed.collect(),
            ..Self::default()
        };
        if look.is_own() {
            return Ok(veil);
        }
        veil.masks = masks_of(look.case);
        veil.cover = cover_of(look.case, veil.masks.as_ref());
        let mut above = look.head.parent_id.clone();
        for _ in 0..LEVELS_MAX {
            let Some(id) = above else { break };
            let case = look.app.runtime.case(&id).await?;
            veil.cover.join(cover_of(&case, masks_of(&case).as_ref()));
            let head = look.app.store().instance_head(&id).await;
            above = head.map_err(Problem::from)?.and_then(|head| head.parent_id);
        }
        Ok(veil)
    }

    /// Whether anything is masked.
    pub fn masks_anything(&self) -> bool {
        self.masks.is_some() || !self.cover.is_empty()
    }

    /// The same without masks: they are lifted for a reason.
    #[must_use]
    pub fn lifted(self) -> Self {
        Self {
            masks: None,
            cover: Cover::default(),
            ..self
        }
    }

    /// The case's form.
    pub fn form(&self, form: &Value) -> Json {
        let form = json(&self.hidden.shown(form));
        self.told(match &self.masks {
            Some(masks) => masks.masked(form),
            None => form,
        })
    }

    /// Anything else that is told of the case.
    pub fn told(&self, mut told: Json) -> Json {
        self.cover.over(&mut told);
        told
    }

    /// A work item as somebody sees it who only looks on, by the masks of the item's own form.
    pub fn item(&self, mut item: Json, masks: Option<&Masks>) -> Json {
        let mut cover = self.cover.clone();
        if let (Some(masks), Some(data)) = (masks, item.get_mut("data")) {
            cover.join(masks.cover(data));
            *data = masks.masked(data.take());
        }
        if let (Some(masks), Some(told)) = (masks, item.get_mut("difference")) {
            masks.mask_differences(told);
        }
        cover.over(&mut item);
        item
    }

    /// The notes of a page of the history.
    ///
    /// # Errors
    /// A note exceeds the bounds of a value.
    pub fn notes(&self, notes: &[Value]) -> Result<Json, Problem> {
        let mut shown = Vec::with_capacity(notes.len());
        for note in notes {
            let mut note = json(note);
            self.unsay(&mut note);
            if !self.hidden.hide.is_empty() {
                self.hide_differences(&mut note)?;
            }
            if let Some(masks) = &self.masks {
                masks.mask_differences(&mut note);
            }
            shown.push(self.told(note));
        }
        Ok(Json::Array(shown))
    }

    /// Takes the words out of a note that are for those who sign the item.
    fn unsay(&self, note: &mut Json) {
        let n = note.get("n").and_then(Json::as_u64);
        let inside = n.is_none_or(|n| !self.closed.iter().any(|closed| u64::from(*closed) == n));
        let own = note.get("by").and_then(Json::as_str) == self.reader.as_deref();
        let to_applicant = match note.get("kind").and_then(Json::as_str) {
            Some("returned") => {
                note.pointer("/data/to").and_then(Json::as_str) == Some("applicant")
            }
            Some(kind) => kind == "correctionAsked",
            None => false,
        };
        if inside || own || to_applicant {
            return;
        }
        if let Some(data) = note.get_mut("data").and_then(Json::as_object_mut) {
            data.retain(|name, _| !WORDS.contains(&name.as_str()));
        }
    }

    /// Leaves out what is told of changes of hidden fields.
    fn hide_differences(&self, told: &mut Json) -> Result<(), Problem> {
        match told {
            Json::Array(items) => {
                items.retain(|item| {
                    let field = item.get("field").and_then(Json::as_str);
                    !field.is_some_and(|field| self.hidden.is_hidden(field))
                });
                items
                    .iter_mut()
                    .try_for_each(|item| self.hide_differences(item))
            }
            Json::Object(members) => {
                if let Some(field) = members.get("field").and_then(Json::as_str) {
                    let below = self.hidden_below(field);
                    for name in ["old", "new"] {
                        if let Some(told) = members.get_mut(name) {
                            *told = json(&below.shown(&value(told)?));
                        }
                    }
                }
                members
                    .values_mut()
                    .try_for_each(|told| self.hide_differences(told))
            }
            _ => Ok(()),
        }
    }

    /// What is hidden of the value at a path.
    fn hidden_below(&self, path: &str) -> FieldRights {
        let path = crate::form::schema_path(path);
        let below = self.hidden.hide.iter().filter_map(|hidden| {
            let hidden = crate::form::schema_path(hidden);
            let rest = hidden.strip_prefix(path.as_str())?.strip_prefix('.')?;
            Some(rest.to_owned())
        });
        FieldRights {
            hide: below.collect(),
            ..FieldRights::default()
        }
    }
}

fn masks_of(case: &CaseView) -> Option<Masks> {
    case.start_form_schema()
        .and_then(|schema| Masks::of(&json(&schema)))
}

fn cover_of(case: &CaseView, masks: Option<&Masks>) -> Cover {
    masks.map_or_else(Cover::default, |masks| {
        masks.cover(&json(case.instance.form()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tongban_expr::value;

    use super::*;

    fn veil() -> Veil {
        Veil {
            hidden: FieldRights {
                hide: vec!["income".to_owned(), "members.id".to_owned()],
                ..FieldRights::default()
            },
            reader: Some("li-na".to_owned()),
            closed: vec![1],
            ..Veil::default()
        }
    }

    #[test]
    fn changes_of_hidden_fields_are_not_told() {
        let told = value!([{ "n": 2, "kind": "form", "data": { "difference": [
            { "field": "income", "old": 1, "new": 2 },
            { "field": "members", "old": [], "new": [{ "id": "x", "name": "y" }] },
            { "field": "members[0].id", "old": "x", "new": "z" },
            { "field": "street", "old": "s1", "new": "s2" }
        ] } }]);
        let notes: Vec<Value> = told.items().cloned().collect();
        let shown = veil().notes(&notes).expect("small");
        assert_eq!(
            shown[0]["data"]["difference"],
            json!([
                { "field": "members", "old": [], "new": [{ "name": "y" }] },
                { "field": "street", "old": "s1", "new": "s2" }
            ])
        );
    }

    #[test]
    fn words_among_signers_stay_among_them() {
        let note = |n: i64, kind: &str, by: &str, to: &str| {
            let notes = [
                value!({ "n": (n), "kind": (kind), "by": (by), "data": { "to": (to), "outcome": "ok", "comment": "between us" } }),
            ];
            let shown = veil().notes(&notes).expect("small");
            shown.to_string().contains("between us")
        };
        assert!(!note(1, "decided", "wang-lei", ""));
        assert!(!note(1, "returned", "wang-lei", "previous"));
        assert!(note(1, "returned", "wang-lei", "applicant"));
        assert!(note(1, "correctionAsked", "wang-lei", ""));
        assert!(note(1, "urged", "li-na", ""), "his own");
        assert!(note(2, "decided", "wang-lei", ""), "he takes part");
    }
}
