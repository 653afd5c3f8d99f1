//! The time limits of a case as people read them: until when, how much is used, why it stands still.

use std::collections::HashMap;

use tongban_org::{Budget, Used};
use tongban_runtime::CaseView;
use tongban_work::ClockView;

use super::inbox::{Card, card};
use super::time::{self, Due};
use super::timeline;
use crate::app::App;
use crate::language::{InWords, Language};
use crate::words::{Words, fill};

/// A time limit of a case.
pub struct ClockShown {
    /// Its title.
    pub title: String,
    /// Its deadline.
    pub due: Option<Due>,
    /// What is used of it, and how much there is.
    pub used: String,
    /// On what ground it stands still.
    pub standing: Option<String>,
    /// The legal basis.
    pub basis: Option<String>,
    /// How the deadline came about.
    pub explained: Vec<String>,
    /// The cards that were shown.
    pub cards: Vec<Card>,
    /// Whether it is over.
    pub closed: bool,
}

/// The time limits of a case.
pub fn of_case(
    app: &App,
    case: &CaseView,
    titles: &HashMap<String, String>,
    language: Language,
) -> Vec<ClockShown> {
    let words = language.words();
    let shown = case.clocks().into_iter().map(|clock| ClockShown {
        title: clock_title(case, &clock, titles, language),
        due: time::due(app, Some(clock.due_at_ms), clock.provisional, language).map(|due| Due {
            over: clock.overdue && !clock.closed,
            left: match clock.closed || clock.ground.is_some() {
                true => String::new(),
                false => due.left,
            },
            ..due
        }),
        used: fill(
            words.clock_used,
            &[
                ("used", &used(clock.used, words)),
                ("all", &budget(clock.budget, words)),
            ],
        ),
        standing: clock
            .ground
            .as_deref()
            .filter(|_| !clock.closed)
            .map(|ground| {
                fill(
                    words.clock_stopped,
                    &[("ground", ground_word(ground, words))],
                )
            }),
        basis: clock.basis,
        explained: match language {
            Language::Chinese => clock.explained_zh,
            Language::English => clock.explained_en,
        },
        cards: clock
            .cards
            .iter()
            .filter_map(|shown| card(Some(shown.word()), words))
            .collect(),
        closed: clock.closed,
    });
    shown.collect()
}

/// The clock's title: its author's, or that of the step or stage over which it stands.
fn clock_title(
    case: &CaseView,
    clock: &ClockView,
    titles: &HashMap<String, String>,
    language: Language,
) -> String {
    let item = clock.item.and_then(|n| case.desk.item(n));
    if let Some(item) = item {
        return timeline::step_title(item, titles, language);
    }
    let own = clock.title.clone();
    let place = titles.get(&clock.place).cloned();
    let found = match language {
        Language::Chinese => own.or(place),
        Language::English => place.or(own),
    };
    found.unwrap_or_else(|| match clock.place.is_empty() {
        true => language.words().clock_case.to_owned(),
        false => clock.place.clone(),
    })
}

fn ground_word<'a>(ground: &'a str, words: &'static Words) -> &'a str {
    match ground {
        "correction" => words.ground_correction,
        "notice" => words.ground_notice,
        "explanation" => words.ground_explanation,
        "appraisal" => words.ground_appraisal,
        "hearing" => words.ground_hearing,
        "suspended" => words.ground_suspended,
        "batch" => words.ground_batch,
        ground => ground,
    }
}

fn counted(text: &'static str, count: u32) -> String {
    fill(text, &[("n", &count.to_string())])
}

/// Time that was used, in the unit in which it is counted.
fn used(used: Used, words: &'static Words) -> String {
    match used {
        Used::WorkingDays(days) => counted(words.working_days, days),
        Used::Days(days) => counted(words.days, days),
        Used::WorkingMinutes(minutes) if minutes >= 60 => {
            counted(words.working_hours, minutes / 60)
        }
        Used::Minutes(minutes) if minutes >= 60 => counted(words.hours, minutes / 60),
        Used::WorkingMinutes(minutes) | Used::Minutes(minutes) => counted(words.minutes, minutes),
    }
}

fn budget(budget: Budget, words: &'static Words) -> String {
    match budget {
        Budget::WorkingDays(days) => counted(words.working_days, days),
        Budget::WorkingHours(hours) => counted(words.working_hours, hours),
        Budget::Days(days) => counted(words.days, days),
        Budget::Hours(hours) => counted(words.hours, hours),
        Budget::Minutes(minutes) => counted(words.minutes, minutes),
        Budget::Date(day) => day.to_string(),
    }
}
