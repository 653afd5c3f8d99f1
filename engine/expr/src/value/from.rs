//! Conversions into [`Value`].

use rhai::ImmutableString;

use super::Value;
use crate::meter;

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

macro_rules! from_small_integers {
    ($($t:ty),*) => {$(
        impl From<$t> for Value {
            fn from(i: $t) -> Self {
                Self::Int(i64::from(i))
            }
        }
    )*};
}
from_small_integers!(i64, i32, u32, u16, u8);

impl From<isize> for Value {
    fn from(i: isize) -> Self {
        meter::tick();
        Self::Int(i as i64)
    }
}

impl From<usize> for Value {
    fn from(i: usize) -> Self {
        meter::tick();
        Self::Int(i64::try_from(i).unwrap_or(i64::MAX))
    }
}

/// What is calculated: whole numbers that a float holds exactly are integers.
impl From<f64> for Value {
    fn from(f: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if f.fract() == 0.0 && f.abs() < EXACT {
            Self::Int(f as i64)
        } else {
            Self::Float(f)
        }
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        meter::draw(s.len() + 40);
        Self::Str(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        meter::draw(s.len() + 40);
        Self::Str(s.into())
    }
}

impl From<&String> for Value {
    fn from(s: &String) -> Self {
        Self::from(s.as_str())
    }
}

impl From<ImmutableString> for Value {
    fn from(s: ImmutableString) -> Self {
        Self::Str(s)
    }
}

impl From<&Self> for Value {
    fn from(v: &Self) -> Self {
        v.clone()
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::list(items.into_iter().map(Into::into).collect())
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        let counted = items.into_iter().inspect(|_| {
            meter::tick();
            meter::draw(16);
        });
        Self::list(counted.collect())
    }
}
