//! Pictures of definitions: an SVG drawn top-down, and the same as an outline for those who do not see it.
//!
//! The layout is recursive: every task becomes a figure with a size and an axis on which the flow
//! enters and leaves; lists stack figures along their axes, forks put them side by side, jumps run in
//! lanes of their own beside the stack.

mod figure;
mod layout;
mod mermaid;
mod outline;
mod paint;
mod words;

use std::collections::BTreeMap;

pub use mermaid::mermaid;
pub use outline::{Step, outline};

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

/// How a picture is coloured: without marks it shows the definition alone.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// Marks by task path (`provider/office`).
    pub by_path: BTreeMap<String, Mark>,
    /// Language of the words that are added.
    pub tongue: Tongue,
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
