//! tongban-register
