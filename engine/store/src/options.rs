//! How a store is opened.

use std::sync::Arc;

use crate::fault::Faults;

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// `sqlite::memory:`, `sqlite://path/to/file` or `postgres://…`.
    pub url: String,
    /// The node's id, for the audit chains it opens.
    pub node: String,
    /// Connections that commit on PostgreSQL; SQLite has one writer. Default 2.
    pub committers: usize,
    /// Connections that read and claim. Default 4; in memory there is one connection for all.
    pub readers: usize,
    /// Whether a server may have the SQLite file open already: a short change from the command line. Default no.
    pub beside: bool,
    /// What goes wrong on purpose, in tests.
    pub faults: Option<Arc<dyn Faults>>,
}

impl Options {
    /// The defaults for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            node: "node".into(),
            committers: 2,
            readers: 4,
            beside: false,
            faults: None,
        }
    }
}
