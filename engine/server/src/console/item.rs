//! The page of a work item: what is asked, the form, what to decide upon, what others said.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value as Json;
use tongban_runtime::{CaseView, RuntimeError};
use tongban_work::{Act, Channel, ItemView};

use super::decide::{self, PageFault, Reading, access_of, plain, said_after};
use super::frame::{Frame, faulty_page, page as render};
use super::inbox::{Card, card};
use super::posted::Posted;
use super::time::{self, Due};
use super::{outline, value};
use crate::api::body::json;
use crate::app::App;
use crate::counters::Counted;
use crate::form::{self, Access, Entries, Fault, FaultLine, Form};
use crate::language::Language;
use crate::offers::{Lookup, Surroundings};
use crate::problem::Problem;
use crate::security::identity::{Officer, Visitor};
use crate::visibility;
use crate::words::fill;

/// An item with everything that its page needs.
pub struct Opened {
    /// The case.
    pub case: CaseView,
    /// The case's title.
    pub title: String,
    /// The item as its viewer sees it.
    pub view: ItemView,
    /// The item's form.
    pub form: Form,
    /// What the form holds.
    pub data: Json,
}

/// One answer in the list of decisions.
pub struct Said {
    /// Who.
    pub name: String,
    /// For whom, in words.
    pub behalf: Option<String>,
    /// What.
    pub outcome: String,
    /// The opinion.
    pub comment: Option<String>,
    /// When.
    pub at: String,
    /// Whether it was kept from an earlier round.
    pub kept: bool,
}

/// A target of a return.
pub struct Target {
    /// What is posted.
    pub word: String,
    /// What people read.
    pub title: String,
}

/// A form field that a return may mark.
pub struct Markable {
    /// The path.
    pub path: String,
    /// The title.
    pub title: String,
}

#[derive(Template)]
#[template(path = "item.html")]
struct ItemPage {
    frame: Frame,
    address: String,
    case_id: String,
    case_number: String,
    title: String,
    task: String,
    due: Option<Due>,
    card: Option<Card>,
    claimed: Option<String>,
    closed: Option<String>,
    sent_back: Option<String>,
    asked: Vec<(String, String)>,
    faults: Vec<FaultLine>,
    fields: Option<String>,
    answers: String,
    shown: Vec<(String, String)>,
    changes: Vec<form::Change>,
    decisions: Vec<Said>,
    round: String,
    outcomes: Vec<tongban_work::OutcomeView>,
    chosen: String,
    comment: String,
    statement: bool,
    can: Can,
    targets: Vec<Target>,
    resume: bool,
    markable: Vec<Markable>,
    seen_round: u32,
    digest: String,
}

/// What the viewer may do.
struct Can {
    decide: bool,
    submit: bool,
    resubmit: bool,
    claim: bool,
    unclaim: bool,
    send_back: bool,
    correct: bool,
    comment: bool,
    urge: bool,
    withdraw: bool,
}

impl Can {
    fn of(view: &ItemView) -> Self {
        let may = |word: &str| view.may.iter().any(|held| held == word);
        Self {
            decide: may("decide"),
            submit: may("submit"),
            resubmit: may("resubmit"),
            claim: may("claim"),
            unclaim: may("unclaim"),
            send_back: may("return"),
            correct: may("correct"),
            comment: may("comment"),
            urge: may("urge"),
            withdraw: may("withdraw"),
        }
    }
}

impl Opened {
    /// Opens an item for a person who may see it; `typed` is what was posted, on which choices hang.
    ///
    /// # Errors
    /// 404 when the item is not this person's business.
    pub async fn of(
        app: &App,
        case: CaseView,
        title: String,
        n: u32,
        person: &str,
        typed: Option<&Entries>,
        language: Language,
    ) -> Result<Self, Problem> {
        let view = case.item(n, person).ok_or_else(Problem::not_found)?;
        let schema = view
            .form
            .as_ref()
            .and_then(|form| case.form_schema(form))
            .map(|schema| json(&schema))
            .unwrap_or_default();
        let data = plain(&view.data);
        let sketched = typed.map(|entries| form::sketch(&data, entries));
        let around = Surroundings {
            workflow: &case.head.workflow,
            form: sketched.as_ref().unwrap_or(&data),
            starter: Some(case.head.starter.user.as_str()).filter(|user| !user.is_empty()),
            unit: case.head.starter.unit.as_deref(),
            language,
        };
        let lookup = Lookup::of(app, &schema, &around).await?;
        let form = form::build(&schema, &lookup);
        Ok(Self {
            case,
            title,
            view,
            form,
            data,
        })
    }

    /// The answers of the round as people read them.
    pub fn decisions(&self, app: &App, language: Language) -> Vec<Said> {
        let words = language.words();
        let said = |decision: &tongban_work::DecisionView| Said {
            name: decision.name.clone(),
            behalf: decision
                .for_whom
                .as_ref()
                .map(|whom| fill(words.on_behalf, &[("name", &app.name_of(whom))])),
            outcome: decision.title.clone(),
            comment: decision.comment.clone(),
            at: time::moment(&app.site.zone, decision.at_ms),
            kept: decision.kept_from.is_some(),
        };
        self.view.decisions.iter().map(said).collect()
    }

