//! The HTTP face as a whole: the sample site on SQLite, driven by requests in memory.

mod access;
mod api;
mod console;
mod hostile;
mod link;
mod site;
