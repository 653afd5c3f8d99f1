//! Signing in and out, and the choice of language.

use askama::Template;
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
use crate::security::attempts::{Attempt, Door};
use crate::security::device::{DEVICE_AGE_S, DEVICE_COOKIE, device_cookie, known_device};
use crate::security::identity::{
    Officer, VISIT_COOKIE, Visitor, cookie, local_path, session_cookie, set_cookie,
};
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
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = posted.visitor.language.words();
    let user = posted.text("user").to_owned();
    let device = cookie(&headers, DEVICE_COOKIE);
    let device = device.as_deref();
    let device = device.and_then(|device| known_device(&app.key, &user, device));
    // What strangers do to a name does not count in a browser where its owner signed in.
    let attempt = match device {
        Some(device) => Attempt {
            name: device,
            address: None,
        },
        None => Attempt::from(&user, &posted.visitor.address),
    };
    let now_ms = app.now_ms();
    if let Some(seconds) = app.attempts.wait_s(Door::Password, attempt, now_ms) {
        let fault = fill(words.sign_in_slow, &[("seconds", &seconds.to_string())]);
        let mut response = refused(&app, &posted, user, fault, StatusCode::TOO_MANY_REQUESTS)?;
        response
            .headers_mut()
            .insert(axum::http::header::RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    // Counted before it is looked at: who asks a hundred times at once has asked a hundred times.
    app.attempts.failed(Door::Password, attempt, now_ms);
    let password = posted.entries.first("password").unwrap_or_default();
    if !account::password_fits(&app, &user, password).await? {
        app.counters.count(Counted::SignInFailure);
        // Who is not known may have typed a password here.
        let known = app.organisation().person(&user).is_some();
        let user_told = if known { user.as_str() } else { "unknown" };
        tracing::info!(user = user_told, "a sign-in failed");
        return refused(
            &app,
            &posted,
            user,
            words.sign_in_wrong.to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY,
        );
    }
    app.attempts.succeeded(Door::Password, attempt);
    app.counters.count(Counted::SignIn);
    let former = cookie(&headers, session_cookie(app.site.secure));
    let token = account::begin_session(&app, &user, former.as_deref()).await?;
    Ok(welcomed(&app, &posted, &user, &token))
}

/// Sends somebody on who has just signed in.
fn welcomed(app: &App, posted: &Posted, user: &str, token: &str) -> Response {
    let mut response = Redirect::to(local_path(posted.text("next"))).into_response();
    let (secure, session_s) = (app.site.secure, app.limits.session_minutes * 60);
    let device = device_cookie(&app.key, user);
    for (name, value, age_s) in [
        (session_cookie(secure), token, session_s),
        (VISIT_COOKIE, "", 0),
        (DEVICE_COOKIE, &device, DEVICE_AGE_S),
    ] {
        set_cookie(&mut response, name, value, age_s, secure);
    }
    response
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
    account::end_session(&app, &signed_in).await?;
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
