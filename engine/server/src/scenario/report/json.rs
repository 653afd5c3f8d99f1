//! The report for programs.

use serde_json::{Map, Value as Json, json as object};

use super::Report;
use crate::scenario::Outcome;
use crate::scenario::coverage::Reached;
use crate::scenario::play::Failure;
use crate::scenario::rules::{Line, RuleFile};

/// `{ scenarios, coverage: { workflow: … }, rules: { file: … } }`.
pub fn json(report: &Report<'_>) -> Json {
    let scenarios: Vec<Json> = report.outcomes.iter().map(scenario).collect();
    let covered = report.coverage.workflows.iter();
    let workflows: Map<String, Json> = covered
        .map(|(workflow, reached)| (workflow.clone(), of_workflow(reached)))
        .collect();
    let files = report.coverage.rules.iter();
    let rules: Map<String, Json> = files
        .map(|(path, file)| (path.clone(), of_rules(file)))
        .collect();
    object!({ "scenarios": scenarios, "coverage": workflows, "rules": rules })
}

fn scenario(outcome: &Outcome) -> Json {
    object!({
        "file": outcome.path, "line": outcome.line, "test": outcome.test,
        "passed": outcome.failure.is_none(), "millis": u64::try_from(outcome.millis).unwrap_or(u64::MAX),
        "warnings": outcome.warnings,
        "failure": outcome.failure.as_ref().map(failure),
    })
}

fn of_workflow(reached: &Reached) -> Json {
    let names = |chosen: &dyn Fn(usize, usize) -> bool| -> Vec<&str> {
        let tasks = reached.tasks.iter();
        tasks
            .filter(|task| chosen(task.entered, task.skipped))
            .map(|task| task.path.as_str())
            .collect()
    };
    let branches: Vec<Json> = reached
        .branches
        .all
        .iter()
        .map(|branch| {
            object!({ "task": branch.path, "kind": branch.kind, "branch": branch.label, "taken": branch.taken })
        })
        .collect();
    object!({
        "tasks": names(&|_, _| true), "entered": names(&|entered, _| entered > 0),
        "skipped": names(&|_, skipped| skipped > 0), "missed": names(&|entered, _| entered == 0),
        "branches": branches,
    })
}

fn of_rules(file: &RuleFile) -> Json {
    let rules: Map<String, Json> = file
        .rules
        .iter()
        .map(|(id, verdicts)| (id.clone(), object!(verdicts)))
        .collect();
    let lines: Map<String, Json> = file
        .lines()
        .into_iter()
        .map(|(number, line)| {
            let word = match line {
                Line::Covered => "covered",
                Line::Partly => "partly",
                Line::Missed => "missed",
            };
            (number.to_string(), Json::from(word))
        })
        .collect();
    let branches: Vec<Json> = file
        .ways()
        .into_iter()
        .map(|way| object!({ "line": way.line, "branch": way.what, "taken": way.taken }))
        .collect();
    object!({
        "scenarios": file.scenarios, "measured": file.is_measured(), "rules": rules,
        "lines": lines, "branches": branches,
    })
}

fn failure(failure: &Failure) -> Json {
    let differences: Vec<Json> = failure
        .differences
        .iter()
        .map(|one| object!({ "path": one.path, "expected": one.expected, "found": one.found }))
        .collect();
    object!({
        "line": failure.line, "at": failure.at, "message": failure.message,
        "differences": differences, "stood": failure.stood,
    })
}
