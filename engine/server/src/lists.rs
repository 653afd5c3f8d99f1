//! Lists that both the API and the console show: cases, inbox, what was decided, mails, histories.

use std::collections::BTreeMap;

use serde::Serialize;
use tongban_plugin::Message;
use tongban_runtime::history::Entry;
use tongban_store::{Filter, InboxCursor, InboxFilter, InboxGroup, InstanceRow, NO_DUE_MS, Seen};
use utoipa::ToSchema;

use crate::api::cursor::{Place, cut};
use crate::app::App;
use crate::problem::Problem;
use crate::visibility::{self, Asker, Reach, Reached, Units};

/// Pages that are read for one list before its next cursor is given, when rights hide most of them.
const ROUNDS_MAX: usize = 10;

/// Which cases to list; what is `None` does not limit.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// `namespace/name`.
    pub workflow: Option<String>,
    /// The status.
    pub status: Option<String>,
    /// Who started it.
    pub starter: Option<String>,
    /// A part of its title or number; empty for all.
    pub text: String,
}

/// A work item in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemEntry {
    /// `INSTANCE.N`.
    pub id: String,
    /// The case.
    pub instance: String,
    /// The number of the item in the case.
    pub n: i64,
    /// The round that is open.
    pub round: i64,
    /// What is asked.
    pub title: String,
    /// `approve`, `collect`, `resubmit` or `correct`.
    pub kind: String,
    /// The title of the case.
    pub case_title: String,
    /// The number of the case.
    pub case_number: String,
    /// The workflow.
    pub workflow: String,
    /// When it was opened.
    pub opened_at_ms: i64,
    /// Until when.
    pub due_at_ms: Option<i64>,
    /// `blue`, `yellow` or `red`.
    pub card: Option<String>,
    /// Who claimed it.
    pub claimed: Option<String>,
    /// Who started the case.
    pub starter: Option<String>,
    /// The unit of the case.
    pub unit: Option<String>,
}

/// Lists the cases that an asker may see, newest first.
///
/// # Errors
/// The database refused.
pub async fn cases(
    app: &App,
    asker: Asker<'_>,
    filter: &CaseFilter,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<InstanceRow>, Option<String>), Problem> {
    let Reach { principals, rights } = visibility::reach(app, asker);
    let filter = Filter {
        workflow: filter.workflow.clone(),
        status: filter.status.clone(),
        starter: filter.starter.clone(),
        text: filter.text.clone(),
        ..Filter::default()
    };
    let before = place.map(|place| place.id);
    let wanted = usize::try_from(limit).unwrap_or(50) + 1;
    let mut found: BTreeMap<String, InstanceRow> = BTreeMap::new();
    let own = app
        .store()
        .instances(Seen::By(&principals), &filter, before.as_deref(), wanted)
        .await;
    found.extend(
        own.map_err(Problem::from)?
            .into_iter()
            .map(|row| (row.id.clone(), row)),
    );
    let mut given_up = None;
    for right in rights {
        let (rows, stopped) = by_right(app, &right, &filter, before.clone(), wanted).await?;
        found.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        given_up = given_up.max(stopped);
    }
    // Below where the reading of one right was given up its cases are not known yet: the next page begins there.
    if let Some(at) = &given_up {
        found = found.split_off(at);
    }
    let rows: Vec<InstanceRow> = found.into_values().rev().collect();
    let place = |id: String| Place { at_ms: 0, id, n: 0 };
    let (rows, next) = cut(rows, limit, |row| place(row.id.clone()));
    Ok((rows, next.or_else(|| given_up.map(|id| place(id).text()))))
}

/// The cases that a right reaches; when it hides most of what is read, the id at which the reading was given up.
async fn by_right(
    app: &App,
    right: &Reached,
    filter: &Filter,
    mut before: Option<String>,
    wanted: usize,
) -> Result<(Vec<InstanceRow>, Option<String>), Problem> {
    let principal = match &right.over {
        Units::All => None,
        Units::One(unit) | Units::Below(unit) => Some(vec![format!("unit:{unit}")]),
    };
    let reaches = |row: &InstanceRow| {
        let here = match &right.over {
            Units::One(unit) => row.unit_id.as_ref() == Some(unit),
            Units::All | Units::Below(_) => true,
        };
        here && right
            .of
            .iter()
            .any(|pattern| covers(pattern, &row.workflow))
    };
    let mut found = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let seen = principal.as_deref().map_or(Seen::All, Seen::By);
        let rows = app
            .store()
            .instances(seen, filter, before.as_deref(), wanted)
            .await
            .map_err(Problem::from)?;
        let last = rows.len() < wanted;
        before = rows.last().map(|row| row.id.clone()).or(before);
        found.extend(rows.into_iter().filter(&reaches));
        if last || found.len() >= wanted {
            found.truncate(wanted);
            return Ok((found, None));
        }
    }
    Ok((found, before))
}

/// Whether a pattern such as `sharing/*` or `*` names a workflow.
fn covers(pattern: &str, workflow: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => workflow.starts_with(start),
        None => pattern == workflow,
    }
}

