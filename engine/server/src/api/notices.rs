//! The public notices that stand now: for every key, as they are for everybody who is signed in.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Query;
use super::cursor::{Page, Place, limit};
use crate::app::App;
use crate::language::Language;
use crate::notices::{self, Found, NoticeEntry};
use crate::problem::Problem;
use crate::security::identity::Client;
use crate::visibility;

/// Which notices to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NoticeQuery {
    /// A part of the title or number.
    #[serde(default)]
    pub text: Option<String>,
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// In which language to read a notice.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NoticeTextQuery {
    /// `zh-CN` or `en`; the site's own when absent.
    #[serde(default)]
    pub language: Option<String>,
}

/// A notice with its text.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoticeDetail {
    /// The notice.
    #[serde(flatten)]
    pub notice: NoticeEntry,
    /// Whether it stands.
    pub open: bool,
    /// Its text as HTML, with its masks; gone with the notice for who does not see its case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The workflow by which one objects, when it takes objections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objections: Option<String>,
}

/// List the notices that stand now, newest first.
#[utoipa::path(get, path = "/api/v1/notices", tag = "notices", params(NoticeQuery),
    responses((status = 200, body = Page<NoticeEntry>), (status = 400, body = Problem)), security(("key" = [])))]
pub async fn list(
    State(app): State<App>,
    _client: Client,
    Query(query): Query<NoticeQuery>,
) -> Result<axum::Json<Page<NoticeEntry>>, Problem> {
    let limit = limit(query.limit)?;
    let place = Place::read(query.cursor.as_deref())?;
    let text = query.text.as_deref().unwrap_or_default().trim();
    let (items, next) = notices::open(&app, text, place, limit).await?;
    Ok(axum::Json(Page { items, next }))
}

/// Read a notice. Of one that is over everybody still learns that it stood, and when.
#[utoipa::path(get, path = "/api/v1/notices/{id}", tag = "notices", params(("id" = String, Path), NoticeTextQuery),
    responses((status = 200, body = NoticeDetail), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn show(
    State(app): State<App>,
    client: Client,
    Path(id): Path<String>,
    Query(query): Query<NoticeTextQuery>,
) -> Result<axum::Json<NoticeDetail>, Problem> {
    let language = match query.language.as_deref() {
        None => app.site.language,
        Some(tag) => Language::from_tag(tag).ok_or_else(|| {
            Problem::malformed(format!(
                "the query: `language` is zh-CN or en, found `{tag}`"
            ))
        })?,
    };
    let found = Found::of(&app, &id).await?;
    let open = found.notice.open;
    let shown = open || visibility::sees(&app, client.asker(), &found.head).await?;
    let mut notice = found.entry(&app);
    if !shown {
        notice.title = String::new();
    }
    Ok(axum::Json(NoticeDetail {
        open,
        text: match shown {
            true => Some(found.text(&app, language).await?),
            false => None,
        },
        objections: found.notice.objections.filter(|_| open),
        notice,
    }))
}
