//! Looking into values.

use rhai::ImmutableString;

use super::{Map, Value};

impl Value {
    /// Tells whether this is null.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Gives the text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// Gives the integer; a float without a fraction counts as one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        // Above 2^53 a float is not exact, and neither would the result be.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Int(i) => Some(*i),
            Self::Float(f) if f.fract() == 0.0 && f.abs() <= EXACT => Some(*f as i64),
            _ => None,
        }
    }

    /// Gives the number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(*i as f64),
            Self::Float(f) => Some(*f),
            _ => None,
        }
    }

    /// Gives the truth value of a boolean; see also [`Value::truthy`].
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// Gives the elements of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::Arr(a) => Some(a),
            _ => None,
        }
    }

    /// Gives the entries of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Self::Obj(o) => Some(o),
            _ => None,
        }
    }

    /// Tells whether a condition holds: everything but null and false, as in
    /// jq.
    #[must_use]
    pub const fn truthy(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// Names the kind: `null`, `boolean`, `integer`, `number`, `text`, `list`
    /// or `object`.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "number",
            Self::Str(_) => "text",
            Self::Arr(_) => "list",
            Self::Obj(_) => "object",
        }
    }

    /// Gives the value under `key` of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// Gives the element at `index` of a list.
    #[must_use]
    pub fn item(&self, index: usize) -> Option<&Self> {
        self.as_list()?.get(index)
    }

    /// Gives the text under `key` of an object.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Iterates over the entries of an object, over nothing for all else.
    pub fn entries(&self) -> impl Iterator<Item = (&ImmutableString, &Self)> {
        self.as_object().into_iter().flatten()
    }

    /// Iterates over the elements of a list, over nothing for all else.
    pub fn items(&self) -> std::slice::Iter<'_, Self> {
        self.as_list().unwrap_or_default().iter()
    }

    /// Gives the number of elements or entries, or of characters of a text;
    /// 0 for all else.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Str(s) => s.chars().count(),
            Self::Arr(a) => a.len(),
            Self::Obj(o) => o.len(),
            _ => 0,
        }
    }

    /// Tells whether there is nothing in it: null, an empty text, list or
    /// object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Str(s) => s.is_empty(),
            Self::Arr(a) => a.is_empty(),
            Self::Obj(o) => o.is_empty(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => false,
        }
    }
}
