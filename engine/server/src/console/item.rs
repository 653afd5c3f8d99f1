//! The page of a work item: what is asked and until when, the form, what to decide upon, what
//! others said, and what may be done besides deciding.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tongban_runtime::RuntimeError;
use tongban_store::InstanceRow;
use tongban_work::{Act, Channel, ItemView, What};

use super::again::{Again, Typed};
use super::decide::{self, PageFault, Reading, access_of, said_after};
use super::deciding::Deciding;
use super::frame::{Frame, faulty_page, page as render};
use super::handing::{self, Handing};
use super::inbox::{Card, card};
use super::opened::{Markable, Opened, Target};
use super::outline;
use super::posted::Posted;
use super::refusal;
use super::time::{self, Due};
use super::timeline::{self, Said};
use crate::app::App;
use crate::counters::Counted;
use crate::form::{self, Fault, FaultLine};
use crate::language::{InWords, Language};
use crate::problem::Problem;
use crate::security::account::SignedIn;
use crate::security::identity::{Officer, Visitor};
use crate::veil::Veil;
use crate::visibility::{self, Asker};
use crate::words::{Words, fill};

/// Steps that may follow, as many as the page names.
const LATER_MAX: usize = 4;
/// Names of people that one line holds.
const NAMES_MAX: usize = 5;

#[derive(Template)]
#[template(path = "item.html")]
struct ItemPage {
    frame: Frame,
    address: String,
    case_id: String,
    case_number: String,
    title: String,
    task: String,
    asking: Asking,
    claimed: Option<String>,
    closed: Option<String>,
    asked: Vec<(String, String)>,
    sent_back: Option<String>,
    asked_title: &'static str,
    faults: Vec<FaultLine>,
    fields: Option<String>,
    answers: String,
    shown: Vec<(String, String)>,
    changes: Vec<form::Change>,
    said: Vec<Said>,
    round: Option<String>,
    deciding: Deciding,
    statement: bool,
    typed: Typed,
    can: Can,
    targets: Vec<Target>,
    resume: bool,
    markable: Vec<Markable>,
    handing: Option<Handing>,
    added: Vec<(String, String)>,
    seen_round: u32,
    digest: String,
}

/// What is asked of the viewer, until when, and what comes after it.
struct Asking {
    what: Option<&'static str>,
    /// Whether the step's title says more than what is asked.
    named: bool,
    due: Option<Due>,
    card: Option<Card>,
    with_whom: Option<String>,
    later: Vec<String>,
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

    fn answers(&self) -> bool {
        self.decide || self.submit || self.resubmit
    }
}

impl Asking {
    fn of(app: &App, opened: &Opened, can: &Can, language: Language) -> Self {
        let (view, words) = (&opened.view, language.words());
        let what = match view.kind.as_str() {
            _ if !can.answers() => None,
            _ if view.opinion => Some(words.ask_opinion),
            "correct" => Some(words.ask_correct),
            "resubmit" => Some(words.ask_resubmit),
            "collect" => Some(words.ask_submit),
            _ => Some(words.ask_decide),
        };
        let waiting = view.status == "open" && what.is_none();
        let mut later = match what {
            Some(_) => outline::later_steps(&opened.case, &view.path, language),
            None => Vec::new(),
        };
        later.truncate(LATER_MAX);
        Self {
            what,
            named: timeline::own_title(&view.kind, words).is_none(),
            due: time::due(app, view.due_at_ms, view.provisional, language),
            card: card(view.card.map(|card| card.word()), words),
            with_whom: match opened.case.status.as_str() {
                "suspended" => Some(words.suspended_item.to_owned()),
                _ => Some(names(app, &view.waits_for, words))
                    .filter(|names| waiting && !names.is_empty())
                    .map(|names| fill(words.with_whom, &[("names", &names)])),
            },
            later,
        }
    }
}

/// Names of people as one line; of many the first ones and how many there are.
pub fn names(app: &App, people: &[String], words: &'static Words) -> String {
    let shown: Vec<String> = people
        .iter()
        .take(NAMES_MAX)
        .map(|person| timeline::name_of(app, person, words))
        .collect();
    let line = shown.join("、");
    if people.len() <= NAMES_MAX {
        return line;
    }
    let more = fill(words.and_more, &[("n", &people.len().to_string())]);
    format!("{line} {more}")
}

/// Somebody looking at an item.
struct Look<'a> {
    app: &'a App,
    visitor: &'a Visitor,
    head: &'a InstanceRow,
    opened: &'a Opened,
}

