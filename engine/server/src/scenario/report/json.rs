//! The report for programs.

use serde_json::{Map, Value as Json, json as object};

use super::Report;
use crate::scenario::play::Failure;
use crate::scenario::rules::Line;

/// `{ scenarios, coverage: { workflow: … }, rules: { file: … } }`.
pub fn json(report: &Report<'_>) -> Json {
    let scenarios: Vec<Json> = report
        .outcomes
        .iter()
        .map(|outcome| {
            object!({
                "file": outcome.path, "line": outcome.line, "test": outcome.test,
                "passed": outcome.failure.is_none(), "millis": u64::try_from(outcome.millis).unwrap_or(u64::MAX),
                "warnings": outcome.warnings,
                "failure": outcome.failure.as_ref().map(failure),
            })
        })
        .collect();
    let workflows: Map<String, Json> = report
        .coverage
        .workflows
        .iter()
        .map(|(workflow, reached)| {
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
            let told = object!({
                "tasks": names(&|_, _| true), "entered": names(&|entered, _| entered > 0),
                "skipped": names(&|_, skipped| skipped > 0), "missed": names(&|entered, _| entered == 0),
                "branches": branches,
            });
            (workflow.clone(), told)
        })
        .collect();
    let rules: Map<String, Json> = report
        .coverage
        .rules
        .iter()
        .map(|(path, file)| {
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
            let told = object!({
                "scenarios": file.scenarios, "measured": file.is_measured(), "rules": rules,
                "lines": lines, "branches": branches,
            });
            (path.clone(), told)
        })
        .collect();
    object!({ "scenarios": scenarios, "coverage": workflows, "rules": rules })
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
