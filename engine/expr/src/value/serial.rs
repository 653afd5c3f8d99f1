//! From and to other Rust types through serde.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde::{Serialize, forward_to_deserialize_any};

use super::Value;

/// Why a value and a Rust type do not fit each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConvertError(String);

impl serde::de::Error for ConvertError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Value {
    /// Makes a value of anything that serialises.
    ///
    /// # Errors
    /// What [`Value::from_json`] refuses, and maps whose keys are not texts.
    pub fn of<T: Serialize + ?Sized>(source: &T) -> Result<Self, ConvertError> {
        // serde_json's tree keeps integers exact and the order of keys, and
        // its deserializer runs through all our checks.
        let tree = serde_json::to_value(source).map_err(|error| ConvertError(error.to_string()))?;
        serde_json::from_value(tree).map_err(|error| ConvertError(error.to_string()))
    }

    /// Reads this value into a Rust type.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, ConvertError> {
        T::deserialize(self)
    }
}

impl<'de> IntoDeserializer<'de, ConvertError> for &'de Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = ConvertError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConvertError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => visitor.visit_i64(*i),
            Value::Float(f) => visitor.visit_f64(*f),
            Value::Str(s) => visitor.visit_borrowed_str(s),
            Value::Arr(items) => {
                let mut sequence = SeqDeserializer::new(items.iter());
                let read = visitor.visit_seq(&mut sequence)?;
                sequence.end()?;
                Ok(read)
            }
            Value::Obj(map) => {
                let entries = map.iter().map(|(key, value)| (key.as_str(), value));
                let mut object = MapDeserializer::new(entries);
                let read = visitor.visit_map(&mut object)?;
                object.end()?;
                Ok(read)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConvertError> {
        match self {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ConvertError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConvertError> {
        let (name, content) = match self {
            Value::Str(name) => (name.as_str(), None),
            Value::Obj(map) if map.len() == 1 => map
                .first()
                .map(|(key, value)| (key.as_str(), Some(value)))
                .unwrap_or_default(),
            _ => {
                return Err(ConvertError(format!(
                    "expected a text or an object with one key, found {}",
                    self.kind_name()
                )));
            }
        };
        visitor.visit_enum(Variant { name, content })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

struct Variant<'de> {
    name: &'de str,
    content: Option<&'de Value>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = ConvertError;
    type Variant = Content<'de>;

    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'de>), ConvertError> {
        let name = seed.deserialize(self.name.into_deserializer())?;
        Ok((name, Content(self.content)))
    }
}

struct Content<'de>(Option<&'de Value>);

static NOTHING: Value = Value::Null;

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = ConvertError;

    fn unit_variant(self) -> Result<(), ConvertError> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(content) => Err(ConvertError(format!(
                "expected nothing beside the name, found {}",
                content.kind_name()
            ))),
        }
    }

    fn newtype_variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, ConvertError> {
        seed.deserialize(self.0.unwrap_or(&NOTHING))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ConvertError> {
        self.0.unwrap_or(&NOTHING).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConvertError> {
        self.0.unwrap_or(&NOTHING).deserialize_any(visitor)
    }
}
