//! Equality and order as jq has them: null, booleans, numbers, texts, lists,
//! objects; 1 equals 1.0; the order of keys does not matter.

use std::cmp::Ordering;

use super::{Obj, Value};
use crate::meter;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        meter::tick();
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(x), Self::Bool(y)) => x == y,
            (Self::Int(x), Self::Int(y)) => x == y,
            (Self::Str(x), Self::Str(y)) => x.len() == y.len() && compared(x, y) == Ordering::Equal,
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => {
                self.cmp(other) == Ordering::Equal
            }
            (Self::Arr(x), Self::Arr(y)) => std::sync::Arc::ptr_eq(x, y) || x[..] == y[..],
            (Self::Obj(x), Self::Obj(y)) => {
                std::sync::Arc::ptr_eq(x, y)
                    || (x.len() == y.len() && x.iter().all(|(k, v)| y.get(k) == Some(v)))
            }
            _ => false,
        }
    }
}

impl Eq for Value {}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        meter::tick();
        match (self, other) {
            (Self::Bool(x), Self::Bool(y)) => x.cmp(y),
            (Self::Int(x), Self::Int(y)) => x.cmp(y),
            (Self::Int(x), Self::Float(y)) => order_floats(*x as f64, *y),
            (Self::Float(x), Self::Int(y)) => order_floats(*x, *y as f64),
            (Self::Float(x), Self::Float(y)) => order_floats(*x, *y),
            (Self::Str(x), Self::Str(y)) => compared(x, y),
            (Self::Arr(x), Self::Arr(y)) => x[..].cmp(&y[..]),
            (Self::Obj(x), Self::Obj(y)) => order_objects(x, y),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Value {
    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) => 2,
            Self::Str(_) => 3,
            Self::Arr(_) => 4,
            Self::Obj(_) => 5,
        }
    }
}

/// Long texts are paid for by their length.
fn compared(x: &str, y: &str) -> Ordering {
    const SHORT: usize = 256;
    let length = x.len().min(y.len());
    if length > SHORT {
        meter::spend(length / SHORT);
    }
    x.cmp(y)
}

/// NaN is smaller than everything, itself included: jq tells it by that.
fn order_floats(x: f64, y: f64) -> Ordering {
    if x == 0.0 && y == 0.0 {
        Ordering::Equal
    } else if x.is_nan() {
        Ordering::Less
    } else if y.is_nan() {
        Ordering::Greater
    } else {
        x.total_cmp(&y)
    }
}

/// First the sorted keys, then the values in the order of these keys.
fn order_objects(x: &Obj, y: &Obj) -> Ordering {
    meter::draw(16 * (x.len() + y.len()));
    let sorted = |object: &Obj| {
        let mut keys: Vec<String> = object.keys().map(ToString::to_string).collect();
        keys.sort_unstable();
        keys
    };
    let (left, right) = (sorted(x), sorted(y));
    left.cmp(&right).then_with(|| {
        left.iter()
            .map(|key| x.get(key.as_str()).cmp(&y.get(key.as_str())))
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    })
}
