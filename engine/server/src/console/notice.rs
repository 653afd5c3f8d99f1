//! Public notices (公示): those that stand, and the page of one with its text, until when it stands, and the way to
//! object. Nothing else of the case is on it, so that everybody who is signed in may read it while it stands; afterwards
//! it says that it is over.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::frame::{Frame, faulty_page, page as render};
use super::inbox::encoded;
use super::start_list::title_of;
use super::time::{self, Due};
use crate::api::cursor::{LIMIT_DEFAULT, Place};
use crate::app::App;
use crate::language::{InWords, Language};
use crate::notices::{self, Found, NoticeEntry};
use crate::problem::Problem;
use crate::security::account::SignedIn;
use crate::security::identity::{Officer, Visitor};
use crate::visibility::{self, Startable};
use crate::words::fill;

/// Which notices.
#[derive(Deserialize)]
pub struct NoticesQuery {
    /// A part of a title or number.
    #[serde(default)]
    text: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    frame: Frame,
    text: String,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    title: String,
    number: String,
    unit: String,
    workflow: String,
    period: String,
    due: Option<Due>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    frame: Frame,
    title: String,
    number: String,
    period: String,
    /// The text; gone with the notice for who does not see its case.
    text: Option<String>,
    open: bool,
    /// Where the visitor objects, and what the process of objecting is called.
    objection: Option<(String, String)>,
}

/// Lists the notices that stand.
pub async fn list(
    State(app): State<App>,
    visitor: Visitor,
    _officer: Officer,
    Query(query): Query<NoticesQuery>,
) -> Result<Response, Problem> {
    let text = query.text.trim();
    let place = Place::read(Some(&query.cursor))?;
    let (entries, next) = notices::open(&app, text, place, LIMIT_DEFAULT).await?;
    let views = app.runtime.workflows().await?;
    let language = visitor.language;
    let shown = entries.into_iter().map(|entry| {
        let view = views.iter().find(|view| view.workflow == entry.workflow);
        let workflow = view.map(|view| title_of(view, language));
        row(&app, entry, workflow.unwrap_or_default(), language)
    });
    render(&NoticesPage {
        frame: Frame::new(&app, &visitor, "notices"),
        rows: shown.collect(),
        next: next.map(|cursor| format!("/notices?text={}&cursor={cursor}", encoded(text))),
        text: text.to_owned(),
    })
}

fn row(app: &App, entry: NoticeEntry, workflow: String, language: Language) -> Row {
    let unit = entry.unit.map(|unit| app.unit_name(&unit, language));
    Row {
        period: period(&entry.from, &entry.to, language),
        id: entry.id,
        title: entry.title,
        number: entry.number.unwrap_or_default(),
        unit: unit.unwrap_or_default(),
        workflow,
        due: time::due(app, Some(entry.due_at_ms), false, language),
    }
}

fn period(from: &str, to: &str, language: Language) -> String {
    fill(
        language.words().notice_period,
        &[("from", from), ("to", to)],
    )
}

/// Shows a notice. Of one that is over those who do not see its case learn that, and no more.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = Found::of(&app, &id).await?;
    let (language, notice) = (visitor.language, &found.notice);
    let shown = notice.open || visibility::sees(&app, signed_in.asker(), &found.head).await?;
    let text = match shown {
        true => Some(found.text(&app, language).await?),
        false => None,
    };
    let page = NoticePage {
        frame: Frame::new(&app, &visitor, "notices"),
        number: found.head.number.clone().unwrap_or_default(),
        period: period(&notice.from, &notice.to, language),
        open: notice.open,
        objection: objection(&app, &signed_in, &found, language).await?,
        title: match shown {
            true => notice.title.clone(),
            false => language.words().notice_over.to_owned(),
        },
        text,
    };
    match shown {
        true => render(&page),
        false => faulty_page(StatusCode::GONE, &page),
    }
}

async fn objection(
    app: &App,
    signed_in: &SignedIn,
    found: &Found,
    language: Language,
) -> Result<Option<(String, String)>, Problem> {
    let notice = &found.notice;
    let (Some(workflow), Some(number), true) =
        (&notice.objections, &found.head.number, notice.open)
    else {
        return Ok(None);
    };
    let startable = visibility::may_follow(app, signed_in.asker(), workflow, number).await?;
    if startable != Startable::Yes {
        return Ok(None);
    }
    let views = app.runtime.workflows().await?;
    let view = views.iter().find(|view| view.workflow == *workflow);
    Ok(view.map(|view| {
        let address = format!("/start/{workflow}?link={number}");
        (address, title_of(view, language))
    }))
}
