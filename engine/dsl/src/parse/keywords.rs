//! The keywords of tasks, and what may stand beside them.

/// The keywords of tasks, each with the properties that stand beside it.
/// `do` comes last: beside `for` it is a property.
pub(super) const KINDS: &[(&str, &[&str])] = &[
    ("call", &["with"]),
    ("emit", &[]),
    ("for", &["while", "do"]),
    ("fork", &[]),
    ("listen", &["foreach"]),
    ("raise", &[]),
    ("run", &[]),
    ("set", &[]),
    ("switch", &[]),
    ("try", &["catch"]),
    ("wait", &[]),
    ("do", &[]),
];

/// What stands beside the keyword of every task.
pub(super) const SHARED: &[&str] = &[
    "if", "input", "output", "export", "timeout", "then", "metadata",
];

pub(super) const KEYWORDS: &[&str] = &[
    "call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait",
];
