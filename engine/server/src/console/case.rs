//! The page of a case: where it stands, what was said, its clocks, its diagram and what may be done.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value as Json;
use tongban_runtime::{CaseView, Operate};
use tongban_store::{DecisionRow, InstanceRow};

use super::cases::status_text;
use super::decide::plain;
use super::frame::{Frame, page as render};
use super::inbox::{Card, card};
use super::posted::Posted;
use super::time::{self, Due};
use super::{outline, value};
use crate::api::body::json;
use crate::api::operations::checked;
use crate::app::App;
use crate::drawing::{self, PICTURE_POLICY};
use crate::form::{self, Access};
use crate::offers::{Lookup, Surroundings};
use crate::problem::Problem;
use crate::security::identity::{Officer, Visitor};
use crate::visibility::{self, Asker, may_operate};
use crate::words::{Words, fill};

/// Activations of the history on one page.
const HISTORY_PAGE: i64 = 50;

/// Which part of the history.
#[derive(Deserialize)]
pub struct CasePageQuery {
    #[serde(default)]
    after: i64,
    #[serde(default, rename = "said")]
    _said: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    id: String,
    title: String,
    number: String,
    status: String,
    status_text: String,
    facts: Vec<(&'static str, String)>,
    fault: Option<String>,
    result: Option<String>,
    own_items: Vec<OwnItem>,
    answers: String,
    outline: String,
    clocks: Vec<ClockShown>,
    said: Vec<Said>,
    steps: Vec<Step>,
    older: Option<String>,
    can_cancel: bool,
    own: bool,
    can_intervene: bool,
    suspended: bool,
}

struct OwnItem {
    address: String,
    title: String,
    open: bool,
}

struct ClockShown {
    title: String,
    due: Option<Due>,
    standing: Option<String>,
    basis: Option<String>,
    explained: Vec<String>,
    cards: Vec<Card>,
    closed: bool,
}

struct Said {
    at: String,
    name: String,
    behalf: Option<String>,
    task: String,
    act: String,
    comment: Option<String>,
    kept: bool,
}

struct Step {
    at: String,
    actor: String,
    title: String,
    status: &'static str,
    note: String,
}

#[derive(Template)]
#[template(path = "confirmation.html")]
struct ConfirmationPage {
    frame: Frame,
    id: String,
    title: String,
    number: String,
    next: String,
    due: Option<String>,
}

/// Shows a case.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
    Query(query): Query<CasePageQuery>,
) -> Result<Response, Problem> {
    let (head, case) = visibility::case(&app, signed_in.asker(), &id).await?;
    let words = visitor.language.words();
    let titles = outline::titles(&case);
    let decisions = app
        .store()
        .decisions(&id)
        .await
        .map_err(Problem::internal)?;
    let (steps, older) = steps(&app, &id, query.after, &titles, words).await?;
    let own = head.starter_id.as_deref() == Some(&signed_in.person);
    let ended = head.ended_at_ms.is_some();
    render(&CasePage {
        title: head.title.clone().unwrap_or_else(|| head.workflow.clone()),
        number: head.number.clone().unwrap_or_default(),
        status_text: case
            .state_word()
            .map_or_else(|| status_text(&head.status, words), str::to_owned),
        status: head.status.clone(),
        facts: facts(&app, &head, &case, words),
        fault: fault(&head),
        result: result(&case, words),
        own_items: own_items(&case, &signed_in.person),
        answers: answers(&app, &visitor, &case, &signed_in.person, own).await?,
        outline: outline::outline(&case, words),
        clocks: clocks(&app, &case, &visitor),
        said: decisions
            .iter()
            .map(|row| said(&app, &case, row, words))
            .collect(),
        steps,
        older,
        can_cancel: !ended && may_operate(&app, signed_in.asker(), &Operate::Cancel, &head),
        own,
        can_intervene: !ended && may_operate(&app, signed_in.asker(), &Operate::Suspend, &head),
        suspended: head.status == "suspended",
        frame: Frame::new(&app, &visitor, "cases"),
        id,
    })
}

