//! tongban-plugin
