//! tongban-server
