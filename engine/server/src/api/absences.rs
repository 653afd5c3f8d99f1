//! The absences of the key's person: who acts meanwhile, from when to when.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tongban_store::{AbsenceRow, NO_DUE_MS};
use utoipa::ToSchema;

use super::body::Json;
use super::cursor::Page;
use crate::absences::{self, Unfit, Wanted};
use crate::app::App;
use crate::problem::Problem;
use crate::security::identity::Client;

/// An absence to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsenceRequest {
    /// The first day, such as 2026-11-25.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The last day; until it is ended when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Date>,
    /// Who acts meanwhile.
    #[schema(min_length = 1)]
    pub agent: String,
    /// A process, `namespace/name` or `namespace/*`; all when absent.
    #[serde(default)]
    pub of: Option<String>,
}

/// An absence that is not over.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceAnswer {
    /// Its id.
    pub id: String,
    /// The first day.
    pub from: String,
    /// The last day; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Who acts meanwhile.
    pub agent: Option<String>,
    /// The processes that it covers; empty for all.
    pub of: Vec<String>,
}

fn answer(app: &App, row: AbsenceRow) -> AbsenceAnswer {
    let calendar = app.organisation().calendar(None);
    let day = |at_ms: i64| calendar.date_of(at_ms).to_string();
    AbsenceAnswer {
        of: absences::of(&row),
        from: day(row.from_ms),
        to: row
            .until_ms
            .filter(|until| *until < NO_DUE_MS)
            .map(|until| day(until - 1)),
        agent: row.substitute_id,
        id: row.id,
    }
}

/// List the absences of the key's person that are not over and that the person keeps.
#[utoipa::path(get, path = "/api/v1/absences", tag = "absences",
    responses((status = 200, body = Page<AbsenceAnswer>), (status = 403, body = Problem)), security(("key" = [])))]
pub async fn list(
    State(app): State<App>,
    client: Client,
) -> Result<axum::Json<Page<AbsenceAnswer>>, Problem> {
    let rows = absences::own(&app, client.person()?).await?;
    let items = rows.into_iter().map(|row| answer(&app, row)).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// Say who acts while the key's person is away. It is in force at once.
#[utoipa::path(post, path = "/api/v1/absences", tag = "absences", request_body = AbsenceRequest,
    responses((status = 201, body = AbsenceAnswer), (status = 403, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn add(
    State(app): State<App>,
    client: Client,
    Json(request): Json<AbsenceRequest>,
) -> Result<(StatusCode, axum::Json<AbsenceAnswer>), Problem> {
    let AbsenceRequest {
        from,
        to,
        agent,
        of,
    } = request;
    let wanted = Wanted {
        from,
        to,
        agent,
        of,
    };
    let kept = absences::add(&app, client.person()?, &wanted).await?;
    let row = kept.map_err(|unfit| {
        Problem::unacceptable(match unfit {
            Unfit::Days => "`to` is not before `from` and not before today",
            Unfit::Agent => "`agent` is somebody else who works here",
            Unfit::Overlap => "another absence covers some of these days",
            Unfit::Many => "there are too many absences: end some of them first",
        })
    })?;
    Ok((StatusCode::CREATED, axum::Json(answer(&app, row))))
}

/// End an absence now; one that has not begun is removed.
#[utoipa::path(delete, path = "/api/v1/absences/{id}", tag = "absences", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn end(
    State(app): State<App>,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    absences::end(&app, client.person()?, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
