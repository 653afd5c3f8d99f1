//! Failures of the HTTP face as RFC 9457 problems: one type for the API and for the pages.
//!
//! What a caller may know is in the problem; the cause of a 500 goes to the log under the request's
//! number, never to the caller.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tongban_runtime::RuntimeError;
use tongban_store::StoreError;
use tongban_work::Refusal;
use utoipa::ToSchema;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The kind of a problem that comes of a public notice which does not stand any more.
pub const NOTICE_OVER: &str = "notice-over";

/// A failure as RFC 9457 words it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem this is; stable.
    #[serde(rename = "type", serialize_with = "with_prefix")]
    pub kind: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Single fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The id of the case that stands in the way, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Seconds after which trying again makes sense.
    #[serde(skip)]
    pub retry_after_s: Option<u32>,
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where: `scope.items` or `members[0].id`.
    pub field: String,
    /// The rule that is not met.
    pub keyword: String,
    /// What is wrong, in English.
    pub detail: String,
    /// What is wrong, in Chinese.
    pub zh: String,
}

/// Marks a failure that already is a page of ours.
#[derive(Debug, Clone, Copy)]
pub struct Worded;

/// The stable type of a kind.
fn with_prefix<S: serde::Serializer>(kind: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:tongban:problem:{kind}"))
}

impl Problem {
    /// A problem of a kind; the kind's name becomes part of its stable type.
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            holder: None,
            retry_after_s: None,
        }
    }

    /// Says what is wrong this time.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// There is no such thing, or not for this caller: both answer the same.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "not found")
            .because("there is nothing here, or nothing that you may see")
    }

    /// A public notice asked everybody for a time, and that is over.
    pub fn notice_over() -> Self {
        Self::new(StatusCode::CONFLICT, NOTICE_OVER, "the notice is over")
            .because("objections are taken while the notice stands, and it does not stand any more")
    }

    /// The request could not be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            "the request could not be read",
        )
        .because(detail)
    }

    /// The request was read and means nothing acceptable.
    pub fn unacceptable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "the request is not valid",
        )
        .because(detail)
    }

    /// No key, or a key that is not good: unknown, revoked and expired answer the same.
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "a valid API key is needed",
        )
        .because("send `Authorization: Bearer KEY` with a key that is in force")
    }

    /// The caller is known and may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "not allowed").because(detail)
    }

    /// Too many requests.
    pub fn too_many(retry_after_s: u32) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "too many requests",
        )
        .because(format!("try again in {retry_after_s} s"));
        problem.retry_after_s = Some(retry_after_s);
        problem
    }

    /// The version that the caller named is not the current one.
    pub fn precondition_failed(current: i64) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "version-mismatch",
            "changed meanwhile",
        )
        .because(format!(
            "the current version is {current}: read it again and decide anew"
        ))
    }

    /// Something failed on our side; the cause is logged here and told to nobody.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        tracing::error!(incident = %id, cause = %cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on our side",
        )
        .because(format!("the log has the cause under {id}"))
    }

    /// A problem that only has a status, for answers of the framework itself.
    pub fn of_status(status: StatusCode) -> Self {
        let (kind, title, detail) = match status {
            StatusCode::NOT_FOUND => return Self::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method-not-allowed",
                "this method is not allowed here",
                "the `Allow` header lists what is",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (
                "too-large",
                "the body is too large",
                "send less, or in parts",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported-media-type",
                "this kind of body is not taken here",
                "see the description in /openapi.json",
            ),
            StatusCode::REQUEST_TIMEOUT => {
                ("timeout", "the request took too long", "send it again")
            }
            StatusCode::INTERNAL_SERVER_ERROR => {
                return Self::internal("an answer without a cause");
            }
            other => (
                "refused",
                other.canonical_reason().unwrap_or("refused"),
                "see the description in /openapi.json",
            ),
        };
        Self::new(status, kind, title).because(detail)
    }

    /// The status to answer with.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<RuntimeError> for Problem {
    fn from(error: RuntimeError) -> Self {
        let status =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match error {
            RuntimeError::NotFound { .. } => Self::not_found(),
            RuntimeError::Refused(refusal) => {
                let mut problem = Self::new(status, "refused", "the work item does not take this")
                    .because(refusal.to_string());
                problem.errors = fields_of(refusal);
                problem
            }
            RuntimeError::Invalid(faults) => {
                let mut problem = Self::unacceptable("the data do not fit the form");
                problem.errors = faults
                    .into_iter()
                    .map(|fault| FieldProblem {
                        field: fault.field,
                        keyword: fault.keyword,
                        detail: fault.en,
                        zh: fault.zh,
                    })
                    .collect();
                problem
            }
            RuntimeError::Conflict { key, instance } => {
                let mut problem =
                    Self::new(status, "key-held", "another case holds this business key")
                        .because(format!("the key `{key}` is held by an open case"));
                problem.holder = Some(instance);
                problem
            }
            RuntimeError::KeyReused => Self::new(
                status,
                "idempotency-key-reused",
                "the idempotency key came before with another request",
            ),
            RuntimeError::Busy { retry_after_s } => {
                let mut problem =
                    Self::new(status, "busy", "too much is waiting").because("try again later");
                problem.retry_after_s = Some(retry_after_s);
                problem
            }
            RuntimeError::Suspended => Self::new(status, "suspended", "the case is suspended"),
            RuntimeError::Ended => Self::new(status, "ended", "the case has ended"),
            RuntimeError::Unfit(detail) => Self::new(
                status,
                "conflict",
                "this does not fit the state of the case",
            )
            .because(detail),
            RuntimeError::LinkGone(_) => {
                Self::new(status, "link-gone", "the link is no longer good")
            }
            RuntimeError::Failed(problem) => {
                let detail = problem.detail.as_deref().unwrap_or_default();
                Self::new(status, "failed", "the engine failed")
                    .because(format!("{}: {detail}", problem.title))
            }
            RuntimeError::Internal(cause) => Self::internal(cause),
        }
    }
}

