//! Work items through the API: what waits for the key's person, and everything that a person can do
//! at the desk. All of it goes through the one decision function of the engine.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_store::InboxFilter;
use tongban_work::{Act, Channel, Resume, ReturnTo, Siblings, Signing, What};
use utoipa::{IntoParams, ToSchema};

use super::body::{self, Json, Query};
use super::cursor::{Page, Place, limit};
use super::masking::{self, RevealQuery};
use crate::app::App;
use crate::console::decide::access_of;
use crate::counters::Counted;
use crate::form::Masks;
use crate::lists::{self, ItemEntry};
use crate::problem::Problem;
use crate::reveal::Look;
use crate::security::identity::Client;
use crate::veil::Veil;
use crate::visibility::{self, item_id};

/// Which work items to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ItemQuery {
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Only items of this workflow, `namespace/name`.
    #[serde(default)]
    pub workflow: Option<String>,
    /// Only items with this title.
    #[serde(default)]
    pub title: Option<String>,
    /// Only items of cases whose title or number holds this text.
    #[serde(default)]
    pub text: Option<String>,
}

/// What every act may say about what was looked at.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Seen {
    /// The round that was looked at; an act on an older round is refused.
    #[serde(deserialize_with = "whole")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub round: Option<u32>,
    /// The digest of what was looked at.
    pub digest: Option<String>,
    /// The person for whom the key's person acts as agent.
    pub for_whom: Option<String>,
}

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DecisionRequest {
    /// One of the item's outcomes.
    #[schema(min_length = 1)]
    pub outcome: String,
    /// The opinion.
    #[serde(default)]
    pub comment: Option<String>,
    /// A code of the outcome's list of reasons.
    #[serde(default)]
    pub reason: Option<String>,
    /// Changed fields of the form, by path, where the step allows it.
    #[serde(default)]
    pub change: serde_json::Value,
    /// Why warnings of the form are accepted.
    #[serde(default)]
    pub statement: Option<String>,
    /// What was looked at.
    #[serde(default)]
    pub seen: Seen,
}

/// A form that was filled in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SubmissionRequest {
    /// The whole form; or `change`.
    #[serde(default)]
    pub data: Option<serde_json::Value>,
    /// Changed fields, by path.
    #[serde(default)]
    pub change: serde_json::Value,
    /// An outcome other than `submitted`.
    #[serde(default)]
    pub outcome: Option<String>,
    /// The opinion.
    #[serde(default)]
    pub comment: Option<String>,
    /// Why warnings of the form are accepted.
    #[serde(default)]
    pub statement: Option<String>,
    /// What was looked at.
    #[serde(default)]
    pub seen: Seen,
}

/// A form that was corrected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ResubmissionRequest {
    /// The whole form; or `change`.
    #[serde(default)]
    pub data: Option<serde_json::Value>,
    /// Changed fields, by path.
    #[serde(default)]
    pub change: serde_json::Value,
    /// What is said to it.
    #[serde(default)]
    pub comment: Option<String>,
    /// Why warnings of the form are accepted.
    #[serde(default)]
    pub statement: Option<String>,
    /// What was looked at.
    #[serde(default)]
    pub seen: Seen,
}

/// Where a case is sent back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReturnRequest {
    /// `applicant`, `previous`, or the path of a step.
    #[schema(min_length = 1)]
    pub to: String,
    /// `direct` or `rerun`, where the author leaves the choice.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(direct|rerun)$")]
    pub resume: Option<Resume>,
    /// `keep` or `cancel`, where the author leaves the choice.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(keep|cancel)$")]
    pub siblings: Option<Siblings>,
    /// `all`, `returner` or `open`.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(all|returner|open)$")]
    pub signing: Option<Signing>,
    /// Fields to correct, with reasons.
    #[serde(default)]
    pub fields: Vec<FieldReason>,
    /// What is wrong as a whole.
    #[serde(default)]
    pub comment: Option<String>,
    /// What was looked at.
    #[serde(default)]
    pub seen: Seen,
}

/// A field with what is wrong there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldReason {
    /// The field's path; or words, when no field is meant.
    pub field: String,
    /// What is wrong or missing.
    #[schema(min_length = 1)]
    pub reason: String,
}

/// What the applicant has to complete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectionRequest {
    /// Everything that is missing, at once.
    #[schema(min_items = 1)]
    pub items: Vec<FieldReason>,
    /// What is said to it.
    #[serde(default)]
    pub comment: Option<String>,
    /// What was looked at.
    #[serde(default)]
    pub seen: Seen,
}

