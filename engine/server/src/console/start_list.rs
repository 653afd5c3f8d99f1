//! What a person may start, and what the person has begun.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tongban_runtime::WorkflowView;

use super::frame::{Frame, page};
use super::time;
use crate::app::App;
use crate::drafts::{self, Draft};
use crate::language::{InWords, Language};
use crate::problem::Problem;
use crate::security::identity::{Officer, Visitor};
use crate::visibility::may_start;
use crate::words::fill;

#[derive(Template)]
#[template(path = "start_list.html")]
struct StartList {
    frame: Frame,
    workflows: Vec<Startable>,
    drafts: Vec<DraftShown>,
}

struct Startable {
    name: String,
    title: String,
    summary: Option<String>,
}

/// Something that the person has begun.
struct DraftShown {
    address: String,
    title: String,
    saved: String,
}

/// Lists the workflows that the person may start.
pub async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
) -> Result<Response, Problem> {
    let language = visitor.language;
    let workflows = app.runtime.workflows().await?;
    let drafts = drafts::all(&app, &signed_in.person).await?;
    let drafts = drafts
        .into_iter()
        .filter_map(|draft| {
            let of = workflows
                .iter()
                .find(|view| view.workflow == draft.workflow)?;
            Some(draft_shown(&app, of, draft, language))
        })
        .collect();
    let workflows = workflows
        .into_iter()
        .filter(|view| may_start(&app, signed_in.asker(), &view.workflow))
        .filter(|view| !view.starts_from_another)
        .map(|view| Startable {
            title: title_of(&view, language),
            summary: match (view.summary_en, language) {
                (Some(english), Language::English) => Some(english),
                _ => view.summary,
            },
            name: view.workflow,
        })
        .collect();
    page(&StartList {
        frame: Frame::new(&app, &visitor, "start"),
        workflows,
        drafts,
    })
}

/// The title of a workflow in the reader's language.
pub fn title_of(view: &WorkflowView, language: Language) -> String {
    match (&view.title_en, language) {
        (Some(english), Language::English) => english.clone(),
        _ => view.title.clone(),
    }
}

fn draft_shown(app: &App, of: &WorkflowView, draft: Draft, language: Language) -> DraftShown {
    let title = title_of(of, language);
    let moment = time::moment(&app.site.zone, draft.saved_at_ms);
    let saved = fill(language.words().draft_saved_at, &[("time", &moment)]);
    match draft.follows {
        Some(number) => DraftShown {
            address: format!("/start/{}?link={number}", draft.workflow),
            title: format!("{title} · {number}"),
            saved,
        },
        None => DraftShown {
            address: format!("/start/{}", draft.workflow),
            title,
            saved,
        },
    }
}
