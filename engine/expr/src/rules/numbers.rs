//! Sums, greatest and smallest over lists. Sums are exact in decimals: 0.1
//! and 0.2 are 0.3.

use std::cmp::Ordering;
use std::str::FromStr;

use rhai::{Dynamic, Engine, EvalAltResult, Position};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

use super::host;
use super::node::{Fallible, fail};
use crate::{Value, check_digit, meter};

/// The error of a figure that is not there, told from others by its kind.
#[derive(Clone, Debug)]
pub(super) struct NotKnown(pub String);

/// Reads a number, or a text that is one: money is kept as text.
pub(super) fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(i) => Some(Decimal::from(*i)),
        Value::Float(f) => Decimal::from_f64(*f),
        Value::Str(text) => Decimal::from_str(text).ok(),
        _ => None,
    }
}

/// Gives a number back: whole ones as integers.
pub(super) fn from_number(number: Decimal) -> Value {
    let whole = number.is_integer().then(|| number.to_i64()).flatten();
    match whole {
        Some(whole) => Value::Int(whole),
        None => number.to_f64().map_or(Value::Null, Value::Float),
    }
}

/// Gives the numbers under `field` of every element. Elements without one are
/// left out, but not within a rule's measure: there they make it not known.
fn figures(list: &Value, field: &str) -> Fallible<Vec<Decimal>> {
    let mut found = Vec::with_capacity(list.len());
    for item in list.items() {
        meter::step();
        match item.get(field) {
            None | Some(Value::Null) if host::is_measuring() => {
                let missing = NotKnown(format!("a record has no `{field}`"));
                return Err(
                    EvalAltResult::ErrorRuntime(Dynamic::from(missing), Position::NONE).into(),
                );
            }
            None | Some(Value::Null) => {}
            Some(value) => match number(value) {
                Some(number) => found.push(number),
                None => {
                    return fail(format!(
                        "`{field}` is {}: expected a number",
                        crate::error::shortened(&value.to_json())
                    ));
                }
            },
        }
    }
    Ok(found)
}

pub(super) fn sum_by(list: &Value, field: &str) -> Fallible<Value> {
    let mut sum = Decimal::ZERO;
    for figure in figures(list, field)? {
        match sum.checked_add(figure) {
            Some(larger) => sum = larger,
            None => return fail(format!("the sum of `{field}` is too large")),
        }
    }
    Ok(from_number(sum))
}

/// Gives the greatest (or smallest) figure, null for an empty list.
pub(super) fn extreme_by(list: &Value, field: &str, wanted: Ordering) -> Fallible<Value> {
    let mut best: Option<Decimal> = None;
    for figure in figures(list, field)? {
        if best.is_none_or(|best| figure.cmp(&best) == wanted) {
            best = Some(figure);
        }
    }
    Ok(best.map_or(Value::Null, from_number))
}

/// Divides as jq does: rhai itself would drop the remainder of integers, and
/// 3001 / 2 would pass a limit of 1500.
fn divided(left: i64, right: i64) -> Fallible<Dynamic> {
    if right == 0 {
        return fail(format!("cannot divide {left} by zero"));
    }
    match (left.checked_rem(right), left.checked_div(right)) {
        (Some(0), Some(whole)) => Ok(whole.into()),
        (Some(_), _) => Ok((left as f64 / right as f64).into()),
        (None, _) => fail(format!(
            "the result of {left} / {right} does not fit into 64 bits"
        )),
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("/", divided);
    engine.register_fn("/=", |left: &mut Dynamic, right: i64| -> Fallible<()> {
        match left.as_int() {
            Ok(whole) => *left = divided(whole, right)?,
            Err(_) => match left.as_float() {
                Ok(float) => *left = (float / right as f64).into(),
                Err(found) => return fail(format!("cannot divide a {found}")),
            },
        }
        Ok(())
    });
    engine.register_fn("resident_id_ok", |text: &str| {
        check_digit::resident_id_ok(text)
    });
    engine.register_fn("resident_id_ok", |(): ()| false);
    engine.register_fn("uscc_ok", |text: &str| check_digit::uscc_ok(text));
    engine.register_fn("uscc_ok", |(): ()| false);
    engine.register_fn("organisation_code_ok", |text: &str| {
        check_digit::organisation_code_ok(text)
    });
    engine.register_fn("organisation_code_ok", |(): ()| false);
    engine.register_fn("date_ok", |text: &str| check_digit::date_ok(text));
    engine.register_fn("date_ok", |(): ()| false);
}