/// A remark, or nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Remark {
    /// What is said.
    pub comment: Option<String>,
    /// What was looked at.
    pub seen: Seen,
}

/// A comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentRequest {
    /// The comment.
    #[schema(min_length = 1)]
    pub text: String,
}

/// What became of an act.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActedAnswer {
    /// Status of the item now.
    pub item_status: String,
    /// The item's outcome, when it has one.
    pub outcome: Option<String>,
    /// Status of the case now.
    pub instance_status: String,
}

/// List what waits for the key's person, the most urgent first.
#[utoipa::path(get, path = "/api/v1/work-items", tag = "work items", params(ItemQuery),
    responses((status = 200, body = Page<ItemEntry>), (status = 400, body = Problem), (status = 403, body = Problem)), security(("key" = [])))]
pub async fn list(
    State(app): State<App>,
    client: Client,
    Query(query): Query<ItemQuery>,
) -> Result<axum::Json<Page<ItemEntry>>, Problem> {
    let person = client.person()?;
    let place = Place::read(query.cursor.as_deref())?;
    let filter = InboxFilter {
        workflow: query.workflow.unwrap_or_default(),
        title: query.title.unwrap_or_default(),
        text: query.text.unwrap_or_default(),
    };
    let (items, next) = lists::inbox(&app, person, &filter, place, limit(query.limit)?).await?;
    Ok(axum::Json(Page { items, next }))
}

/// Read a work item as its person sees it: the form with the rights on its fields, what is shown
/// beside it, the outcomes, what may be done. Fields that the form masks are masked for whoever only looks on, and given
/// in full for a reason.
#[utoipa::path(get, path = "/api/v1/work-items/{id}", tag = "work items", params(("id" = String, Path, description = "`INSTANCE.N`"), RevealQuery),
    responses((status = 200, body = serde_json::Value), (status = 403, body = Problem), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn show(
    State(app): State<App>,
    client: Client,
    Path(id): Path<String>,
    Query(query): Query<RevealQuery>,
) -> Result<axum::Json<serde_json::Value>, Problem> {
    let (instance, n) = item_id(&id)?;
    let person = client.person()?;
    let (head, case) = visibility::case(&app, client.asker(), instance).await?;
    let view = case.item(n, person).ok_or_else(Problem::not_found)?;
    let answer = body::json(&view);
    let look = Look {
        app: &app,
        asker: client.asker(),
        head: &head,
        case: &case,
    };
    // The applicant, and whoever has to act, see all of what is there for them.
    if look.is_own() || !access_of(&view).masks() {
        return Ok(axum::Json(answer));
    }
    let schema = view.form.as_ref().and_then(|form| case.form_schema(form));
    let masks = schema.and_then(|schema| Masks::of(&body::json(&schema)));
    let veil = Veil::of(&look).await?;
    match query.reveal.as_deref() {
        Some(why) if masks.is_some() || veil.masks_anything() => {
            masking::lift(&look, &client, why).await?;
            Ok(axum::Json(answer))
        }
        _ => Ok(axum::Json(veil.item(answer, masks.as_ref()))),
    }
}

/// Decide.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/decision", tag = "work items", params(("id" = String, Path)), request_body = DecisionRequest,
    responses((status = 200, body = ActedAnswer), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn decision(
    item: Item,
    Json(request): Json<DecisionRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let what = What::Decide {
        outcome: request.outcome,
        comment: request.comment,
        reason: request.reason,
        change: change(&request.change)?,
        statement: request.statement,
    };
    item.act(what, request.seen).await
}

/// Send in a form that was asked for.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/submission", tag = "work items", params(("id" = String, Path)), request_body = SubmissionRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn submission(
    item: Item,
    Json(request): Json<SubmissionRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let what = What::Submit {
        outcome: request.outcome,
        data: request.data.as_ref().map(body::value).transpose()?,
        change: change(&request.change)?,
        comment: request.comment,
        reason: None,
        statement: request.statement,
    };
    item.act(what, request.seen).await
}

/// Take an item that several people share.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/claim", tag = "work items", params(("id" = String, Path)), request_body = Remark,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem)), security(("key" = [])))]
pub async fn claim(
    item: Item,
    Json(request): Json<Remark>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    item.act(What::Claim, request.seen).await
}

/// Give a claimed item back.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/unclaim", tag = "work items", params(("id" = String, Path)), request_body = Remark,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem)), security(("key" = [])))]
pub async fn unclaim(
    item: Item,
    Json(request): Json<Remark>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    item.act(What::Unclaim, request.seen).await
}

/// Send the case back to the applicant or to a step that it passed.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/return", tag = "work items", params(("id" = String, Path)), request_body = ReturnRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn send_back(
    item: Item,
    Json(request): Json<ReturnRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let what = What::Return {
        to: ReturnTo::parse(&request.to),
        resume: request.resume,
        siblings: request.siblings,
        signing: request.signing,
        fields: pairs(request.fields),
        comment: request.comment,
    };
    item.act(what, request.seen).await
}

