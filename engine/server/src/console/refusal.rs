//! What the engine refuses, in words: for somebody who came too late, may not, or has to wait.

use tongban_work::Refusal;

use super::{time, timeline};
use crate::app::App;
use crate::language::{InWords, Language};
use crate::words::{Words, fill};

/// A refusal as people read it.
pub fn told(app: &App, refusal: &Refusal, language: Language) -> String {
    let words = language.words();
    match refusal {
        Refusal::AlreadyDecided { by, at_ms, outcome } => decided(app, by, *at_ms, outcome, words),
        Refusal::Closed {
            why,
            by: Some(by),
            at_ms,
        }
        | Refusal::RoundClosed {
            why,
            by: Some(by),
            at_ms,
            ..
        } => decided(app, by, *at_ms, why, words),
        Refusal::ClaimedBy { by, .. } => fill(words.claimed_by, &[("name", &app.name_of(by))]),
        Refusal::NotAgent { for_whom, .. } => {
            fill(words.refused_agent, &[("name", &app.name_of(for_whom))])
        }
        Refusal::UnfitPerson { why, .. } => fill(words.unfit_person, &[("why", unfit(why, words))]),
        Refusal::Waiting { what, .. } => {
            fill(words.refused_waiting, &[("what", waited(what, words))])
        }
        Refusal::UrgedAlready {
            again_at_ms: Some(at_ms),
        } => {
            let moment = time::moment(&app.site.zone, *at_ms);
            fill(words.refused_urge_until, &[("time", &moment)])
        }
        other => plainly(other, words).to_owned(),
    }
}

/// Refusals that need no names and no times.
fn plainly(refusal: &Refusal, words: &'static Words) -> &'static str {
    match refusal {
        Refusal::NotFound => words.refused_unknown,
        Refusal::Closed { .. } | Refusal::RoundClosed { .. } => words.closed_item,
        Refusal::Suspended => words.suspended_item,
        Refusal::SelfApproval => words.self_approval,
        Refusal::OnePersonOneVote => words.refused_voted,
        Refusal::CommentRequired { .. } => words.comment_required,
        Refusal::ReasonRequired { .. } | Refusal::UnknownReason { .. } => words.reason_missing,
        Refusal::UnknownOutcome { .. } => words.refused_outcome,
        Refusal::FieldNotEditable { .. } | Refusal::Figures { .. } => words.refused_field,
        Refusal::FormFaults { .. } | Refusal::BadChange { .. } => words.refused_form,
        Refusal::StatementRequired { .. } => words.statement_missing,
        Refusal::Changed { .. } => words.item_moved,
        Refusal::NotATarget { .. } => words.return_to_missing,
        Refusal::ReturnLimit { .. } => words.refused_returned,
        Refusal::CorrectionUsedUp { .. } => words.refused_corrected,
        Refusal::NothingToCorrect => words.correct_missing,
        Refusal::UrgedAlready { .. } => words.refused_urge,
        Refusal::TooLate { .. } => words.refused_late,
        Refusal::TooManySigners { .. } => words.refused_signers,
        _ => words.not_allowed,
    }
}

fn decided(app: &App, by: &str, at_ms: i64, outcome: &str, words: &'static Words) -> String {
    let known = match outcome {
        "returned" => timeline::act_word("return", words),
        outcome => timeline::act_word(outcome, words),
    };
    fill(
        words.decided_by,
        &[
            ("name", &timeline::name_of(app, by, words)),
            ("time", &time::moment(&app.site.zone, at_ms)),
            ("outcome", known.unwrap_or(outcome)),
        ],
    )
}

/// What an item waits for.
fn waited(what: &str, words: &'static Words) -> &'static str {
    match what {
        "correction" => words.ground_correction,
        "batch" => words.ground_batch,
        "opinion" => words.wait_opinion,
        _ => words.wait_turn,
    }
}

/// Why somebody cannot take part.
pub fn unfit(why: &str, words: &'static Words) -> &'static str {
    match why {
        "is the applicant" => words.unfit_applicant,
        "has a part in it already" => words.unfit_in_it,
        "has decided already" => words.unfit_decided,
        _ => words.hand_missing,
    }
}
