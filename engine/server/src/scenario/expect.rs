//! Holds expectations against a case: each member that a scenario names must hold, and all that do not are told.

use std::collections::BTreeSet;

use tongban_core::RecordStatus;
use tongban_expr::Value;
use tongban_runtime::{CaseView, RuntimeError};

use super::expected::{Expect, ExpectCall, ExpectMail, OpenItem};
use super::matching::{Difference, differences, fits, lacking};
use super::play::{Play, Wrong, described, is_step, path_of};
use super::stage::Stage;

/// Everything that does not hold.
pub async fn hold(play: &Play<'_>, expected: &Expect) -> Result<(), Wrong> {
    let mut all = Vec::new();
    if let Some(fields) = &expected.refused {
        let wanted: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        refused(play.refused(), &wanted)?;
        return Ok(());
    }
    for (register, wanted) in &expected.registers {
        let found = play.stage.records(register).await?;
        all.extend(lacking(&format!("registers.{register}"), wanted, &found));
    }
    mails(play.stage, &expected.mails, &mut all).await?;
    if !expected.events.is_empty() {
        let found = play.stage.events().await?;
        all.extend(lacking("events", &expected.events, &found));
    }
    calls(play.stage, &expected.calls, &mut all);
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
        || !expected.cards.is_empty()
        || !expected.history.is_empty()
        || !expected.search.is_empty()
        || !expected.children.is_empty()
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
    if let Some(wanted) = &expected.commits {
        let found = usize::try_from(case.version).unwrap_or_default();
        same("commits", wanted, &found, all);
    }
    tasks(stage, expected, case, all).await?;
    if !expected.history.is_empty() {
        let decisions = stage.decisions(instance).await?;
        all.extend(lacking("history", &expected.history, &decisions));
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
    if !expected.children.is_empty() {
        let found = stage.children(instance).await?;
        all.extend(lacking("children", &expected.children, &found));
    }
    if let Some(wanted) = &expected.trace {
        let found = super::rule::traces_of_case(stage, case).await?;
        all.extend(lacking("trace", wanted, &found));
    }
    Ok(())
}

fn clocks(stage: &Stage, expected: &Expect, case: &CaseView, all: &mut Vec<Difference>) {
    for (clock, wanted) in &expected.clocks {
        let path = format!("clocks.{clock}");
        let wanted = &Value::of(wanted).unwrap_or_default();
        match stage.clock(case, clock) {
            Some(found) => all.extend(differences(&path, wanted, &found)),
            None => all.push(Difference::at(path, wanted, "no such clock")),
        }
    }
    for wanted in &expected.cards {
        let path = format!("cards of {}", wanted.clock);
        let Some(found) = stage.clock(case, &wanted.clock) else {
            all.push(Difference::at(
                path,
                wanted.cards.join(", "),
                "no such clock",
            ));
            continue;
        };
        let cards: Vec<String> = found
            .get("cards")
            .map(Value::items)
            .into_iter()
            .flatten()
            .filter_map(|card| card.as_str().map(str::to_string))
            .collect();
        same(&path, &wanted.cards, &cards, all);
    }
}

fn calls(stage: &Stage, expected: &[ExpectCall], all: &mut Vec<Difference>) {
    let made = stage.log.calls();
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
                .map_or("some".to_string(), |times| times.to_string());
            let told: Vec<String> = of_function.iter().map(ToString::to_string).collect();
            all.push(Difference::at(
                format!("calls of {}", wanted.call),
                format!("{times} with {}", wanted.with),
                format!("{fitting} of {}: {}", told.len(), told.join("\n")),
            ));
        }
    }
}

fn refused(error: Option<&RuntimeError>, wanted: &[&str]) -> Result<(), Wrong> {
    let Some(error) = error else {
        return Err("expected the start to be refused, but it was accepted".into());
    };
    let RuntimeError::Invalid(faults) = error else {
        return Err(format!("expected faults of the form, found: {}", described(error)).into());
    };
    let found: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    let lacking: Vec<Difference> = wanted
        .iter()
        .filter(|field| !found.contains(field))
        .map(|field| Difference::at("refused", format!("a fault of `{field}`"), found.join(", ")))
        .collect();
    if lacking.is_empty() {
        Ok(())
    } else {
        Err(Wrong::Differs(lacking))
    }
}

