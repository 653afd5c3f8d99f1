//! Making values, and changing them by copy on write.

use std::sync::Arc;

use rhai::ImmutableString;

use super::{Arr, DEPTH_MAX, Map, Obj, Value, WEIGHT_MAX};

/// Why a value cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unstorable {
    /// Its containers nest too deep.
    #[error("the value is nested deeper than {DEPTH_MAX} levels")]
    Depth,
    /// Its text is too long.
    #[error("the value takes {found} bytes as JSON, at most {limit} ({} MiB) are allowed", limit >> 20)]
    Weight {
        /// Its length in bytes.
        found: u64,
        /// The longest allowed.
        limit: u64,
    },
    /// Something in it has no JSON, or no place in a database.
    #[error(
        "the value holds a number that is not finite or too large, or a text with a NUL character"
    )]
    Unclean,
}

impl Value {
    /// Makes a list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::Arr(Arc::new(Arr::new(items)))
    }

    /// Makes an object; of two equal keys the later value stays.
    pub fn object<K: Into<ImmutableString>, V: Into<Self>>(
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let map = entries.into_iter().map(|(k, v)| (k.into(), v.into()));
        Self::from_entries(map.collect())
    }

    /// Makes an object of a ready map.
    #[must_use]
    pub fn from_entries(map: Map) -> Self {
        Self::Obj(Arc::new(Obj::new(map)))
    }

    /// Puts `value` under `key` and gives the changed object. Anything that
    /// is not an object becomes one.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Self>) -> Self {
        self.set(key, value);
        self
    }

    /// Puts `value` under `key`; others who share this object keep the old
    /// one. Anything that is not an object becomes one.
    pub fn set(&mut self, key: &str, value: impl Into<Self>) {
        if !matches!(self, Self::Obj(_)) {
            *self = Self::from_entries(Map::default());
        }
        if let Self::Obj(object) = self {
            Arc::make_mut(object).insert(key.into(), value.into());
        }
    }

    /// Takes the entry out of an object; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        match self {
            Self::Obj(object) if object.contains_key(key) => Arc::make_mut(object).remove(key),
            _ => None,
        }
    }

    /// Appends to a list; anything else becomes a list with this one element.
    pub fn push(&mut self, value: impl Into<Self>) {
        if !matches!(self, Self::Arr(_)) {
            *self = Self::list(Vec::new());
        }
        if let Self::Arr(list) = self {
            Arc::make_mut(list).push(value.into());
        }
    }

    /// Adds the entries of `other` over those of this object, not deep.
    #[must_use]
    pub fn merged(mut self, other: &Self) -> Self {
        for (key, value) in other.entries() {
            self.set(key, value.clone());
        }
        self
    }

    /// Checks what only this crate's readers check by themselves: depth,
    /// weight, finite numbers and texts without NUL. Costs nothing: every
    /// container knows.
    ///
    /// # Errors
    /// What is wrong, in words for people.
    pub fn storable(&self) -> Result<(), Unstorable> {
        self.storable_within(WEIGHT_MAX)
    }

    /// The same with another limit of the weight, such as
    /// [`COLLECTION_MAX`](crate::COLLECTION_MAX).
    ///
    /// # Errors
    /// As [`Value::storable`].
    pub fn storable_within(&self, limit: u64) -> Result<(), Unstorable> {
        let measure = self.measure();
        if measure.depth > DEPTH_MAX {
            Err(Unstorable::Depth)
        } else if measure.weight > limit {
            Err(Unstorable::Weight {
                found: measure.weight,
                limit,
            })
        } else if !measure.clean {
            Err(Unstorable::Unclean)
        } else {
            Ok(())
        }
    }

    /// Gives the nesting of containers: 0 for a plain value.
    #[must_use]
    pub fn depth(&self) -> u16 {
        self.measure().depth
    }

    /// Gives the length of the JSON text in bytes: exactly what
    /// [`Value::to_json`] would write, without writing it.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.measure().weight
    }
}

/// Makes a [`Value`](crate::Value) from JSON-like text, as `serde_json::json!`
/// does: `value!({"a": [1, null, {"b": name}]})`.
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ([ $($items:tt)* ]) => { $crate::value_list!([] $($items)*) };
    ({ $($entries:tt)* }) => {{
        #[allow(unused_mut, clippy::let_and_return)]
        let object = {
            let mut map = $crate::Map::default();
            $crate::value_object!(map () $($entries)*);
            map
        };
        $crate::Value::from_entries(object)
    }};
    ($other:expr) => { $crate::Value::from($other) };
}

/// The list part of [`value!`]: gathers `[done,] rest…`.
#[doc(hidden)]
#[macro_export]
macro_rules! value_list {
    ([ $($done:expr,)* ]) => { $crate::Value::list(vec![ $($done,)* ]) };
    ([ $($done:expr,)* ] null $(, $($rest:tt)*)?) => {
        $crate::value_list!([ $($done,)* $crate::Value::Null, ] $($($rest)*)?)
    };
    ([ $($done:expr,)* ] [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::value_list!([ $($done,)* $crate::value!([ $($inner)* ]), ] $($($rest)*)?)
    };
    ([ $($done:expr,)* ] { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::value_list!([ $($done,)* $crate::value!({ $($inner)* }), ] $($($rest)*)?)
    };
    ([ $($done:expr,)* ] $next:expr $(, $($rest:tt)*)?) => {
        $crate::value_list!([ $($done,)* $crate::Value::from($next), ] $($($rest)*)?)
    };
}

/// The object part of [`value!`]: puts `key: value` pairs into a map.
#[doc(hidden)]
#[macro_export]
macro_rules! value_object {
    ($map:ident ()) => {};
    ($map:ident () $key:tt : null $(, $($rest:tt)*)?) => {
        $map.insert(($key).into(), $crate::Value::Null);
        $crate::value_object!($map () $($($rest)*)?);
    };
    ($map:ident () $key:tt : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $map.insert(($key).into(), $crate::value!([ $($inner)* ]));
        $crate::value_object!($map () $($($rest)*)?);
    };
    ($map:ident () $key:tt : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $map.insert(($key).into(), $crate::value!({ $($inner)* }));
        $crate::value_object!($map () $($($rest)*)?);
    };
    ($map:ident () $key:tt : $next:expr $(, $($rest:tt)*)?) => {
        $map.insert(($key).into(), $crate::Value::from($next));
        $crate::value_object!($map () $($($rest)*)?);
    };
}
