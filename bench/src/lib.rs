//! tongban-bench
