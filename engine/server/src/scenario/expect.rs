//! Holds expectations against a case: each member that a scenario names must hold, and all that do not are told.

mod items;
mod letters;

use std::collections::BTreeSet;

use tongban_core::RecordStatus;
use tongban_expr::Value;
use tongban_runtime::CaseView;

use self::items::open;
use self::letters::mails;
use super::expected::{Expect, ExpectCall, ExpectCards, Refused};
use super::matching::{Difference, differences, fits, lacking};
use super::play::{NotStarted, Play, Wrong, is_step};
use super::stage::Stage;

/// Everything that does not hold.
pub async fn hold(play: &Play<'_>, expected: &Expect) -> Result<(), Wrong> {
    let mut all = Vec::new();
    if let Some(wanted) = &expected.refused
        && !wanted.is_accepted()
    {
        return refused(play.refused(), wanted);
    }
    for (register, wanted) in &expected.registers {
        let found = play.stage.records(register).await?;
        listed(&format!("registers.{register}"), wanted, &found, &mut all);
    }
    if let Some(wanted) = &expected.mails {
        mails(play.stage, wanted, &mut all).await?;
    }
    if let Some(wanted) = &expected.events {
        let found = play.stage.events().await?;
        listed("events", wanted, &found, &mut all);
    }
    if let Some(wanted) = &expected.calls {
        calls(play.stage, wanted, &mut all);
    }
    for (workflow, wanted) in &expected.started {
        let found = play.stage.started(workflow).await?;
        same(&format!("started.{workflow}"), wanted, &found, &mut all);
    }
    for wait in expected.waits_for.iter().flatten() {
        let other = play.case(Some(&wait.of)).await?;
        let rows = other.desk.rows();
        let mut items = rows.items.iter();
        if !items.any(|item| item.closed_at_ms.is_none() && is_step(&item.run_id, &wait.step)) {
            let path = format!("waitsFor.{}", wait.of);
            all.push(Difference::at(
                path,
                format!("an open `{}`", wait.step),
                "none",
            ));
        }
    }
    if about_case(expected) {
        let case = play.case(expected.of.as_deref()).await?;
        held_by_case(play.stage, expected, &case, &mut all).await?;
    }
    if all.is_empty() {
        Ok(())
    } else {
        Err(Wrong::Differs(all))
    }
}

fn about_case(expected: &Expect) -> bool {
    expected.status.is_some()
        || expected.output.is_some()
        || expected.error.is_some()
        || expected.state.is_some()
        || expected.open.is_some()
        || expected.trace.is_some()
        || !expected.clocks.is_empty()
        || !expected.tasks.is_empty()
        || expected.cards.is_some()
        || expected.history.is_some()
        || !expected.search.is_empty()
        || expected.children.is_some()
        || expected.commits.is_some()
}

async fn held_by_case(
    stage: &Stage,
    expected: &Expect,
    case: &CaseView,
    all: &mut Vec<Difference>,
) -> Result<(), Wrong> {
    let instance = case.instance.id();
    let head = stage.head(instance).await?;
    if let Some(wanted) = &expected.status {
        same("status", wanted, &head.status, all);
    }
    if let Some(wanted) = &expected.output {
        all.extend(differences("output", wanted, &head.output));
    }
    if let Some(wanted) = &expected.error {
        all.extend(differences("error", wanted, &head.error));
    }
    if let Some(wanted) = &expected.state {
        same("state", wanted, &stage.state_word(case), all);
    }
    if let Some(wanted) = &expected.open {
        open(stage, wanted, case, all)?;
    }
    clocks(stage, expected, case, all);
    if let Some(wanted) = &expected.cards {
        cards(stage, wanted, case, all);
    }
    if let Some(wanted) = &expected.commits {
        let found = usize::try_from(case.version).unwrap_or_default();
        same("commits", wanted, &found, all);
    }
    tasks(stage, expected, case, all).await?;
    if let Some(wanted) = &expected.history {
        let decisions = stage.decisions(instance).await?;
        listed("history", wanted, &decisions, all);
    }
    if !expected.search.is_empty() {
        let found = stage.search(instance).await?;
        for (name, wanted) in &expected.search {
            let here = found.get(name).cloned().unwrap_or_default();
            // Search fields are texts.
            let wanted = wanted
                .as_str()
                .map_or_else(|| wanted.to_json(), str::to_string);
            let here = here.as_str().map_or_else(|| here.to_json(), str::to_string);
            same(&format!("search.{name}"), &wanted, &here, all);
        }
    }
    if let Some(wanted) = &expected.children {
        let found = stage.children(instance).await?;
        listed("children", wanted, &found, all);
    }
    if let Some(wanted) = &expected.trace {
        let found = super::rule::traces_of_case(stage, case).await?;
        listed("trace", wanted, &found, all);
    }
    Ok(())
}

