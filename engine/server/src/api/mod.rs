//! The REST API under `/api/v1`: strict in what it takes, problem+json in what it refuses.

pub mod absences;
mod answers;
pub mod body;
pub mod bulk;
pub mod cursor;
pub mod document;
pub mod drafts;
pub mod events;
pub mod handing;
pub mod instances;
pub mod mailbox;
pub mod masking;
pub mod notices;
pub mod operations;
pub mod registers;
mod twice;
pub mod work_items;
pub mod workflows;
