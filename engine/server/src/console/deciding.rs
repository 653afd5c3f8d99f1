//! The part of a page on which somebody decides: outcomes with their reasons, what one often says, the comment. It is
//! one and the same for an item, for several together, and behind the link of a mail.

use tongban_work::OutcomeView;

use super::posted::Posted;
use crate::app::App;
use crate::problem::Problem;
use crate::words::{Words, fill};

/// Decisions that are looked through for what a person often says.
const LOOKED_AT: i64 = 60;
/// The most phrases that are proposed.
const PHRASES_MAX: usize = 8;
/// The longest comment that is proposed again, in characters.
const PHRASE_LETTERS_MAX: usize = 40;

/// What the part of the page shows.
#[derive(Default)]
pub struct Deciding {
    /// The outcomes.
    pub outcomes: Vec<OutcomeView>,
    /// The outcome that was chosen before.
    pub chosen: String,
    /// The reason that was chosen before.
    pub reason: String,
    /// What the person often says.
    pub phrases: Vec<String>,
    /// The phrase that was chosen before.
    pub phrase: String,
    /// The comment that was typed before.
    pub comment: String,
    /// For which outcomes a comment is needed, in words.
    pub needed: Option<String>,
    /// Whether any outcome does without a comment.
    pub optional: bool,
}

impl Deciding {
    /// The part with these outcomes, and with what was typed on it before.
    pub fn of(outcomes: Vec<OutcomeView>, typed: Option<&Posted>, words: &'static Words) -> Self {
        let text = |name: &str| typed.map_or_else(String::new, |posted| posted.text(name).into());
        let chosen = text("_outcome");
        let (needed, optional) = comment_rule(&outcomes, words);
        Self {
            reason: text(&format!("_reason.{chosen}")),
            phrase: text("_phrase"),
            comment: text("_comment"),
            phrases: Vec::new(),
            outcomes,
            chosen,
            needed,
            optional,
        }
    }

    /// Proposes what the person often says.
    ///
    /// # Errors
    /// The database refused.
    pub async fn with_phrases(mut self, app: &App, person: &str) -> Result<Self, Problem> {
        let rows = app.store();
        let rows = rows.decisions_of_person(person, (i64::MAX, ""), LOOKED_AT);
        let rows = rows.await.map_err(Problem::from)?;
        self.phrases = phrases(rows.into_iter().filter_map(|row| row.comment));
        Ok(self)
    }
}

/// The short comments of a list, the most frequent first; the later one first where they are equal.
fn phrases(comments: impl Iterator<Item = String>) -> Vec<String> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    let short = |text: &String| !text.is_empty() && text.chars().count() <= PHRASE_LETTERS_MAX;
    for comment in comments
        .map(|text| text.trim().to_owned())
        .filter(short)
        .filter(|text| !text.contains('\n'))
    {
        match counted.iter_mut().find(|(known, _)| *known == comment) {
            Some((_, count)) => *count += 1,
            None => counted.push((comment, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let phrases = counted.into_iter().map(|(text, _)| text);
    phrases.take(PHRASES_MAX).collect()
}

/// Which outcomes want a comment, in words, and whether any does without.
fn comment_rule(outcomes: &[OutcomeView], words: &'static Words) -> (Option<String>, bool) {
    let needing: Vec<&str> = outcomes
        .iter()
        .filter(|outcome| outcome.comment)
        .map(|outcome| outcome.title.as_str())
        .collect();
    if needing.is_empty() || needing.len() == outcomes.len() {
        return (None, needing.is_empty());
    }
    let named = needing.join("、");
    (
        Some(fill(words.comment_needed_for, &[("outcomes", &named)])),
        true,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_often_comes_first_and_long_texts_never() {
        let said = ["情况属实", "同意", " 同意 ", "", "一\n二", &"长".repeat(41)];
        let found = phrases(said.iter().map(|text| (*text).to_owned()));
        assert_eq!(found, ["同意", "情况属实"]);
        let many = (0..20).map(|n| n.to_string());
        assert_eq!(phrases(many).len(), PHRASES_MAX);
    }
}
