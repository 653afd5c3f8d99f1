//! Which lifecycle events are made: nothing that nobody wants.

use std::collections::BTreeSet;

use tongban_core::{Event, Instance};
use tongban_expr::Value;

/// What all types of lifecycle events begin with.
pub(crate) const FAMILY: &str = "io.serverlessworkflow.";
/// Which lifecycle events a site wants although nobody here listens to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// None.
    #[default]
    None,
    /// Those of workflows.
    Workflows,
    /// Those of workflows and tasks.
    Tasks,
}

/// Which lifecycle events are made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub level: Level,
    pub types: BTreeSet<String>,
    pub read_at_ms: Option<i64>,
}

impl Wanted {
    pub(crate) fn of_site(level: Level) -> Wanted {
        Wanted {
            level,
            ..Wanted::default()
        }
    }

    /// Whether nobody wants any.
    pub(crate) fn nothing(&self) -> bool {
        self.level == Level::None && self.types.is_empty()
    }

    /// Events that say no more than others do are for those only who name them.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let what = name.strip_prefix(FAMILY).unwrap_or_default();
        let of_site = !what.ends_with(".status-changed.v1")
            && match self.level {
                Level::None => false,
                Level::Workflows => what.starts_with("workflow."),
                Level::Tasks => true,
            };
        of_site || self.types.contains(name)
    }
}

/// Whether an event is one of the runtime's own.
pub(crate) fn is_lifecycle(event: &Value) -> bool {
    event
        .text("type")
        .is_some_and(|name| name.starts_with(FAMILY))
}

/// The tasks that stand still with their instance, or go on with it: known before the event is taken.
pub(crate) fn stilled(event: &Event, flow: &Instance) -> Vec<String> {
    if matches!(event, Event::Suspend { .. } | Event::Resume) {
        flow.live().into_iter().map(|task| task.path).collect()
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(level: Level, types: &[&str]) -> Wanted {
        Wanted {
            level,
            types: types.iter().map(|name| (*name).to_owned()).collect(),
            read_at_ms: None,
        }
    }

    #[test]
    fn a_level_or_a_name_decides() {
        let workflow = "io.serverlessworkflow.workflow.started.v1";
        let task = "io.serverlessworkflow.task.started.v1";
        let changed = "io.serverlessworkflow.workflow.status-changed.v1";
        for (level, expected) in [
            (Level::None, [false, false, false]),
            (Level::Workflows, [true, false, false]),
            (Level::Tasks, [true, true, false]),
        ] {
            let wanted = wanted(level, &[]);
            let found = [workflow, task, changed].map(|name| wanted.wants(name));
            assert_eq!(found, expected, "{level:?}");
        }
        let named = wanted(Level::None, &[task, changed]);
        assert_eq!(
            [workflow, task, changed].map(|name| named.wants(name)),
            [false, true, true]
        );
        assert!(wanted(Level::None, &[]).nothing());
        assert!(!named.nothing());
    }
}