impl Look<'_> {
    async fn page(&self, again: Again<'_>) -> Result<ItemPage, Problem> {
        let (app, opened, view) = (self.app, self.opened, &self.opened.view);
        let language = self.visitor.language;
        let words = language.words();
        let access = access_of(view);
        let can = Can::of(view);
        let lines = self.field_lines(&again.fields);
        let faults = page_lines(&again.page).chain(lines.iter().cloned());
        let faults: Vec<FaultLine> = faults.collect();
        let data = again.data.as_ref().unwrap_or(&opened.data);
        let fields = (can.answers() && access.edits_anything()).then(|| {
            let marked = self.marked(lines);
            form::render_fields(&opened.form, &access, data, &marked, language)
        });
        let said = timeline::of_case(app, &opened.case, self.asker(), language).await?;
        let veil = match access.masks() {
            true => opened.veil(app, self.asker(), self.head).await?,
            false => Veil::default(),
        };
        let answers = match fields {
            Some(_) => String::new(),
            None => opened.answers(&access, language),
        };
        Ok(ItemPage {
            frame: Frame::new(app, self.visitor, "inbox").with_faults(!faults.is_empty()),
            address: format!("/items/{}/{}", opened.case.instance.id(), view.n),
            case_id: opened.case.instance.id().to_owned(),
            case_number: opened.case.head.number.clone(),
            title: opened.title.clone(),
            task: opened.task(language),
            asking: Asking::of(app, opened, &can, language),
            claimed: self.claimed(),
            closed: closed(app, opened, language),
            sent_back: view.words.clone().filter(|said| !said.is_empty()),
            asked: self.asked(),
            asked_title: match view.kind.as_str() {
                "correct" => words.missing_items,
                _ => words.returned_because,
            },
            faults,
            fields,
            answers,
            shown: opened.shown(&veil, language),
            changes: opened.changes(&access, language),
            said: timeline::covered(said, &veil),
            round: (view.round > 1).then(|| fill(words.round, &[("n", &view.round.to_string())])),
            deciding: self.deciding(&can, again.answer()).await?,
            typed: again.typed(),
            statement: again.page.iter().any(|fault| fault.id == "statement"),
            can,
            targets: opened.targets(language),
            resume: view
                .returns
                .as_ref()
                .is_some_and(|back| back.resume.is_none()),
            markable: self.markable(again.in_part("return")),
            handing: Handing::of(app, view, language),
            added: self.added(),
            seen_round: view.round,
            digest: view.digest.clone(),
        })
    }

    fn asker(&self) -> Asker<'_> {
        let signed_in = self.visitor.signed_in.as_ref();
        Asker {
            person: signed_in.map(|signed_in| signed_in.person.as_str()),
            unit: None,
        }
    }

    fn field_lines(&self, faults: &[Fault]) -> Vec<FaultLine> {
        let line = |fault: &Fault| fault.line(&self.opened.form, self.visitor.language);
        faults.iter().map(line).collect()
    }

    /// What the reviewer wants corrected stands at its field too, until other faults take its place.
    fn marked(&self, mut lines: Vec<FaultLine>) -> Vec<FaultLine> {
        let words = self.visitor.language.words();
        let asked = self.opened.view.asked.iter();
        lines.extend(
            asked
                .filter(|(path, _)| !path.is_empty())
                .map(|(path, why)| FaultLine {
                    name: path.clone(),
                    id: form::identifier(path),
                    message: fill(words.marked_by_reviewer, &[("reason", why)]),
                }),
        );
        lines
    }

    fn asked(&self) -> Vec<(String, String)> {
        let label = |path: &str| {
            let field = self.opened.form.field(&path.replace("[]", ""))?;
            Some(field.title.text(self.visitor.language).to_owned())
        };
        let asked = self.opened.view.asked.iter();
        asked
            .map(|(path, why)| (label(path).unwrap_or_else(|| path.clone()), why.clone()))
            .collect()
    }

    fn claimed(&self) -> Option<String> {
        let by = self.opened.view.claimed_by.as_ref()?;
        let words = self.visitor.language.words();
        Some(fill(words.claimed_by, &[("name", &self.app.name_of(by))]))
    }

    /// Outcomes and comment; a form that is filled in needs no comment, and asks for an outcome when there are several.
    async fn deciding(&self, can: &Can, typed: Option<&Posted>) -> Result<Deciding, Problem> {
        let language = self.visitor.language;
        let mut outcomes = self.opened.outcomes(language);
        let chooses = can.decide || (can.submit && outcomes.len() > 1);
        outcomes.retain(|_| chooses);
        let mut deciding = Deciding::of(outcomes, typed, language.words());
        deciding.optional |= !can.decide;
        match &self.visitor.signed_in {
            Some(signed_in) if can.decide => {
                deciding.with_phrases(self.app, &signed_in.person).await
            }
            _ => Ok(deciding),
        }
    }

    fn markable(&self, typed: Option<&Posted>) -> Vec<Markable> {
        let returns = self.opened.view.returns.as_ref();
        if returns.is_none_or(|returns| !returns.fields) {
            return Vec::new();
        }
        let fields = self.opened.form.fields();
        fields
            .map(|field| Markable {
                why: typed
                    .map_or("", |posted| posted.text(&format!("_field.{}", field.path)))
                    .to_owned(),
                path: field.path.clone(),
                title: field.title.text(self.visitor.language).to_owned(),
            })
            .collect()
    }

    fn added(&self) -> Vec<(String, String)> {
        let words = self.visitor.language.words();
        let added = self.opened.view.added.iter();
        added
            .map(|person| {
                let name = self.app.name_of(person);
                (
                    person.clone(),
                    fill(words.remove_signer, &[("name", &name)]),
                )
            })
            .collect()
    }
}

