//! Moments as texts.

use jiff::Timestamp;

/// The moment as ISO 8601 in UTC; empty when it is no moment.
pub(crate) fn moment(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| at.to_string())
}
