//! The report for people at a terminal.

use std::fmt::Write as _;

use super::Report;
use crate::scenario::coverage::VERDICTS;
use crate::scenario::rules::{Line, RuleFile, ranges};

/// Every scenario in a line, failures in full, then what was not covered.
pub fn text(report: &Report<'_>) -> String {
    let mut text = String::new();
    let mut file = None;
    for outcome in report.outcomes {
        if file != Some(&outcome.path) {
            let _ = writeln!(text, "{}", outcome.path.display());
            file = Some(&outcome.path);
        }
        match &outcome.failure {
            None => {
                let _ = writeln!(text, "  ok      {}", outcome.test);
            }
            Some(failure) => {
                let _ = writeln!(text, "  FAILED  {}", outcome.test);
                let place = format!("{}:{}", outcome.path.display(), failure.line);
                let _ = writeln!(text, "          {place}: {}", failure.at);
                for line in failure.told().lines() {
                    let _ = writeln!(text, "            {line}");
                }
            }
        }
        for warning in &outcome.warnings {
            let _ = writeln!(text, "          warning: {warning}");
        }
    }
    text.push('\n');
    coverage(report, &mut text);
    let failed = report.failed();
    let _ = writeln!(
        text,
        "\n{} passed, {failed} failed in {:.1} s",
        report.outcomes.len() - failed,
        report.millis as f64 / 1000.0
    );
    text
}

fn coverage(report: &Report<'_>, text: &mut String) {
    for (workflow, reached) in &report.coverage.workflows {
        if report.partial && reached.tasks.iter().all(|task| task.entered == 0) {
            continue;
        }
        let missed: Vec<&str> = reached.missed().map(|task| task.path.as_str()).collect();
        let branches = reached.branches.all.len();
        let _ = write!(
            text,
            "{workflow}: {} of {} tasks entered, {} of {branches} branches taken",
            reached.tasks.len() - missed.len(),
            reached.tasks.len(),
            branches - reached.untaken().count()
        );
        if !missed.is_empty() {
            let _ = write!(text, "; never: {}", missed.join(", "));
        }
        text.push('\n');
        for branch in reached.untaken() {
            let _ = writeln!(
                text,
                "  not taken: {} {}: {}",
                branch.path, branch.kind, branch.label
            );
        }
    }
    for (path, file) in &report.coverage.rules {
        rule_file(report.partial, path, file, text);
    }
}

fn rule_file(partial: bool, path: &str, file: &RuleFile, text: &mut String) {
    let given = |(_, verdicts): &(_, std::collections::BTreeMap<_, _>)| !verdicts.is_empty();
    let lines = file.lines();
    let missed = lines.iter().filter(|(_, line)| **line == Line::Missed);
    let missed: Vec<usize> = missed.map(|(number, _)| *number).collect();
    let touched = missed.len() < lines.len() || file.rules.iter().any(given);
    if partial && file.scenarios == 0 && !touched {
        return;
    }
    if file.is_measured() {
        let ways = file.ways();
        let untaken: Vec<_> = ways.iter().filter(|way| way.taken == 0).collect();
        let _ = write!(
            text,
            "{path}: {} of {} lines reached, {} of {} functions and branches taken",
            lines.len() - missed.len(),
            lines.len(),
            ways.len() - untaken.len(),
            ways.len()
        );
        if !missed.is_empty() {
            let _ = write!(text, "; never: {}", ranges(missed.iter().copied()));
        }
        text.push('\n');
        // What stands on a line that was never reached is told with the line.
        for way in untaken.iter().filter(|way| !missed.contains(&way.line)) {
            let _ = writeln!(text, "  not taken: line {}: {}", way.line, way.what);
        }
    } else {
        let _ = writeln!(text, "{path}: cannot be measured");
    }
    for (id, verdicts) in &file.rules {
        let never: Vec<&str> = VERDICTS
            .into_iter()
            .filter(|verdict| !verdicts.contains_key(*verdict))
            .collect();
        let given: Vec<String> = verdicts
            .iter()
            .map(|(verdict, times)| format!("{verdict} {times}"))
            .collect();
        let _ = write!(text, "  rule {id}: {}", given.join(", "));
        if !never.is_empty() {
            let between = if given.is_empty() { "" } else { "; " };
            let _ = write!(text, "{between}never {}", never.join(", "));
        }
        text.push('\n');
    }
}
