//! Absences: who acts for whom, from when to when, in which processes.

use serde::{Deserialize, Serialize};

/// One person's absence and the agent who acts meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Who is away.
    pub person: String,
    /// Who acts; none means that nobody does.
    pub agent: Option<String>,
    /// The first instant of the absence.
    pub from_ms: i64,
    /// The first instant after it; none means until revoked.
    pub to_ms: Option<i64>,
    /// Processes (`sharing/*`, `housing/apply`) that it covers; empty means all.
    pub of: Vec<String>,
}

impl Absence {
    /// Whether the absence holds at this instant for this process.
    pub fn holds(&self, workflow: &str, now_ms: i64) -> bool {
        self.from_ms <= now_ms && self.is_ahead(workflow, now_ms)
    }

    /// Whether it holds for this process now or later.
    pub(crate) fn is_ahead(&self, workflow: &str, now_ms: i64) -> bool {
        self.to_ms.is_none_or(|to| now_ms < to)
            && (self.of.is_empty() || self.of.iter().any(|pattern| covers(pattern, workflow)))
    }
}

/// Whether `*`, `pack/*` or a full name covers a process.
pub(crate) fn covers(pattern: &str, workflow: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => workflow.starts_with(prefix),
        None => pattern == workflow,
    }
}
