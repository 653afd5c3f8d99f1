//! Durable state on SQLite and PostgreSQL.
//!
//! `Store::commit` is the only door for what instances change: it takes many changes, gates each by the version it
//! rests on and answers each by itself. `db` alone names the two databases; SQL is written once. What an instance's
//! state means is not known here: bodies are opaque text.

mod batches;
mod bounds;
pub mod change;
mod closing;
mod commit;
pub mod committer;
mod db;
pub mod error;
pub mod fault;
mod inner;
pub mod lists;
mod notices;
pub mod options;
pub mod outcome;
mod proof;
mod purge;
pub mod store;
pub mod tables;
pub mod text;
pub mod write;

pub use batches::BatchStep;
pub use change::{
    AuditEntry, Base, Change, Child, InstanceChange, Next, RecordKey, RecordNext, RecordWrite,
};
pub use committer::{Committer, Pressure, Priority};
pub use db::Wakeups;
pub use error::{ChangeError, StoreError};
pub use fault::{Fault, Faults, Point};
pub use lists::{Filter, InboxCursor, InboxFilter, InboxGroup, InboxItem, Seen};
pub use notices::NoticeRow;
pub use options::Options;
pub use outcome::{Lost, Outcome, Refusal};
pub use proof::Prepared;
pub use store::Store;
pub use tables::act::{ActGone, ActRow};
pub use tables::audit::{AuditChainRow, AuditRow, Verdict};
pub use tables::bundle::{BundleFileRow, BundleFiles, BundleRow, BundleTrusted, WorkflowRow};
pub use tables::clock::{ClockEntryRow, ClockRow};
pub use tables::draft::{DraftGone, DraftRow};
pub use tables::event::{
    Event, EventRouted, EventRow, ListenShapeGone, ListenShapeRow, SubscriptionSeen,
};
pub use tables::inbox::InboxRow;
pub use tables::instance::{HeadUpdate, HistoryRow, InstanceRow, StateRow};
pub use tables::key::{KeyGone, KeyRow};
pub use tables::mail::{MailLinkRow, MailLinkUsed, MailRow, MailTried};
pub use tables::operation::{Gauges, IncidentClosed, IncidentRow, NodeRow, TextGone, TextRow};
pub use tables::organisation::{
    AbsenceGone, AbsenceRow, CalendarDayRow, MembershipGone, MembershipRow, ORGANISATION,
    OrganisationRows, PersonRow, PostRow, RightRuleGone, RightRuleRow, RoleRow, UnitAncestorRow,
    UnitAncestorsGone, UnitRow, unit_ancestors,
};
pub use tables::party::{PartyRow, SearchGone, SearchRow};
pub use tables::record::{
    AccessRow, GrantRow, RecordHistoryRow, RecordKeyRow, RecordRow, RegisterRow,
};
pub use tables::schedule::{ScheduleGone, ScheduleRow, ScheduleTicked};
pub use tables::session::{
    ApiKeyGone, ApiKeyRow, CredentialRow, SessionGone, SessionRow, SessionsOfPersonGone,
};
pub use tables::state::{
    BlobGone, BlobRow, CheckpointGone, CheckpointRow, CheckpointsGone, EventTaken,
    SubscriptionGone, SubscriptionRow,
};
pub use tables::wake::{Wake, WakeGone};
pub use tables::work_item::{
    CandidateGone, CandidateRow, CandidatesGone, DecisionGone, DecisionRow, NO_DUE_MS, NoteRow,
    WorkItemRow,
};
pub use write::{Rows, Write};