/// Members of a list among others; an empty list says that there are none.
pub(super) fn listed(path: &str, wanted: &[Value], found: &[Value], all: &mut Vec<Difference>) {
    if wanted.is_empty() {
        none(path, found.iter().map(ToString::to_string), all);
    } else {
        all.extend(lacking(path, wanted, found));
    }
}

/// Nothing was expected.
fn none(path: &str, found: impl Iterator<Item = String>, all: &mut Vec<Difference>) {
    let found: Vec<String> = found.collect();
    if !found.is_empty() {
        let found = format!("{}:\n{}", found.len(), found.join("\n"));
        all.push(Difference::at(path, "none", found));
    }
}

fn clocks(stage: &Stage, expected: &Expect, case: &CaseView, all: &mut Vec<Difference>) {
    for (clock, wanted) in &expected.clocks {
        let path = format!("clocks.{clock}");
        let wanted = &Value::of(wanted).unwrap_or_default();
        match stage.clock(case, clock) {
            Some(found) => all.extend(differences(&path, wanted, &found)),
            None => all.push(Difference::at(path, wanted, no_clock(case))),
        }
    }
}

/// There is no clock of a name; those that there are.
fn no_clock(case: &CaseView) -> String {
    let clocks = case.clocks();
    let name = |id: &'_ str, place: &'_ str| match id.starts_with("item/") {
        true => place.to_string(),
        false => id.to_string(),
    };
    let names: Vec<String> = clocks
        .iter()
        .map(|clock| name(&clock.id, &clock.place))
        .collect();
    if names.is_empty() {
        "no clock at all".to_string()
    } else {
        format!("no such clock; there are: {}", names.join(", "))
    }
}

fn cards(stage: &Stage, expected: &[ExpectCards], case: &CaseView, all: &mut Vec<Difference>) {
    let given = |clock: &Value| -> Vec<String> {
        let cards = clock.get("cards").map(Value::items).into_iter().flatten();
        cards
            .filter_map(|card| card.as_str().map(str::to_string))
            .collect()
    };
    if expected.is_empty() {
        let clocks = case.clocks();
        let told = clocks.iter().filter_map(|clock| {
            let cards = given(&stage.clock(case, &clock.id)?);
            (!cards.is_empty()).then(|| format!("{}: {}", clock.id, cards.join(", ")))
        });
        none("cards", told, all);
    }
    for wanted in expected {
        let path = format!("cards of {}", wanted.clock);
        match stage.clock(case, &wanted.clock) {
            Some(found) => same(&path, &wanted.cards, &given(&found), all),
            None => all.push(Difference::at(
                path,
                wanted.cards.join(", "),
                no_clock(case),
            )),
        }
    }
}

