//! Several items of one step handled together: what is marked in the inbox is looked at on one page, and
//! one decision, or one hand-over, goes to each of them by itself. What an item refuses is told beside it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tongban_runtime::RuntimeError;
use tongban_work::{Act, Channel, OutcomeView, What};

use super::decide::PageFault;
use super::deciding::Deciding;
use super::frame::{Frame, faulty_page, page as render};
use super::handing::{colleagues, person};
use super::item::page_lines;
use super::opened::outcomes;
use super::posted::Posted;
use super::time::{self, Due};
use super::{outline, refusal, timeline};
use crate::api::bulk::ITEMS_MAX;
use crate::app::App;
use crate::counters::Counted;
use crate::form::FaultLine;
use crate::language::{InWords, Language};
use crate::problem::Problem;
use crate::security::account::SignedIn;
use crate::security::identity::Officer;
use crate::visibility::{self, item_id};
use crate::words::{Words, fill};

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkPage {
    frame: Frame,
    task: String,
    faults: Vec<FaultLine>,
    rows: Vec<Row>,
    deciding: Deciding,
    may_hand: bool,
    people: Vec<(String, String)>,
    who: String,
    hand_comment: String,
}

/// An item on the page.
struct Row {
    /// What is posted.
    item: String,
    address: String,
    title: String,
    number: String,
    due: Option<Due>,
    /// Still marked.
    marked: bool,
}

#[derive(Template)]
#[template(path = "bulk_end.html")]
struct BulkEnd {
    frame: Frame,
    title: String,
    rows: Vec<Ended>,
}

/// What became of an item.
struct Ended {
    address: String,
    title: String,
    number: String,
    /// What was said, or why it was not taken.
    said: String,
    done: bool,
}

/// The items that somebody marked.
struct Marked {
    task: String,
    step: String,
    rows: Vec<Row>,
    /// The instance, the item and the round that was listed.
    items: Vec<(String, u32, Option<u32>)>,
    /// For whom the viewer decides, by item.
    for_whom: Vec<Option<String>>,
    outcomes: Vec<OutcomeView>,
    may_hand: bool,
    people: Vec<(String, String)>,
    mixed: bool,
}

/// Shows what was marked, or does with it what was posted.
pub async fn act(
    State(app): State<App>,
    Officer(signed_in): Officer,
    posted: Posted,
) -> Result<Response, Problem> {
    let language = posted.visitor.language;
    let words = language.words();
    let marked = Marked::of(&app, &signed_in, &posted, language).await?;
    let looking = Looking {
        app: &app,
        signed_in: &signed_in,
        posted: &posted,
    };
    if marked.items.is_empty() {
        return looking.faulty(marked, "main", words.bulk_none).await;
    }
    if marked.mixed {
        return looking.faulty(marked, "main", words.bulk_mixed).await;
    }
    let what = match posted.text("_act") {
        "decide" => looking.decision(&marked),
        "hand" => looking.hand_over(),
        _ => return render(&looking.page(marked, Vec::new()).await?),
    };
    match what {
        Ok(what) => render(&looking.perform(marked, what).await),
        Err(fault) => looking.faulty(marked, &fault.id, &fault.message).await,
    }
}

impl Marked {
    /// Opens what was marked and may still be decided by this person.
    async fn of(
        app: &App,
        signed_in: &SignedIn,
        posted: &Posted,
        language: Language,
    ) -> Result<Self, Problem> {
        let mut marked = Self {
            task: String::new(),
            step: String::new(),
            rows: Vec::new(),
            items: Vec::new(),
            for_whom: Vec::new(),
            outcomes: Vec::new(),
            may_hand: false,
            people: Vec::new(),
            mixed: false,
        };
        for text in posted.entries.all("_item").iter().take(ITEMS_MAX) {
            // `INSTANCE.N.ROUND`, as the list wrote it.
            let (id, round) = text.rsplit_once('.').ok_or_else(Problem::not_found)?;
            let (instance, n) = item_id(id)?;
            let (head, case) = visibility::case(app, signed_in.asker(), instance).await?;
            let view = case.item(n, &signed_in.person);
            let view = view.ok_or_else(Problem::not_found)?;
            let step = format!("{}:{}", head.workflow, view.path);
            if marked.items.is_empty() {
                let titles = outline::titles(&case, language);
                let item = case.desk.item(n);
                marked.task = item.map_or_else(String::new, |item| {
                    timeline::step_title(item, &titles, language)
                });
                marked.outcomes = outcomes(&case, &view, language);
                marked.people = colleagues(app, &view.waits_for);
                marked.step = step;
                marked.may_hand = true;
            } else if marked.step != step {
                marked.mixed = true;
            }
            marked.may_hand &= view.may.iter().any(|word| word == "transfer");
            marked.rows.push(Row {
                item: text.clone(),
                address: format!("/items/{instance}/{n}"),
                title: head.title.unwrap_or(head.workflow),
                number: head.number.unwrap_or_default(),
                due: time::due(app, view.due_at_ms, view.provisional, language),
                marked: true,
            });
            marked
                .items
                .push((instance.to_owned(), n, round.parse().ok()));
            marked.for_whom.push(view.for_whom.clone());
        }
        Ok(marked)
    }
}

/// Somebody handling several items.
struct Looking<'a> {
    app: &'a App,
    signed_in: &'a SignedIn,
    posted: &'a Posted,
}