/// Ask the applicant for what is missing, all at once.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/correction", tag = "work items", params(("id" = String, Path)), request_body = CorrectionRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn correction(
    item: Item,
    Json(request): Json<CorrectionRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let what = What::Correct {
        items: pairs(request.items),
        comment: request.comment,
    };
    item.act(what, request.seen).await
}

/// Send a corrected form again.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/resubmission", tag = "work items", params(("id" = String, Path)), request_body = ResubmissionRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn resubmission(
    item: Item,
    Json(request): Json<ResubmissionRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    let what = What::Resubmit {
        data: request.data.as_ref().map(body::value).transpose()?,
        change: change(&request.change)?,
        comment: request.comment,
        statement: request.statement,
    };
    item.act(what, request.seen).await
}

/// Add a comment.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/comment", tag = "work items", params(("id" = String, Path)), request_body = CommentRequest,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem)), security(("key" = [])))]
pub async fn comment(
    item: Item,
    Json(request): Json<CommentRequest>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    item.act(What::Comment { text: request.text }, Seen::default())
        .await
}

/// Remind whoever has the item.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/urge", tag = "work items", params(("id" = String, Path)), request_body = Remark,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 429, body = Problem)), security(("key" = [])))]
pub async fn urge(
    item: Item,
    Json(request): Json<Remark>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    item.act(
        What::Urge {
            comment: request.comment,
        },
        request.seen,
    )
    .await
}

/// Take one's own decision back, while nobody has gone on from it.
#[utoipa::path(post, path = "/api/v1/work-items/{id}/withdrawal", tag = "work items", params(("id" = String, Path)), request_body = Remark,
    responses((status = 200, body = ActedAnswer), (status = 404, body = Problem), (status = 409, body = Problem)), security(("key" = [])))]
pub async fn withdrawal(
    item: Item,
    Json(request): Json<Remark>,
) -> Result<axum::Json<ActedAnswer>, Problem> {
    item.act(
        What::Withdraw {
            comment: request.comment,
        },
        request.seen,
    )
    .await
}

/// A work item that a request names, with who asks.
pub struct Item {
    app: App,
    client: Client,
    id: String,
}

impl FromRequestParts<App> for Item {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (client, id) = body::named(parts, app).await?;
        Ok(Self {
            app: app.clone(),
            client,
            id,
        })
    }
}

impl Item {
    /// Answers with what became of an act.
    pub(super) async fn act(
        self,
        what: What,
        seen: Seen,
    ) -> Result<axum::Json<ActedAnswer>, Problem> {
        let acted = performed(&self.app, &self.client, &self.id, what, seen).await;
        acted.map(axum::Json)
    }
}

/// Does what a key's person does at an item.
pub(super) async fn performed(
    app: &App,
    client: &Client,
    id: &str,
    what: What,
    seen: Seen,
) -> Result<ActedAnswer, Problem> {
    let (instance, n) = item_id(id)?;
    let who = client.person()?.to_owned();
    visibility::head(app, client.asker(), instance).await?;
    let act = Act {
        n,
        round: seen.round,
        who,
        for_whom: seen.for_whom,
        channel: Channel::Api,
        seen_digest: seen.digest,
        what,
    };
    let acted = app.runtime.act(instance, act, client.caller()).await?;
    app.counters.count(Counted::Act);
    Ok(ActedAnswer {
        item_status: acted.item_status,
        outcome: acted.outcome,
        instance_status: acted.instance_status,
    })
}

/// A number without a fraction, however it is written: `2` and `2.0` are one.
fn whole<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(reader)? else {
        return Ok(None);
    };
    let written_long = || {
        let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
        (0.0..=f64::from(u32::MAX))
            .contains(&float)
            .then(|| float.to_string())
    };
    let plain = number.as_u64().map(|number| number.to_string());
    plain
        .or_else(written_long)
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("expected 0 to {}, found {number}", u32::MAX)))
}

fn change(json: &serde_json::Value) -> Result<Value, Problem> {
    body::value(json)
}

fn pairs(fields: Vec<FieldReason>) -> Vec<(String, String)> {
    fields
        .into_iter()
        .map(|field| (field.field, field.reason))
        .collect()
}
