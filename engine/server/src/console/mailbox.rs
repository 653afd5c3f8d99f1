//! The mailbox of the demonstration: every mail that a real site would send.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::frame::{Frame, page as render};
use super::time;
use crate::api::cursor::{LIMIT_DEFAULT, Place, cut};
use crate::app::App;
use crate::lists;
use crate::problem::Problem;
use crate::security::headers::FRAMED_MAIL_POLICY;
use crate::security::identity::{Officer, Visitor};

/// Which page of the mailbox.
#[derive(Deserialize)]
pub struct MailboxQuery {
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    to: String,
    subject: String,
    at: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    frame: Frame,
    id: String,
    to: String,
    subject: String,
    text: String,
    html: bool,
}

/// Lists the mails, newest first.
pub async fn list(
    State(app): State<App>,
    visitor: Visitor,
    _officer: Officer,
    Query(query): Query<MailboxQuery>,
) -> Result<Response, Problem> {
    if !app.site.demo {
        return Err(Problem::not_found());
    }
    let before = Place::read(Some(&query.cursor))?.map(|place| place.id);
    let rows = app
        .store()
        .mails(None, before.as_deref(), LIMIT_DEFAULT + 1)
        .await
        .map_err(Problem::internal)?;
    let (rows, next) = cut(rows, LIMIT_DEFAULT, |row| Place {
        at_ms: 0,
        id: row.id.clone(),
        n: 0,
    });
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let subject = app
            .runtime
            .mail(&row.id)
            .await
            .map_or_else(|_| row.template.clone(), |message| message.subject);
        shown.push(Row {
            to: row
                .person_id
                .map(|person| app.name_of(&person))
                .unwrap_or_default(),
            at: time::moment(&app.site.zone, row.at_ms),
            id: row.id,
            subject,
        });
    }
    let next = next.map(|cursor| format!("/mailbox?cursor={cursor}"));
    render(&MailboxPage {
        frame: Frame::new(&app, &visitor, "mailbox"),
        rows: shown,
        next,
    })
}

/// Shows one mail: its page in a frame that can do nothing, and its plain text with links.
pub async fn mail(
    State(app): State<App>,
    visitor: Visitor,
    _officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let message = lists::mail(&app, &id).await?;
    render(&MailPage {
        frame: Frame::new(&app, &visitor, "mailbox"),
        id,
        to: message.to,
        subject: message.subject,
        text: linked(&message.text, &app.site.url),
        html: message.html.is_some(),
    })
}

/// The page of a mail by itself, for the frame: no script, no form, no way out.
pub async fn html(
    State(app): State<App>,
    _officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let html = lists::mail(&app, &id)
        .await?
        .html
        .ok_or_else(Problem::not_found)?;
    let mut response = Html(html).into_response();
    response.headers_mut().insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(FRAMED_MAIL_POLICY),
    );
    Ok(response)
}

/// The plain text with its addresses of this site as links; everything else is escaped.
fn linked(text: &str, site: &str) -> String {
    let mut html = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find(site).filter(|_| !site.is_empty()) {
        let (before, found) = rest.split_at(at);
        html.push_str(&escape(before));
        let end = found
            .find(|character: char| {
                !(character.is_ascii_alphanumeric() || "/:.-_?=&%#~".contains(character))
            })
            .unwrap_or(found.len());
        let (address, tail) = found.split_at(end);
        let address = escape(address);
        html.push_str(&format!("<a href=\"{address}\">{address}</a>"));
        rest = tail;
    }
    html.push_str(&escape(rest));
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_site_become_links_and_markup_stays_text() {
        let html = linked(
            "看 http://localhost:8080/l/abc-_9。\n<script> http://evil/ &",
            "http://localhost:8080",
        );
        assert!(
            html.contains(
                "<a href=\"http://localhost:8080/l/abc-_9\">http://localhost:8080/l/abc-_9</a>。"
            ),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt; http://evil/ &amp;"), "{html}");
        assert_eq!(linked("a\"b", ""), "a&quot;b");
    }
}
