//! What came of playing scenarios, told as text, JSON, JUnit XML, or one HTML page.

mod html;
mod json;
mod junit;
mod text;

pub use html::html;
pub use json::json;
pub use junit::junit;
pub use text::text;

use super::rules::{Line, RuleFile};
use super::{Coverage, Outcome};

/// Everything that is told.
pub struct Report<'a> {
    /// The scenarios.
    pub outcomes: &'a [Outcome],
    /// What they covered.
    pub coverage: &'a Coverage,
    /// Whether only some scenarios were chosen: what they do not touch is then not told at a terminal.
    pub partial: bool,
    /// How long all of it took.
    pub millis: u128,
}

impl Report<'_> {
    /// How many scenarios failed.
    pub fn failed(&self) -> usize {
        let failed = self.outcomes.iter().filter(|one| one.failure.is_some());
        failed.count()
    }

    /// How many of all branches were taken: taken, all.
    fn branches(&self) -> (usize, usize) {
        let all = || {
            let reached = self.coverage.workflows.values();
            reached.flat_map(|reached| &reached.branches.all)
        };
        (
            all().filter(|branch| branch.taken > 0).count(),
            all().count(),
        )
    }

    /// How many of all tasks were entered: entered, all.
    fn tasks(&self) -> (usize, usize) {
        let all = || {
            let reached = self.coverage.workflows.values();
            reached.flat_map(|reached| &reached.tasks)
        };
        (all().filter(|task| task.entered > 0).count(), all().count())
    }

    /// How many of the three verdicts of all rules were given: given, all.
    fn verdicts(&self) -> (usize, usize) {
        let rules = || self.coverage.rules.values().flat_map(|file| &file.rules);
        let given = rules().map(|(_, verdicts)| verdicts.len()).sum();
        (given, rules().count() * super::coverage::VERDICTS.len())
    }

    /// How many lines of rule files were reached, in part or whole: reached, all.
    fn lines(&self) -> (usize, usize) {
        let mut all = 0;
        let mut reached = 0;
        for line in self.coverage.rules.values().flat_map(|file| file.lines()) {
            all += 1;
            reached += usize::from(line.1 != Line::Missed);
        }
        (reached, all)
    }

    /// How many functions and branches of rule files were taken: taken, all.
    fn ways(&self) -> (usize, usize) {
        let ways = self.coverage.rules.values().flat_map(RuleFile::ways);
        ways.fold((0, 0), |(taken, all), way| {
            (taken + usize::from(way.taken > 0), all + 1)
        })
    }
}
