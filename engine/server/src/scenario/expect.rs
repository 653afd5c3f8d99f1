//! Holds expectations against a case: each member that a scenario names must hold.

use std::collections::BTreeSet;

use tongban_core::RecordStatus;
use tongban_expr::Value;
use tongban_runtime::{CaseView, RuntimeError};

use super::file::{Expect, ExpectMail, OpenItem};
use super::matching::{difference, missing};
use super::play::{Play, described, is_step, path_of};
use super::stage::WrittenMail;

/// The first thing that does not hold, in words.
pub async fn hold(play: &Play<'_>, expected: &Expect) -> Result<(), String> {
    if let Some(fields) = &expected.refused {
        let wanted: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        return refused(play.refused(), &wanted);
    }
    registers(play, expected).await?;
    mails(play, &expected.mails).await?;
    for (workflow, wanted) in &expected.started {
        let found = play.stage.started(workflow).await?;
        same(&format!("cases of `{workflow}`"), wanted, &found)?;
    }
    let about_case = expected.status.is_some()
        || expected.output.is_some()
        || expected.error.is_some()
        || expected.state.is_some()
        || expected.open.is_some()
        || !expected.clocks.is_empty()
        || !expected.tasks.is_empty()
        || !expected.cards.is_empty()
        || !expected.history.is_empty()
        || expected.commits.is_some()
        || expected.waits_for.is_some();
    if !about_case {
        return Ok(());
    }
    let case = play.case(expected.of.as_deref()).await?;
    if let Some(waits) = &expected.waits_for {
        for wait in waits {
            let other = play.case(Some(&wait.of)).await?;
            let there = other
                .desk
                .rows()
                .items
                .iter()
                .any(|item| item.closed_at_ms.is_none() && is_step(&item.run_id, &wait.step));
            if !there {
                return Err(format!(
                    "expected to wait for `{}` of `{}`, where no item is open",
                    wait.step, wait.of
                ));
            }
        }
    }
    held_by_case(play, expected, &case).await
}

async fn held_by_case(play: &Play<'_>, expected: &Expect, case: &CaseView) -> Result<(), String> {
    let head = play.stage.head(case.instance.id()).await?;
    if let Some(wanted) = &expected.status {
        same("status", wanted, &head.status)?;
    }
    if let Some(wanted) = &expected.output {
        part("output", wanted, &head.output)?;
    }
    if let Some(wanted) = &expected.error {
        part("error", wanted, &head.error)?;
    }
    if let Some(wanted) = &expected.state {
        same("state", wanted, &play.stage.state_word(case))?;
    }
    if let Some(wanted) = &expected.open {
        open(play, wanted, case)?;
    }
    for (clock, wanted) in &expected.clocks {
        let found = play
            .stage
            .clock(case, clock)
            .ok_or_else(|| format!("clocks: there is no clock `{clock}`"))?;
        for name in wanted
            .as_object()
            .into_iter()
            .flat_map(|members| members.keys())
        {
            if found.get(name).is_none() {
                let known: Vec<&str> = found
                    .as_object()
                    .into_iter()
                    .flat_map(|members| members.keys())
                    .map(AsRef::as_ref)
                    .collect();
                return Err(format!(
                    "clock `{clock}` has no `{name}`; it has {}",
                    known.join(", ")
                ));
            }
        }
        part(&format!("clock `{clock}`"), wanted, &found)?;
    }
    for wanted in &expected.cards {
        let found = play
            .stage
            .clock(case, &wanted.clock)
            .ok_or_else(|| format!("cards: there is no clock `{}`", wanted.clock))?;
        let cards: Vec<String> = found
            .get("cards")
            .map(Value::items)
            .into_iter()
            .flatten()
            .filter_map(|card| card.as_str().map(str::to_string))
            .collect();
        same(
            &format!("cards of `{}`", wanted.clock),
            &wanted.cards,
            &cards,
        )?;
    }
    if let Some(wanted) = &expected.commits {
        same(
            "commits",
            wanted,
            &usize::try_from(case.version).unwrap_or_default(),
        )?;
    }
    tasks(play, expected, case).await?;
    let decisions = play.stage.decisions(case.instance.id()).await?;
    match missing(&expected.history, &decisions) {
        Some(wanted) => Err(format!(
            "history: expected a decision like {wanted}, found {}",
            Value::list(decisions)
        )),
        None => Ok(()),
    }
}

fn refused(error: Option<&RuntimeError>, wanted: &[&str]) -> Result<(), String> {
    let Some(error) = error else {
        return Err("expected the start to be refused, but it was accepted".to_string());
    };
    let RuntimeError::Invalid(faults) = error else {
        return Err(format!(
            "expected faults of the form, found: {}",
            described(error)
        ));
    };
    let found: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    match wanted.iter().find(|field| !found.contains(field)) {
        Some(field) => Err(format!(
            "expected a fault of `{field}`, found faults of [{}]",
            found.join(", ")
        )),
        None => Ok(()),
    }
}

