//! Drafts of applications: what the key's person has begun to fill in, in the console or elsewhere.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Query};
use super::cursor::Page;
use crate::app::App;
use crate::drafts::{self, Draft, Place};
use crate::problem::Problem;
use crate::security::identity::Client;
use crate::visibility::may_begin;

/// Which draft of a workflow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct DraftQuery {
    /// The number of the case that the new one would follow.
    #[serde(default)]
    pub link: Option<String>,
}

/// What is filled in so far. Nothing is checked before it is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftRequest {
    /// The answers to the start form.
    pub input: serde_json::Value,
}

/// Something that was begun.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DraftAnswer {
    /// `namespace/name`.
    pub workflow: String,
    /// The number of the case that the new one would follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What is filled in so far.
    pub input: serde_json::Value,
    /// When it was saved, milliseconds UTC.
    pub saved_at_ms: i64,
}

impl From<Draft> for DraftAnswer {
    fn from(draft: Draft) -> Self {
        Self {
            workflow: draft.workflow,
            link: draft.follows,
            input: draft.data,
            saved_at_ms: draft.saved_at_ms,
        }
    }
}

impl DraftQuery {
    fn place<'a>(&'a self, person: &'a str, workflow: &'a str) -> Place<'a> {
        Place {
            person,
            workflow,
            follows: self.link.as_deref(),
        }
    }
}

/// List what the key's person has begun, newest first.
#[utoipa::path(get, path = "/api/v1/drafts", tag = "drafts",
    responses((status = 200, body = Page<DraftAnswer>), (status = 403, body = Problem)), security(("key" = [])))]
pub async fn list(
    State(app): State<App>,
    client: Client,
) -> Result<axum::Json<Page<DraftAnswer>>, Problem> {
    let drafts = drafts::all(&app, client.person()?).await?;
    let items = drafts.into_iter().map(DraftAnswer::from).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// Read a draft.
#[utoipa::path(get, path = "/api/v1/workflows/{namespace}/{name}/draft", tag = "drafts",
    params(("namespace" = String, Path), ("name" = String, Path), DraftQuery),
    responses((status = 200, body = DraftAnswer), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn show(
    State(app): State<App>,
    client: Client,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<DraftQuery>,
) -> Result<axum::Json<DraftAnswer>, Problem> {
    let workflow = format!("{namespace}/{name}");
    let place = query.place(client.person()?, &workflow);
    let found = drafts::one(&app, place).await?;
    let draft = found.ok_or_else(Problem::not_found)?;
    Ok(axum::Json(draft.into()))
}

/// Save a draft; the one before is replaced.
#[utoipa::path(put, path = "/api/v1/workflows/{namespace}/{name}/draft", tag = "drafts",
    params(("namespace" = String, Path), ("name" = String, Path), DraftQuery), request_body = DraftRequest,
    responses((status = 200, body = DraftAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn save(
    State(app): State<App>,
    client: Client,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<DraftQuery>,
    Json(request): Json<DraftRequest>,
) -> Result<axum::Json<DraftAnswer>, Problem> {
    let workflow = format!("{namespace}/{name}");
    let place = query.place(client.person()?, &workflow);
    may_begin(&app, client.asker(), &workflow, place.follows)
        .await?
        .checked()?;
    if !request.input.is_object() {
        return Err(Problem::unacceptable("`input` is an object"));
    }
    let saved_at_ms = drafts::save(&app, place, &request.input).await?;
    Ok(axum::Json(DraftAnswer {
        link: query.link,
        workflow,
        input: request.input,
        saved_at_ms,
    }))
}

/// Throw a draft away.
#[utoipa::path(delete, path = "/api/v1/workflows/{namespace}/{name}/draft", tag = "drafts",
    params(("namespace" = String, Path), ("name" = String, Path), DraftQuery),
    responses((status = 204), (status = 403, body = Problem)), security(("key" = [])))]
pub async fn remove(
    State(app): State<App>,
    client: Client,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<DraftQuery>,
) -> Result<StatusCode, Problem> {
    let workflow = format!("{namespace}/{name}");
    let place = query.place(client.person()?, &workflow);
    drafts::remove(&app, place).await?;
    Ok(StatusCode::NO_CONTENT)
}
