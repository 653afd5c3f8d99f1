//! The page after an application was sent: its number, what comes next, until when.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::frame::{Frame, page as render};
use super::{outline, time, timeline};
use crate::app::App;
use crate::language::InWords;
use crate::problem::Problem;
use crate::security::identity::{Officer, Visitor};
use crate::visibility;
use crate::words::fill;

/// The id of the clock over the whole case.
const CASE_CLOCK: &str = "case";

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

/// Shows that an application was taken: its number, what comes next, until when.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (head, case) = visibility::case(&app, signed_in.asker(), &id).await?;
    let words = visitor.language.words();
    let titles = outline::titles(&case, visitor.language);
    let waiting = case
        .desk
        .open_items()
        .next()
        .map(|item| timeline::step_title(item, &titles, visitor.language));
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
        let day = time::due(&app, Some(clock.due_at_ms), false, visitor.language);
        let day = day.map_or(clock.due, |due| due.day);
        // Without a time limit of the whole case only that of the step is promised.
        let text = match clock.id.as_str() {
            CASE_CLOCK => words.expected_by,
            _ => words.step_expected_by,
        };
        let date = fill(text, &[("date", &day)]);
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
