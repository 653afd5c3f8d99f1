//! Expected mails.

use tongban_expr::Value;

use super::none;
use crate::scenario::expected::ExpectMail;
use crate::scenario::matching::Difference;
use crate::scenario::observe::WrittenMail;
use crate::scenario::play::Wrong;
use crate::scenario::stage::Stage;

/// So much of a mail's text is shown.
const TEXT_SHOWN: usize = 160;

/// Every mail that is expected and was not written.
pub(super) async fn mails(
    stage: &Stage,
    expected: &[ExpectMail],
    all: &mut Vec<Difference>,
) -> Result<(), Wrong> {
    let found = stage.mails().await?;
    if expected.is_empty() {
        none("mails", found.iter().map(line), all);
    }
    for wanted in expected {
        // Without `to` anybody may have got it.
        let people = if wanted.to.is_empty() {
            vec![None]
        } else {
            wanted.to.iter().map(Some).collect()
        };
        for person in people {
            let fits = found.iter().any(|mail| {
                mail.template == wanted.template
                    && person.is_none_or(|person| stage.is_meant(person, &mail.person))
                    && wanted
                        .contains
                        .as_ref()
                        .is_none_or(|part| mail.text.contains(part))
                    && wanted
                        .language
                        .as_ref()
                        .is_none_or(|language| mail.language == *language)
            });
            if !fits {
                all.push(Difference::at("mails", meant(wanted, person), told(&found)));
            }
        }
    }
    Ok(())
}

/// The mail that was expected, in words.
fn meant(wanted: &ExpectMail, person: Option<&Value>) -> String {
    let to = person
        .map(|person| format!(" to {person}"))
        .unwrap_or_default();
    let language = wanted
        .language
        .as_ref()
        .map(|language| format!(" in `{language}`"))
        .unwrap_or_default();
    let part = wanted
        .contains
        .as_ref()
        .map(|part| format!(" with the text {part:?}"))
        .unwrap_or_default();
    format!("`{}`{to}{language}{part}", wanted.template)
}

fn told(found: &[WrittenMail]) -> String {
    let lines: Vec<String> = found.iter().map(line).collect();
    if lines.is_empty() {
        "no mail".to_string()
    } else {
        lines.join("\n")
    }
}

/// A mail in a line.
fn line(mail: &WrittenMail) -> String {
    let text: Vec<&str> = mail.text.split_whitespace().collect();
    let mut text = text.join(" ");
    if let Some((end, _)) = text.char_indices().nth(TEXT_SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    format!(
        "{} to {} ({}): {text}",
        mail.template, mail.person, mail.language
    )
}
