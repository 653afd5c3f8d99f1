//! The one data type of instances, jq and rhai: JSON behind reference counts.
//!
//! A clone costs a counter. Integers are exact to 64 bits, keys keep their
//! order, and every container knows its depth and the length of its text, so
//! that no expression can build what cannot be dropped, written or stored.

mod arithmetic;
mod build;
mod container;
mod digest;
mod from;
mod json;
mod length;
mod order;
mod path;
mod read;
mod serial;
mod write;

use std::sync::Arc;

use rhai::ImmutableString;

pub use build::Unstorable;
pub use container::{Arr, Map, Obj};
pub use json::JsonError;
pub use path::{PathError, Segment, segments};
pub use serial::ConvertError;

/// Containers nest at most so deep. Readers of JSON stop at 128, and a value
/// is stored inside the state of its instance, which needs some levels too.
pub const DEPTH_MAX: u16 = 96;

/// The JSON text of one value is at most so long, in bytes.
pub const WEIGHT_MAX: u64 = 8 << 20;

/// The same for what comes into an instance whole and is then only read: its
/// input, and the collection of a loop. Both rest beside the state.
pub const COLLECTION_MAX: u64 = 64 << 20;

/// The same for what is made of such a value, or carries it along.
pub const CARRIED_MAX: u64 = COLLECTION_MAX + WEIGHT_MAX;

/// Floats from here on (2^63) are neither read nor stored: in JSON text they
/// cannot be told from integers whose digits were lost.
pub(crate) const FLOAT_END: f64 = 9_223_372_036_854_775_808.0;

/// A JSON value, cheap to clone.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// Any other number. NaN and infinity exist only inside an evaluation.
    Float(f64),
    /// A text.
    Str(ImmutableString),
    /// A list.
    Arr(Arc<Arr>),
    /// An object.
    Obj(Arc<Obj>),
}
