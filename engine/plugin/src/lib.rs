//! The contract between the engine and its functions: traits, signatures, ports, failures.
//!
//! A plugin implements [`Read`], [`Write`] or [`Act`]; the runtime calls it and owns every
//! transaction. What a plugin may reach is handed to it as a port. Nothing here does I/O.
#![warn(missing_docs)]

mod call;
mod failure;
mod faults;
mod function;
mod index;
mod mail;
mod number;
mod outside;
mod ports;
mod prepared;
mod record;
mod register;
mod rights;
mod signature;

pub use async_trait::async_trait;
pub use call::{ActCall, Call, Starter};
pub use failure::{ERROR_BASE, Failure, FailureKind};
pub use function::{Act, Answer, Plugin, Read, Write};
pub use index::{index_name, index_text, is_index};
pub use mail::{MailFailure, MailReason, MailTransport, Message};
pub use number::{NumberFault, NumberPattern};
pub use outside::{OUTSIDE, Outside};
pub use ports::{
    Admission, Calendar, HttpPort, HttpRequest, HttpResponse, Ports, Records, Secrets, Source,
    Templates,
};
pub use prepared::{
    AccessEntry, GrantStatus, GrantWrite, Prepared, RecordMode, RecordWrite, merge,
};
pub use record::{FieldSource, Found, Provenance, Query, Record};
pub use register::{
    Authority, Covers, Extras, History, NoRecord, RegisterDefinition, RegisterFault, Retention,
    Stale, key_text,
};
pub use rights::{Demand, Fields, May, Principal, RegisterRight};
pub use signature::{Kind, Signature, Title};
