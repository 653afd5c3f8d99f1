//! What a posted page of a work item says, as an act for the engine; and what the engine's refusals
//! mean at the fields of that page.

use serde_json::{Map, Value as Json};
use tongban_expr::Value;
use tongban_work::{ItemView, OutcomeView, Refusal, Resume, ReturnTo, What};

use super::posted::Posted;
use super::refusal::unfit;
use super::start::{field_fault, first_of_each};
use crate::api::body::value;
use crate::form::{self, Access, Decoded, Fault, Form, What as Wrong};
use crate::language::{InWords, Language};
use crate::problem::Problem;
use crate::words::{CHINESE, ENGLISH, fill};

/// A fault of the page that is at no field of the case's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFault {
    /// The id of the control.
    pub id: String,
    /// The words.
    pub message: String,
}

impl PageFault {
    /// A fault at a control.
    pub fn new(id: &str, message: &str) -> Self {
        Self {
            id: id.to_owned(),
            message: message.to_owned(),
        }
    }
}

/// What a post came to.
pub enum Reading {
    /// An act.
    Act(What),
    /// Rows come or go, choices are looked up: the page is shown again with these data.
    Again(Json),
    /// Faults: the page is shown again with these data.
    Faulty {
        data: Json,
        fields: Vec<Fault>,
        page: Vec<PageFault>,
    },
}

/// The rights of a viewer on the fields of an item's form.
pub fn access_of(view: &ItemView) -> Access {
    let works = view
        .may
        .iter()
        .any(|word| matches!(word.as_str(), "decide" | "submit" | "resubmit"));
    let fields = &view.fields;
    if works && view.fills && fields.edit.is_empty() {
        return Access::edit_all()
            .with(&fields.read, &[], &fields.hide, &fields.require)
            .unmasked();
    }
    let edit: &[String] = if works { &fields.edit } else { &[] };
    let require: &[String] = if works { &fields.require } else { &[] };
    let access = Access::read_all().with(&fields.read, edit, &fields.hide, require);
    // Who has to decide sees what is decided upon; onlookers see masks.
    if works || view.kind == "resubmit" || view.kind == "correct" {
        access.unmasked()
    } else {
        access
    }
}

/// Reads what was posted on the page of an item.
///
/// # Errors
/// The post names something that the page never asked.
pub fn read(
    posted: &Posted,
    view: &ItemView,
    form: &Form,
    base: &Json,
    language: Language,
) -> Result<Reading, Problem> {
    let words = language.words();
    let comment = posted.filled("_comment");
    match posted.text("_act") {
        "claim" => Ok(Reading::Act(What::Claim)),
        "unclaim" => Ok(Reading::Act(What::Unclaim)),
        "urge" => Ok(Reading::Act(What::Urge { comment })),
        "withdraw" => Ok(Reading::Act(What::Withdraw { comment })),
        "comment" => Ok(match posted.filled("_text") {
            Some(text) => Reading::Act(What::Comment { text }),
            None => fault(base, "comment-text", words.comment_required),
        }),
        "return" => Ok(read_return(posted, base, language)),
        "correct" => Ok(match lines(posted.text("_items")) {
            items if items.is_empty() => fault(base, "correct-items", words.correct_missing),
            items => Reading::Act(What::Correct { items, comment }),
        }),
        _ => read_answer(posted, view, form, base, language),
    }
}

fn fault(data: &Json, id: &str, message: &str) -> Reading {
    Reading::Faulty {
        data: data.clone(),
        fields: Vec::new(),
        page: vec![PageFault::new(id, message)],
    }
}

fn lines(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| (String::new(), line.to_owned()))
        .collect()
}

