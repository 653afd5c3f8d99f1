//! tongban-org