async fn mails(
    stage: &Stage,
    expected: &[ExpectMail],
    all: &mut Vec<Difference>,
) -> Result<(), Wrong> {
    if expected.is_empty() {
        return Ok(());
    }
    let found = stage.mails().await?;
    for wanted in expected {
        // Without `to` anybody may have got it.
        let people = if wanted.to.is_empty() {
            vec![None]
        } else {
            wanted.to.iter().map(Some).collect()
        };
        for person in people {
            let fits = found.iter().any(|mail| {
                mail.template == wanted.template
                    && person.is_none_or(|person| stage.is_meant(person, &mail.person))
                    && wanted
                        .contains
                        .as_ref()
                        .is_none_or(|part| mail.text.contains(part))
                    && wanted
                        .language
                        .as_ref()
                        .is_none_or(|language| mail.language == *language)
            });
            if !fits {
                all.push(Difference::at("mails", meant(wanted, person), told(&found)));
            }
        }
    }
    Ok(())
}

/// The mail that was expected, in words.
fn meant(wanted: &ExpectMail, person: Option<&Value>) -> String {
    let to = person
        .map(|person| format!(" to {person}"))
        .unwrap_or_default();
    let language = wanted
        .language
        .as_ref()
        .map(|language| format!(" in `{language}`"))
        .unwrap_or_default();
    let part = wanted
        .contains
        .as_ref()
        .map(|part| format!(" with the text {part:?}"))
        .unwrap_or_default();
    format!("`{}`{to}{language}{part}", wanted.template)
}

fn told(found: &[super::observe::WrittenMail]) -> String {
    let lines: Vec<String> = found
        .iter()
        .map(|mail| {
            format!(
                "{} to {} ({}): {}",
                mail.template, mail.person, mail.language, mail.text
            )
        })
        .collect();
    if lines.is_empty() {
        "no mail".to_string()
    } else {
        lines.join("\n")
    }
}

fn open(
    stage: &Stage,
    expected: &[OpenItem],
    case: &CaseView,
    all: &mut Vec<Difference>,
) -> Result<(), Wrong> {
    let rows = case.desk.rows();
    let items: Vec<_> = rows
        .items
        .iter()
        .filter(|item| item.closed_at_ms.is_none() && item.status != "held")
        .collect();
    for wanted in expected {
        let path = format!("open.{}", wanted.step);
        let Some(item) = items
            .iter()
            .rev()
            .find(|item| is_step(&item.run_id, &wanted.step))
        else {
            let found: Vec<String> = items.iter().map(|item| path_of(&item.run_id)).collect();
            let found = format!("open: {}", found.join(", "));
            all.push(Difference::at(path, "an open item", found));
            continue;
        };
        if let Some(people) = &wanted.to {
            let found = rows
                .candidates
                .iter()
                .filter(|candidate| candidate.n == item.n)
                .map(|candidate| candidate.candidate.trim_start_matches("person:"));
            let found: BTreeSet<&str> = found.collect();
            let people: BTreeSet<&str> = people.iter().map(String::as_str).collect();
            same(&format!("{path}.to"), &people, &found, all);
        }
        if let Some(due) = &wanted.due {
            let found = item.due_at_ms.map(|ms| stage.date(ms)).unwrap_or_default();
            same(&format!("{path}.due"), due, &found, all);
        }
        let view = stage.item_view(case, item.n)?;
        let shown = view.get("show");
        for title in wanted.shows.iter().flatten() {
            if shown.is_none_or(|show| show.get(title).is_none()) {
                let found: Vec<String> = shown
                    .into_iter()
                    .flat_map(Value::entries)
                    .map(|(title, _)| title.to_string())
                    .collect();
                all.push(Difference::at(
                    format!("{path}.shows"),
                    title,
                    found.join(", "),
                ));
            }
        }
        for (field, value) in &wanted.prefilled {
            let found = view.get("data").and_then(|data| data.at(field)).cloned();
            let inner = format!("{path}.prefilled.{field}");
            all.extend(differences(&inner, value, &found.unwrap_or(Value::Null)));
        }
    }
    for item in &items {
        let named = |wanted: &OpenItem| is_step(&item.run_id, &wanted.step);
        if !expected.iter().any(named) {
            all.push(Difference::at(
                "open",
                "nothing else",
                path_of(&item.run_id),
            ));
        }
    }
    Ok(())
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
