//! tongban-http
