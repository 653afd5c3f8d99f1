//! Human work: who is asked, how many must agree, until when, and what
//! becomes of their answers.
//!
//! A [`Desk`] is the people's side of one case: plain data and functions over
//! it, without a clock, a database or a mail server. [`Desk::act`] is the one
//! function that decides; the console, the API, mail links, bulk jobs and
//! deadlines all go through it.
#![warn(missing_docs)]

mod act;
mod opening;
mod out;
mod refusal;
mod row;
mod world;

pub use act::{Act, AddWhen, Channel, What};
pub use opening::{AskApplicant, Opening, Reopen, Resume, ReturnTo, Siblings, Signing};
pub use out::{
    Card, ClockEntryRow, DecisionRow, Difference, FormChange, JumpRequest, MailKind, MailRequest,
    Note, Out,
};
pub use refusal::{Refusal, WorkError};
pub use row::{CandidateRow, ClockRow, ItemRow, Rows};
pub use world::{CaseFacts, FormFault, Forms, NoForms, World};
