//! The page behind a link of a mail. Looking decides nothing, however often and by whomever; only a
//! post from this page does. Every link that is no good shows the same page.

use askama::Template;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tongban_runtime::{LinkView, RuntimeError};
use tongban_work::{Act, Channel, Refusal, What};

use super::decide::{self, PageFault, Reading, access_of};
use super::deciding::Deciding;
use super::frame::{Frame, faulty_page, page as render};
use super::item::{closed, page_lines};
use super::opened::Opened;
use super::posted::Posted;
use super::refusal;
use super::time::{self, Due};
use super::timeline::{self, Said};
use crate::app::App;
use crate::counters::Counted;
use crate::form::{self, Access, FaultLine};
use crate::language::InWords;
use crate::problem::Problem;
use crate::security::attempts::{Attempt, Door};
use crate::security::identity::Visitor;
use crate::veil::Veil;
use crate::visibility::Asker;
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
    said: Vec<Said>,
    deciding: Deciding,
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
    let look = Look {
        app: &app,
        visitor: &visitor,
        token: &token,
        link: &link,
        opened: &opened,
    };
    match look.ended()? {
        Some(end) => Ok(end),
        None => render(&look.page(Vec::new(), None).await?),
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
    let look = Look {
        app: &app,
        visitor: &visitor,
        token: &token,
        link: &link,
        opened: &opened,
    };
    look.act(&posted).await
}

/// The link with its item; `None` for every link that is no good.
async fn open(
    app: &App,
    visitor: &Visitor,
    token: &str,
) -> Result<Option<(LinkView, Opened)>, Problem> {
    let (name, address) = (token.get(..16).unwrap_or(token), &visitor.address);
    let (attempt, now_ms) = (Attempt::from(name, address), app.now_ms());
    if let Some(seconds) = app.attempts.wait_s(Door::Link, attempt, now_ms) {
        return Err(Problem::too_many(seconds));
    }
    let link = match app.runtime.link_open(token).await {
        Ok(link) => link,
        Err(RuntimeError::NotFound { .. }) => {
            app.attempts.failed(Door::Link, attempt, now_ms);
            app.counters.count(Counted::LinkFailure);
            return Ok(None);
        }
        Err(other) => return Err(other.into()),
    };
    // Who has left decides nothing, by mail as little as by password.
    if !app.organisation().is_here(&link.person, now_ms) {
        return Ok(None);
    }
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

/// Somebody looking through a link.
struct Look<'a> {
    app: &'a App,
    visitor: &'a Visitor,
    token: &'a str,
    link: &'a LinkView,
    opened: &'a Opened,
}