fn facts(
    app: &App,
    head: &InstanceRow,
    case: &CaseView,
    words: &'static Words,
) -> Vec<(&'static str, String)> {
    let zone = &app.site.zone;
    let mut facts = vec![
        (
            words.starter,
            head.starter_id
                .as_deref()
                .map(|person| app.name_of(person))
                .unwrap_or_default(),
        ),
        (
            words.unit,
            head.unit_id
                .as_deref()
                .map(|unit| app.unit_name(unit))
                .unwrap_or_default(),
        ),
        (words.started, time::moment(zone, head.started_at_ms)),
    ];
    facts.extend(
        head.ended_at_ms
            .map(|ended| (words.ended, time::moment(zone, ended))),
    );
    facts.push((
        words.workflow,
        format!("{} {}", case.head.workflow, case.head.version),
    ));
    facts.retain(|(_, text)| !text.is_empty());
    facts
}

fn fault(head: &InstanceRow) -> Option<String> {
    let error: Json = serde_json::from_str(head.last_error.as_deref()?).ok()?;
    let text = |name: &str| error.get(name).and_then(Json::as_str);
    Some(
        [text("title"), text("detail"), text("instance")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · "),
    )
}

fn result(case: &CaseView, words: &'static Words) -> Option<String> {
    let output = json(&case.instance.output());
    let ended = case.instance.status().has_ended();
    (ended && !output.is_null()).then(|| value::render(&output, words))
}

fn own_items(case: &CaseView, person: &str) -> Vec<OwnItem> {
    let shown = case.desk.items().iter().filter_map(|item| {
        let view = case.item(item.n, person)?;
        let open = view
            .may
            .iter()
            .any(|word| matches!(word.as_str(), "decide" | "submit" | "resubmit"));
        Some(OwnItem {
            address: format!("/items/{}/{}", case.instance.id(), item.n),
            title: view.title,
            open,
        })
    });
    shown.collect()
}

/// The form as this viewer may read it: what a step hides from the viewer stays hidden here too.
async fn answers(
    app: &App,
    visitor: &Visitor,
    case: &CaseView,
    person: &str,
    own: bool,
) -> Result<String, Problem> {
    let Some(schema) = case.start_form_schema() else {
        return Ok(String::new());
    };
    let schema = json(&schema);
    let data = plain(case.instance.form());
    let around = Surroundings {
        workflow: &case.head.workflow,
        form: &data,
        starter: None,
        unit: case.head.starter.unit.as_deref(),
        language: visitor.language,
    };
    let lookup = Lookup::of(app, &schema, &around).await?;
    let form = form::build(&schema, &lookup);
    let asker = Asker {
        person: Some(person),
        unit: None,
    };
    let hidden = visibility::hidden_fields(case, asker);
    let access = Access::read_all().with(&[], &[], &hidden, &[]);
    let access = if own { access.unmasked() } else { access };
    Ok(form::render_read(&form, &access, &data, visitor.language))
}

fn clocks(app: &App, case: &CaseView, visitor: &Visitor) -> Vec<ClockShown> {
    let words = visitor.language.words();
    let shown = case.clocks().into_iter().map(|clock| ClockShown {
        title: clock.title.unwrap_or_else(|| {
            if clock.place.is_empty() {
                words.clocks.to_owned()
            } else {
                clock.place.clone()
            }
        }),
        due: Some(Due {
            day: clock.due,
            over: clock.overdue && !clock.closed,
            provisional: clock.provisional,
        })
        .filter(|_| clock.due_at_ms < tongban_store::NO_DUE_MS && app.now_ms() > 0),
        standing: clock
            .ground
            .map(|ground| fill(words.clock_stopped, &[("ground", &ground)])),
        basis: clock.basis,
        explained: match visitor.language {
            crate::language::Language::Chinese => clock.explained_zh,
            crate::language::Language::English => clock.explained_en,
        },
        cards: clock
            .cards
            .iter()
            .filter_map(|shown| card(Some(shown.word()), words))
            .collect(),
        closed: clock.closed,
    });
    shown.collect()
}

fn said(app: &App, case: &CaseView, row: &DecisionRow, words: &'static Words) -> Said {
    let item = u32::try_from(row.n).ok().and_then(|n| case.desk.item(n));
    let outcome = item.and_then(|item| {
        item.spec
            .outcomes
            .iter()
            .find(|outcome| outcome.name == row.act)
    });
    Said {
        at: time::moment(&app.site.zone, row.at_ms),
        name: app.name_of(&row.person_id),
        behalf: row
            .for_id
            .as_ref()
            .map(|whom| fill(words.on_behalf, &[("name", &app.name_of(whom))])),
        task: item.map(|item| item.title.clone()).unwrap_or_default(),
        act: outcome.map_or_else(|| row.act.clone(), |outcome| outcome.title.clone()),
        comment: row.comment.clone(),
        kept: row.kept_from.is_some(),
    }
}

/// One page of what happened to tasks, and where the next one begins.
async fn steps(
    app: &App,
    id: &str,
    after: i64,
    titles: &HashMap<String, String>,
    words: &'static Words,
) -> Result<(Vec<Step>, Option<String>), Problem> {
    let rows = app
        .store()
        .history(id, after, HISTORY_PAGE + 1)
        .await
        .map_err(Problem::internal)?;
    let more = rows.len() as i64 > HISTORY_PAGE;
    let rows = rows
        .into_iter()
        .take(HISTORY_PAGE as usize)
        .collect::<Vec<_>>();
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| format!("/cases/{id}?after={}#history", row.version));
    let mut steps = Vec::new();
    for row in rows {
        let page: tongban_runtime::history::Page =
            serde_json::from_str(&row.body).unwrap_or_default();
        let actor = row
            .actor
            .as_deref()
            .map(|actor| app.name_of(actor))
            .unwrap_or_default();
        for entry in page.entries.iter().filter(|entry| !entry.task.is_empty()) {
            steps.push(Step {
                at: time::moment(
                    &app.site.zone,
                    entry.ended_ms.or(entry.began_ms).unwrap_or(row.at_ms),
                ),
                actor: actor.clone(),
                title: titles
                    .get(&entry.task)
                    .cloned()
                    .unwrap_or_else(|| entry.task.clone()),
                status: step_status(entry.status, words),
                note: entry.error.as_ref().map_or_else(
                    || entry.note.clone().unwrap_or_default(),
                    |error| json(error).to_string(),
                ),
            });
        }
    }
    Ok((steps, next))
}

