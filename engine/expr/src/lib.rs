//! Values and expressions of Tongban: one data type for state, jq and rhai,
//! and both languages within strict bounds.
//!
//! The crate is pure: no clock, no files, no randomness, no environment.
#![warn(missing_docs)]

pub mod alloc;
pub mod check_digit;
mod deep;
mod error;
mod expression;
mod jq;
mod language;
mod meter;
mod parameters;
mod reads;
mod rules;
pub mod sandbox;
pub mod schema;
mod scope;
mod script;
pub mod secret;
mod value;

pub use check_digit::checked as check_digit;
pub use error::{EvalError, SyntaxError};
pub use expression::Expression;
pub use language::Language;
pub use meter::{Budget, Limit, TimeLimit};
pub use parameters::{Parameters, ParametersError};
pub use reads::{Part, Read};
pub use rules::{Measured, RulePart, RulePlace};
pub use scope::{NoUnits, Scope, Units};
pub use script::Script;
pub use value::{
    Arr, CARRIED_MAX, COLLECTION_MAX, ConvertError, DEPTH_MAX, JsonError, Map, Obj, PathError,
    Segment, Unstorable, Value, WEIGHT_MAX, segments,
};
