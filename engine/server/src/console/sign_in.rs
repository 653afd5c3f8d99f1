//! Signing in and out, and the choice of language.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::{Frame, faulty_page, page as render};
use super::posted::Posted;
use crate::app::App;
use crate::counters::Counted;
use crate::demo;
use crate::language::{InWords, LANGUAGE_COOKIE, Language};
use crate::problem::Problem;
use crate::security::account;
use crate::security::attempts::Door;
use crate::security::identity::{Officer, Visitor, cookie, local_path, session_cookie, set_cookie};
use crate::serve::Peer;
use crate::words::fill;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    user: String,
    fault: Option<String>,
    first: bool,
    demo: Option<Demo>,
}

/// Whom one can sign in as in the demonstration.
struct Demo {
    said: String,
    people: Vec<(String, String)>,
}

impl Demo {
    fn of(app: &App, language: Language) -> Option<Self> {
        if !app.site.demo {
            return None;
        }
        let organisation = app.organisation();
        let people = demo::ROLES.iter().filter_map(|(id, _)| {
            let person = organisation.person(id)?;
            let unit = person.unit.as_ref();
            let unit = unit.map(|unit| app.unit_name(unit, language));
            let name = match unit {
                Some(unit) => format!("{} · {unit}", person.name),
                None => person.name.clone(),
            };
            Some((person.id.clone(), name))
        });
        Some(Self {
            said: fill(
                language.words().demo_people,
                &[("password", demo::PASSWORD)],
            ),
            people: people.collect(),
        })
    }
}

/// Where a page for people who are signed in sends others.
#[derive(Deserialize)]
pub struct NextQuery {
    #[serde(default)]
    next: String,
    #[serde(default, rename = "said")]
    _said: String,
}

/// The start: the inbox, or the way to it.
pub async fn home(visitor: Visitor) -> Redirect {
    Redirect::to(if visitor.signed_in.is_some() {
        "/inbox"
    } else {
        "/sign-in"
    })
}

/// Shows the form for signing in.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Query(query): Query<NextQuery>,
) -> Result<Response, Problem> {
    let next = local_path(&query.next).to_owned();
    let first = next != "/";
    render(&SignInPage {
        frame: Frame::new(&app, &visitor, ""),
        next,
        user: String::new(),
        fault: None,
        first,
        demo: Demo::of(&app, visitor.language),
    })
}

/// Signs a person in; the session is a new one, whatever the browser had before.
pub async fn sign_in(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = posted.visitor.language.words();
    let user = posted.text("user").to_owned();
    let address = peer.map_or_else(
        || posted.visitor.subject.to_string(),
        |Extension(Peer(peer))| peer.ip().to_string(),
    );
    if let Some(seconds) = app
        .attempts
        .wait_s(Door::Password, &user, &address, app.now_ms())
    {
        let fault = fill(words.sign_in_slow, &[("seconds", &seconds.to_string())]);
        let mut response = refused(&app, &posted, user, fault, StatusCode::TOO_MANY_REQUESTS)?;
        response
            .headers_mut()
            .insert(axum::http::header::RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    let password = posted.entries.first("password").unwrap_or_default();
    if !account::password_fits(&app, &user, password).await? {
        app.attempts
            .failed(Door::Password, &user, &address, app.now_ms());
        app.counters.count(Counted::SignInFailure);
        tracing::info!(user = %user.chars().take(64).collect::<String>(), "a sign-in failed");
        return refused(
            &app,
            &posted,
            user,
            words.sign_in_wrong.to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY,
        );
    }
    app.attempts.succeeded(Door::Password, &user);
    app.counters.count(Counted::SignIn);
    let name = session_cookie(app.site.secure);
    let former = cookie(&headers, name);
    let token = account::begin_session(&app, &user, former.as_deref()).await?;
    let mut response = Redirect::to(local_path(posted.text("next"))).into_response();
    set_cookie(
        &mut response,
        name,
        &token,
        app.limits.session_minutes * 60,
        app.site.secure,
    );
    set_cookie(&mut response, "visit", "", 0, app.site.secure);
    Ok(response)
}

fn refused(
    app: &App,
    posted: &Posted,
    user: String,
    fault: String,
    status: StatusCode,
) -> Result<Response, Problem> {
    let frame = Frame::new(app, &posted.visitor, "").with_faults(true);
    let next = local_path(posted.text("next")).to_owned();
    faulty_page(
        status,
        &SignInPage {
            frame,
            next,
            user,
            fault: Some(fault),
            first: false,
            demo: Demo::of(app, posted.visitor.language),
        },
    )
}

/// Signs out.
pub async fn sign_out(
    State(app): State<App>,
    Officer(signed_in): Officer,
    _posted: Posted,
) -> Result<Response, Problem> {
    account::end_session(&app, &signed_in.session).await?;
    let mut response = Redirect::to("/sign-in?said=signed-out").into_response();
    set_cookie(
        &mut response,
        session_cookie(app.site.secure),
        "",
        0,
        app.site.secure,
    );
    Ok(response)
}

/// Keeps the choice of language.
pub async fn language(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    use axum::extract::FromRequest;
    let posted = Posted::from_request(request, &app).await?;
    let chosen = Language::from_tag(posted.text("language")).unwrap_or(app.site.language);
    let next = local_path(posted.text("next"));
    let next = if posted.text("next").starts_with("/sign-in") {
        "/sign-in"
    } else {
        next
    };
    let mut response = Redirect::to(next).into_response();
    set_cookie(
        &mut response,
        LANGUAGE_COOKIE,
        chosen.tag(),
        31_536_000,
        app.site.secure,
    );
    Ok(response)
}
