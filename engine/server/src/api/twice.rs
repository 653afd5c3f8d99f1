//! What is refused before anything is read: a member that is given twice, of which readers of JSON keep one or the other, and
//! nobody says which; and a NUL in a text, which one database keeps and the other does not take.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Something that no body may have, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amiss {
    /// A member is given twice.
    Twice(String),
    /// A text, or the name of a member, has a NUL.
    Nul(String),
}

/// The first of it.
pub fn first(bytes: &[u8]) -> Option<Amiss> {
    let mut walk = Walk::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // What is no JSON is told by whoever reads it.
    let _ = Seed(&mut walk).deserialize(&mut reader);
    walk.found
}

#[derive(Default)]
struct Walk {
    at: Vec<String>,
    found: Option<Amiss>,
}

impl Walk {
    fn text<E: Error>(&mut self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            self.found = Some(Amiss::Nul(place(&self.at).replace('\0', "\\0")));
            return Err(E::custom("a NUL"));
        }
        Ok(())
    }
}

struct Seed<'w>(&'w mut Walk);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.text(text)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            self.0.at.push(format!("[{index}]"));
            if items.next_element_seed(Seed(self.0))?.is_none() {
                self.0.at.pop();
                return Ok(());
            }
            self.0.at.pop();
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.0.at.push(name.clone());
            self.0.text::<A::Error>(&name)?;
            if !seen.insert(name) {
                self.0.found = Some(Amiss::Twice(place(&self.0.at)));
                return Err(A::Error::custom("twice"));
            }
            members.next_value_seed(Seed(self.0))?;
            self.0.at.pop();
        }
        Ok(())
    }
}

fn place(steps: &[String]) -> String {
    let mut place = String::new();
    for step in steps {
        if !place.is_empty() && !step.starts_with('[') {
            place.push('.');
        }
        place.push_str(step);
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_given_twice_is_found_wherever_it_stands() {
        let found = |text: &str| match first(text.as_bytes()) {
            Some(Amiss::Twice(place)) => Some(place),
            other => {
                assert_eq!(other, None);
                None
            }
        };
        assert_eq!(found(r#"{"a": 1, "b": [{"c": 1}, {"c": 2}]}"#), None);
        assert_eq!(found(r#"{"a": 1, "a": 2}"#).as_deref(), Some("a"));
        assert_eq!(
            found(r#"{"input": {"rows": [{"n": 1}, {"n": 1, "n": 2}]}}"#).as_deref(),
            Some("input.rows[1].n")
        );
        assert_eq!(found(r#"{"a": 1, "\u0061": 2}"#).as_deref(), Some("a"));
        assert_eq!(found("{\"a\": "), None, "no JSON at all is told elsewhere");
    }

    #[test]
    fn a_nul_is_found_in_texts_and_names() {
        let nul = |place: &str| Some(Amiss::Nul(place.to_owned()));
        assert_eq!(first(br#"{"rows": [{"n": "a\u0000b"}]}"#), nul("rows[0].n"));
        assert_eq!(first(br#"{"a\u0000": 1}"#), nul("a\\0"));
        assert_eq!(first(br#"{"a": "\\u0000"}"#), None, "six characters");
    }
}