/// A return: where to, how it comes back, and what is wrong field by field.
fn read_return(posted: &Posted, base: &Json, language: Language) -> Reading {
    let words = language.words();
    let to = posted.text("_to");
    if to.is_empty() {
        return fault(base, "return-to", words.return_to_missing);
    }
    let marked = posted
        .entries
        .names()
        .filter_map(|name| name.strip_prefix("_field."));
    let fields: Vec<(String, String)> = marked
        .filter_map(|path| Some((path.to_owned(), posted.filled(&format!("_field.{path}"))?)))
        .collect();
    let comment = posted.filled("_comment");
    if fields.is_empty() && comment.is_none() {
        return fault(base, "return-comment", words.return_fields_missing);
    }
    let resume = match posted.text("_resume") {
        "direct" => Some(Resume::Direct),
        "rerun" => Some(Resume::Rerun),
        _ => None,
    };
    Reading::Act(What::Return {
        to: ReturnTo::parse(to),
        resume,
        siblings: None,
        signing: None,
        fields,
        comment,
    })
}

/// A decision, or a form that was filled in.
fn read_answer(
    posted: &Posted,
    view: &ItemView,
    form: &Form,
    base: &Json,
    language: Language,
) -> Result<Reading, Problem> {
    let words = language.words();
    let access = access_of(view);
    let rows = posted
        .entries
        .first("_add")
        .or(posted.entries.first("_remove"))
        .is_some();
    let finished = !rows && matches!(posted.text("_act"), "decide" | "submit" | "resubmit");
    let Decoded { mut data, faults } = form::decode(form, &access, base, &posted.entries, finished)
        .map_err(|name| {
            Problem::malformed(format!(
                "the form has no field `{name}` that may be filled in"
            ))
        })?;
    if !finished {
        form::edit_rows(form, &access, &mut data, &posted.entries);
        return Ok(Reading::Again(data));
    }
    let outcome = posted.filled("_outcome");
    let mut page = Vec::new();
    let approve = posted.text("_act") == "decide";
    if approve && outcome.is_none() {
        page.push(PageFault::new("outcome", words.outcome_missing));
    }
    if !faults.is_empty() || !page.is_empty() {
        return Ok(Reading::Faulty {
            data,
            fields: first_of_each(faults),
            page,
        });
    }
    let change = value(&difference(base, &data))?;
    Ok(Reading::Act(answered(posted, outcome, change)))
}

/// The answer as an act for the engine.
fn answered(posted: &Posted, outcome: Option<String>, change: Value) -> What {
    let (comment, statement) = (posted.comment(), posted.filled("_statement"));
    let reason = outcome
        .as_ref()
        .and_then(|outcome| posted.filled(&format!("_reason.{outcome}")));
    match posted.text("_act") {
        "decide" => What::Decide {
            outcome: outcome.unwrap_or_default(),
            comment,
            reason,
            change,
            statement,
        },
        "submit" => What::Submit {
            outcome,
            data: None,
            change,
            comment,
            reason,
            statement,
        },
        _ => What::Resubmit {
            data: None,
            change,
            comment,
            statement,
        },
    }
}

/// The changed leaves by path; a list of another length is changed as a whole, an answer that went
/// away becomes null.
fn difference(before: &Json, after: &Json) -> Json {
    fn walk(before: &Json, after: &Json, path: &str, found: &mut Map<String, Json>) {
        if before == after {
            return;
        }
        let below = |name: &str| {
            if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            }
        };
        match (before, after) {
            (Json::Object(old), Json::Object(new)) => {
                for (name, value) in new {
                    walk(
                        old.get(name).unwrap_or(&Json::Null),
                        value,
                        &below(name),
                        found,
                    );
                }
                for name in old.keys().filter(|name| !new.contains_key(*name)) {
                    walk(
                        old.get(name).unwrap_or(&Json::Null),
                        &Json::Null,
                        &below(name),
                        found,
                    );
                }
            }
            (Json::Array(old), Json::Array(new)) if old.len() == new.len() => {
                for (at, (old, new)) in old.iter().zip(new).enumerate() {
                    walk(old, new, &format!("{path}[{at}]"), found);
                }
            }
            _ => {
                found.insert(path.to_owned(), after.clone());
            }
        }
    }
    let mut found = Map::new();
    walk(before, after, "", &mut found);
    Json::Object(found)
}