impl Look<'_> {
    /// What is shown instead of the item when the link is good for nothing any more.
    fn ended(&self) -> Result<Option<Response>, Problem> {
        let (app, visitor, opened) = (self.app, self.visitor, self.opened);
        match self.link.gone {
            None if opened.view.status == "open" => Ok(None),
            None | Some("moved on" | "used") => {
                let text = moved_on(app, visitor, opened);
                end(app, visitor, StatusCode::CONFLICT, text).map(Some)
            }
            Some(_) => neutral(app, visitor).map(Some),
        }
    }

    /// Does what was posted, in the name of the person whose link it is.
    async fn act(&self, posted: &Posted) -> Result<Response, Problem> {
        let (app, visitor, opened) = (self.app, self.visitor, self.opened);
        if let Some(end) = self.ended()? {
            return Ok(end);
        }
        let reading = decide::read(
            posted,
            &opened.view,
            &opened.form,
            &opened.data,
            visitor.language,
        )?;
        let what = match reading {
            Reading::Act(
                what @ (What::Decide { .. } | What::Submit { .. } | What::Resubmit { .. }),
            ) => what,
            Reading::Faulty { fields, page, .. } => return self.faulty(fields, page, posted).await,
            Reading::Act(_) | Reading::Again(_) => {
                return Err(Problem::malformed("a link of a mail only decides"));
            }
        };
        let act = Act {
            n: self.link.n,
            round: Some(self.link.round),
            who: self.link.person.clone(),
            for_whom: None,
            channel: Channel::Mail,
            seen_digest: posted.filled("_digest"),
            what,
        };
        match app.runtime.link_act(self.token, act).await {
            Ok(_) => {
                app.counters.count(Counted::Act);
                render(&LinkEnd {
                    frame: Frame::new(app, visitor, ""),
                    title: visitor.language.words().link_done.to_owned(),
                    text: opened.title.clone(),
                })
            }
            Err(RuntimeError::Refused(refused)) => self.refused(&refused, posted).await,
            Err(RuntimeError::NotFound { .. } | RuntimeError::LinkGone(_)) => neutral(app, visitor),
            Err(other) => Err(other.into()),
        }
    }

    /// What the engine did not take: faults that the page can mend, or the end of the link.
    async fn refused(&self, refused: &Refusal, posted: &Posted) -> Result<Response, Problem> {
        let (app, language) = (self.app, self.visitor.language);
        if let Some((fields, page)) = decide::refused(refused, &self.opened.view, posted, language)
        {
            return self.faulty(fields, page, posted).await;
        }
        let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::CONFLICT);
        end(
            app,
            self.visitor,
            status,
            refusal::told(app, refused, language),
        )
    }

    async fn faulty(
        &self,
        fields: Vec<form::Fault>,
        page: Vec<PageFault>,
        posted: &Posted,
    ) -> Result<Response, Problem> {
        let mut lines: Vec<FaultLine> = page_lines(&page).collect();
        let language = self.visitor.language;
        lines.extend(
            fields
                .iter()
                .map(|fault| fault.line(&self.opened.form, language)),
        );
        let page = self.page(lines, Some(posted)).await?;
        faulty_page(StatusCode::UNPROCESSABLE_ENTITY, &page)
    }

    /// Before signing in nobody is known, and what is masked is so wherever it stands.
    async fn veil(&self) -> Result<Veil, Problem> {
        let head = self.app.store().instance_head(&self.link.instance).await;
        let head = head
            .map_err(Problem::from)?
            .ok_or_else(Problem::not_found)?;
        let nobody = Asker {
            person: None,
            unit: None,
        };
        self.opened.veil(self.app, nobody, &head).await
    }

    async fn page(
        &self,
        faults: Vec<FaultLine>,
        posted: Option<&Posted>,
    ) -> Result<LinkPage, Problem> {
        let (app, link, opened) = (self.app, self.link, self.opened);
        let (view, language) = (&opened.view, self.visitor.language);
        let words = language.words();
        let access = access_of(view);
        let may_decide = view.may.iter().any(|word| word == "decide") && link.purpose == "decide";
        let fields = (may_decide && access.edits_anything())
            .then(|| form::render_fields(&opened.form, &access, &opened.data, &faults, language));
        let name = app.name_of(&link.person);
        // Before signing in a link shows as little of people as possible: what is masked stays masked.
        let masked = Access::read_all().with(&[], &[], &view.fields.hide, &[]);
        let said = timeline::of_item(app, &opened.case, view.n, language).await?;
        let veil = self.veil().await?;
        Ok(LinkPage {
            frame: Frame::new(app, self.visitor, "").with_faults(!faults.is_empty()),
            address: format!("/link/{}", self.token),
            title: opened.title.clone(),
            task: opened.task(language),
            number: opened.case.head.number.clone(),
            as_whom: fill(words.link_as, &[("name", &name)]),
            not_you: fill(words.link_not_you, &[("name", &name)]),
            due: time::due(app, view.due_at_ms, view.provisional, language),
            faults,
            answers: match fields {
                Some(_) => String::new(),
                None => opened.answers(&masked, language),
            },
            fields,
            shown: opened.shown(&veil, language),
            said: timeline::covered(said, &veil),
            deciding: Deciding::of(opened.outcomes(language), posted, words),
            may_decide,
            sign_in: format!("/items/{}/{}", link.instance, link.n),
            digest: view.digest.clone(),
        })
    }
}

/// Who was faster, in words.
fn moved_on(app: &App, visitor: &Visitor, opened: &Opened) -> String {
    closed(app, opened, visitor.language)
        .unwrap_or_else(|| visitor.language.words().item_moved.to_owned())
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