    /// What is shown beside the form, rendered.
    pub fn shown(&self, language: Language) -> Vec<(String, String)> {
        let shown = json(&self.view.show);
        let members = shown.as_object().into_iter().flatten();
        members
            .map(|(title, data)| (title.clone(), value::render(data, language.words())))
            .collect()
    }

    /// The case's form as it is read.
    pub fn answers(&self, access: &Access, language: Language) -> String {
        form::render_read(&self.form, access, &self.data, language)
    }

    fn changes(&self, language: Language) -> Vec<form::Change> {
        let mut before = self.data.clone();
        for difference in &self.view.difference {
            put(&mut before, &difference.field, json(&difference.old));
        }
        form::changes(&self.form, &before, &self.data, language)
    }

    fn targets(&self, language: Language) -> Vec<Target> {
        let words = language.words();
        let titles = outline::titles(&self.case);
        let passed: Vec<&str> = self
            .case
            .desk
            .items()
            .iter()
            .map(|item| item.path.as_str())
            .collect();
        let mut targets = Vec::new();
        for word in self.view.returns.iter().flat_map(|returns| &returns.to) {
            let title = match word.as_str() {
                "applicant" => words.applicant.to_owned(),
                "previous" => words.previous_step.to_owned(),
                "any" => {
                    let others = passed.iter().filter(|path| **path != self.view.path);
                    targets.extend(others.map(|path| {
                        Target {
                            word: (*path).to_owned(),
                            title: titles
                                .get(*path)
                                .cloned()
                                .unwrap_or_else(|| (*path).to_owned()),
                        }
                    }));
                    continue;
                }
                path => {
                    let own = titles.iter().find(|(known, _)| {
                        known.rsplit('/').next() == Some(path) || *known == path
                    });
                    own.map_or_else(|| path.to_owned(), |(_, title)| title.clone())
                }
            };
            targets.push(Target {
                word: word.clone(),
                title,
            });
        }
        targets
    }
}

/// Puts a value at a path such as `list[1].n`, where its surroundings exist.
fn put(data: &mut Json, path: &str, value: Json) {
    let pointer = format!(
        "/{}",
        path.replace('[', "/").replace(']', "").replace('.', "/")
    );
    if let Some(place) = data.pointer_mut(&pointer) {
        *place = value;
    } else if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(object) = data.pointer_mut(parent).and_then(Json::as_object_mut)
    {
        object.insert(name.to_owned(), value);
    }
}

/// What of a post is shown again.
#[derive(Default)]
struct Again {
    data: Option<Json>,
    fields: Vec<Fault>,
    page: Vec<PageFault>,
    chosen: String,
    comment: String,
}

fn item_page(app: &App, visitor: &Visitor, opened: &Opened, again: Again) -> ItemPage {
    let (view, language) = (&opened.view, visitor.language);
    let words = language.words();
    let access = access_of(view);
    let data = again.data.as_ref().unwrap_or(&opened.data);
    let mut faults: Vec<FaultLine> = again
        .page
        .iter()
        .map(|fault| FaultLine {
            name: String::new(),
            id: fault.id.to_owned(),
            message: fault.message.clone(),
        })
        .collect();
    let lines: Vec<FaultLine> = again
        .fields
        .iter()
        .map(|fault| fault.line(&opened.form, language))
        .collect();
    faults.extend(lines.iter().cloned());
    let can = Can::of(view);
    // What the reviewer wants corrected stands at its field too, until other faults take its place.
    let mut at_fields = lines;
    at_fields.extend(
        view.asked
            .iter()
            .filter(|(path, _)| !path.is_empty())
            .map(|(path, why)| FaultLine {
                name: path.clone(),
                id: form::identifier(path),
                message: fill(words.marked_by_reviewer, &[("reason", why)]),
            }),
    );
    let answering = can.decide || can.submit || can.resubmit;
    let fields = (answering && access.edits_anything())
        .then(|| form::render_fields(&opened.form, &access, data, &at_fields, language));
    let label = |path: &str| {
        opened
            .form
            .field(&path.replace("[]", ""))
            .map(|field| field.title.text(language).to_owned())
    };
    ItemPage {
        frame: Frame::new(app, visitor, "inbox").with_faults(!faults.is_empty()),
        address: format!("/items/{}/{}", opened.case.instance.id(), view.n),
        case_id: opened.case.instance.id().to_owned(),
        case_number: opened.case.head.number.clone(),
        title: opened.title.clone(),
        task: view.title.clone(),
        due: time::due(app, view.due_at_ms, view.provisional),
        card: card(view.card.map(|card| card.word()), words),
        claimed: view
            .claimed_by
            .as_ref()
            .map(|by| fill(words.claimed_by, &[("name", &app.name_of(by))])),
        closed: closed(app, opened, language),
        sent_back: view.words.clone().filter(|said| !said.is_empty()),
        asked: view
            .asked
            .iter()
            .map(|(path, why)| (label(path).unwrap_or_else(|| path.clone()), why.clone()))
            .collect(),
        faults,
        answers: if fields.is_some() {
            String::new()
        } else {
            opened.answers(&access, language)
        },
        fields,
        shown: opened.shown(language),
        changes: opened.changes(language),
        decisions: opened.decisions(app, language),
        round: fill(words.round, &[("n", &view.round.to_string())]),
        outcomes: language.words().outcomes(&view.outcomes),
        chosen: again.chosen,
        comment: again.comment,
        statement: again.page.iter().any(|fault| fault.id == "statement"),
        can,
        targets: opened.targets(language),
        resume: view
            .returns
            .as_ref()
            .is_some_and(|returns| returns.resume.is_none()),
        markable: opened
            .form
            .fields()
            .filter(|_| view.returns.as_ref().is_some_and(|returns| returns.fields))
            .map(|field| Markable {
                path: field.path.clone(),
                title: field.title.text(language).to_owned(),
            })
            .collect(),
        seen_round: view.round,
        digest: view.digest.clone(),
    }
}

