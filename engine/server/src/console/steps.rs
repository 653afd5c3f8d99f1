//! What happened to the tasks of a case, page by page: the record for whoever checks the machine.

use std::collections::HashMap;

use tongban_core::RecordStatus;
use tongban_runtime::CaseView;
use tongban_runtime::history::{Entry, Page};

use super::{time, timeline};
use crate::api::body::json;
use crate::app::App;
use crate::language::{InWords, Language};
use crate::problem::Problem;
use crate::veil::Veil;
use crate::words::Words;

/// Activations on one page.
const PAGE: i64 = 50;
/// The step before the first one, which stands for the applicant.
const APPLICANT: &str = "@applicant";

/// What happened to a task.
pub struct Step {
    /// When.
    pub at: String,
    /// Who caused it.
    pub actor: String,
    /// The task.
    pub title: String,
    /// What happened.
    pub status: &'static str,
    /// The error, or what else was noted.
    pub note: String,
}

/// One page of what happened to tasks, and where the next one begins.
///
/// # Errors
/// The database refused.
pub async fn of_case(
    app: &App,
    id: &str,
    after: i64,
    (titles, veil): (&HashMap<String, String>, &Veil),
    language: Language,
) -> Result<(Vec<Step>, Option<String>), Problem> {
    let rows = app.store().history(id, after, PAGE + 1).await;
    let mut rows = rows.map_err(Problem::internal)?;
    let more = rows.len() as i64 > PAGE;
    rows.truncate(PAGE as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| format!("/cases/{id}?after={}#history", row.version));
    let mut steps = Vec::new();
    for row in rows {
        let page: Page = serde_json::from_str(&row.body).unwrap_or_default();
        let actor = row.actor.as_deref().map_or_else(String::new, |actor| {
            timeline::name_of(app, actor, language.words())
        });
        for entry in page.entries.iter().filter(|entry| !entry.task.is_empty()) {
            let at_ms = entry.ended_ms.or(entry.began_ms).unwrap_or(row.at_ms);
            steps.push(Step {
                at: time::moment(&app.site.zone, at_ms),
                actor: actor.clone(),
                title: title(entry, titles, language.words()),
                status: status(entry, language.words()),
                note: timeline::veiled(note(app, entry, language.words()), veil),
            });
        }
    }
    Ok((steps, next))
}

/// The title of the step with which a case ended.
///
/// # Errors
/// The database refused.
pub async fn ending(
    app: &App,
    case: &CaseView,
    titles: &HashMap<String, String>,
) -> Result<Option<String>, Problem> {
    let id = case.instance.id();
    let rows = app.store().history(id, case.version - 2, 4).await;
    let rows = rows.map_err(Problem::internal)?;
    let pages = rows
        .iter()
        .filter_map(|row| serde_json::from_str::<Page>(&row.body).ok());
    let entries: Vec<Entry> = pages.flat_map(|page| page.entries).collect();
    let last = entries
        .iter()
        .rev()
        .find(|entry| !entry.task.is_empty() && entry.status == RecordStatus::Completed);
    Ok(last.and_then(|entry| titles.get(&without_iterations(&entry.task)).cloned()))
}

fn title(entry: &Entry, titles: &HashMap<String, String>, words: &'static Words) -> String {
    if entry.task == APPLICANT {
        return words.task_resubmit.to_owned();
    }
    // Iterations of a loop share their task's title.
    let plain = without_iterations(&entry.task);
    titles.get(&plain).cloned().unwrap_or(plain)
}

/// A place without its iterations.
fn without_iterations(place: &str) -> String {
    let mut plain = String::with_capacity(place.len());
    let mut inside = false;
    for letter in place.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ if !inside => plain.push(letter),
            _ => {}
        }
    }
    plain
}

fn status(entry: &Entry, words: &'static Words) -> &'static str {
    match entry.status {
        RecordStatus::Completed => words.mark_done,
        RecordStatus::Started | RecordStatus::Retried => words.mark_began,
        RecordStatus::Faulted => words.mark_failed,
        RecordStatus::Jumped => words.mark_returned,
        _ => words.mark_skipped,
    }
}

/// The error in full, or what is noted; who is noted stands with the name.
fn note(app: &App, entry: &Entry, words: &'static Words) -> String {
    if let Some(error) = &entry.error {
        let error = json(error);
        let text = |name: &str| error.get(name).and_then(serde_json::Value::as_str);
        let parts = [text("title"), text("detail")].into_iter().flatten();
        return parts.collect::<Vec<_>>().join(" · ");
    }
    let note = entry.note.as_deref().unwrap_or_default();
    match note.split_once(": ") {
        Some((person, said)) if app.organisation().person(person).is_some() => {
            format!("{}{}{said}", app.name_of(person), words.colon)
        }
        _ => app.name_of(note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterations_share_their_tasks_title() {
        assert_eq!(without_iterations("each[3]/ask"), "each/ask");
        assert_eq!(without_iterations("ask"), "ask");
    }
}
