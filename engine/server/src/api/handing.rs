//! Handing work on: to somebody else for good, for an opinion, or to one more signer.

use serde::Deserialize;
use tongban_work::{AddWhen, What};
use utoipa::ToSchema;

use super::body::Json;
use super::work_items::{ActedAnswer, Item, Seen};
use crate::problem::Problem;

/// Whom an item is handed to, or whose opinion is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandRequest {
    /// The person.
    #[schema(min_length = 1)]
    pub to: String,
    /// What is said to it.
    #[serde(default)]
    pub comment: Option<String>,
}

/// One more signer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerRequest {
    /// The person.
    #[schema(min_length = 1)]
    pub who: String,
    /// `before` oneself, `after` oneself, or `beside` all.
    #[schema(value_type = String, pattern = "^(before|after|beside)$")]
    pub when: AddWhen,
    /// What is said to it.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A signer who is taken out again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerGoneRequest {
    /// The person.
    #[schema(min_length = 1)]
    pub who: String,
}

/// Hand an item to somebody else.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/transfer", tag = "work items", params(("id" = String, Path)), request_body = HandRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn transfer(
    item: Item,
    Json(request): Json<HandRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let HandRequest { to, comment } = request;
    let what = What::Transfer { to, comment };
    item.act(what, Seen::default()).await
}

/// Ask somebody for an opinion and decide afterwards.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/delegation", tag = "work items", params(("id" = String, Path)), request_body = HandRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn delegation(
    item: Item,
    Json(request): Json<HandRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let HandRequest { to, comment } = request;
    let what = What::Delegate { to, comment };
    item.act(what, Seen::default()).await
}

/// Add a signer.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/signers", tag = "work items", params(("id" = String, Path)), request_body = SignerRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn signer(
    item: Item,
    Json(request): Json<SignerRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let SignerRequest { who, when, comment } = request;
    let what = What::AddSigner { who, when, comment };
    item.act(what, Seen::default()).await
}

/// Take an added signer out before he decided.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/signers/removal", tag = "work items", params(("id" = String, Path)), request_body = SignerGoneRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn signer_gone(
    item: Item,
    Json(request): Json<SignerGoneRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let what = What::RemoveSigner { who: request.who };
    item.act(what, Seen::default()).await
}
