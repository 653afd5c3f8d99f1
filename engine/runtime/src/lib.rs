//! tongban-runtime
