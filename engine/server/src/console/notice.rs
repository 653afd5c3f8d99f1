//! The page of a public notice (公示): its text, until when it stands, and the way to object. Nothing else of the case is
//! on it, so that everybody who is signed in may read it while it stands.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use tongban_runtime::CaseView;
use tongban_store::InstanceRow;
use tongban_work::NoticeView;

use super::frame::{Frame, page as render};
use crate::api::body::{json, value};
use crate::app::App;
use crate::form::Masks;
use crate::language::{InWords, Language};
use crate::problem::Problem;
use crate::security::account::SignedIn;
use crate::security::identity::{Officer, Visitor};
use crate::visibility::{self, item_id};
use crate::words::fill;

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    frame: Frame,
    title: String,
    number: String,
    period: String,
    text: String,
    open: bool,
    /// Where the visitor objects, and what the process of objecting is called.
    objection: Option<(String, String)>,
}

/// Shows a notice. One that is over is shown to those only who see its case.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (instance, n) = item_id(&id)?;
    let found = app.store().instance_head(instance).await;
    let head = found
        .map_err(Problem::from)?
        .ok_or_else(Problem::not_found)?;
    let case = app.runtime.case(instance).await?;
    let mut notices = case.notices().into_iter();
    let notice = notices
        .find(|notice| notice.n == n)
        .ok_or_else(Problem::not_found)?;
    if !notice.open && !visibility::sees(&app, signed_in.asker(), &head).await? {
        return Err(Problem::not_found());
    }
    let language = visitor.language;
    let objection = objection(&app, &signed_in, &head, &notice, language).await?;
    let dates = [("from", notice.from.as_str()), ("to", notice.to.as_str())];
    let shown = NoticePage {
        frame: Frame::new(&app, &visitor, ""),
        number: head.number.clone().unwrap_or_default(),
        period: fill(language.words().notice_period, &dates),
        text: text(&app, &case, &notice, language).await?,
        open: notice.open,
        objection,
        title: notice.title,
    };
    render(&shown)
}

/// The text as its author wrote it; what the form masks is masked in it.
async fn text(
    app: &App,
    case: &CaseView,
    notice: &NoticeView,
    language: Language,
) -> Result<String, Problem> {
    let mut form = case.instance.form().clone();
    let schema = case.start_form_schema();
    if let Some(masks) = schema.and_then(|schema| Masks::of(&json(&schema))) {
        form = value(&masks.masked(json(&form)))?;
    }
    // The link of the text leads to the button below it.
    let url = format!(
        "{}/notices/{}.{}#object",
        app.site.url,
        case.instance.id(),
        notice.n
    );
    let text = app
        .runtime
        .notice_text(case, notice, form, &url, language.tag())
        .await?;
    Ok(text.html)
}

async fn objection(
    app: &App,
    signed_in: &SignedIn,
    head: &InstanceRow,
    notice: &NoticeView,
    language: Language,
) -> Result<Option<(String, String)>, Problem> {
    let (Some(workflow), Some(number), true) = (&notice.objections, &head.number, notice.open)
    else {
        return Ok(None);
    };
    if !visibility::may_follow(app, signed_in.asker(), workflow, number).await? {
        return Ok(None);
    }
    let views = app.runtime.workflows().await?;
    let view = views.into_iter().find(|view| view.workflow == *workflow);
    Ok(view.map(|view| {
        let title = match (view.title_en, language) {
            (Some(english), Language::English) => english,
            _ => view.title,
        };
        (format!("/start/{workflow}?link={number}"), title)
    }))
}
