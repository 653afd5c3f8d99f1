//! The page behind a link of a mail. Looking decides nothing, however often and by whomever; only a
//! post from this page does. Every link that is no good shows the same page.

use askama::Template;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tongban_runtime::{LinkView, RuntimeError};
use tongban_work::{Act, Channel, OutcomeView, What};

use super::decide::{self, PageFault, Reading, access_of};
use super::frame::{Frame, faulty_page, page as render};
use super::item::{Opened, Said};
use super::posted::Posted;
use super::time::{self, Due};
use crate::app::App;
use crate::counters::Counted;
use crate::form::{self, Access, FaultLine};
use crate::problem::Problem;
use crate::security::identity::Visitor;
use crate::words::fill;

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    address: String,
    title: String,
    task: String,
    number: String,
    as_whom: String,
    not_you: String,
    due: Option<Due>,
    faults: Vec<FaultLine>,
    fields: Option<String>,
    answers: String,
    shown: Vec<(String, String)>,
    decisions: Vec<Said>,
    outcomes: Vec<OutcomeView>,
    chosen: String,
    comment: String,
    may_decide: bool,
    sign_in: String,
    digest: String,
}

#[derive(Template)]
#[template(path = "link_end.html")]
struct LinkEnd {
    frame: Frame,
    title: String,
    text: String,
}

/// Shows what the link is for.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let Some((link, opened)) = open(&app, &visitor, &token).await? else {
        return neutral(&app, &visitor);
    };
    match link.gone {
        None => render(&link_page(
            &app,
            &visitor,
            &token,
            &link,
            &opened,
            Vec::new(),
            ("", ""),
        )),
        Some("moved on" | "used") => end(
            &app,
            &visitor,
            StatusCode::CONFLICT,
            moved_on(&app, &visitor, &opened),
        ),
        Some(_) => neutral(&app, &visitor),
    }
}

/// Decides as the page says.
pub async fn act(
    State(app): State<App>,
    Path(token): Path<String>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, Problem> {
    let posted = Posted::from_request(request, &app).await?;
    let Some((link, opened)) = open(&app, &visitor, &token).await? else {
        return neutral(&app, &visitor);
    };
    let language = visitor.language;
    let kept = (posted.text("_outcome"), posted.text("_comment"));
    let faulty = |fields: Vec<form::Fault>, page: Vec<PageFault>| {
        let mut lines: Vec<FaultLine> = page
            .into_iter()
            .map(|fault| FaultLine {
                name: String::new(),
                id: fault.id.to_owned(),
                message: fault.message,
            })
            .collect();
        lines.extend(
            fields
                .iter()
                .map(|fault| fault.line(&opened.form, language)),
        );
        faulty_page(
            StatusCode::UNPROCESSABLE_ENTITY,
            &link_page(&app, &visitor, &token, &link, &opened, lines, kept),
        )
    };
    if opened.view.status != "open" {
        return end(
            &app,
            &visitor,
            StatusCode::CONFLICT,
            moved_on(&app, &visitor, &opened),
        );
    }
    let what = match decide::read(&posted, &opened.view, &opened.form, &opened.data, language)? {
        Reading::Act(
            what @ (What::Decide { .. } | What::Submit { .. } | What::Resubmit { .. }),
        ) => what,
        Reading::Faulty { fields, page, .. } => return faulty(fields, page),
        Reading::Act(_) | Reading::Again(_) => {
            return Err(Problem::malformed("a link of a mail only decides"));
        }
    };
    let act = Act {
        n: link.n,
        round: Some(link.round),
        who: link.person.clone(),
        for_whom: None,
        channel: Channel::Mail,
        seen_digest: posted.filled("_digest"),
        what,
    };
    match app.runtime.link_act(&token, act).await {
        Ok(_) => {
            app.counters.count(Counted::Act);
            let words = language.words();
            render(&LinkEnd {
                frame: Frame::new(&app, &visitor, ""),
                title: words.link_done.to_owned(),
                text: opened.title.clone(),
            })
        }
        Err(RuntimeError::Refused(refusal)) => {
            match decide::refused(&refusal, &opened.view, language) {
                Some((fields, page)) => faulty(fields, page),
                None => {
                    let text = decide::too_late(
                        &refusal,
                        |id| app.name_of(id),
                        |at_ms| time::moment(&app.site.zone, at_ms),
                        language,
                    );
                    let status =
                        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::CONFLICT);
                    end(&app, &visitor, status, text)
                }
            }
        }
        Err(RuntimeError::NotFound { .. } | RuntimeError::LinkGone(_)) => neutral(&app, &visitor),
        Err(other) => Err(other.into()),
    }
}