async fn registers(play: &Play<'_>, expected: &Expect) -> Result<(), String> {
    for (register, wanted) in &expected.registers {
        let found = play.stage.records(register).await?;
        if let Some(record) = missing(wanted, &found) {
            return Err(format!(
                "register `{register}`: expected a record like {record}, found {}",
                Value::list(found)
            ));
        }
    }
    Ok(())
}

async fn mails(play: &Play<'_>, expected: &[ExpectMail]) -> Result<(), String> {
    if expected.is_empty() {
        return Ok(());
    }
    let found = play.stage.mails().await?;
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
                    && person.is_none_or(|person| play.stage.is_meant(person, &mail.person))
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
                return Err(format!(
                    "{}, found:\n{}",
                    meant(wanted, person),
                    told(&found)
                ));
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
    format!("expected a mail `{}`{to}{language}{part}", wanted.template)
}

fn told(found: &[WrittenMail]) -> String {
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

fn open(play: &Play<'_>, expected: &[OpenItem], case: &CaseView) -> Result<(), String> {
    let rows = case.desk.rows();
    let items: Vec<_> = rows
        .items
        .iter()
        .filter(|item| item.closed_at_ms.is_none() && item.status != "held")
        .collect();
    for wanted in expected {
        let Some(item) = items
            .iter()
            .rev()
            .find(|item| is_step(&item.run_id, &wanted.step))
        else {
            let found: Vec<String> = items.iter().map(|item| path_of(&item.run_id)).collect();
            return Err(format!(
                "open: expected an item of `{}`, found [{}]",
                wanted.step,
                found.join(", ")
            ));
        };
        if let Some(people) = &wanted.to {
            let mut found: Vec<String> = rows
                .candidates
                .iter()
                .filter(|candidate| candidate.n == item.n)
                .map(|candidate| {
                    candidate
                        .candidate
                        .trim_start_matches("person:")
                        .to_string()
                })
                .collect();
            let mut people = people.clone();
            people.sort();
            found.sort();
            found.dedup();
            same(&format!("`{}` is open to", wanted.step), &people, &found)?;
        }
        if let Some(due) = &wanted.due {
            let found = item
                .due_at_ms
                .map(|ms| play.stage.date(ms))
                .unwrap_or_default();
            same(&format!("`{}` is due", wanted.step), due, &found)?;
        }
        let view = play.stage.item_view(case, item.n)?;
        for title in wanted.shows.iter().flatten() {
            let shown = view
                .get("show")
                .is_some_and(|show| show.get(title).is_some());
            if !shown {
                return Err(format!("`{}`: expected to show `{title}`", wanted.step));
            }
        }
        for (path, value) in &wanted.prefilled {
            let found = view
                .get("data")
                .and_then(|data| data.at(path))
                .cloned()
                .unwrap_or(Value::Null);
            part(
                &format!("`{}` is filled with `{path}`", wanted.step),
                value,
                &found,
            )?;
        }
    }
    let surplus = items.iter().find(|item| {
        !expected
            .iter()
            .any(|wanted| is_step(&item.run_id, &wanted.step))
    });
    match surplus {
        Some(item) => Err(format!(
            "open: expected nothing else, found `{}`",
            path_of(&item.run_id)
        )),
        None => Ok(()),
    }
}

async fn tasks(play: &Play<'_>, expected: &Expect, case: &CaseView) -> Result<(), String> {
    if expected.tasks.is_empty() {
        return Ok(());
    }
    let entries = play.stage.history(case.instance.id()).await?;
    for (path, wanted) in &expected.tasks {
        let of_task: Vec<_> = entries.iter().filter(|entry| entry.task == *path).collect();
        if let Some(times) = wanted.as_i64() {
            let runs: BTreeSet<_> = of_task
                .iter()
                .map(|entry| (entry.run_id.as_deref(), entry.attempt))
                .collect();
            same(
                &format!("task `{path}` was entered"),
                &times,
                &i64::try_from(runs.len()).unwrap_or(i64::MAX),
            )?;
            continue;
        }
        let found = of_task
            .last()
            .map_or("not reached", |entry| word(entry.status));
        let wanted = wanted.as_str().unwrap_or_default();
        same(&format!("task `{path}`"), &wanted, &found)?;
    }
    Ok(())
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

fn part(what: &str, expected: &Value, found: &Value) -> Result<(), String> {
    match difference(expected, found) {
        Some(difference) => Err(format!("{what}: {difference}")),
        None => Ok(()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, found {found:?}"))
    }
}
