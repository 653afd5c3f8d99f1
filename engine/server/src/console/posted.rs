//! A posted form: read once, from our own pages only.

use axum::Form;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;

use crate::app::App;
use crate::form::Entries;
use crate::language::InWords;
use crate::problem::Problem;
use crate::security::form_token::{TOKEN_FIELD, foreign, token_accepted};
use crate::security::identity::Visitor;

/// The most entries of one form.
const ENTRIES_MAX: usize = 20_000;

/// The entries of a form that this visitor was shown.
pub struct Posted {
    /// The entries.
    pub entries: Entries,
    /// Who sent them.
    pub visitor: Visitor,
}

impl Posted {
    /// The first value of a name, trimmed; empty when it was not sent.
    pub fn text(&self, name: &str) -> &str {
        self.entries.first(name).unwrap_or_default().trim()
    }

    /// The comment: the phrase that was chosen, and what was typed.
    pub fn comment(&self) -> Option<String> {
        match (self.filled("_phrase"), self.filled("_comment")) {
            (Some(phrase), Some(typed)) if typed != phrase => Some(format!("{phrase}\n{typed}")),
            (phrase, typed) => typed.or(phrase),
        }
    }

    /// A value that was filled in.
    pub fn filled(&self, name: &str) -> Option<String> {
        Some(self.text(name))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }
}

impl FromRequest<App> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let visitor = request.extensions().get::<Visitor>().cloned();
        let visitor = visitor.ok_or_else(|| Problem::internal("the visit was not looked at"))?;
        if foreign(request.headers()) {
            return Err(Problem::forbidden(visitor.language.words().session_stale));
        }
        let form = Form::<Vec<(String, String)>>::from_request(request, app).await;
        let Form(pairs) = form.map_err(|rejection| {
            match axum::response::IntoResponse::into_response(rejection).status() {
                StatusCode::UNPROCESSABLE_ENTITY => {
                    Problem::malformed("the form could not be read")
                }
                status => Problem::of_status(status),
            }
        })?;
        if pairs.len() > ENTRIES_MAX {
            return Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        let nul = |text: &String| text.contains('\0');
        if pairs.iter().any(|(name, value)| nul(name) || nul(value)) {
            return Err(Problem::malformed("the form has a NUL character"));
        }
        let entries = Entries::new(pairs);
        if !token_accepted(
            &app.key,
            &visitor.subject,
            entries.first(TOKEN_FIELD).unwrap_or_default(),
        ) {
            return Err(Problem::forbidden(visitor.language.words().session_stale));
        }
        Ok(Self { entries, visitor })
    }
}
