//! The page of a case: where it stands, what was said, its clocks, its diagram and what may be done.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value as Json;
use tongban_runtime::{CaseView, Operate};
use tongban_store::InstanceRow;

use super::cases::{state_text, status_text};
use super::clocks::{self, ClockShown};
use super::decide::{PageFault, plain};
use super::frame::{Frame, faulty_page, page as render};
use super::item::{names, page_lines};
use super::posted::Posted;
use super::start_list::title_of;
use super::steps::{self, Step};
use super::time::{self, Due};
use super::timeline::{self, Said};
use super::{outline, value};
use crate::api::body::json;
use crate::api::operations::checked;
use crate::app::App;
use crate::drawing::{self, PICTURE_POLICY};
use crate::form::{self, Access, FaultLine};
use crate::language::{InWords, Language};
use crate::offers::{Lookup, Surroundings};
use crate::problem::Problem;
use crate::reveal;
use crate::security::account::SignedIn;
use crate::security::identity::{Officer, Visitor};
use crate::veil::Veil;
use crate::visibility::{self, may_operate};
use crate::words::{Words, fill};

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
    faults: Vec<FaultLine>,
    id: String,
    title: String,
    number: String,
    status: String,
    status_text: String,
    facts: Vec<(&'static str, String)>,
    fault: Option<String>,
    ending: Option<String>,
    result: Option<String>,
    own_items: Vec<OwnItem>,
    standing: Vec<Standing>,
    answers: String,
    masked: bool,
    revealed: bool,
    outline: String,
    clocks: Vec<ClockShown>,
    said: Vec<Said>,
    steps: Vec<Step>,
    older: Option<String>,
    at_start: bool,
    can_cancel: bool,
    own: bool,
    can_intervene: bool,
    suspended: bool,
    follow_ups: Vec<(String, String)>,
}

/// What the viewer has to do in this case.
struct OwnItem {
    address: String,
    what: &'static str,
    /// Whether the step's title says more than what is asked.
    named: bool,
    title: String,
    due: Option<Due>,
}

/// A step at which the case stands now.
struct Standing {
    title: String,
    with_whom: String,
    due: Option<Due>,
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
    let look = Look {
        app: &app,
        visitor: &visitor,
        signed_in: &signed_in,
        head: &head,
        case: &case,
    };
    render(&look.page(query.after, false).await?)
}

/// Somebody looking at a case.
struct Look<'a> {
    app: &'a App,
    visitor: &'a Visitor,
    signed_in: &'a SignedIn,
    head: &'a InstanceRow,
    case: &'a CaseView,
}

