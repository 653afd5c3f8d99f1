//! Applications that people have begun to fill in: kept for their person alone, one for each process,
//! until they are sent, thrown away, or left alone for three months.

use serde_json::Value as Json;
use tongban_store::{Change, DraftGone, DraftRow, Outcome};

use crate::app::App;
use crate::problem::Problem;

/// The most drafts that one person's list shows.
const LISTED_MAX: i64 = 100;

/// Whose draft of what.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The person.
    pub person: &'a str,
    /// The workflow, `namespace/name`.
    pub workflow: &'a str,
    /// The number of the case that the new one would follow.
    pub follows: Option<&'a str>,
}

/// Something that was begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The workflow.
    pub workflow: String,
    /// The number of the case that the new one would follow.
    pub follows: Option<String>,
    /// What is filled in.
    pub data: Json,
    /// When it was saved.
    pub saved_at_ms: i64,
}

impl From<DraftRow> for Draft {
    fn from(row: DraftRow) -> Self {
        Self {
            workflow: row.workflow,
            follows: Some(row.follows).filter(|number| !number.is_empty()),
            // What could not be read any more would stand in the way of beginning anew.
            data: serde_json::from_str(&row.body).unwrap_or_default(),
            saved_at_ms: row.saved_at_ms,
        }
    }
}

/// A person's draft at a place.
///
/// # Errors
/// The database refused.
pub async fn one(app: &App, place: Place<'_>) -> Result<Option<Draft>, Problem> {
    let follows = place.follows.unwrap_or_default();
    let found = app.store().draft(place.person, place.workflow, follows);
    Ok(found.await.map_err(Problem::from)?.map(Draft::from))
}

/// All drafts of a person, newest first.
///
/// # Errors
/// The database refused.
pub async fn all(app: &App, person: &str) -> Result<Vec<Draft>, Problem> {
    let found = app.store().drafts(person, LISTED_MAX).await;
    let found = found.map_err(Problem::from)?;
    Ok(found.into_iter().map(Draft::from).collect())
}

/// Keeps what is filled in; what was kept at the place before is replaced.
///
/// # Errors
/// The database refused.
pub async fn save(app: &App, place: Place<'_>, data: &Json) -> Result<i64, Problem> {
    let now_ms = app.now_ms();
    let mut change = Change::without_instance(now_ms);
    change.add(DraftRow {
        person_id: place.person.to_owned(),
        workflow: place.workflow.to_owned(),
        follows: place.follows.unwrap_or_default().to_owned(),
        body: data.to_string(),
        saved_at_ms: now_ms,
    });
    commit(app, change).await?;
    Ok(now_ms)
}

/// Throws a draft away.
///
/// # Errors
/// The database refused.
pub async fn remove(app: &App, place: Place<'_>) -> Result<(), Problem> {
    let mut change = Change::without_instance(app.now_ms());
    change.add(DraftGone {
        person_id: place.person.to_owned(),
        workflow: place.workflow.to_owned(),
        follows: place.follows.unwrap_or_default().to_owned(),
    });
    commit(app, change).await
}

async fn commit(app: &App, change: Change) -> Result<(), Problem> {
    let kept = app.store().commit_one(change).await;
    match kept.map_err(Problem::from)? {
        Outcome::Committed { .. } => Ok(()),
        other => Err(Problem::internal(format!(
            "a draft was not taken: {other:?}"
        ))),
    }
}
