//! Lists of cases: one's own, and all that one may see.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use tongban_store::InstanceRow;

use super::frame::{Frame, page as render};
use super::inbox::encoded;
use super::time;
use crate::api::cursor::{LIMIT_DEFAULT, Place};
use crate::app::App;
use crate::language::{InWords, Language};
use crate::lists::{self, CaseFilter};
use crate::problem::Problem;
use crate::security::identity::{Officer, Visitor};
use crate::words::Words;

/// Which cases.
#[derive(Deserialize)]
pub struct CasesQuery {
    #[serde(default)]
    tab: String,
    #[serde(default)]
    status: String,
    /// A part of a title or number.
    #[serde(default)]
    text: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    frame: Frame,
    all_tab: bool,
    status: String,
    statuses: Vec<(&'static str, &'static str)>,
    text: String,
    /// Whether the list is narrowed down.
    narrowed: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    title: String,
    number: String,
    unit: String,
    started: String,
    status: String,
    status_text: String,
}

/// The status of a case in words; an author's own word for the end stays as it is.
pub fn status_text(status: &str, words: &'static Words) -> String {
    match status {
        "running" => words.status_running,
        "waiting" => words.status_waiting,
        "suspended" => words.status_suspended,
        "completed" => words.status_completed,
        "faulted" => words.status_faulted,
        "cancelled" => words.status_cancelled,
        other => return other.to_owned(),
    }
    .to_owned()
}

/// The public word for where a case stands. It is the author's own; those that everybody uses have an English one.
pub fn state_text(state: &str, language: Language) -> String {
    let english = match state {
        "待提交" => "Not sent yet",
        "待受理" => "Waiting to be accepted",
        "补正中" => "Being corrected",
        "办理中" => "In progress",
        "公示中" => "Public notice",
        "已办结" => "Finished",
        "不予受理" => "Not accepted",
        "不予许可" => "Not granted",
        "已撤回" => "Withdrawn",
        own => own,
    };
    match language {
        Language::Chinese => state.to_owned(),
        Language::English => english.to_owned(),
    }
}

/// Shows the list.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Query(query): Query<CasesQuery>,
) -> Result<Response, Problem> {
    let words = visitor.language.words();
    let all_tab = query.tab == "all";
    let statuses = vec![
        ("", words.any_status),
        ("running", words.status_running),
        ("completed", words.status_completed),
        ("suspended", words.status_suspended),
        ("faulted", words.status_faulted),
        ("cancelled", words.status_cancelled),
    ];
    let status = Some(query.status.as_str())
        .filter(|status| statuses.iter().any(|(known, _)| known == status))
        .unwrap_or_default();
    let filter = CaseFilter {
        workflow: None,
        status: Some(status.to_owned()).filter(|status| !status.is_empty()),
        starter: (!all_tab).then(|| signed_in.person.clone()),
        text: query.text.trim().to_owned(),
    };
    let place = Place::read(Some(&query.cursor))?;
    let (rows, next) = lists::cases(&app, signed_in.asker(), &filter, place, LIMIT_DEFAULT).await?;
    let tab = if all_tab { "all" } else { "" };
    render(&CasesPage {
        frame: Frame::new(&app, &visitor, "cases"),
        all_tab,
        status: status.to_owned(),
        statuses,
        rows: rows
            .into_iter()
            .map(|row| shown(&app, row, visitor.language))
            .collect(),
        next: next.map(|cursor| {
            let text = encoded(&filter.text);
            format!("/cases?tab={tab}&status={status}&text={text}&cursor={cursor}")
        }),
        narrowed: !status.is_empty() || !filter.text.is_empty(),
        text: filter.text,
    })
}

fn shown(app: &App, row: InstanceRow, language: Language) -> Row {
    Row {
        title: row.title.unwrap_or(row.workflow),
        number: row.number.unwrap_or_default(),
        unit: row
            .unit_id
            .map(|unit| app.unit_name(&unit, language))
            .unwrap_or_default(),
        started: time::moment(&app.site.zone, row.started_at_ms),
        status_text: status_text(&row.status, language.words()),
        status: row.status,
        id: row.id,
    }
}
