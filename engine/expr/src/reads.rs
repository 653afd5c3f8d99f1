//! What an expression reads.

use std::ops::Range;

/// A variable that an expression reads, with the properties after it as far
/// as they are literal: `steps.vet?.trace` is `steps` with `vet` and an
/// optional `trace`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The name of the variable, without `$`; `.` for jq's argument.
    pub root: String,
    /// The properties after it.
    pub path: Vec<Part>,
    /// Where the whole read stands, in bytes of the source.
    pub at: Range<usize>,
}

/// One literal property of a [`Read`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name.
    pub name: String,
    /// Read by `?.` (rhai), or followed by `?` (jq; there a missing property
    /// is null anyway).
    pub optional: bool,
}
