//! A compiled definition.

/// A compiled definition: a flat table of tasks, every expression compiled once.
#[derive(Debug)]
pub struct Program {
    paths: Vec<String>,
}

impl Program {
    /// The paths of all tasks, in the order of the document.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }
}
