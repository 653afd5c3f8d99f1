//! Absences that people keep themselves (离岗代理): from when to when, who acts, in which processes.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tongban_org::{Absence, Organisation};
use tongban_store::{AbsenceGone, AbsenceRow, AuditEntry, Change, NO_DUE_MS, Outcome};

use crate::app::App;
use crate::problem::Problem;

/// The most absences of one person that are not over.
const OWN_MAX: usize = 20;

/// An absence as somebody wants it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The first day.
    pub from: Date,
    /// The last day; none means until it is ended.
    pub to: Option<Date>,
    /// Who acts meanwhile.
    pub agent: String,
    /// A process, or `namespace/*`; none means all.
    pub of: Option<String>,
}

/// Why an absence is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The last day lies before the first, or before today.
    Days,
    /// Nobody stands in for oneself, and the agent works here.
    Agent,
    /// Another absence of the person covers some of these days.
    Overlap,
    /// There are too many already.
    Many,
}

/// What is stored beside the columns.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Body {
    #[serde(default)]
    of: Vec<String>,
}

/// A stored absence as the organisation knows it; none when one of the people has gone.
pub fn in_force(organisation: &Organisation, row: &AbsenceRow) -> Option<Absence> {
    organisation.person(&row.person_id)?;
    let body: Body = serde_json::from_str(&row.body).unwrap_or_default();
    Some(Absence {
        person: row.person_id.clone(),
        agent: row.substitute_id.clone(),
        from_ms: row.from_ms,
        to_ms: row.until_ms.filter(|until| *until < NO_DUE_MS),
        of: body.of,
    })
}

/// Whom a change from some rows to others concerns.
pub fn concerned(before: &[AbsenceRow], after: &[AbsenceRow]) -> BTreeSet<String> {
    let gone = before.iter().filter(|row| !after.contains(row));
    let new = after.iter().filter(|row| !before.contains(row));
    let people = gone
        .chain(new)
        .flat_map(|row| [Some(row.person_id.clone()), row.substitute_id.clone()]);
    people.flatten().collect()
}

/// The absences of a person that are not over.
///
/// # Errors
/// The database refused.
pub async fn own(app: &App, person: &str) -> Result<Vec<AbsenceRow>, Problem> {
    let rows = app.store().absences_of_person(person, app.now_ms()).await;
    rows.map_err(Problem::from)
}

/// Keeps an absence; it is in force when this returns.
///
/// # Errors
/// The database refused; else why it is not taken.
pub async fn add(
    app: &App,
    person: &str,
    wanted: &Wanted,
) -> Result<Result<AbsenceRow, Unfit>, Problem> {
    let organisation = app.organisation();
    let calendar = organisation.calendar(None);
    let (today, now_ms) = (calendar.date_of(app.now_ms()), app.now_ms());
    let last = wanted.to.unwrap_or(wanted.from.max(today));
    if last < wanted.from || last < today {
        return Ok(Err(Unfit::Days));
    }
    if wanted.agent == person || !organisation.is_here(&wanted.agent, now_ms) {
        return Ok(Err(Unfit::Agent));
    }
    let row = AbsenceRow {
        id: uuid::Uuid::now_v7().to_string(),
        person_id: person.to_owned(),
        from_ms: calendar.day_start_ms(wanted.from),
        until_ms: Some(match wanted.to {
            Some(to) => calendar.day_end_ms(to) + 1,
            None => NO_DUE_MS,
        }),
        substitute_id: Some(wanted.agent.clone()),
        body: serde_json::json!({ "of": wanted.of.as_slice() }).to_string(),
    };
    let known = own(app, person).await?;
    if known.len() >= OWN_MAX {
        return Ok(Err(Unfit::Many));
    }
    let meets = |other: &AbsenceRow| {
        other.from_ms < row.until_ms.unwrap_or(NO_DUE_MS)
            && row.from_ms < other.until_ms.unwrap_or(NO_DUE_MS)
            && (other.body == row.body || wanted.of.is_none() || of_all(other))
    };
    if known.iter().any(meets) {
        return Ok(Err(Unfit::Overlap));
    }
    let mut change = Change::without_instance(now_ms);
    change.add(row.clone());
    audit(&mut change, person, "absence.set", &row, now_ms);
    commit(app, change).await?;
    Ok(Ok(row))
}

/// Ends an absence now; one that has not begun never was.
///
/// # Errors
/// 404 when the person has no such absence.
pub async fn end(app: &App, person: &str, id: &str) -> Result<(), Problem> {
    let known = own(app, person).await?;
    let found = known.into_iter().find(|row| row.id == id);
    let row = found.ok_or_else(Problem::not_found)?;
    let now_ms = app.now_ms();
    let mut change = Change::without_instance(now_ms);
    audit(&mut change, person, "absence.end", &row, now_ms);
    if row.from_ms >= now_ms {
        change.add(AbsenceGone { id: row.id });
    } else {
        change.add(AbsenceRow {
            until_ms: Some(now_ms),
            ..row
        });
    }
    commit(app, change).await
}

/// The processes that a stored absence covers; empty for all.
pub fn of(row: &AbsenceRow) -> Vec<String> {
    let body: Body = serde_json::from_str(&row.body).unwrap_or_default();
    body.of
}

fn of_all(row: &AbsenceRow) -> bool {
    of(row).is_empty()
}

fn audit(change: &mut Change, person: &str, act: &str, row: &AbsenceRow, at_ms: i64) {
    let agent = row.substitute_id.as_deref();
    let body = serde_json::json!({ "agent": agent, "fromMs": row.from_ms, "untilMs": row.until_ms, "of": of(row) });
    change.audit.push(AuditEntry {
        at_ms,
        who: person.to_owned(),
        act: act.to_owned(),
        object: format!("person:{person}"),
        body: body.to_string(),
    });
}

async fn commit(app: &App, change: Change) -> Result<(), Problem> {
    let kept = app.store().commit_one(change).await;
    match kept.map_err(Problem::from)? {
        Outcome::Committed { .. } => {
            app.organisation_watch.lock().await.look().await;
            Ok(())
        }
        other => Err(Problem::internal(format!(
            "an absence was not taken: {other:?}"
        ))),
    }
}
