//! Units of the organisation tree and their levels.

use serde::{Deserialize, Serialize};

/// A node of the organisation tree: city, department, street, grid …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The id that processes and registers use.
    pub id: String,
    /// The name shown to people.
    pub name: String,
    /// The English name, when the site gives one.
    pub name_en: Option<String>,
    /// The level (`city`, `department` … `grid`).
    pub level: String,
    /// The unit above; none for the root.
    pub parent: Option<String>,
    /// The calendar of this unit and of those below that name none.
    pub calendar: Option<String>,
    /// Units above, nearest first.
    pub ancestors: Vec<String>,
}

/// A level of the tree, from the top downwards in the site's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The id used in `unit(id, "level")`.
    pub id: String,
    /// The title shown to people.
    pub title: String,
}