/// The fields that a work item refuses.
fn fields_of(refusal: Refusal) -> Vec<FieldProblem> {
    let (Refusal::FormFaults { faults } | Refusal::StatementRequired { warnings: faults }) =
        refusal
    else {
        return Vec::new();
    };
    let faults = faults.into_iter();
    let fields = faults.map(|fault| FieldProblem {
        field: fault.field,
        keyword: fault.keyword,
        detail: fault.en,
        zh: fault.zh,
    });
    fields.collect()
}

impl From<StoreError> for Problem {
    /// A database that cannot be reached now is no fault of this server: whoever asked may come back.
    fn from(error: StoreError) -> Self {
        RuntimeError::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status_code(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == 401 {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"tongban\""),
            );
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_inside_is_never_told_outside() {
        let problem = Problem::from(RuntimeError::Internal("SELECT secret FROM person".into()));
        let text = serde_json::to_string(&problem).expect("a problem is JSON");
        assert_eq!(problem.status, 500);
        assert!(!text.contains("SELECT"), "{text}");
    }

    #[test]
    fn a_database_that_is_away_is_no_fault_inside() {
        let away = Problem::from(StoreError::Unavailable("connection refused".into()));
        assert_eq!((away.status, away.retry_after_s), (503, Some(2)));
        let broken = Problem::from(StoreError::Database("no such column".into()));
        assert_eq!(broken.status, 500);
    }

    #[test]
    fn fields_that_a_work_item_refuses_are_named() {
        let faults = vec![tongban_work::FormFault::required("area")];
        for refusal in [
            Refusal::FormFaults {
                faults: faults.clone(),
            },
            Refusal::StatementRequired { warnings: faults },
        ] {
            let problem = Problem::from(RuntimeError::Refused(refusal));
            assert_eq!(problem.errors[0].field, "area");
            assert!(!problem.errors[0].zh.is_empty() && !problem.errors[0].detail.is_empty());
        }
    }

    #[test]
    fn being_busy_says_when_to_come_back() {
        let response = Problem::from(RuntimeError::Busy { retry_after_s: 7 }).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
    }
}
