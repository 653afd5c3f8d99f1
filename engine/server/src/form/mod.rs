//! Forms of the console: a JSON Schema with the `x-` keywords as fields, HTML and answers.
//!
//! Every form works without JavaScript: rows of tables are added and removed by buttons that post
//! the form back, and what was typed is always kept. Validation by the schema is the runtime's; this
//! module words its faults for people and puts them at their fields.

mod access;
mod build;
mod change;
mod decode;
mod fault;
mod field;
mod mask;
mod read;
mod render;

pub use access::{Access, FieldAccess, schema_path};
pub use build::{Offers, WantedChoice, build, wanted_choices};
pub use change::{Change, changes};
pub use decode::{Decoded, Entries, civil_date, decode, edit_rows, sketch, without_nulls};
pub use fault::{Fault, FaultLine, What, identifier};
pub use field::{Choice, Field, Form, Kind, Mask, Section, title_of};
pub use mask::{Cover, Masks};
pub use read::{Reading, render_read};
pub use render::{hidden_inputs, render_fields};
