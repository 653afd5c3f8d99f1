//! tongban-mail