/// The link with its item; `None` for every link that is no good.
async fn open(
    app: &App,
    visitor: &Visitor,
    token: &str,
) -> Result<Option<(LinkView, Opened)>, Problem> {
    let link = match app.runtime.link_open(token).await {
        Ok(link) => link,
        Err(RuntimeError::NotFound { .. }) => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let case = match app.runtime.case(&link.instance).await {
        Ok(case) => case,
        Err(RuntimeError::NotFound { .. }) => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let title = if case.head.title.is_empty() {
        case.head.workflow.clone()
    } else {
        case.head.title.clone()
    };
    match Opened::of(
        app,
        case,
        title,
        link.n,
        &link.person,
        None,
        visitor.language,
    )
    .await
    {
        Ok(opened) => Ok(Some((link, opened))),
        Err(problem) if problem.status == 404 => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn link_page(
    app: &App,
    visitor: &Visitor,
    token: &str,
    link: &LinkView,
    opened: &Opened,
    faults: Vec<FaultLine>,
    kept: (&str, &str),
) -> LinkPage {
    let (view, language) = (&opened.view, visitor.language);
    let words = language.words();
    let access = access_of(view);
    let may_decide = view.may.iter().any(|word| word == "decide") && link.purpose == "decide";
    let fields = (may_decide && access.edits_anything())
        .then(|| form::render_fields(&opened.form, &access, &opened.data, &faults, language));
    let name = app.name_of(&link.person);
    // Before signing in a link shows as little of people as possible: what is masked stays masked.
    let masked = Access::read_all().with(&[], &[], &view.fields.hide, &[]);
    LinkPage {
        frame: Frame::new(app, visitor, "").with_faults(!faults.is_empty()),
        address: format!("/link/{token}"),
        title: opened.title.clone(),
        task: view.title.clone(),
        number: opened.case.head.number.clone(),
        as_whom: fill(words.link_as, &[("name", &name)]),
        not_you: fill(words.link_not_you, &[("name", &name)]),
        due: time::due(app, view.due_at_ms, view.provisional),
        faults,
        answers: if fields.is_some() {
            String::new()
        } else {
            opened.answers(&masked, language)
        },
        fields,
        shown: opened.shown(language),
        decisions: opened.decisions(app, language),
        outcomes: words.outcomes(&view.outcomes),
        chosen: kept.0.to_owned(),
        comment: kept.1.to_owned(),
        may_decide,
        sign_in: format!("/items/{}/{}", link.instance, link.n),
        digest: view.digest.clone(),
    }
}

/// Who was faster, in words.
fn moved_on(app: &App, visitor: &Visitor, opened: &Opened) -> String {
    let words = visitor.language.words();
    let Some(closed) = &opened.view.closed else {
        return words.item_moved.to_owned();
    };
    let Some(by) = &closed.by else {
        return words.closed_item.to_owned();
    };
    let outcome = closed.outcome.as_deref().unwrap_or(&closed.why);
    let title = opened
        .view
        .outcomes
        .iter()
        .find(|known| known.name == outcome)
        .map_or(outcome, |known| known.title.as_str());
    let moment = time::moment(&app.site.zone, closed.at_ms);
    fill(
        words.decided_by,
        &[
            ("name", &app.name_of(by)),
            ("time", &moment),
            ("outcome", title),
        ],
    )
}

fn neutral(app: &App, visitor: &Visitor) -> Result<Response, Problem> {
    let words = visitor.language.words();
    let page = LinkEnd {
        frame: Frame::new(app, visitor, ""),
        title: words.link_neutral_title.to_owned(),
        text: words.link_neutral.to_owned(),
    };
    faulty_page(StatusCode::NOT_FOUND, &page)
}

fn end(
    app: &App,
    visitor: &Visitor,
    status: StatusCode,
    text: String,
) -> Result<Response, Problem> {
    let words = visitor.language.words();
    faulty_page(
        status,
        &LinkEnd {
            frame: Frame::new(app, visitor, ""),
            title: words.closed_item.to_owned(),
            text,
        },
    )
}
