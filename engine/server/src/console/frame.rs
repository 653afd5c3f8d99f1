//! What stands around every page: navigation, language, who is signed in, what was just done.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::assets::style_address;
use crate::app::App;
use crate::language::{InWords, Language};
use crate::problem::{Problem, Worded};
use crate::security::identity::Visitor;
use crate::words::Words;

/// The frame of a page.
pub struct Frame {
    /// The language.
    pub language: Language,
    /// Its texts.
    pub words: &'static Words,
    /// The site's name.
    pub site: String,
    /// The address of the style sheet.
    pub style: String,
    /// Who is signed in.
    pub person: Option<String>,
    /// The token of the forms on the page.
    pub token: String,
    /// The page's own address, to come back to after switching the language.
    pub path: String,
    /// The part of the navigation that is marked.
    pub tab: &'static str,
    /// Whether the page says that this is a demonstration.
    pub demo: bool,
    /// What was just done.
    pub said: Option<&'static str>,
    /// Whether the page reports faults; its title then begins with it.
    pub faulty: bool,
}

impl Frame {
    /// The frame for a visitor.
    pub fn new(app: &App, visitor: &Visitor, tab: &'static str) -> Self {
        let words = visitor.language.words();
        Self {
            language: visitor.language,
            words,
            site: app.site.name.clone(),
            style: style_address(),
            person: visitor
                .signed_in
                .as_ref()
                .map(|signed_in| signed_in.name.clone()),
            token: visitor.token(app),
            path: visitor.path.to_string(),
            tab,
            demo: app.site.demo,
            said: said(&visitor.path, words),
            faulty: false,
        }
    }

    /// Marks the page as one that reports faults.
    #[must_use]
    pub fn with_faults(mut self, faulty: bool) -> Self {
        self.faulty = faulty;
        self
    }
}

/// The sentence that a redirect asked the next page to show; only known words are shown.
fn said(path: &str, words: &'static Words) -> Option<&'static str> {
    let query = path.split_once('?')?.1;
    let word = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("said="))?;
    Some(match word {
        "decided" => words.your_decision_saved,
        "commented" => words.comment_saved,
        "returned" => words.returned_saved,
        "corrected" => words.corrected_saved,
        "claimed" => words.claimed_saved,
        "unclaimed" => words.unclaimed_saved,
        "withdrawn" => words.withdrawn_saved,
        "resubmitted" => words.resubmitted,
        "urged" => words.urged,
        "handed" => words.handed_saved,
        "away" => words.absence_saved,
        "back" => words.absence_ended,
        "saved" => words.draft_saved,
        "discarded" => words.draft_discarded,
        "signed-out" => words.signed_out,
        "done" => words.action_done,
        _ => return None,
    })
}

/// Renders a page, or fails as a problem when the template does.
pub fn page(template: &impl askama::Template) -> Result<Response, Problem> {
    template
        .render()
        .map(|html| Html(html).into_response())
        .map_err(Problem::internal)
}

/// Renders a page that reports faults of what was sent.
pub fn faulty_page(
    status: StatusCode,
    template: &impl askama::Template,
) -> Result<Response, Problem> {
    let mut response = page(template)?;
    *response.status_mut() = status;
    response.extensions_mut().insert(Worded);
    Ok(response)
}

/// Whether a request asks for the page that comes after another one.
pub fn query_value(request: &Request, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = axum::extract::Query::try_from_uri(request.uri())
        .map(|query| query.0)
        .unwrap_or_default();
    pairs
        .into_iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value)
}