fn calls(stage: &Stage, expected: &[ExpectCall], all: &mut Vec<Difference>) {
    let made = stage.log.calls();
    if expected.is_empty() {
        let told = made.iter();
        none(
            "calls",
            told.map(|call| format!("{} {}", call.function, call.args)),
            all,
        );
    }
    for wanted in expected {
        let of_function: Vec<&Value> = made
            .iter()
            .filter(|call| call.function == wanted.call)
            .map(|call| &call.args)
            .collect();
        let fitting = of_function
            .iter()
            .filter(|args| wanted.with.is_null() || fits(&wanted.with, args))
            .count();
        let holds = wanted.times.map_or(fitting > 0, |times| fitting == times);
        if !holds {
            let times = wanted
                .times
                .map_or("at least one".to_string(), |times| times.to_string());
            let told: Vec<String> = of_function.iter().map(ToString::to_string).collect();
            all.push(Difference::at(
                format!("calls of {}", wanted.call),
                if wanted.with.is_null() {
                    times
                } else {
                    format!("{times} with {}", wanted.with)
                },
                match told.len() {
                    0 => "no call of it".to_string(),
                    calls => format!("{fitting} of {calls}:\n{}", told.join("\n")),
                },
            ));
        }
    }
}

fn refused(found: Option<&NotStarted>, wanted: &Refused) -> Result<(), Wrong> {
    let Some(found) = found else {
        return Err("expected the start to be refused, but it was accepted".into());
    };
    if let Refused::Says(part) = wanted {
        return match found.said.contains(part) {
            true => Ok(()),
            false => Err(Wrong::Differs(vec![Difference::at(
                "refused",
                format!("a refusal that says {part:?}"),
                &found.said,
            )])),
        };
    }
    let Some(fields) = &found.fields else {
        return Err(format!("expected faults of the form, found: {}", found.said).into());
    };
    let lacking: Vec<Difference> = wanted
        .fields()
        .iter()
        .filter(|wanted| !fields.contains(&wanted.field))
        .map(|wanted| {
            let expected = format!("a fault of `{}`", wanted.field);
            Difference::at("refused", expected, fields.join(", "))
        })
        .collect();
    if lacking.is_empty() {
        Ok(())
    } else {
        Err(Wrong::Differs(lacking))
    }
}

async fn tasks(
    stage: &Stage,
    expected: &Expect,
    case: &CaseView,
    all: &mut Vec<Difference>,
) -> Result<(), Wrong> {
    if expected.tasks.is_empty() {
        return Ok(());
    }
    let entries = stage.history(case.instance.id()).await?;
    for (path, wanted) in &expected.tasks {
        let of_task = || entries.iter().filter(|entry| entry.task == *path);
        let at = format!("tasks.{path}");
        if let Some(times) = wanted.as_i64() {
            let runs: BTreeSet<_> = of_task()
                .filter(|entry| is_state(entry.status))
                .map(|entry| (entry.run_id.as_deref(), entry.attempt))
                .collect();
            let found = i64::try_from(runs.len()).unwrap_or(i64::MAX);
            same(&at, &times, &found, all);
            continue;
        }
        let wanted = wanted.as_str().unwrap_or_default();
        if wanted == "late" {
            if !of_task().any(|entry| entry.status == RecordStatus::Late) {
                all.push(Difference::at(at, "a late answer", "none"));
            }
            continue;
        }
        let found = of_task()
            .rfind(|entry| is_state(entry.status))
            .map_or("not reached", |entry| word(entry.status));
        same(&at, &wanted, &found, all);
    }
    Ok(())
}

/// Whether a record says how a task stands, and not only that something came.
fn is_state(status: RecordStatus) -> bool {
    !matches!(
        status,
        RecordStatus::Late | RecordStatus::Heard | RecordStatus::Suspended | RecordStatus::Resumed
    )
}

fn word(status: RecordStatus) -> &'static str {
    match status {
        RecordStatus::Completed | RecordStatus::Jumped => "completed",
        RecordStatus::Faulted => "faulted",
        RecordStatus::Skipped => "skipped",
        RecordStatus::Cancelled => "cancelled",
        _ => "running",
    }
}

/// What was expected and what was found, as texts in quotes and lists in brackets.
fn same<T: PartialEq + std::fmt::Debug>(
    path: &str,
    expected: &T,
    found: &T,
    all: &mut Vec<Difference>,
) {
    if expected != found {
        all.push(Difference::at(
            path,
            format!("{expected:?}"),
            format!("{found:?}"),
        ));
    }
}
