//! Our own conventions under `metadata`: cases, clocks, titles, what may be returned to.

use crate::definition::duration::Duration;
use crate::definition::expression::{Entry, Template};
use crate::span::{Span, Spanned};

/// `document.metadata`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DocumentMetadata {
    /// How an instance appears as a case.
    pub case: Option<Case>,
    /// The button on another case's page that starts this workflow.
    pub start: Option<Start>,
    /// The clock of the whole case.
    pub clock: Option<Clock>,
    /// How long an event that nobody listens to is kept.
    pub event_ttl: Option<Duration>,
    /// Zone of `schedule.cron`; the site's when absent.
    pub time_zone: Option<Spanned<String>>,
    /// What happens to ticks that were missed.
    pub catch_up: CatchUp,
    /// `businessKey.unique`: the case's key is held for ever, not only while the instance runs.
    pub business_key_unique: bool,
    /// Keys that begin with `x-`: not ours, not looked at.
    pub extra: Vec<Entry>,
}

/// What happens to the ticks of a schedule that were missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out.
    #[default]
    Skip,
    /// One start for all of them.
    Once,
    /// A start for each.
    All,
}

/// `metadata.case`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its place.
    pub span: Span,
    /// Title of the case.
    pub title: Option<Template>,
    /// Pattern of its number (`GX{yyyy}-{seq:5}`), or `none`.
    pub number: Option<Spanned<String>>,
    /// The business key, unique among open instances.
    pub key: Option<Template>,
    /// Search fields by name.
    pub search: Vec<Entry>,
    /// Numbers of linked cases by the kind of link.
    pub links: Vec<Entry>,
    /// The outcomes of the case that refuse a person: it may end with one only after a person's decision whose outcome
    /// is marked `x-refusal`.
    pub refusals: Vec<Spanned<String>>,
}

/// `metadata.start`.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Its place.
    pub span: Span,
    /// On whose page the button stands, and when.
    pub on: StartTrigger,
    /// Who may press it: selectors, evaluated when the page is shown.
    pub by: Option<Template>,
    /// How long after; `{ workingDays: n }` and its like.
    pub within: Option<Template>,
}

/// On whose page the button stands, and when.
#[derive(Debug, Clone, PartialEq)]
pub enum StartTrigger {
    /// A case of this workflow, when it ended with one of these outcomes (any, when empty).
    Case {
        /// `namespace/name`.
        workflow: Spanned<String>,
        /// The outcomes.
        outcomes: Vec<Spanned<String>>,
    },
    /// The page of a notice of this workflow, while it takes objections.
    Notice {
        /// `namespace/name`.
        workflow: Spanned<String>,
    },
}

/// `clock`: a limit of working time.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// Its place.
    pub span: Span,
    /// Its title.
    pub title: Option<Template>,
    /// `{workingDays|workingHours|days|hours|minutes: n}` or `{date}`.
    pub due: Option<Template>,
    /// A shorter limit that was promised in public.
    pub promise: Option<Template>,
    /// Grounds during which it stands still.
    pub stops: Vec<Spanned<String>>,
    /// The law or rule that it rests on.
    pub basis: Option<Template>,
    /// A list of reminders.
    pub remind: Option<Template>,
    /// A list of escalations.
    pub escalate: Option<Template>,
}

/// `pauses`: the ground that holds while a task is live.
#[derive(Debug, Clone, PartialEq)]
pub struct Pauses {
    /// Its place.
    pub span: Span,
    /// The ground, listed in the `stops` of the clocks that it stops.
    pub ground: Spanned<String>,
    /// The law or rule that it rests on.
    pub basis: Option<Template>,
}

/// `metadata` of a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskMetadata {
    /// Title for people; the name when absent.
    pub title: Option<Template>,
    /// The case's public state while the task is live.
    pub state: Option<Template>,
    /// The clock of this step or stage.
    pub clock: Option<Clock>,
    /// Stops the clocks around it.
    pub pauses: Option<Pauses>,
    /// A checkpoint is kept, so that a return may come here.
    pub returnable: bool,
    /// Performing it again after a return is intended.
    pub again: bool,
    /// Overrides the idempotency key of an act.
    pub idempotency_key: Option<Template>,
    /// Keys that begin with `x-`: not ours, not looked at.
    pub extra: Vec<Entry>,
}
