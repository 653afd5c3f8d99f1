//! What operators do to a case: cancel, suspend, resume, jump. Each wants the right, a reason and,
//! when the caller sends `If-Match`, the version that was looked at.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tongban_core::{Jump, Target};
use tongban_runtime::Operate;
use utoipa::ToSchema;

use super::body::{Json, named, value};
use crate::app::App;
use crate::problem::Problem;
use crate::security::identity::Client;
use crate::visibility::{self, may_operate};

/// Why an operator acts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Goes into the audit.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// Where a case is moved to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct JumpRequest {
    /// Goes into the audit.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
    /// The path of the task to enter.
    #[schema(min_length = 1)]
    pub to: String,
    /// The input that the task is entered with; its checkpoint's when absent.
    #[serde(default)]
    pub input: Option<serde_json::Value>,
}

/// Cancel a case. What was done outside is not undone.
#[utoipa::path(post, path = "/api/v1/instances/{id}/cancel", tag = "operations", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = Reason, responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)), security(("key" = [])))]
pub async fn cancel(case: Case, Json(why): Json<Reason>) -> Result<StatusCode, Problem> {
    case.operate(Operate::Cancel, why.reason).await
}

/// Stop a case where it is.
#[utoipa::path(post, path = "/api/v1/instances/{id}/suspend", tag = "operations", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = Reason, responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)), security(("key" = [])))]
pub async fn suspend(case: Case, Json(why): Json<Reason>) -> Result<StatusCode, Problem> {
    case.operate(Operate::Suspend, why.reason).await
}

/// Let a case go on.
#[utoipa::path(post, path = "/api/v1/instances/{id}/resume", tag = "operations", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = Reason, responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)), security(("key" = [])))]
pub async fn resume(case: Case, Json(why): Json<Reason>) -> Result<StatusCode, Problem> {
    case.operate(Operate::Resume, why.reason).await
}

/// Move a case to another task.
#[utoipa::path(post, path = "/api/v1/instances/{id}/jump", tag = "operations", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = JumpRequest, responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)), security(("key" = [])))]
pub async fn jump(case: Case, Json(request): Json<JumpRequest>) -> Result<StatusCode, Problem> {
    let by = case.client.caller().name();
    let mut jump = Jump::operator(Target::Task(request.to), by, request.reason.clone());
    if let Some(input) = &request.input {
        jump.input = tongban_core::JumpInput::Given(value(input)?);
    }
    case.operate(Operate::Jump(Box::new(jump)), request.reason)
        .await
}

/// A case that a request names, with who asks and which version of it was looked at.
pub struct Case {
    app: App,
    client: Client,
    id: String,
    headers: HeaderMap,
}

impl FromRequestParts<App> for Case {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (client, id) = named(parts, app).await?;
        Ok(Self {
            app: app.clone(),
            client,
            id,
            headers: parts.headers.clone(),
        })
    }
}

impl Case {
    async fn operate(self, what: Operate, reason: String) -> Result<StatusCode, Problem> {
        let (app, client) = (&self.app, &self.client);
        let (head, case) = visibility::case(app, client.asker(), &self.id).await?;
        if !may_operate(app, client.asker(), &what, &head) {
            return Err(Problem::forbidden(
                "this wants a right over the case: `terminate` to cancel, `intervene` for the rest",
            ));
        }
        if_match(&self.headers, case.version)?;
        let reason = checked(&reason)?;
        app.runtime
            .operate(&self.id, what, &reason, client.caller())
            .await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

/// A reason that says something.
///
/// # Errors
/// It is empty or very long.
pub fn checked(reason: &str) -> Result<String, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 2000 {
        return Err(Problem::unacceptable(
            "`reason` says in 1 to 2000 characters why this is done",
        ));
    }
    Ok(reason.to_owned())
}

/// Refuses when the caller looked at another version.
///
/// # Errors
/// 412 when `If-Match` names another version than the current one.
pub fn if_match(headers: &HeaderMap, current: i64) -> Result<(), Problem> {
    let mut wanted = headers.get_all(IF_MATCH).iter().peekable();
    if wanted.peek().is_none() {
        return Ok(());
    }
    // What cannot be read names no version: it is no leave to go on.
    let fits = wanted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag == format!("\"{current}\""));
    if fits {
        Ok(())
    } else {
        Err(Problem::precondition_failed(current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_version_that_was_not_looked_at_is_refused() {
        let with = |tag: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, HeaderValue::from_static(tag));
            if_match(&headers, 7)
        };
        assert!(if_match(&HeaderMap::new(), 7).is_ok());
        assert!(with("\"7\"").is_ok() && with("*").is_ok() && with("\"6\", \"7\"").is_ok());
        assert_eq!(with("\"6\"").expect_err("another version").status, 412);
        assert_eq!(with("7").expect_err("not quoted").status, 412);
        assert_eq!(with("W/\"7\"").expect_err("a weak tag").status, 412);
        let mut twice = HeaderMap::new();
        twice.append(IF_MATCH, HeaderValue::from_static("\"6\""));
        twice.append(IF_MATCH, HeaderValue::from_static("\"7\""));
        assert!(if_match(&twice, 7).is_ok());
        let mut odd = HeaderMap::new();
        let bytes = HeaderValue::from_bytes(b"\"\xff\"").expect("a header takes it");
        odd.insert(IF_MATCH, bytes);
        assert_eq!(if_match(&odd, 7).expect_err("not readable").status, 412);
    }

    #[test]
    fn a_reason_says_something() {
        assert_eq!(checked("  重复办件 ").expect("a reason"), "重复办件");
        assert_eq!(checked(" \n").expect_err("nothing said").status, 422);
    }
}