impl Look<'_> {
    async fn page(&self, after: i64, revealed: bool) -> Result<CasePage, Problem> {
        let (app, head, case) = (self.app, self.head, self.case);
        let language = self.visitor.language;
        let words = language.words();
        let titles = outline::titles(case, language);
        let veil = Veil::of(&self.form()).await?;
        let veil = if revealed { veil.lifted() } else { veil };
        let (steps, older) =
            steps::of_case(app, &head.id, after, (&titles, &veil), language).await?;
        let (answers, masked) = self.answers(revealed).await?;
        let ended = head.ended_at_ms.is_some();
        let may = |what: &Operate| !ended && may_operate(app, self.signed_in.asker(), what, head);
        Ok(CasePage {
            title: head.title.clone().unwrap_or_else(|| head.workflow.clone()),
            number: head.number.clone().unwrap_or_default(),
            status_text: case.state_word().map_or_else(
                || status_text(&head.status, words),
                |state| state_text(state, language),
            ),
            status: head.status.clone(),
            facts: facts(app, head, case, language),
            fault: fault(head, &veil),
            ending: if ended {
                steps::ending(app, case, &titles).await?
            } else {
                None
            },
            result: result(case, &veil, words),
            own_items: self.own_items(&titles),
            standing: self.standing(&titles),
            masked: masked && !revealed && self.form().may_reveal(),
            revealed,
            answers,
            outline: outline::outline(case, language),
            clocks: clocks::of_case(app, case, &titles, language),
            said: timeline::covered(self.said().await?, &veil),
            steps,
            older,
            at_start: after == 0,
            can_cancel: may(&Operate::Cancel),
            own: self.form().is_own(),
            can_intervene: may(&Operate::Suspend),
            suspended: head.status == "suspended",
            follow_ups: self.follow_ups().await?,
            frame: Frame::new(app, self.visitor, "cases"),
            faults: Vec::new(),
            id: head.id.clone(),
        })
    }

    /// The page with a fault at one of its controls.
    async fn faulty(&self, id: &str, message: &str) -> Result<Response, Problem> {
        let mut page = self.page(0, false).await?;
        page.frame.faulty = true;
        page.faults = page_lines(&[PageFault::new(id, message)]).collect();
        faulty_page(StatusCode::UNPROCESSABLE_ENTITY, &page)
    }

    async fn said(&self) -> Result<Vec<Said>, Problem> {
        let (app, asker) = (self.app, self.signed_in.asker());
        timeline::of_case(app, self.case, asker, self.visitor.language).await
    }

    /// What the viewer may start from this case: its address and title.
    async fn follow_ups(&self) -> Result<Vec<(String, String)>, Problem> {
        let Some(number) = self.head.number.as_deref() else {
            return Ok(Vec::new());
        };
        let person = &self.signed_in.person;
        let offered = self.app.runtime.follow_ups(self.case, person).await?;
        let shown = offered.iter().map(|view| {
            let title = title_of(view, self.visitor.language);
            (format!("/start/{}?link={number}", view.workflow), title)
        });
        Ok(shown.collect())
    }

    fn form(&self) -> reveal::Look<'_> {
        reveal::Look {
            app: self.app,
            asker: self.signed_in.asker(),
            head: self.head,
            case: self.case,
        }
    }

    fn own_items(&self, titles: &HashMap<String, String>) -> Vec<OwnItem> {
        let language = self.visitor.language;
        let words = language.words();
        let shown = self.case.desk.items().iter().filter_map(|item| {
            let view = self.case.item(item.n, &self.signed_in.person)?;
            let word = view.may.iter().find_map(|word| match word.as_str() {
                "decide" => Some(words.ask_decide),
                "submit" => Some(words.ask_submit),
                "resubmit" if view.kind == "correct" => Some(words.ask_correct),
                "resubmit" => Some(words.ask_resubmit),
                _ => None,
            })?;
            Some(OwnItem {
                address: format!("/items/{}/{}", self.head.id, item.n),
                what: word,
                named: timeline::own_title(&view.kind, words).is_none(),
                title: timeline::step_title(item, titles, language),
                due: time::due(self.app, view.due_at_ms, view.provisional, language),
            })
        });
        shown.collect()
    }

    /// The steps at which the case waits for people, with who they are.
    fn standing(&self, titles: &HashMap<String, String>) -> Vec<Standing> {
        let language = self.visitor.language;
        let words = language.words();
        let clocks = self.case.clocks();
        let rows = self.case.desk.rows();
        let open = self.case.desk.open_items().map(|item| {
            let people: Vec<String> = item
                .current()
                .into_iter()
                .map(|(person, _)| person.to_owned())
                .collect();
            let row = rows.items.iter().find(|row| row.n == item.n);
            let due = row.and_then(|row| row.due_at_ms);
            let provisional = clocks
                .iter()
                .any(|clock| clock.item == Some(item.n) && clock.provisional);
            Standing {
                title: timeline::step_title(item, titles, language),
                with_whom: fill(
                    words.now_waiting,
                    &[("names", &names(self.app, &people, words))],
                ),
                due: time::due(self.app, due, provisional, language),
            }
        });
        open.collect()
    }

    /// The form as this viewer may read it, and whether any of it is masked. What a step hides from
    /// the viewer stays hidden here too.
    async fn answers(&self, revealed: bool) -> Result<(String, bool), Problem> {
        let (case, language) = (self.case, self.visitor.language);
        let Some(schema) = case.start_form_schema() else {
            return Ok((String::new(), false));
        };
        let schema = json(&schema);
        let data = plain(case.instance.form());
        let around = Surroundings {
            workflow: &case.head.workflow,
            form: &data,
            starter: None,
            unit: case.head.starter.unit.as_deref(),
            language,
        };
        let lookup = Lookup::of(self.app, &schema, &around).await?;
        let form = form::build(&schema, &lookup);
        let hidden = visibility::hidden_fields(case, self.signed_in.asker());
        let access = Access::read_all().with(&[], &[], &hidden, &[]);
        let masked = !self.form().is_own() && form.masks_anything();
        let access = if revealed || !masked {
            access.unmasked()
        } else {
            access
        };
        let answers = form::render_read(&form, &access, &data, language);
        Ok((answers, masked))
    }
}