fn step_status(status: tongban_core::RecordStatus, words: &'static Words) -> &'static str {
    use tongban_core::RecordStatus;
    match status {
        RecordStatus::Completed => words.mark_done,
        RecordStatus::Started | RecordStatus::Retried => words.mark_doing,
        RecordStatus::Faulted => words.mark_failed,
        _ => words.mark_skipped,
    }
}

/// Shows that an application was taken: its number, what comes next, until when.
pub async fn confirmation(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (head, case) = visibility::case(&app, signed_in.asker(), &id).await?;
    let words = visitor.language.words();
    let waiting = case.desk.open_items().next().map(|item| item.title.clone());
    let next = match waiting {
        Some(task) => fill(words.next_steps, &[("task", &task)]),
        None if head.ended_at_ms.is_some() => words.next_done.to_owned(),
        None => String::new(),
    };
    let latest = case
        .clocks()
        .into_iter()
        .filter(|clock| !clock.closed)
        .max_by_key(|clock| clock.due_at_ms);
    let due = latest.map(|clock| {
        let date = fill(words.expected_by, &[("date", &clock.due)]);
        if clock.provisional {
            format!("{date}({})", words.provisional)
        } else {
            date
        }
    });
    render(&ConfirmationPage {
        title: head.title.unwrap_or(head.workflow),
        number: head.number.unwrap_or_else(|| head.id.clone()),
        next,
        due,
        frame: Frame::new(&app, &visitor, "start"),
        id,
    })
}

/// The diagram as a picture.
pub async fn diagram(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (_, case) = visibility::case(&app, signed_in.asker(), &id).await?;
    Ok((
        [
            (CONTENT_TYPE, "image/svg+xml"),
            (CONTENT_SECURITY_POLICY, PICTURE_POLICY),
        ],
        drawing::svg(&case, visitor.language),
    )
        .into_response())
}

/// Cancels, suspends or resumes a case, with a reason.
pub async fn operate(
    State(app): State<App>,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let head = visibility::head(&app, signed_in.asker(), &id).await?;
    let what = match posted.text("_act") {
        "cancel" => Operate::Cancel,
        "suspend" => Operate::Suspend,
        "resume" => Operate::Resume,
        _ => {
            return Err(Problem::malformed(
                "expected one of cancel, suspend, resume",
            ));
        }
    };
    if !may_operate(&app, signed_in.asker(), &what, &head) {
        return Err(Problem::forbidden(
            posted.visitor.language.words().not_allowed,
        ));
    }
    let reason = checked(posted.text("reason"))?;
    app.runtime
        .operate(&id, what, &reason, signed_in.caller())
        .await?;
    Ok(Redirect::to(&format!("/cases/{id}?said=done")).into_response())
}
