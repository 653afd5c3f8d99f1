//! tongban-dsl
