//! What the scenarios covered: tasks, branches and rules.
//!
//! Measured from what the engine records: which tasks were entered or skipped, which case a `switch` took, which
//! outcomes people gave, which errors were caught, how often a loop went round, and the verdicts in the traces of rules;
//! and from what rule files tell of their statements, functions and branches (`measure`).

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::RecordStatus;
use tongban_dsl::definition::Definition;
use tongban_dsl::draw::Mark;
use tongban_expr::Value;
use tongban_runtime::history::Entry;
use tongban_runtime::pack::Pack;

use super::branches::{Branch, Branches};
use super::measure::{self, RuleFiles};
use super::rules::RuleFile;
use super::steps::all_paths;

/// What one scenario ran.
#[derive(Default)]
pub struct Ran {
    /// Each case.
    pub cases: Vec<RanCase>,
    /// Rows of traces: rule and result.
    pub traces: Vec<Value>,
    /// A rule file that was run alone.
    pub rule: Option<String>,
    /// What rule files reached.
    pub reached: measure::Reached,
}

/// A case that a scenario ran.
pub struct RanCase {
    /// Its definition.
    pub definition: Arc<Definition>,
    /// Its records.
    pub entries: Vec<Entry>,
    /// What people decided: `step` and `outcome`.
    pub decisions: Vec<Value>,
}

/// Tasks, branches and rules, with how often each was met.
#[derive(Default)]
pub struct Coverage {
    /// By workflow.
    pub workflows: BTreeMap<String, Reached>,
    /// By rule file, `pack/rules/x.rhai`.
    pub rules: BTreeMap<String, RuleFile>,
}

/// What was reached of one workflow.
pub struct Reached {
    /// The definition.
    pub definition: Arc<Definition>,
    /// Every task in the order of the document with how often it was entered and skipped.
    pub tasks: Vec<TaskCount>,
    /// Every branch.
    pub branches: Branches,
}

/// How often a task was met.
pub struct TaskCount {
    /// Its path.
    pub path: String,
    /// Times entered.
    pub entered: usize,
    /// Times skipped.
    pub skipped: usize,
}

/// The verdicts that a rule may give.
pub const VERDICTS: [&str; 3] = ["fit", "unfit", "undetermined"];

impl Reached {
    fn of(definition: Arc<Definition>) -> Reached {
        let all = all_paths(&definition);
        let count = |path: String| TaskCount {
            path,
            entered: 0,
            skipped: 0,
        };
        Reached {
            tasks: all.into_iter().map(count).collect(),
            branches: Branches::of(&definition),
            definition,
        }
    }

    /// Tasks that no scenario entered.
    pub fn missed(&self) -> impl Iterator<Item = &TaskCount> {
        self.tasks.iter().filter(|task| task.entered == 0)
    }

    /// Branches that no scenario took.
    pub fn untaken(&self) -> impl Iterator<Item = &Branch> {
        self.branches.all.iter().filter(|branch| branch.taken == 0)
    }

    /// How the diagram is coloured: covered, in part, only skipped, never.
    pub fn mark(&self, task: &TaskCount) -> Mark {
        let lacks = self.untaken().any(|branch| branch.path == task.path);
        match (task.entered, task.skipped) {
            (0, 0) => Mark::NotReached,
            (0, _) => Mark::Skipped,
            _ if lacks => Mark::Doing,
            _ => Mark::Done,
        }
    }
}

impl Coverage {
    /// Makes the workflows and rules of a pack known, so that one without any scenario shows.
    pub fn know(&mut self, pack: &Pack, rules: &RuleFiles) {
        for workflow in &pack.workflows {
            self.workflows
                .entry(workflow.definition.reference())
                .or_insert_with(|| Reached::of(workflow.definition.clone()));
        }
        for (path, source) in &pack.files {
            if path.ends_with(".rhai") {
                let file = self
                    .rules
                    .entry(format!("{}/{path}", pack.name()))
                    .or_default();
                file.know(source, rules.places(source));
            }
        }
    }

    /// Notes what a scenario ran.
    pub fn note(&mut self, ran: &Ran) {
        for case in &ran.cases {
            let Some(reached) = self.workflows.get_mut(&case.definition.reference()) else {
                continue;
            };
            for entry in &case.entries {
                let task = reached
                    .tasks
                    .iter_mut()
                    .find(|task| task.path == entry.task);
                match (task, entry.status) {
                    (Some(task), RecordStatus::Skipped) => task.skipped += 1,
                    (Some(task), _) if entry.began_ms.is_some() => task.entered += 1,
                    _ => {}
                }
            }
            reached.branches.note(&case.entries);
            reached.branches.decided(&case.decisions);
        }
        for (path, reached) in &ran.reached {
            if let Some(file) = self.rules.get_mut(path) {
                file.reached(reached);
            }
        }
        if let Some(file) = ran.rule.as_ref().and_then(|rule| self.rules.get_mut(rule)) {
            file.scenarios += 1;
        }
        for row in &ran.traces {
            let (Some(rule), Some(result)) = (row.text("rule"), row.text("result")) else {
                continue;
            };
            let rules = self.rules.values_mut().flat_map(|file| &mut file.rules);
            for (id, verdicts) in rules {
                if id == rule {
                    *verdicts.entry(result.to_string()).or_default() += 1;
                }
            }
        }
    }
}
