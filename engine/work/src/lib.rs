//! Human work: who is asked, how many must agree, until when, and what
//! becomes of their answers.
//!
//! A [`Desk`] is the people's side of one case: plain data and functions over
//! it, without a clock, a database or a mail server. [`Desk::act`] is the one
//! function that decides; the console, the API, mail links, bulk jobs and
//! deadlines all go through it.
#![warn(missing_docs)]

mod act;
mod arguments;
mod clock;
mod correction;
mod decide;
mod desk;
mod ending;
mod entering;
mod field;
mod figures;
mod filling;
mod firing;
mod handing;
mod item;
mod mask;
mod notice;
mod opening;
mod out;
mod refusal;
mod result;
mod returning;
mod round;
mod row;
mod rung;
mod seat;
mod spec;
mod standing;
mod tally;
mod telling;
mod timing;
mod view;
mod withdrawal;
mod world;

pub use act::{Act, AddWhen, Channel, What};
pub use clock::{CASE_CLOCK, Clock};
pub use desk::{Change, Desk, Ground};
pub use field::{FieldRights, difference};
pub use handing::{URGE_INTERVAL_MS, URGE_MAX};
pub use item::{Closed, Decision, Item, Kind, Objection, RoundEnd, Status};
pub use notice::NoticeView;
pub use opening::{AskApplicant, Opening, Reopen, Resume, ReturnTo, Siblings, Signing};
pub use out::{
    Card, ClockEntryRow, DecisionRow, Difference, FormChange, JumpRequest, MailKind, MailRequest,
    Note, Out,
};
pub use refusal::{Refusal, WorkError};
pub use row::{CandidateRow, ClockRow, ItemRow, Rows};
pub use rung::{Again, Does, Rung};
pub use seat::{Opinion, SIGNERS_MAX, Seat};
pub use spec::{
    BatchSpec, CorrectSpec, EmptyRule, Mode, NoticeSpec, Outcome, RETURNS_MAX, RepeatRule,
    ReturnSpec, SelfRule, Spec,
};
pub use view::{ClockView, DecisionView, ItemView, OutcomeView, ReturnView};
pub use world::{CaseFacts, FormFault, Forms, World};