/// What a refusal means on the page: faults at fields, or a sentence; `None` when the page cannot
/// mend it (the item was closed, the round is over).
pub fn refused(
    refusal: &Refusal,
    view: &ItemView,
    posted: &Posted,
    language: Language,
) -> Option<(Vec<Fault>, Vec<PageFault>)> {
    let words = language.words();
    let page = |id: &str, message: &str| Some((Vec::new(), vec![PageFault::new(id, message)]));
    match refusal {
        Refusal::CommentRequired { .. } => page("comment", words.comment_required),
        Refusal::ReasonRequired { .. } | Refusal::UnknownReason { .. } => {
            let chosen = posted.text("_outcome");
            let known = |outcome: &OutcomeView| outcome.name == chosen;
            let at = view.outcomes.iter().position(known).unwrap_or(0) + 1;
            page(&format!("reason-{at}"), words.reason_missing)
        }
        Refusal::UnfitPerson { why, .. } => page(
            "hand-who",
            &fill(words.unfit_person, &[("why", unfit(why, words))]),
        ),
        Refusal::UnknownOutcome { .. } => page("outcome", words.outcome_missing),
        Refusal::NothingToCorrect => page("correct-items", words.correct_missing),
        Refusal::NotATarget { .. } => page("return-to", words.return_to_missing),
        Refusal::Changed { .. } => page("outcome", words.item_moved),
        Refusal::FormFaults { faults } | Refusal::StatementRequired { warnings: faults } => {
            let fields = faults.iter().map(|fault| {
                field_fault(tongban_runtime::form::FieldFault {
                    field: fault.field.clone(),
                    keyword: fault.keyword.clone(),
                    zh: fault.zh.clone(),
                    en: fault.en.clone(),
                    warning: fault.warning,
                })
            });
            let mut page = Vec::new();
            if matches!(refusal, Refusal::StatementRequired { .. }) {
                page.push(PageFault::new("statement", words.statement_missing));
            }
            Some((fields.collect(), page))
        }
        Refusal::FieldNotEditable { field } | Refusal::Figures { field } => {
            let said = Wrong::Said {
                chinese: CHINESE.refused_field.to_owned(),
                english: ENGLISH.refused_field.to_owned(),
            };
            Some((vec![Fault::new(field.clone(), said)], Vec::new()))
        }
        Refusal::BadChange { reason } => page(if view.fills { "form" } else { "outcome" }, reason),
        _ => None,
    }
}

/// Where the page goes after an act.
pub fn said_after(what: &What) -> &'static str {
    match what {
        What::Claim => "claimed",
        What::Unclaim => "unclaimed",
        What::Return { .. } => "returned",
        What::Correct { .. } => "corrected",
        What::Comment { .. } => "commented",
        What::Urge { .. } => "urged",
        What::Withdraw { .. } => "withdrawn",
        What::Transfer { .. } => "done",
        What::Delegate { .. } | What::AddSigner { .. } | What::RemoveSigner { .. } => "handed",
        What::Resubmit { .. } => "resubmitted",
        _ => "decided",
    }
}

/// An engine's value as plain data without empty members.
pub fn plain(value: &Value) -> Json {
    form::without_nulls(crate::api::body::json(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_changed_leaves_are_sent() {
        let before = json!({ "a": 1, "scope": { "items": ["x", "y"], "rows": "all" }, "list": [{ "n": 1 }, { "n": 2 }], "gone": "g" });
        let after = json!({ "a": 1, "scope": { "items": ["x"], "rows": "all" }, "list": [{ "n": 1 }, { "n": 3 }], "new": true });
        assert_eq!(
            difference(&before, &after),
            json!({ "scope.items": ["x"], "list[1].n": 3, "new": true, "gone": null })
        );
        assert_eq!(difference(&after, &after), json!({}));
    }

    #[test]
    fn corrections_are_lines() {
        assert_eq!(
            lines(" 营业执照 \n\n 授权书"),
            vec![
                (String::new(), "营业执照".into()),
                (String::new(), "授权书".into())
            ]
        );
    }
}
