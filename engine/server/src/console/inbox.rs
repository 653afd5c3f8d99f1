//! The inbox: what waits for a person, and what the person has done.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::frame::{Frame, page as render};
use super::time::{self, Due};
use super::{outline, timeline};
use crate::api::cursor::{LIMIT_DEFAULT, Place};
use crate::app::App;
use crate::language::Language;
use crate::lists;
use crate::problem::Problem;
use crate::security::identity::{Officer, Visitor};
use crate::words::fill;

/// Which part of the inbox.
#[derive(Deserialize)]
pub struct InboxQuery {
    #[serde(default)]
    tab: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    frame: Frame,
    done_tab: bool,
    count: String,
    waiting: Vec<Waiting>,
    done: Vec<Done>,
    next: Option<String>,
}

struct Waiting {
    address: String,
    title: String,
    number: String,
    task: String,
    received: String,
    due: Option<Due>,
    card: Option<Card>,
    claimed: Option<String>,
}

struct Done {
    address: String,
    title: String,
    number: String,
    task: String,
    act: String,
    at: String,
}

/// A card with its sign in words.
pub struct Card {
    /// `blue`, `yellow` or `red`.
    pub colour: String,
    /// The words.
    pub text: &'static str,
}

/// Words a card.
pub fn card(colour: Option<&str>, words: &'static crate::words::Words) -> Option<Card> {
    let text = match colour? {
        "blue" => words.card_blue,
        "yellow" => words.card_yellow,
        "red" => words.card_red,
        _ => return None,
    };
    Some(Card {
        colour: colour.unwrap_or_default().to_owned(),
        text,
    })
}

/// Shows the inbox.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Query(query): Query<InboxQuery>,
) -> Result<Response, Problem> {
    let done_tab = query.tab == "done";
    let place = Place::read(Some(&query.cursor))?;
    let words = visitor.language.words();
    let count = lists::inbox_count(&app, &signed_in.person).await?;
    let mut page = InboxPage {
        frame: Frame::new(&app, &visitor, "inbox"),
        done_tab,
        count: fill(words.to_do_count, &[("n", &count.to_string())]),
        waiting: Vec::new(),
        done: Vec::new(),
        next: None,
    };
    if done_tab {
        let (rows, next) = lists::done(&app, &signed_in.person, place, LIMIT_DEFAULT).await?;
        page.next = next.map(|cursor| format!("/inbox?tab=done&cursor={cursor}"));
        for row in rows {
            page.done.push(done(&app, row, visitor.language).await);
        }
    } else {
        let (rows, next) = lists::inbox(&app, &signed_in.person, place, LIMIT_DEFAULT).await?;
        page.next = next.map(|cursor| format!("/inbox?cursor={cursor}"));
        for row in rows {
            page.waiting.push(Waiting {
                task: task(&app, &row, visitor.language).await,
                address: format!("/items/{}/{}", row.instance, row.n),
                title: if row.case_title.is_empty() {
                    row.workflow
                } else {
                    row.case_title
                },
                number: row.case_number,
                received: time::moment(&app.site.zone, row.opened_at_ms),
                due: time::due(&app, row.due_at_ms, false, visitor.language),
                card: card(row.card.as_deref(), words),
                claimed: row
                    .claimed
                    .map(|person| fill(words.claimed_by, &[("name", &app.name_of(&person))])),
            });
        }
    }
    render(&page)
}

/// What is asked, in the reader's language: titles are stored as their author wrote them.
async fn task(app: &App, row: &lists::ItemEntry, language: Language) -> String {
    if let Some(own) = timeline::own_title(&row.kind, language.words()) {
        return own.to_owned();
    }
    let translated = async {
        let case = app.runtime.case(&row.instance).await.ok()?;
        let item = case.desk.item(u32::try_from(row.n).ok()?)?;
        let titles = outline::titles(&case, language);
        Some(timeline::step_title(item, &titles, language))
    };
    match language {
        Language::Chinese => row.title.clone(),
        Language::English => translated.await.unwrap_or_else(|| row.title.clone()),
    }
}

/// What a person did, in the words of the step; what cannot be looked up stays as it was stored.
async fn done(app: &App, row: lists::DoneEntry, language: Language) -> Done {
    let case = app.runtime.case(&row.instance).await.ok();
    let item = case.as_ref().and_then(|case| {
        let n = u32::try_from(row.n).ok()?;
        case.desk.item(n)
    });
    let titles = case
        .as_ref()
        .map(|case| outline::titles(case, language))
        .unwrap_or_default();
    Done {
        address: format!("/items/{}/{}", row.instance, row.n),
        title: row.case_title,
        number: row.case_number,
        task: item.map_or(row.title, |item| {
            timeline::step_title(item, &titles, language)
        }),
        act: timeline::act_title(item, &row.act, language),
        at: time::moment(&app.site.zone, row.at_ms),
    }
}