impl Looking<'_> {
    fn words(&self) -> &'static Words {
        self.posted.visitor.language.words()
    }

    async fn page(&self, marked: Marked, faults: Vec<FaultLine>) -> Result<BulkPage, Problem> {
        let outcomes = match marked.mixed {
            true => Vec::new(),
            false => marked.outcomes,
        };
        let typed = Some(self.posted);
        let deciding = Deciding::of(outcomes, typed, self.words());
        Ok(BulkPage {
            frame: Frame::new(self.app, &self.posted.visitor, "inbox")
                .with_faults(!faults.is_empty()),
            task: marked.task,
            faults,
            deciding: deciding
                .with_phrases(self.app, &self.signed_in.person)
                .await?,
            may_hand: marked.may_hand && !marked.mixed,
            rows: marked.rows,
            people: marked.people,
            who: self.posted.text("_who").to_owned(),
            hand_comment: self.posted.text("_hand-comment").to_owned(),
        })
    }

    async fn faulty(&self, marked: Marked, id: &str, message: &str) -> Result<Response, Problem> {
        let lines = page_lines(&[PageFault::new(id, message)]).collect();
        let page = self.page(marked, lines).await?;
        faulty_page(StatusCode::UNPROCESSABLE_ENTITY, &page)
    }

    /// The decision that was posted; what every item would refuse is told before it goes to any.
    fn decision(&self, marked: &Marked) -> Result<What, PageFault> {
        let words = self.words();
        let chosen = self.posted.text("_outcome");
        let found = marked.outcomes.iter().enumerate();
        let (at, outcome) = found
            .into_iter()
            .find(|(_, outcome)| outcome.name == chosen)
            .ok_or_else(|| PageFault::new("outcome", words.outcome_missing))?;
        let comment = self.posted.comment();
        if outcome.comment && comment.is_none() {
            return Err(PageFault::new("comment", words.comment_required));
        }
        let reason = self.posted.filled(&format!("_reason.{chosen}"));
        if !outcome.reasons.is_empty() && reason.is_none() {
            let id = format!("reason-{}", at + 1);
            return Err(PageFault::new(&id, words.reason_missing));
        }
        Ok(What::Decide {
            outcome: chosen.to_owned(),
            comment,
            reason,
            change: tongban_expr::Value::Null,
            statement: None,
        })
    }

    fn hand_over(&self) -> Result<What, PageFault> {
        let (app, words) = (self.app, self.words());
        let found = person(
            &app.organisation(),
            self.posted.text("_who"),
            app.now_ms(),
            words,
        );
        let to = found.map_err(|message| PageFault::new("hand-who", &message))?;
        let comment = self.posted.filled("_hand-comment");
        Ok(What::Transfer { to, comment })
    }

    /// Goes to one item after the other; each answers for itself.
    async fn perform(&self, marked: Marked, what: What) -> BulkEnd {
        let words = self.words();
        let said = match &what {
            What::Decide { outcome, .. } => {
                let chosen = marked.outcomes.iter().find(|one| one.name == *outcome);
                chosen.map_or_else(|| outcome.clone(), |one| one.title.clone())
            }
            _ => words.handed_saved.to_owned(),
        };
        let mut rows = Vec::with_capacity(marked.rows.len());
        let items = marked.items.into_iter().zip(marked.for_whom);
        for (row, ((instance, n, round), for_whom)) in marked.rows.into_iter().zip(items) {
            let act = Act {
                n,
                round,
                who: self.signed_in.person.clone(),
                for_whom,
                channel: Channel::Console,
                // The page shows a line of each item and not the whole of it.
                seen_digest: None,
                what: what.clone(),
            };
            let refused = self.one(&instance, act).await.err();
            rows.push(Ended {
                address: row.address,
                title: row.title,
                number: row.number,
                done: refused.is_none(),
                said: refused.unwrap_or_else(|| said.clone()),
            });
        }
        let done = rows.iter().filter(|row| row.done).count();
        let left = rows.len() - done;
        let numbers = [("done", done.to_string()), ("left", left.to_string())];
        let numbers = numbers.each_ref().map(|(name, n)| (*name, n.as_str()));
        let title = if left == 0 {
            words.bulk_all_done
        } else {
            words.bulk_some_done
        };
        BulkEnd {
            frame: Frame::new(self.app, &self.posted.visitor, "inbox"),
            title: fill(title, &numbers),
            rows,
        }
    }

    /// One act; what is refused, in words.
    async fn one(&self, instance: &str, act: Act) -> Result<(), String> {
        let app = self.app;
        let acted = app.runtime.act(instance, act, self.signed_in.caller());
        match acted.await {
            Ok(_) => {
                app.counters.count(Counted::Act);
                Ok(())
            }
            Err(RuntimeError::Refused(refused)) => {
                Err(refusal::told(app, &refused, self.posted.visitor.language))
            }
            Err(RuntimeError::Suspended) => Err(self.words().suspended_item.to_owned()),
            Err(RuntimeError::Ended) => Err(self.words().closed_item.to_owned()),
            Err(other) => {
                let problem = Problem::from(other);
                Err(match problem.status {
                    503 => self.words().busy.to_owned(),
                    _ => self.words().failed.to_owned(),
                })
            }
        }
    }
}
