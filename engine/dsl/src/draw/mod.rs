//! Pictures of definitions: an SVG drawn top-down, and the same as an outline for those who do not see it.
//!
//! A definition becomes figures (`figure`, `ways`, `who`), these get lanes (`lanes`) and sizes (`block`), then places
//! (`place`, `layout`), and what has a place is painted (`scene`, `paint`). Lists stack their rows, each step in the
//! lane of whoever does it; branches stand in their lanes or side by side on a panel; ways that are not straight run in
//! gutters beside the rows, so that no way crosses a step. A long list stands in several columns (`pages`).

mod block;
mod columns;
mod figure;
mod lanes;
mod layout;
mod legend;
mod measure;
mod mermaid;
mod outline;
mod pages;
mod paint;
mod place;
mod scene;
mod sign;
mod ways;
mod who;
mod words;
mod xml;

use std::collections::BTreeMap;

pub use mermaid::mermaid;
pub use outline::{Step, outline};
pub use xml::escaped;

use crate::definition::Definition;

/// What became of a task in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// It ended well.
    Done,
    /// It is being worked on.
    Doing,
    /// It ended with an error.
    Failed,
    /// Its condition did not hold.
    Skipped,
    /// It was ended from outside.
    Cancelled,
    /// Nothing has led there yet.
    NotReached,
}

/// The language of the words that the picture adds to the author's titles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tongue {
    /// 中文.
    Chinese,
    /// English.
    #[default]
    English,
}

/// What the marks of a picture tell about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// One run: done, in progress, not reached.
    #[default]
    Run,
    /// What scenarios covered: covered, only skipped, never entered.
    Coverage,
}

/// The names that people know instead of the identifiers of a definition.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Titles of roles and posts.
    pub roles: BTreeMap<String, String>,
    /// Names of units.
    pub units: BTreeMap<String, String>,
    /// Names of people.
    pub people: BTreeMap<String, String>,
}

/// How a picture is coloured and worded: without marks it shows the definition alone.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// Marks by task path (`provider/office`).
    pub by_path: BTreeMap<String, Mark>,
    /// Short notes by task path, such as how often a task was entered.
    pub notes: BTreeMap<String, String>,
    /// What the marks tell about.
    pub reading: Reading,
    /// Language of the words that are added.
    pub tongue: Tongue,
    /// Names of roles and units.
    pub names: Names,
}

impl Marks {
    /// The mark of a task; none at all when the picture shows no run.
    #[must_use]
    pub fn of(&self, path: &str) -> Option<Mark> {
        let marked = self.by_path.get(path).copied();
        marked.or_else(|| (!self.by_path.is_empty()).then_some(Mark::NotReached))
    }
}

/// Style of the pictures: embedded in each, and here for pages whose policy forbids embedded styles.
/// Every colour is a variable, so that a page may set its own.
pub const STYLE: &str = include_str!("style.css");

/// Draws a definition.
#[must_use]
pub fn draw(definition: &Definition, marks: &Marks) -> String {
    paint::svg(definition, marks)
}
