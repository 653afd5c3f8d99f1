//! A failure as a page: what happened, and where to go from here.

use askama::Template;
use axum::http::header::RETRY_AFTER;
use axum::response::{Html, IntoResponse, Response};

use super::frame::Frame;
use crate::app::App;
use crate::language::{InWords, Language};
use crate::problem::{NOTICE_OVER, Problem, Worded};
use crate::security::identity::Visitor;
use crate::words::fill;

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    title: &'static str,
    help: String,
}

/// The page of a problem.
pub fn page(app: &App, visitor: &Visitor, problem: &Problem) -> Response {
    let words = visitor.language.words();
    let detail = problem.detail.clone().unwrap_or_default();
    let (title, help) = match problem.status {
        _ if problem.kind == NOTICE_OVER => {
            (words.notice_over, words.notice_objections_over.to_owned())
        }
        404 | 405 => (words.not_found, words.not_found_help.to_owned()),
        403 if detail == words.session_stale => (words.too_old, detail),
        403 => (words.not_allowed, detail),
        429 | 503 => (words.busy, String::new()),
        500.. => {
            let id = detail.rsplit(' ').next().unwrap_or_default().to_owned();
            (words.failed, fill(words.failed_help, &[("id", &id)]))
        }
        // The words of the API are English.
        _ => match visitor.language {
            Language::English => (words.bad_request, detail),
            Language::Chinese => (words.bad_request, words.bad_request_help.to_owned()),
        },
    };
    let page = FailurePage {
        frame: Frame::new(app, visitor, ""),
        title,
        help,
    };
    let mut response = Html(page.render().unwrap_or_else(|_| title.to_owned())).into_response();
    *response.status_mut() = problem.status_code();
    if let Some(seconds) = problem.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response.extensions_mut().insert(Worded);
    response
}
