//! tongban-expr
