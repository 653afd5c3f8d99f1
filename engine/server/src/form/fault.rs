//! What is wrong with an answer, at which field, and how a person reads it.

use super::access::schema_path;
use super::field::{Form, Kind};
use crate::language::{InWords, Language};
use crate::words::fill;

/// A fault of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The field's name in the form, with row numbers.
    pub name: String,
    /// What is wrong.
    pub what: What,
}

/// The kinds of faults.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Nothing was entered.
    Required,
    /// Nothing was chosen.
    Unchosen,
    /// Not a number.
    Number,
    /// Not a whole number.
    Whole,
    /// Not a date.
    Date,
    /// Not one of the values in the list.
    NotOffered,
    /// Something that the schema or a rule of the form says in its own words.
    Said {
        /// In Chinese, with the field's title.
        chinese: String,
        /// In English, without it.
        english: String,
    },
}

impl What {
    /// The fault of an empty answer to a field of this kind.
    pub fn missing(kind: &Kind) -> Self {
        match kind {
            Kind::Choice(_) | Kind::Several(_) | Kind::Agree(_) => Self::Unchosen,
            _ => Self::Required,
        }
    }
}

/// A fault as the summary and the field show it.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultLine {
    /// The name of the field.
    pub name: String,
    /// The identifier of the field's control, for the link.
    pub id: String,
    /// The words.
    pub message: String,
}

impl Fault {
    /// A fault at a field.
    pub fn new(name: impl Into<String>, what: What) -> Self {
        Self {
            name: name.into(),
            what,
        }
    }

    /// Words the fault for a reader.
    pub fn line(&self, form: &Form, language: Language) -> FaultLine {
        let words = language.words();
        let field = form.field(&schema_path(&self.name));
        let title = field.map_or_else(
            || self.name.clone(),
            |field| field.title.text(language).to_owned(),
        );
        let with = |text: &str| fill(text, &[("field", &title)]);
        let message = match &self.what {
            What::Required => with(words.fault_required),
            What::Unchosen => with(words.fault_choose),
            What::Number => with(words.fault_number),
            What::Whole => with(words.fault_integer),
            What::Date => with(words.fault_date),
            What::NotOffered => with(words.fault_not_offered),
            What::Said { chinese, english } => match language {
                Language::Chinese => chinese.clone(),
                Language::English => fill(
                    words.fault_other,
                    &[("field", &title), ("message", english)],
                ),
            },
        };
        FaultLine {
            name: self.name.clone(),
            id: identifier(&self.name),
            message,
        }
    }
}

/// The `id` of a field's control, made of letters, digits and hyphens.
pub fn identifier(name: &str) -> String {
    let mut id = String::with_capacity(name.len() + 2);
    id.push_str("f-");
    for character in name.chars() {
        match character {
            '[' | '.' => id.push('-'),
            ']' => {}
            other if other.is_alphanumeric() || other == '_' || other == '-' => id.push(other),
            other => id.push_str(&format!("_{:x}", other as u32)),
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_hold_nothing_that_could_leave_an_attribute() {
        assert_eq!(identifier("members[0].id"), "f-members-0-id");
        assert_eq!(identifier("\"><x"), "f-_22_3e_3cx");
    }
}
