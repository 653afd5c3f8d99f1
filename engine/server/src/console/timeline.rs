//! Who said what, in the order in which it was said: the record of a case as people read it.

use std::collections::HashMap;

use tongban_runtime::CaseView;
use tongban_store::DecisionRow;
use tongban_work::{Item, Kind};

use super::{outline, time};
use crate::app::App;
use crate::language::{InWords, Language};
use crate::problem::Problem;
use crate::veil::Veil;
use crate::visibility::Asker;
use crate::words::{Words, fill};

/// One entry of the record.
pub struct Said {
    /// When.
    pub at: String,
    /// Who.
    pub name: String,
    /// The unit for which it was said.
    pub unit: String,
    /// For whom, in words.
    pub behalf: Option<String>,
    /// At which step.
    pub task: String,
    /// What.
    pub act: String,
    /// The reason's title.
    pub reason: Option<String>,
    /// The opinion.
    pub comment: Option<String>,
    /// Whether it was kept from an earlier round.
    pub kept: bool,
}

/// The record of a case as somebody may read it: what signers say to one another is not for who applied.
///
/// # Errors
/// The database refused.
pub async fn of_case(
    app: &App,
    case: &CaseView,
    asker: Asker<'_>,
    language: Language,
) -> Result<Vec<Said>, Problem> {
    let rows = app.store().decisions(case.instance.id()).await;
    let mut rows = rows.map_err(Problem::internal)?;
    let applicant = asker
        .person
        .filter(|person| *person == case.head.starter.user);
    if let Some(person) = applicant {
        for row in &mut rows {
            let hears = u32::try_from(row.n).is_ok_and(|n| case.hears(n, person));
            // A request to correct is said to the applicant, and so is a return to him: it opened his item.
            let to_applicant = match row.act.as_str() {
                "return" => case
                    .desk
                    .items()
                    .iter()
                    .any(|item| item.kind == Kind::Resubmit && item.opened_ms == row.at_ms),
                act => act == "correct",
            };
            if !hears && !to_applicant && row.person_id != person {
                row.comment = None;
            }
        }
    }
    Ok(told(app, case, rows, language))
}

/// The record of one item of a case.
///
/// # Errors
/// The database refused.
pub async fn of_item(
    app: &App,
    case: &CaseView,
    n: u32,
    language: Language,
) -> Result<Vec<Said>, Problem> {
    let rows = app.store().decisions(case.instance.id()).await;
    let mut rows = rows.map_err(Problem::internal)?;
    rows.retain(|row| row.n == i64::from(n));
    Ok(told(app, case, rows, language))
}

fn told(app: &App, case: &CaseView, rows: Vec<DecisionRow>, language: Language) -> Vec<Said> {
    let titles = outline::titles(case, language);
    let said = |row: &DecisionRow| {
        let item = u32::try_from(row.n).ok().and_then(|n| case.desk.item(n));
        Said {
            at: time::moment(&app.site.zone, row.at_ms),
            name: name_of(app, &row.person_id, language.words()),
            unit: unit_of(app, item, row, language),
            behalf: row
                .for_id
                .as_ref()
                .map(|whom| fill(language.words().on_behalf, &[("name", &app.name_of(whom))])),
            task: item.map_or_else(String::new, |item| step_title(item, &titles, language)),
            act: act_title(item, &row.act, language),
            reason: reason(case, row, language),
            comment: row.comment.clone(),
            kept: row.kept_from.is_some(),
        }
    };
    rows.iter().map(said).collect()
}

/// A text without what the form masks for this reader.
pub fn veiled(text: String, veil: &Veil) -> String {
    match veil.told(serde_json::Value::String(text)) {
        serde_json::Value::String(text) => text,
        _ => String::new(),
    }
}

/// The record without what the form masks for this reader.
pub fn covered(mut said: Vec<Said>, veil: &Veil) -> Vec<Said> {
    for row in &mut said {
        row.comment = row.comment.take().map(|comment| veiled(comment, veil));
    }
    said
}

/// A person's name; a deadline and a rule of the author are the system.
pub fn name_of(app: &App, person: &str, words: &'static Words) -> String {
    match person {
        "system" | "timer" => words.by_machine.to_owned(),
        person => app.name_of(person),
    }
}

/// The title of what an item asks, in the reader's language where its author gave one.
pub fn step_title(item: &Item, titles: &HashMap<String, String>, language: Language) -> String {
    if let Some(own) = own_title(item.kind.word(), language.words()) {
        return own.to_owned();
    }
    let translated = titles
        .get(&item.path)
        .filter(|_| language == Language::English);
    translated.unwrap_or(&item.title).clone()
}

/// The title of an item of a kind that no author titles.
pub fn own_title(kind: &str, words: &'static Words) -> Option<&'static str> {
    match kind {
        "resubmit" => Some(words.task_resubmit),
        "correct" => Some(words.task_correct),
        _ => None,
    }
}

/// What was said: an outcome's title, or the word for an act that is none.
pub fn act_title(item: Option<&Item>, act: &str, language: Language) -> String {
    let words = language.words();
    let outcome = item
        .filter(|item| matches!(item.kind, Kind::Approve | Kind::Collect))
        .and_then(|item| item.spec.outcome(act));
    if let Some(outcome) = outcome {
        return match (&outcome.title_en, language) {
            (Some(english), Language::English) => english.clone(),
            _ => outcome.title.clone(),
        };
    }
    act_word(act, words).map_or_else(|| act.to_owned(), str::to_owned)
}

/// The word for an act that is no outcome of a step.
pub fn act_word(act: &str, words: &'static Words) -> Option<&'static str> {
    Some(match act {
        "return" => words.said_return,
        "correct" => words.said_correct,
        "resubmitted" => words.said_resubmitted,
        "corrected" => words.said_corrected,
        "opinion" => words.said_opinion,
        "withdrawn" => words.said_withdrawn,
        "submitted" => words.said_submitted,
        "approved" => words.outcome_approved,
        "rejected" => words.outcome_rejected,
        _ => return None,
    })
}

fn unit_of(app: &App, item: Option<&Item>, row: &DecisionRow, language: Language) -> String {
    let decided = item.and_then(|item| {
        let all = item.decisions.iter().chain(&item.former);
        all.filter(|one| one.signer == row.signer_id)
            .find_map(|one| one.unit.clone())
    });
    let own = || {
        let organisation = app.organisation();
        organisation
            .person(&row.person_id)
            .and_then(|person| person.unit.clone())
    };
    decided
        .or_else(own)
        .map(|unit| app.unit_name(&unit, language))
        .unwrap_or_default()
}

/// The title of the reason's code, from the list that the step named.
fn reason(case: &CaseView, row: &DecisionRow, language: Language) -> Option<String> {
    let form: serde_json::Value = serde_json::from_str(row.form.as_deref()?).ok()?;
    let code = form.get("reason")?.as_str()?;
    let item = case.desk.item(u32::try_from(row.n).ok()?)?;
    let list = item.spec.reasons.get(&row.act)?;
    let titles = case.codes(list, language.tag()).unwrap_or_default();
    let found = titles.into_iter().find(|(known, _)| known == code);
    Some(found.map_or_else(|| code.to_owned(), |(_, title)| title))
}
