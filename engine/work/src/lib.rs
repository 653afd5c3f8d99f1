//! tongban-work
