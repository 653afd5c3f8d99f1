//! The fields of a form: what is asked, in which order and with which widget.

use serde_json::Value as Json;

use crate::language::Title;

/// A form that a person fills in or reads.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// The form's title.
    pub title: Title,
    /// Its parts, in order; a form without layout has one part without title.
    pub sections: Vec<Section>,
}

/// A titled group of top-level fields, from `x-layout` or `x-pages`.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The heading, absent when the form has no layout.
    pub title: Option<Title>,
    /// The fields in the order in which they are asked.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    /// The property's name.
    pub name: String,
    /// Where it stands in the schema: names joined by dots, rows of tables without numbers.
    pub path: String,
    /// What it is called.
    pub title: Title,
    /// A sentence that helps to fill it in.
    pub help: Option<Title>,
    /// A text of the pack that stands above the field, as HTML.
    pub text: Option<String>,
    /// Whether an empty answer is refused.
    pub required: bool,
    /// Whether nobody types here (`readOnly`).
    pub read_only: bool,
    /// How it is masked when it is only read.
    pub mask: Option<Mask>,
    /// The value that an unanswered field starts with.
    pub default: Option<Json>,
    /// What kind of answer it takes.
    pub kind: Kind,
}

/// What kind of answer a field takes.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text on one line, or on several; a code is freed of spaces and full-width characters.
    Text {
        lines: bool,
        max: Option<u64>,
        code: bool,
    },
    /// A number.
    Number { whole: bool },
    /// A date such as 2026-11-23.
    Date,
    /// A tick that means yes.
    Tick,
    /// One fixed value that the person agrees to (`const`).
    Agree(Json),
    /// One of several values.
    Choice(Vec<Choice>),
    /// Any of several values.
    Several(Vec<Choice>),
    /// Texts, one a line.
    Lines { whole_numbers: bool, files: bool },
    /// Named fields below a heading.
    Group(Vec<Field>),
    /// Rows of fields.
    Table { columns: Vec<Field>, most: usize },
    /// The person's own name, typed as a signature.
    Signature,
    /// Data of a shape that no widget covers: shown, never typed.
    Data,
}

/// One value to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is stored.
    pub value: Json,
    /// What people read.
    pub label: String,
}

impl Choice {
    /// A choice of a text value.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: Json::String(value.into()),
            label: label.into(),
        }
    }

    /// The value as it travels in a form.
    pub fn key(&self) -> String {
        match &self.value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// How a value is masked for people who only read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// A person's name: the first character stays.
    Name,
    /// An identity number: the first three and the last four characters stay.
    Identity,
    /// A telephone number: the first three and the last four digits stay.
    Phone,
}

impl Mask {
    /// Reads the keyword's value; an unknown one masks like an identity number, never nothing.
    pub fn from_keyword(keyword: &str) -> Self {
        match keyword {
            "name" => Self::Name,
            "phone" => Self::Phone,
            _ => Self::Identity,
        }
    }

    /// The masked text.
    pub fn apply(self, text: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let (head, tail) = match self {
            Self::Name => (1, 0),
            Self::Identity | Self::Phone => (3, 4),
        };
        if characters.len() <= head + tail {
            return match self {
                Self::Name => text.to_owned(),
                _ => "*".repeat(characters.len()),
            };
        }
        let hidden = characters.len() - head - tail;
        characters
            .iter()
            .enumerate()
            .map(|(at, character)| {
                if at < head || at >= head + hidden {
                    *character
                } else {
                    '*'
                }
            })
            .collect()
    }
}

impl Form {
    /// All top-level fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.sections
            .iter()
            .flat_map(|section| section.fields.iter())
    }

    /// Whether any field, a column of a table included, is masked when it is only read.
    pub fn masks_anything(&self) -> bool {
        fn any(fields: &[Field]) -> bool {
            fields.iter().any(|field| {
                let inside = match &field.kind {
                    Kind::Group(children)
                    | Kind::Table {
                        columns: children, ..
                    } => any(children),
                    _ => false,
                };
                field.mask.is_some() || inside
            })
        }
        self.sections.iter().any(|section| any(&section.fields))
    }

    /// What the form starts with: the defaults of its fields.
    pub fn prefilled(&self) -> Json {
        fn of(fields: &mut dyn Iterator<Item = &Field>) -> serde_json::Map<String, Json> {
            let mut data = serde_json::Map::new();
            for field in fields {
                let inner = match &field.kind {
                    Kind::Group(children) => Json::Object(of(&mut children.iter())),
                    _ => Json::Null,
                };
                let value = match (&field.default, inner) {
                    (Some(default), _) => default.clone(),
                    (None, Json::Object(inner)) if !inner.is_empty() => Json::Object(inner),
                    _ => continue,
                };
                data.insert(field.name.clone(), value);
            }
            data
        }
        Json::Object(of(&mut self.fields()))
    }

    /// The field at a schema path such as `scope.items`.
    pub fn field(&self, path: &str) -> Option<&Field> {
        fn search<'a>(
            mut fields: impl Iterator<Item = &'a Field>,
            path: &str,
        ) -> Option<&'a Field> {
            fields.find_map(|field| {
                if field.path == path {
                    return Some(field);
                }
                let inside = path
                    .strip_prefix(&field.path)
                    .is_some_and(|rest| rest.starts_with('.'));
                match &field.kind {
                    Kind::Group(children)
                    | Kind::Table {
                        columns: children, ..
                    } if inside => within(children, path),
                    _ => None,
                }
            })
        }
        fn within<'a>(fields: &'a [Field], path: &str) -> Option<&'a Field> {
            search(fields.iter(), path)
        }
        search(self.fields(), path)
    }
}

/// The title of a field or form as its schema gives it.
pub fn title_of(schema: &Json, otherwise: &str) -> Title {
    let own = schema
        .get("title")
        .and_then(Json::as_str)
        .unwrap_or(otherwise)
        .to_owned();
    let english = schema.get("x-en").and_then(Json::as_str).map(str::to_owned);
    Title { own, english }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_only_what_identifies_the_case_to_its_owner() {
        assert_eq!(
            Mask::Identity.apply("990000199001010017"),
            "990***********0017"
        );
        assert_eq!(Mask::Phone.apply("13800001234"), "138****1234");
        assert_eq!(Mask::Name.apply("张三"), "张*");
        assert_eq!(Mask::Identity.apply("1234567"), "*******");
        assert_eq!(Mask::Phone.apply(""), "");
        assert_eq!(Mask::from_keyword("something-new"), Mask::Identity);
    }
}
