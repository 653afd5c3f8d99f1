//! tongban-tests