fn facts(
    app: &App,
    head: &InstanceRow,
    case: &CaseView,
    language: Language,
) -> Vec<(&'static str, String)> {
    let words = language.words();
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
                .map(|unit| app.unit_name(unit, language))
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
        format!(
            "{} {}",
            outline::workflow_title(&case.definition, language),
            case.head.version
        ),
    ));
    facts.retain(|(_, text)| !text.is_empty());
    facts
}

fn fault(head: &InstanceRow, veil: &Veil) -> Option<String> {
    let error = serde_json::from_str(head.last_error.as_deref()?).ok()?;
    let error = veil.told(error);
    let text = |name: &str| error.get(name).and_then(Json::as_str);
    Some(
        [text("title"), text("detail"), text("instance")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · "),
    )
}

/// What the case came to, besides the outcome, whose title stands above it.
fn result(case: &CaseView, veil: &Veil, words: &'static Words) -> Option<String> {
    let mut output = veil.told(json(&case.instance.output()));
    let ended = case.instance.status().has_ended();
    if let Some(members) = output.as_object_mut() {
        members.remove("outcome");
        members.retain(|_, value| !value.is_null());
        if members.is_empty() {
            return None;
        }
    }
    (ended && !output.is_null()).then(|| value::render(&output, words))
}

/// The diagram as a picture.
pub async fn diagram(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (_, case) = visibility::case(&app, signed_in.asker(), &id).await?;
    let names = drawing::names_of_site(&app, visitor.language).await?;
    Ok((
        [
            (CONTENT_TYPE, "image/svg+xml"),
            (CONTENT_SECURITY_POLICY, PICTURE_POLICY),
        ],
        drawing::svg(&case, names, visitor.language),
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
    if posted.text("_act") == "reveal" {
        return show_masked(&app, &signed_in, &id, &posted).await;
    }
    let (head, case) = visibility::case(&app, signed_in.asker(), &id).await?;
    let what = match posted.text("_act") {
        "cancel" => Operate::Cancel,
        "suspend" => Operate::Suspend,
        "resume" => Operate::Resume,
        _ => {
            return Err(Problem::malformed(
                "expected one of cancel, suspend, resume, reveal",
            ));
        }
    };
    if !may_operate(&app, signed_in.asker(), &what, &head) {
        return Err(Problem::forbidden(
            posted.visitor.language.words().not_allowed,
        ));
    }
    let Ok(reason) = checked(posted.text("reason")) else {
        let look = Look {
            app: &app,
            visitor: &posted.visitor,
            signed_in: &signed_in,
            head: &head,
            case: &case,
        };
        let words = posted.visitor.language.words();
        return look.faulty("reason", words.action_reason_missing).await;
    };
    app.runtime
        .operate(&id, what, &reason, signed_in.caller())
        .await?;
    Ok(Redirect::to(&format!("/cases/{id}?said=done")).into_response())
}

/// Shows what is masked, once, and leaves a trace of who looked and why.
async fn show_masked(
    app: &App,
    signed_in: &SignedIn,
    id: &str,
    posted: &Posted,
) -> Result<Response, Problem> {
    let (head, case) = visibility::case(app, signed_in.asker(), id).await?;
    let look = Look {
        app,
        visitor: &posted.visitor,
        signed_in,
        head: &head,
        case: &case,
    };
    let words = posted.visitor.language.words();
    if checked(posted.text("reason")).is_err() && look.form().may_reveal() {
        let message = words.action_reason_missing;
        return look.faulty("reveal-reason", message).await;
    }
    look.form()
        .reveal(&signed_in.person, posted.text("reason"), words.not_allowed)
        .await?;
    render(&look.page(0, true).await?)
}
