//! tongban-store