fn closed(app: &App, opened: &Opened, language: Language) -> Option<String> {
    let words = language.words();
    let closed = opened.view.closed.as_ref()?;
    let Some(by) = &closed.by else {
        return Some(words.closed_item.to_owned());
    };
    let title = |name: &String| {
        opened
            .view
            .outcomes
            .iter()
            .find(|outcome| outcome.name == *name)
            .map_or_else(|| name.clone(), |outcome| outcome.title.clone())
    };
    let outcome = closed
        .outcome
        .as_ref()
        .map_or_else(|| closed.why.clone(), title);
    let (name, moment) = (app.name_of(by), time::moment(&app.site.zone, closed.at_ms));
    Some(fill(
        words.decided_by,
        &[("name", &name), ("time", &moment), ("outcome", &outcome)],
    ))
}

/// Shows the item. Nothing is decided by looking.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path((instance, n)): Path<(String, u32)>,
) -> Result<Response, Problem> {
    let (head, case) = visibility::case(&app, signed_in.asker(), &instance).await?;
    let title = head.title.unwrap_or(head.workflow);
    let opened = Opened::of(
        &app,
        case,
        title,
        n,
        &signed_in.person,
        None,
        visitor.language,
    )
    .await?;
    render(&item_page(&app, &visitor, &opened, Again::default()))
}

/// Does what was posted.
pub async fn act(
    State(app): State<App>,
    Officer(signed_in): Officer,
    Path((instance, n)): Path<(String, u32)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let visitor = &posted.visitor;
    let language = visitor.language;
    let (head, case) = visibility::case(&app, signed_in.asker(), &instance).await?;
    let title = head.title.unwrap_or(head.workflow);
    let typed = Some(&posted.entries);
    let opened = Opened::of(&app, case, title, n, &signed_in.person, typed, language).await?;
    let kept = |data: Option<Json>, fields: Vec<Fault>, page: Vec<PageFault>| Again {
        data,
        fields,
        page,
        chosen: posted.text("_outcome").to_owned(),
        comment: posted.text("_comment").to_owned(),
    };
    let what = match decide::read(&posted, &opened.view, &opened.form, &opened.data, language)? {
        Reading::Act(what) => what,
        Reading::Again(data) => {
            return render(&item_page(
                &app,
                visitor,
                &opened,
                kept(Some(data), Vec::new(), Vec::new()),
            ));
        }
        Reading::Faulty { data, fields, page } => {
            let again = kept(Some(data), fields, page);
            return faulty_page(
                StatusCode::UNPROCESSABLE_ENTITY,
                &item_page(&app, visitor, &opened, again),
            );
        }
    };
    let said = said_after(&what);
    let act = Act {
        n,
        round: posted.text("_round").parse().ok(),
        who: signed_in.person.clone(),
        for_whom: opened.view.for_whom.clone(),
        channel: Channel::Console,
        seen_digest: posted.filled("_digest"),
        what,
    };
    match app.runtime.act(&instance, act, signed_in.caller()).await {
        Ok(_) => {
            app.counters.count(Counted::Act);
            let stays = matches!(said, "claimed" | "unclaimed" | "commented");
            let to = if stays {
                format!("/items/{instance}/{n}?said={said}")
            } else {
                format!("/cases/{instance}?said={said}")
            };
            Ok(Redirect::to(&to).into_response())
        }
        Err(RuntimeError::Refused(refusal)) => {
            let (fields, page) =
                decide::refused(&refusal, &opened.view, language).unwrap_or_else(|| {
                    let moment = |at_ms| time::moment(&app.site.zone, at_ms);
                    let message =
                        decide::too_late(&refusal, |id| app.name_of(id), moment, language);
                    (
                        Vec::new(),
                        vec![PageFault {
                            id: "main",
                            message,
                        }],
                    )
                });
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::CONFLICT);
            faulty_page(
                status,
                &item_page(&app, visitor, &opened, kept(None, fields, page)),
            )
        }
        Err(other) => Err(other.into()),
    }
}
