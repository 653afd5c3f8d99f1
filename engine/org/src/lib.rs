//! The organisation as one immutable snapshot: units, people, posts, roles,
//! absences, rights and working calendars. Pure: whoever needs the time passes
//! it in, and nothing here reads a file.
//!
//! [`Organisation::build`] makes the snapshot from the site's settings,
//! [`Organisation::resolve`] turns a [`Selector`] into people,
//! [`Organisation::may`] answers a question of rights and says why, and
//! [`Calendar`] knows deadlines in working time.
#![warn(missing_docs)]

mod absence;
mod budget;
mod building;
mod calendar;
mod deadline;
mod error;
mod explanation;
mod ledger;
mod organisation;
mod person;
mod resolve;
mod right;
mod selector;
mod settings;
mod unit;

pub use absence::Absence;
pub use budget::{Budget, BudgetError, Moment};
pub use calendar::{Calendar, CalendarFile, DayKind, HolidayEntry, WorkdayEntry};
pub use deadline::Deadline;
pub use error::OrganisationError;
pub use explanation::Explanation;
pub use ledger::{Pause, Used};
pub use organisation::Organisation;
pub use person::{Language, Membership, Person, Post};
pub use resolve::{Candidate, Principal, Resolution, ResolveCase};
pub use right::{Function, Holder, Object, Over, RightRule, Scope, ScopeOver, Verdict};
pub use selector::{Selector, SelectorError};
pub use settings::{
    AbsenceEntry, GroupEntry, HeadsEntry, LevelEntry, MembershipEntry, OrganisationFile,
    PersonEntry, PostEntry, RightEntry, UnitEntry,
};
pub use unit::{Level, Unit};
