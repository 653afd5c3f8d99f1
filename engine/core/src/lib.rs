//! The interpreter: a definition is compiled once, and one pure function takes an instance and an
//! event to the next instance, the effects to be done and the records of what was done.
//!
//! Nothing here has a clock, randomness or any input besides its arguments: the same arguments give
//! the same result.

#![warn(missing_docs)]

mod applicant;
mod authorization;
mod case;
mod code;
mod collector;
mod compile;
mod complete;
mod effect;
mod enter;
mod environment;
mod error;
mod evaluate;
mod event;
mod fault;
mod frame;
mod held;
mod instance;
mod jump;
mod listening;
mod machine;
mod parts;
mod plan;
mod program;
mod refusal;
mod reuse;
mod run_id;
mod schema;
mod stored;
mod surroundings;
mod take;
mod task;
mod time;
mod timer;
mod tree;
mod uri;
mod wake;
mod way_back;

pub use case::{CaseFields, case_fields, evaluate_late};
pub use collector::collector;
pub use compile::compile;
pub use effect::{Call, Effect, Filter, Record, RecordStatus, Reopen, Step, Why};
pub use environment::Env;
pub use error::{BASE, Error, ErrorKind};
pub use event::{ContextChange, Event, Jump, JumpInput, Mode, Right, Siblings, Signing, Target};
pub use instance::{APPLICANT, FORMAT, Instance, LiveTask, Mark, Status};
pub use listening::Shape;
pub use program::Program;
pub use refusal::{Refusal, Refused};
pub use stored::{BLOB_ABOVE, StateError, StoredState};
pub use surroundings::{FunctionInfo, Kind, Surroundings};
pub use take::step;
