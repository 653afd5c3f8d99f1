//! tongban-core
