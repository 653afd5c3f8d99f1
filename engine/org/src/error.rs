//! What can be wrong with an organisation's settings. All faults of a site
//! are reported at once.

use thiserror::Error;

/// One fault in the settings of an organisation or a calendar.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OrganisationError {
    /// Two entries of one kind share an id.
    #[error("{kind} `{id}` is given twice; ids are unique")]
    Duplicate {
        /// The kind of entry: unit, person, post …
        kind: &'static str,
        /// The id that occurs twice.
        id: String,
    },
    /// An entry names something that does not exist.
    #[error("{place} names {kind} `{id}`, which does not exist")]
    Unknown {
        /// Where the name stands.
        place: String,
        /// The kind of thing that was named.
        kind: &'static str,
        /// The name.
        id: String,
    },
    /// The parents of a unit lead back to it.
    #[error("unit `{0}` is its own ancestor; parents must form a tree")]
    Cycle(String),
    /// A value has a form that cannot be read.
    #[error("{place}: expected {expected}, found `{found}`")]
    Unreadable {
        /// Where the value stands.
        place: String,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
}
