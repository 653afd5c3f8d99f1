//! What changed between two versions of a form, field by field, for reviewers.

use serde_json::Value as Json;

use super::field::{Field, Form, Kind};
use super::read::{Reading, text_of};
use crate::language::{InWords, Language};
use crate::words::fill;

/// One changed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field with its surroundings, as people read it.
    pub label: String,
    /// The answer before.
    pub before: String,
    /// The answer after.
    pub after: String,
}

/// Lists the changed answers in the order of the form.
pub fn changes(form: &Form, before: &Json, after: &Json, reading: Reading) -> Vec<Change> {
    let mut found = Vec::new();
    let comparison = Comparison {
        language: reading.language,
        reading,
    };
    for field in form.fields() {
        comparison.field(
            field,
            "",
            before.get(&field.name),
            after.get(&field.name),
            &mut found,
        );
    }
    found
}

struct Comparison {
    reading: Reading,
    language: Language,
}

impl Comparison {
    fn field(
        &self,
        field: &Field,
        prefix: &str,
        before: Option<&Json>,
        after: Option<&Json>,
        found: &mut Vec<Change>,
    ) {
        let real = |value: Option<&Json>| value.filter(|value| !value.is_null()).cloned();
        if real(before) == real(after) {
            return;
        }
        let title = field.title.text(self.language);
        let label = if prefix.is_empty() {
            title.to_owned()
        } else {
            format!("{prefix} · {title}")
        };
        match &field.kind {
            Kind::Group(children) => {
                for child in children {
                    let (before, after) = (member(before, &child.name), member(after, &child.name));
                    self.field(child, &label, before, after, found);
                }
            }
            Kind::Table { columns, .. } => {
                let count =
                    |value: Option<&Json>| value.and_then(Json::as_array).map_or(0, Vec::len);
                for at in 0..count(before).max(count(after)) {
                    let number = (at + 1).to_string();
                    let row = format!(
                        "{label} · {}",
                        fill(self.language.words().row, &[("n", &number)])
                    );
                    let (before, after) = (
                        before.and_then(|rows| rows.get(at)),
                        after.and_then(|rows| rows.get(at)),
                    );
                    for column in columns {
                        self.field(
                            column,
                            &row,
                            member(before, &column.name),
                            member(after, &column.name),
                            found,
                        );
                    }
                }
            }
            _ => found.push(Change {
                label,
                before: text_of(field, before, &self.reading),
                after: text_of(field, after, &self.reading),
            }),
        }
    }
}

fn member<'a>(value: Option<&'a Json>, name: &str) -> Option<&'a Json> {
    value.and_then(|value| value.get(name))
}
