//! The operators of jq on values. An integer that overflows is an error, never
//! a float that lost digits; a float that came out whole is an integer, as jq
//! writes it.

use std::collections::BTreeSet;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::sync::Arc;

use jaq_core::ops::Math;
use rhai::ImmutableString;

use super::{Obj, Value};
use crate::meter;

type Error = jaq_core::Error<Value>;
type Result = std::result::Result<Value, Error>;

fn overflow(left: i64, operator: &str, right: i64) -> Error {
    Error::str(format_args!(
        "the result of {left} {operator} {right} does not fit into 64 bits"
    ))
}

fn whole(result: Option<i64>, left: i64, operator: &str, right: i64) -> Result {
    result
        .map(Value::Int)
        .ok_or_else(|| overflow(left, operator, right))
}

/// Gives both as floats when both are numbers.
fn floats(left: &Value, right: &Value) -> Option<(f64, f64)> {
    Some((left.as_f64()?, right.as_f64()?))
}

impl Add for Value {
    type Output = Result;

    fn add(self, right: Self) -> Result {
        meter::tick();
        match (self, right) {
            (Self::Null, other) | (other, Self::Null) => Ok(other),
            (Self::Int(x), Self::Int(y)) => whole(x.checked_add(y), x, "+", y),
            (Self::Str(x), Self::Str(y)) => Ok(Self::Str(joined(&x, &y))),
            (Self::Arr(mut x), Self::Arr(y)) => {
                let list = Arc::make_mut(&mut x);
                for item in y.iter() {
                    meter::tick();
                    list.push(item.clone());
                }
                Ok(Self::Arr(x))
            }
            (Self::Obj(mut x), Self::Obj(y)) => {
                let object = Arc::make_mut(&mut x);
                for (key, value) in y.iter() {
                    meter::tick();
                    object.insert(key.clone(), value.clone());
                }
                Ok(Self::Obj(x))
            }
            (x, y) => match floats(&x, &y) {
                Some((x, y)) => Ok(Self::from(x + y)),
                None => Err(Error::math(x, Math::Add, y)),
            },
        }
    }
}

/// Joins two texts into one that is allocated once.
pub(crate) fn joined(x: &str, y: &str) -> ImmutableString {
    meter::draw(x.len() + y.len() + 40);
    let mut text = String::with_capacity(x.len() + y.len());
    text.push_str(x);
    text.push_str(y);
    text.into()
}

impl Sub for Value {
    type Output = Result;

    fn sub(self, right: Self) -> Result {
        meter::tick();
        match (self, right) {
            (Self::Int(x), Self::Int(y)) => whole(x.checked_sub(y), x, "-", y),
            (Self::Arr(x), Self::Arr(y)) => {
                let gone: BTreeSet<&Self> = y.iter().collect();
                let kept = x.into_items().into_iter();
                Ok(kept.filter(|item| !gone.contains(item)).collect())
            }
            (x, y) => match floats(&x, &y) {
                Some((x, y)) => Ok(Self::from(x - y)),
                None => Err(Error::math(x, Math::Sub, y)),
            },
        }
    }
}

impl Mul for Value {
    type Output = Result;

    fn mul(self, right: Self) -> Result {
        meter::tick();
        match (self, right) {
            (Self::Int(x), Self::Int(y)) => whole(x.checked_mul(y), x, "*", y),
            (Self::Str(text), Self::Int(times)) | (Self::Int(times), Self::Str(text)) => {
                Ok(repeated(&text, times))
            }
            (Self::Str(text), Self::Float(times)) | (Self::Float(times), Self::Str(text)) => {
                Ok(repeated(&text, times as i64))
            }
            (Self::Obj(mut x), Self::Obj(y)) => {
                merge(&mut x, &y);
                Ok(Self::Obj(x))
            }
            (x, y) => match floats(&x, &y) {
                Some((x, y)) => Ok(Self::from(x * y)),
                None => Err(Error::math(x, Math::Mul, y)),
            },
        }
    }
}

/// Repeats a text; zero times or less gives null, as in jq.
fn repeated(text: &str, times: i64) -> Value {
    match usize::try_from(times) {
        Ok(times) if times > 0 => {
            meter::draw(text.len().saturating_mul(times));
            Value::Str(text.repeat(times).into())
        }
        _ => Value::Null,
    }
}

/// Merges deep: objects within objects are merged, all else is replaced.
fn merge(into: &mut Arc<Obj>, from: &Obj) {
    let object = Arc::make_mut(into);
    for (key, value) in from.iter() {
        meter::step();
        let merged = match (object.get(key.as_str()), value) {
            (Some(Value::Obj(old)), Value::Obj(new)) => {
                let mut old = Arc::clone(old);
                merge(&mut old, new);
                Value::Obj(old)
            }
            _ => value.clone(),
        };
        object.insert(key.clone(), merged);
    }
}

impl Div for Value {
    type Output = Result;

    fn div(self, right: Self) -> Result {
        meter::tick();
        match (self, right) {
            // Exact divisions of integers stay integers, so that the result
            // can be an index or a number of days.
            (Self::Int(x), Self::Int(y)) if y != 0 && x.checked_rem(y) == Some(0) => {
                whole(x.checked_div(y), x, "/", y)
            }
            (Self::Str(text), Self::Str(separator)) => Ok(split(&text, &separator)),
            (x, y) if x.as_f64().is_some() && y.as_f64() == Some(0.0) => Err(by_zero(&x)),
            (x, y) => match floats(&x, &y) {
                Some((x, y)) => Ok(Self::from(x / y)),
                None => Err(Error::math(x, Math::Div, y)),
            },
        }
    }
}

fn by_zero(left: &Value) -> Error {
    Error::str(format_args!("{left} cannot be divided by zero"))
}

fn split(text: &str, separator: &str) -> Value {
    if text.is_empty() {
        Value::list(Vec::new())
    } else if separator.is_empty() {
        text.chars()
            .map(|character| Value::from(character.encode_utf8(&mut [0; 4]) as &str))
            .collect()
    } else {
        text.split(separator).map(Value::from).collect()
    }
}

impl Rem for Value {
    type Output = Result;

    fn rem(self, right: Self) -> Result {
        meter::tick();
        match (self, right) {
            (Self::Int(x), Self::Int(y)) if y != 0 => {
                // Only `MIN % -1` has no checked result, and it is 0.
                Ok(Self::Int(x.checked_rem(y).unwrap_or(0)))
            }
            // As in jq, the remainder is one of whole numbers.
            (left, right) => match floats(&left, &right) {
                Some((x, y)) => match (x.trunc() as i64, y.trunc() as i64) {
                    (_, 0) => Err(by_zero(&left)),
                    (x, y) => Ok(Self::Int(x.checked_rem(y).unwrap_or(0))),
                },
                None => Err(Error::math(left, Math::Rem, right)),
            },
        }
    }
}

impl Neg for Value {
    type Output = Result;

    fn neg(self) -> Result {
        meter::tick();
        match self {
            Self::Int(x) => whole(x.checked_neg(), 0, "-", x),
            Self::Float(x) => Ok(Self::Float(-x)),
            other => Err(Error::typ(other, "number")),
        }
    }
}
