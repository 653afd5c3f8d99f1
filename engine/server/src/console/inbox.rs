//! The inbox: what waits for a person, and what the person has done.

use std::fmt::Write as _;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use tongban_store::{InboxFilter, InboxGroup};

use super::frame::{Frame, page as render};
use super::time::{self, Due};
use super::{outline, timeline};
use crate::api::cursor::{LIMIT_DEFAULT, Place};
use crate::app::App;
use crate::language::{InWords, Language};
use crate::lists;
use crate::problem::Problem;
use crate::security::identity::{Officer, Visitor};
use crate::words::fill;

/// The most steps that the list offers to choose from.
const STEPS_MAX: usize = 50;

/// Which part of the inbox.
#[derive(Deserialize)]
pub struct InboxQuery {
    #[serde(default)]
    tab: String,
    #[serde(default)]
    cursor: String,
    /// One step, `namespace/name:title`.
    #[serde(default)]
    step: String,
    /// A part of a title or number.
    #[serde(default)]
    text: String,
    /// `all` marks every item of the page.
    #[serde(default)]
    marked: String,
}

impl InboxQuery {
    fn filter(&self) -> InboxFilter {
        let (workflow, title) = self.step.split_once(':').unwrap_or_default();
        InboxFilter {
            workflow: workflow.to_owned(),
            title: title.to_owned(),
            text: self.text.trim().to_owned(),
        }
    }

    /// The page's address with another cursor, or with everything marked.
    fn address(&self, name: &str, value: &str) -> String {
        format!(
            "/inbox?step={}&text={}&{name}={value}",
            encoded(&self.step),
            encoded(self.text.trim())
        )
    }
}

/// A text as a value of a query.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    frame: Frame,
    done_tab: bool,
    count: String,
    /// The steps at which something waits: what is posted, what people read.
    steps: Vec<(String, String)>,
    step: String,
    text: String,
    /// Whether the list is narrowed down.
    narrowed: bool,
    /// Whether every item is marked.
    marked: bool,
    mark_all: String,
    /// Whether there is anything to handle together.
    several: bool,
    waiting: Vec<Waiting>,
    done: Vec<Done>,
    next: Option<String>,
}

struct Waiting {
    address: String,
    /// What is posted when it is marked; only decisions can be made together.
    item: Option<String>,
    title: String,
    number: String,
    task: String,
    /// Who applies, and for which unit.
    from: String,
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
    let place = Place::read(Some(&query.cursor))?;
    let person = &signed_in.person;
    let words = visitor.language.words();
    let groups = lists::inbox_groups(&app, person).await?;
    let all: i64 = groups.iter().map(|group| group.items).sum();
    let mut page = InboxPage {
        frame: Frame::new(&app, &visitor, "inbox"),
        done_tab: query.tab == "done",
        count: fill(words.to_do_count, &[("n", &all.to_string())]),
        steps: Vec::new(),
        narrowed: !query.step.is_empty() || !query.text.trim().is_empty(),
        marked: query.marked == "all",
        mark_all: query.address("marked", "all"),
        several: false,
        waiting: Vec::new(),
        done: Vec::new(),
        next: None,
        step: query.step.clone(),
        text: query.text.trim().to_owned(),
    };
    if page.done_tab {
        let (rows, next) = lists::done(&app, person, place, LIMIT_DEFAULT).await?;
        page.next = next.map(|cursor| format!("/inbox?tab=done&cursor={cursor}"));
        for row in rows {
            page.done.push(done(&app, row, visitor.language).await);
        }
        return render(&page);
    }
    page.steps = steps(&app, groups, visitor.language).await;
    let (rows, next) = lists::inbox(&app, person, &query.filter(), place, LIMIT_DEFAULT).await?;
    page.next = next.map(|cursor| query.address("cursor", &cursor));
    for row in rows {
        page.waiting
            .push(waiting(&app, row, visitor.language).await);
    }
    let together = page.waiting.iter().filter(|row| row.item.is_some());
    page.several = together.count() > 1;
    render(&page)
}

/// The steps at which something waits, with how much it is.
async fn steps(app: &App, groups: Vec<InboxGroup>, language: Language) -> Vec<(String, String)> {
    let mut steps = Vec::with_capacity(groups.len());
    for group in groups.into_iter().take(STEPS_MAX) {
        let case = app.runtime.case(&group.instance_id).await.ok();
        let item = case.as_ref().and_then(|case| {
            let mut items = case.desk.items().iter();
            items.find(|item| item.title == group.title && item.kind.word() == group.kind)
        });
        let task = match (&case, item) {
            (Some(case), Some(item)) => {
                timeline::step_title(item, &outline::titles(case, language), language)
            }
            _ => group.title.clone(),
        };
        let workflow = case.as_ref().map_or_else(
            || group.workflow.clone(),
            |case| outline::workflow_title(&case.definition, language),
        );
        steps.push((
            format!("{}:{}", group.workflow, group.title),
            format!("{task} · {workflow} ({})", group.items),
        ));
    }
    steps
}

async fn waiting(app: &App, row: lists::ItemEntry, language: Language) -> Waiting {
    let words = language.words();
    let item = format!("{}.{}.{}", row.instance, row.n, row.round);
    Waiting {
        task: task(app, &row, language).await,
        from: applicant(app, &row, language),
        address: format!("/items/{}/{}", row.instance, row.n),
        item: Some(item).filter(|_| row.kind == "approve"),
        title: if row.case_title.is_empty() {
            row.workflow
        } else {
            row.case_title
        },
        number: row.case_number,
        received: time::moment(&app.site.zone, row.opened_at_ms),
        due: time::due(app, row.due_at_ms, false, language),
        card: card(row.card.as_deref(), words),
        claimed: row
            .claimed
            .map(|person| fill(words.claimed_by, &[("name", &app.name_of(&person))])),
    }
}

/// Who applies, and for which unit.
fn applicant(app: &App, row: &lists::ItemEntry, language: Language) -> String {
    let person = row.starter.as_deref().map(|person| app.name_of(person));
    let unit = row.unit.as_deref();
    let unit = unit.map(|unit| app.unit_name(unit, language));
    let known: Vec<String> = person.into_iter().chain(unit).collect();
    known.join(" · ")
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
