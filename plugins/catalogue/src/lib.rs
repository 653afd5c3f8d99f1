//! tongban-catalogue
