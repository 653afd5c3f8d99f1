//! Reading and writing through serde, with the checks that no later place can
//! make: exact integers, finite numbers, no NUL, bounded depth and weight,
//! no key twice.

use std::fmt;

use rhai::ImmutableString;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

use super::{DEPTH_MAX, FLOAT_END, Map, Value, WEIGHT_MAX};
use crate::meter;

/// Why a text is not a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    /// What is wrong, with line and column where there is one.
    pub message: String,
}

impl Value {
    /// Reads JSON text.
    ///
    /// # Errors
    /// Malformed text, text after the value, a key given twice, an integer
    /// beyond 64 bits, a number that is not finite, a NUL character, nesting
    /// beyond [`DEPTH_MAX`], more than [`WEIGHT_MAX`] bytes.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        serde_json::from_str(text).map_err(|error| JsonError {
            message: error.to_string(),
        })
    }

    /// Reads JSON text that may be longer than a value usually is, such as
    /// [`COLLECTION_MAX`](crate::COLLECTION_MAX) for an instance's input.
    ///
    /// # Errors
    /// As [`Value::from_json`], with `limit` in place of [`WEIGHT_MAX`].
    pub fn from_json_within(text: &str, limit: u64) -> Result<Self, JsonError> {
        let failed = |error: serde_json::Error| JsonError {
            message: error.to_string(),
        };
        let mut reader = serde_json::Deserializer::from_str(text);
        let level = Level {
            levels: DEPTH_MAX,
            weight_max: limit,
        };
        let value = level.deserialize(&mut reader).map_err(failed)?;
        reader.end().map_err(failed)?;
        Ok(value)
    }

    /// Reads JSON text from bytes, as [`Value::from_json`]; a byte order mark
    /// and bytes that are not UTF-8 are errors.
    ///
    /// # Errors
    /// As [`Value::from_json`].
    pub fn from_json_bytes(bytes: &[u8]) -> Result<Self, JsonError> {
        serde_json::from_slice(bytes).map_err(|error| JsonError {
            message: error.to_string(),
        })
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        meter::tick();
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(i) => serializer.serialize_i64(*i),
            Self::Float(f) if f.abs() < FLOAT_END => serializer.serialize_f64(*f),
            Self::Float(_) => Err(S::Error::custom(
                "a number that is not finite or beyond 64 bits",
            )),
            Self::Str(s) => serializer.serialize_str(s),
            Self::Arr(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Self::Obj(map) => {
                let mut object = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map.iter() {
                    object.serialize_entry(key.as_str(), value)?;
                }
                object.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let level = Level {
            levels: DEPTH_MAX,
            weight_max: WEIGHT_MAX,
        };
        level.deserialize(deserializer)
    }
}

/// Reads one value that may hold so many further levels and weigh so much.
#[derive(Clone, Copy)]
struct Level {
    levels: u16,
    weight_max: u64,
}

impl Level {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(E::custom(format_args!(
                "nested deeper than {DEPTH_MAX} levels"
            ))),
        }
    }

    fn weighed<E: serde::de::Error>(self, value: Value) -> Result<Value, E> {
        let (found, limit) = (value.weight(), self.weight_max);
        if found > limit {
            // What follows in the text is not read: it is larger still.
            Err(E::custom(format_args!(
                "the value takes more than {limit} bytes ({} MiB) as JSON",
                limit >> 20
            )))
        } else {
            Ok(value)
        }
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a boolean, a number, a text, a list or an object")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        self.deserialize(inner)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Int)
            .map_err(|_| too_large(value))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Int)
            .map_err(|_| too_large(value))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Int)
            .map_err(|_| too_large(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // Readers hand integers beyond 64 bits on as floats: the digits are
        // lost by then, so every number of that size is refused, here and
        // in `storable`.
        if !value.is_finite() {
            Err(E::custom("a number that is not finite"))
        } else if value.abs() >= FLOAT_END {
            Err(too_large(value))
        } else {
            Ok(Value::Float(value))
        }
    }

    fn visit_char<E: serde::de::Error>(self, value: char) -> Result<Value, E> {
        self.visit_str(value.encode_utf8(&mut [0; 4]))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Str(checked(value)?.into()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        checked::<E>(&value)?;
        Ok(Value::Str(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(below)? {
            items.push(item);
        }
        self.weighed(Value::list(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut map = Map::default();
        while let Some(key) = access.next_key_seed(Key)? {
            let value = access.next_value_seed(below)?;
            if map.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format_args!("the key `{key}` twice")));
            }
        }
        self.weighed(Value::from_entries(map))
    }
}

/// Reads a key without a text in between.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = ImmutableString;

    fn deserialize<D: Deserializer<'de>>(self, keys: D) -> Result<ImmutableString, D::Error> {
        keys.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = ImmutableString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text as key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<ImmutableString, E> {
        Ok(checked(key)?.into())
    }
}

fn too_large<E: serde::de::Error>(value: impl fmt::Display) -> E {
    E::custom(format_args!(
        "the integer {value} does not fit into 64 bits; write it as a text"
    ))
}

fn checked<E: serde::de::Error>(text: &str) -> Result<&str, E> {
    if text.as_bytes().contains(&0) {
        Err(E::custom("a text with a NUL character"))
    } else {
        Ok(text)
    }
}
