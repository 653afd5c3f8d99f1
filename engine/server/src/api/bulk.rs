//! One act on several work items: each goes through the one decision function, and what it refuses is
//! told item by item.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_work::What;
use utoipa::ToSchema;

use super::body::Json;
use super::work_items::{ActedAnswer, Seen, performed};
use crate::app::App;
use crate::problem::Problem;
use crate::security::identity::Client;

/// The most items of one request.
pub const ITEMS_MAX: usize = 100;

/// One of several items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OneOfMany {
    /// `INSTANCE.N`.
    pub id: String,
    /// What was looked at.
    #[serde(default)]
    pub seen: Seen,
}

/// The same decision on several items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionsRequest {
    /// The items, 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<OneOfMany>,
    /// One of the items' outcomes.
    #[schema(min_length = 1)]
    pub outcome: String,
    /// The opinion, which stands on every item.
    #[serde(default)]
    pub comment: Option<String>,
    /// A code of the outcome's list of reasons.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Several items for somebody else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransfersRequest {
    /// The items, 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<OneOfMany>,
    /// The person.
    #[schema(min_length = 1)]
    pub to: String,
    /// What is said to it.
    #[serde(default)]
    pub comment: Option<String>,
}

/// What became of each item, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ManyAnswer {
    /// How many items took the act.
    pub done: usize,
    /// How many did not.
    pub refused: usize,
    /// The items.
    pub items: Vec<OneAnswer>,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneAnswer {
    /// `INSTANCE.N`.
    pub id: String,
    /// What the act came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted: Option<ActedAnswer>,
    /// Why the item did not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Decide several items alike.
#[utoipa::path(post, path = "/api/v1/work-items/decisions", tag = "work items", request_body = DecisionsRequest,
    responses((status = 200, body = ManyAnswer), (status = 403, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn decisions(
    State(app): State<App>,
    client: Client,
    Json(request): Json<DecisionsRequest>,
) -> Result<axum::Json<ManyAnswer>, Problem> {
    named("outcome", &request.outcome)?;
    let what = What::Decide {
        outcome: request.outcome,
        comment: request.comment,
        reason: request.reason,
        change: Value::Null,
        statement: None,
    };
    each(&app, &client, request.items, &what).await
}

/// Hand several items to somebody else.
#[utoipa::path(post, path = "/api/v1/work-items/transfers", tag = "work items", request_body = TransfersRequest,
    responses((status = 200, body = ManyAnswer), (status = 403, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn transfers(
    State(app): State<App>,
    client: Client,
    Json(request): Json<TransfersRequest>,
) -> Result<axum::Json<ManyAnswer>, Problem> {
    named("to", &request.to)?;
    let what = What::Transfer {
        to: request.to,
        comment: request.comment,
    };
    each(&app, &client, request.items, &what).await
}

/// Refuses at once what no item would take.
fn named(member: &str, text: &str) -> Result<(), Problem> {
    match text.is_empty() {
        true => Err(Problem::unacceptable(format!("`{member}` is empty"))),
        false => Ok(()),
    }
}

async fn each(
    app: &App,
    client: &Client,
    items: Vec<OneOfMany>,
    what: &What,
) -> Result<axum::Json<ManyAnswer>, Problem> {
    client.person()?;
    if items.is_empty() || items.len() > ITEMS_MAX {
        return Err(Problem::unacceptable(format!(
            "`items` has 1 to {ITEMS_MAX} entries, found {}",
            items.len()
        )));
    }
    let mut answers = Vec::with_capacity(items.len());
    for OneOfMany { id, seen } in items {
        let (acted, problem) = match performed(app, client, &id, what.clone(), seen).await {
            Ok(acted) => (Some(acted), None),
            Err(problem) => (None, Some(problem)),
        };
        answers.push(OneAnswer { id, acted, problem });
    }
    let done = answers.iter().filter(|one| one.acted.is_some()).count();
    Ok(axum::Json(ManyAnswer {
        done,
        refused: answers.len() - done,
        items: answers,
    }))
}