/// Lists what waits for a person, the most urgent first.
///
/// # Errors
/// The database refused.
pub async fn inbox(
    app: &App,
    person: &str,
    filter: &InboxFilter,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<ItemEntry>, Option<String>), Problem> {
    let candidates = candidates(app, person);
    let after = place
        .map(|place| InboxCursor {
            due_at_ms: place.at_ms,
            instance_id: place.id,
            n: place.n,
        })
        .unwrap_or_default();
    let wanted = usize::try_from(limit).unwrap_or(50) + 1;
    let rows = app
        .store()
        .inbox_page(&candidates, filter, &after, wanted)
        .await
        .map_err(Problem::from)?;
    let place = |row: &tongban_store::InboxItem| Place {
        at_ms: row.due_at_ms,
        id: row.instance_id.clone(),
        n: row.n,
    };
    let (rows, next) = cut(rows, limit, place);
    let items = rows.into_iter().map(|row| ItemEntry {
        id: format!("{}.{}", row.instance_id, row.n),
        instance: row.instance_id,
        n: row.n,
        round: row.round,
        title: row.title,
        kind: row.kind,
        case_title: row.case_title.unwrap_or_default(),
        case_number: row.number.unwrap_or_default(),
        workflow: row.workflow,
        opened_at_ms: row.opened_at_ms,
        due_at_ms: Some(row.due_at_ms).filter(|at| *at < NO_DUE_MS),
        card: row.card,
        claimed: row.claimed,
        starter: row.starter_id.filter(|person| !person.is_empty()),
        unit: row.unit_id,
    });
    Ok((items.collect(), next))
}

/// The names under which items wait for a person.
fn candidates(app: &App, person: &str) -> Vec<String> {
    let asker = Asker {
        person: Some(person),
        unit: None,
    };
    visibility::principals(app, asker)
}

/// What waits for a person, counted by step.
///
/// # Errors
/// The database refused.
pub async fn inbox_groups(app: &App, person: &str) -> Result<Vec<InboxGroup>, Problem> {
    app.store()
        .inbox_groups(&candidates(app, person))
        .await
        .map_err(Problem::from)
}

/// A decision in the list of what a person has done.
#[derive(Debug, Clone)]
pub struct DoneEntry {
    /// The case.
    pub instance: String,
    /// The item.
    pub n: i64,
    /// The item's title.
    pub title: String,
    /// The case's title.
    pub case_title: String,
    /// The case's number.
    pub case_number: String,
    /// What was said.
    pub act: String,
    /// When.
    pub at_ms: i64,
}

/// Lists what a person has decided, newest first.
///
/// # Errors
/// The database refused.
pub async fn done(
    app: &App,
    person: &str,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<DoneEntry>, Option<String>), Problem> {
    let before = place.map_or((i64::MAX, String::new()), |place| (place.at_ms, place.id));
    let rows = app
        .store()
        .decisions_of_person(person, (before.0, &before.1), limit + 1)
        .await
        .map_err(Problem::from)?;
    let (rows, next) = cut(rows, limit, |row| Place {
        at_ms: row.at_ms,
        id: row.instance_id.clone(),
        n: 0,
    });
    let ids: Vec<&str> = rows.iter().map(|row| row.instance_id.as_str()).collect();
    let heads = app
        .store()
        .instance_heads(&ids)
        .await
        .map_err(Problem::from)?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        let head = heads.iter().find(|head| head.id == row.instance_id);
        let item = app
            .store()
            .work_item(&row.instance_id, row.n)
            .await
            .map_err(Problem::from)?;
        entries.push(DoneEntry {
            instance: row.instance_id.clone(),
            n: row.n,
            title: item.map(|item| item.title).unwrap_or_default(),
            case_title: head.and_then(|head| head.title.clone()).unwrap_or_default(),
            case_number: head
                .and_then(|head| head.number.clone())
                .unwrap_or_default(),
            act: row.act.clone(),
            at_ms: row.at_ms,
        });
    }
    Ok((entries, next))
}

/// A mail of the demonstration as it is sent.
///
/// # Errors
/// 404 when there is none, and on every site that is no demonstration.
pub async fn mail(app: &App, id: &str) -> Result<Message, Problem> {
    if !app.site.demo || id.len() > 64 {
        return Err(Problem::not_found());
    }
    Ok(app.runtime.mail(id).await?)
}

/// What happened to a task, with whole words instead of the short names of storage.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadableEntry<'a> {
    task: &'a str,
    kind: &'a str,
    status: serde_json::Value,
    attempt: u32,
    began_ms: Option<i64>,
    ended_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<serde_json::Value>,
    reused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// Entries of a history for readers. Outputs are left out: they may hold what this reader may not see.
pub fn readable_entries(entries: &[Entry]) -> Vec<ReadableEntry<'_>> {
    entries
        .iter()
        .map(|entry| ReadableEntry {
            task: &entry.task,
            kind: &entry.kind,
            status: serde_json::to_value(entry.status).unwrap_or_default(),
            attempt: entry.attempt,
            began_ms: entry.began_ms,
            ended_ms: entry.ended_ms,
            error: entry
                .error
                .as_ref()
                .and_then(|error| serde_json::to_value(error).ok()),
            reused: entry.reused,
            note: entry.note.as_deref(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_workflows_by_pack_or_alone() {
        assert!(covers("*", "sharing/apply"));
        assert!(covers("sharing/*", "sharing/apply"));
        assert!(!covers("sharing/*", "sharingx/apply"));
        assert!(covers("sharing/apply", "sharing/apply"));
        assert!(!covers("sharing/app", "sharing/apply"));
    }
}