/// Faults of the page as lines of its summary.
pub fn page_lines(faults: &[PageFault]) -> impl Iterator<Item = FaultLine> {
    faults.iter().map(|fault| FaultLine {
        name: String::new(),
        id: fault.id.clone(),
        message: fault.message.clone(),
    })
}

/// Who closed an item, when and how, in words; `None` while it is open.
pub fn closed(app: &App, opened: &Opened, language: Language) -> Option<String> {
    let words = language.words();
    let closed = opened.view.closed.as_ref()?;
    let Some(by) = &closed.by else {
        return Some(words.closed_item.to_owned());
    };
    let item = opened.case.desk.item(opened.view.n);
    let act = closed.outcome.as_deref().unwrap_or(&closed.why);
    let act = match act {
        "returned" => "return",
        act => act,
    };
    let outcome = timeline::act_title(item, act, language);
    let name = timeline::name_of(app, by, words);
    let moment = time::moment(&app.site.zone, closed.at_ms);
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
    let title = head.title.clone().unwrap_or_else(|| head.workflow.clone());
    let (person, language) = (&signed_in.person, visitor.language);
    let opened = Opened::of(&app, case, title, n, person, None, language).await?;
    let look = Look {
        app: &app,
        visitor: &visitor,
        head: &head,
        opened: &opened,
    };
    render(&look.page(Again::default()).await?)
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
    let title = head.title.clone().unwrap_or_else(|| head.workflow.clone());
    let typed = Some(&posted.entries);
    let opened = Opened::of(&app, case, title, n, &signed_in.person, typed, language).await?;
    let look = Look {
        app: &app,
        visitor,
        head: &head,
        opened: &opened,
    };
    let reading = match handing::read(&app, &posted, &opened.data, language) {
        Some(reading) => reading,
        None => decide::read(&posted, &opened.view, &opened.form, &opened.data, language)?,
    };
    match reading {
        Reading::Act(what) => perform(&look, &signed_in, &posted, what).await,
        Reading::Again(data) => {
            let again = Again::of(&posted, Some(data), Vec::new(), Vec::new());
            render(&look.page(again).await?)
        }
        Reading::Faulty { data, fields, page } => {
            let again = Again::of(&posted, Some(data), fields, page);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            faulty_page(status, &look.page(again).await?)
        }
    }
}

async fn perform(
    look: &Look<'_>,
    signed_in: &SignedIn,
    posted: &Posted,
    what: What,
) -> Result<Response, Problem> {
    let (app, opened, language) = (look.app, look.opened, look.visitor.language);
    let (instance, n) = (opened.case.instance.id(), opened.view.n);
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
    match app.runtime.act(instance, act, signed_in.caller()).await {
        Ok(_) => {
            app.counters.count(Counted::Act);
            let stays = matches!(said, "claimed" | "unclaimed" | "commented" | "handed");
            let to = if stays {
                format!("/items/{instance}/{n}?said={said}")
            } else {
                format!("/cases/{instance}?said={said}")
            };
            Ok(Redirect::to(&to).into_response())
        }
        Err(RuntimeError::Refused(refused)) => {
            let shown = decide::refused(&refused, &opened.view, posted, language);
            let (fields, page) = shown.unwrap_or_else(|| {
                let message = refusal::told(app, &refused, language);
                (Vec::new(), vec![PageFault::new("main", &message)])
            });
            let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::CONFLICT);
            let again = Again::of(posted, None, fields, page);
            faulty_page(status, &look.page(again).await?)
        }
        Err(other) => Err(other.into()),
    }
}
