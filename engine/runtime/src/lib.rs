//! The runtime: activations, group commit, timers, acts, events, schedules and mails around the pure crates.
//!
//! A [`Runtime`] is one node. Nothing leaves it before the change that says so is durable: inputs go
//! into the lane of their instance, an activation applies them to the state and hands over one
//! [`tongban_store::Change`], and only after its COMMIT answers go out and acts begin.

mod absences;
mod activation;
mod batch;
mod begin;
pub mod bundles;
mod cache;
mod calls;
mod case_view;
mod change;
mod children;
pub mod clock;
mod effects;
mod error;
mod events;
mod facade;
mod finding;
mod flying;
mod following;
pub mod form;
pub mod forms;
pub mod functions;
mod gate;
mod gating;
pub mod history;
pub mod ids;
mod inputs;
mod jobs;
mod lane;
mod late;
mod letters;
mod lifecycle;
pub mod link;
mod links;
mod load;
mod mail_loop;
pub mod node;
mod notices;
mod out;
mod own_calls;
pub mod pack;
mod parties;
mod performer;
mod projection;
mod publish;
mod published;
pub mod record_rows;
pub mod records;
mod reindex;
pub mod render;
pub mod request;
mod retention;
mod rounds;
mod run;
mod schedules;
mod sending;
mod serve;
pub mod settings;
mod sink;
mod start;
pub mod state;
mod threads;
pub mod timetable;
mod titles;
mod wanted;
mod watchdog;
pub mod words;
mod workers;

pub use case_view::CaseView;
pub use clock::{Clock, SystemClock, VirtualClock};
pub use error::RuntimeError;
pub use facade::Runtime;
pub use flying::Flying;
pub use functions::Functions;
pub use ids::{Ids, RandomIds, SeededIds};
pub use inputs::status_word;
pub use jobs::Job;
pub use link::{LinkKeys, LinkTerms};
pub use notices::Objections;
pub use parties::parties_of;
pub use request::{
    Acted, Caller, LinkView, Operate, Published, Received, Start, Started, WorkflowView,
};
pub use settings::{Nowhere, Parts, Settings};
pub use sink::Sink;
pub use threads::STACK_BYTES;
pub use timetable::{Timetable, TimetableError};
pub use wanted::Level;
