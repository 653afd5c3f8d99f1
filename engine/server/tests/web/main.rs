//! The HTTP face as a whole: the sample site on SQLite, driven by requests in memory.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly, and its helpers do too"
)]

mod absence;
mod access;
mod api;
mod console;
mod drafts;
mod endings;
mod guards;
mod hostile;
mod leaks;
mod link;
mod notices;
mod offers;
mod pages;
mod parts;
mod rights;
mod site;
mod socket;
mod together;
