//! The HTTP API, the console and the command line: everything of Tongban that faces people and machines.

mod absences;
pub mod api;
pub mod app;
pub mod assemble;
pub mod cli;
pub mod config;
mod connection;
pub mod console;
pub mod counters;
pub mod demo;
mod drafts;
mod drawing;
pub mod form;
pub mod functions;
mod health;
pub mod inspection;
pub mod language;
mod lists;
mod notices;
mod offers;
pub mod organisation_watch;
pub mod problem;
mod reveal;
pub mod router;
pub mod samples;
pub mod sandbox;
pub mod scenario;
pub mod security;
pub mod serve;
pub mod site;
mod veil;
mod visibility;
mod words;

pub use config::Config;
pub use demo::{DemoOptions, demo};
pub use serve::serve;
