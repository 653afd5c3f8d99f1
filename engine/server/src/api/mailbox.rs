//! The mailbox of the demonstration through the API. A real site answers 404: its mails are nobody's
//! to read here.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Query;
use super::cursor::{Page, Place, cut, limit};
use crate::app::App;
use crate::lists;
use crate::problem::Problem;
use crate::security::identity::Client;

/// Which mails to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct MailQuery {
    /// Only mails to this person.
    #[serde(default)]
    pub person: Option<String>,
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// A mail in the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MailEntry {
    /// Its id.
    pub id: String,
    /// The receiver.
    pub person: Option<String>,
    /// The case it belongs to.
    pub instance: Option<String>,
    /// Its template.
    pub template: String,
    /// `waiting`, `sent`, `failed` or `withdrawn`.
    pub status: String,
    /// When it was written.
    pub at_ms: i64,
}

/// A mail as it is sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MailDetail {
    /// The receiver's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The page.
    pub html: Option<String>,
    /// Its Message-ID.
    pub message_id: String,
    /// The mail that it answers.
    pub in_reply_to: Option<String>,
}

/// List the mails of the demonstration, newest first.
#[utoipa::path(get, path = "/api/v1/mailbox", tag = "mailbox", params(MailQuery),
    responses((status = 200, body = Page<MailEntry>), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn list(
    State(app): State<App>,
    _client: Client,
    Query(query): Query<MailQuery>,
) -> Result<axum::Json<Page<MailEntry>>, Problem> {
    if !app.site.demo {
        return Err(Problem::not_found());
    }
    let limit = limit(query.limit)?;
    let before = Place::read(query.cursor.as_deref())?.map(|place| place.id);
    let rows = app
        .store()
        .mails(query.person.as_deref(), before.as_deref(), limit + 1)
        .await
        .map_err(Problem::from)?;
    let (rows, next) = cut(rows, limit, |row| Place {
        at_ms: row.at_ms,
        id: row.id.clone(),
        n: 0,
    });
    let items = rows.into_iter().map(|row| MailEntry {
        id: row.id,
        person: row.person_id,
        instance: row.instance_id,
        template: row.template,
        status: row.status,
        at_ms: row.at_ms,
    });
    Ok(axum::Json(Page {
        items: items.collect(),
        next,
    }))
}

/// Read a mail of the demonstration.
#[utoipa::path(get, path = "/api/v1/mailbox/{id}", tag = "mailbox", params(("id" = String, Path)),
    responses((status = 200, body = MailDetail), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn show(
    State(app): State<App>,
    _client: Client,
    Path(id): Path<String>,
) -> Result<axum::Json<MailDetail>, Problem> {
    let message = lists::mail(&app, &id).await?;
    Ok(axum::Json(MailDetail {
        to: message.to,
        subject: message.subject,
        text: message.text,
        html: message.html,
        message_id: message.message_id,
        in_reply_to: message.in_reply_to,
    }))
}
