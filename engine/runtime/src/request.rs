//! What callers ask of the runtime, and what they get.

use tongban_core::Jump;
use tongban_expr::Value;
use tongban_work::Channel;

/// Who asks, and through what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The person, when one is signed in or named by the key.
    pub person: Option<String>,
    /// The unit that they act for.
    pub unit: Option<String>,
    /// The door that they came through.
    pub channel: Channel,
    /// The id of the API key.
    pub key: Option<String>,
}

impl Caller {
    /// The engine itself: schedules, events, tests.
    pub fn system() -> Caller {
        Caller {
            person: None,
            unit: None,
            channel: Channel::System,
            key: None,
        }
    }

    /// A person through a channel.
    pub fn person(id: impl Into<String>, unit: Option<String>, channel: Channel) -> Caller {
        Caller {
            person: Some(id.into()),
            unit,
            channel,
            key: None,
        }
    }

    /// How the caller is named in audit rows.
    pub fn name(&self) -> String {
        match (&self.person, &self.key) {
            (Some(person), _) => person.clone(),
            (None, Some(key)) => format!("key:{key}"),
            (None, None) => "system".to_owned(),
        }
    }
}

/// A request to start an instance.
#[derive(Debug, Clone)]
pub struct Start {
    /// `namespace/name`.
    pub workflow: String,
    /// A version; the current one when absent.
    pub version: Option<String>,
    /// The raw input.
    pub input: Value,
    /// Who asks.
    pub caller: Caller,
    /// The same key with the same request gives the same instance.
    pub idempotency_key: Option<String>,
    /// Number of the case that this one is started from.
    pub link: Option<String>,
}

/// A started instance; the start is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// Its id.
    pub id: String,
    /// Its case number; empty when the workflow gives none.
    pub number: String,
    /// Its status after the first activation: `running`, `completed`, `faulted`.
    pub status: String,
    /// The output or the problem, when it has already ended.
    pub output: Value,
    /// The key was seen before: this is the former answer.
    pub replayed: bool,
}

/// What became of a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Acted {
    /// Number of the work item.
    pub n: u32,
    /// Status of the item now.
    pub item_status: String,
    /// The item's outcome, when it has one.
    pub outcome: Option<String>,
    /// Status of the instance now.
    pub instance_status: String,
}

/// An operator's act.
#[derive(Debug, Clone)]
pub enum Operate {
    /// Ends the instance; acts that were taken are not recalled.
    Cancel,
    /// Stops it where it is.
    Suspend,
    /// Lets it go on.
    Resume,
    /// Retry, skip, jump or revive.
    Jump(Box<Jump>),
    /// Says what became of an act whose outcome is unknown.
    ResolveAct {
        /// The act's run id.
        run_id: String,
        /// Its result, or the problem that the task shall fail with.
        result: Result<Value, String>,
    },
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The event's id within its source.
    pub id: String,
    /// It came before.
    pub known: bool,
}

/// A published workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// `namespace/name`.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// The bundle's digest.
    pub digest: String,
    /// The same bytes were published before.
    pub already: bool,
}

/// A workflow that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowView {
    /// `namespace/name`.
    pub workflow: String,
    /// The current version.
    pub version: String,
    /// The current bundle's digest.
    pub digest: String,
    /// Title for people.
    pub title: String,
    /// The title in English, when its author gave one.
    pub title_en: Option<String>,
    /// What it is for, in a sentence.
    pub summary: Option<String>,
    /// The same in English, when its author gave one.
    pub summary_en: Option<String>,
    /// It follows other cases and is started from their pages.
    pub starts_from_another: bool,
    /// The unit that owns it.
    pub owner_unit: Option<String>,
}

/// What a decision link shows before anything is decided. Opening one changes nothing.
#[derive(Debug, Clone)]
pub struct LinkView {
    /// The instance.
    pub instance: String,
    /// The work item's number.
    pub n: u32,
    /// The item's round that the link is bound to.
    pub round: u32,
    /// Whose link it is: who will be recorded.
    pub person: String,
    /// `decide` or `view`.
    pub purpose: String,
    /// Until when it is good.
    pub expires_at_ms: i64,
    /// Why it cannot be used any more, if so: `used`, `expired`, `moved on`.
    pub gone: Option<&'static str>,
}
