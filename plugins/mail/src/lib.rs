//! Mail transports: a real SMTP server, or a mailbox in memory for the demo.
//!
//! What is sent, how often and under which Message-ID is the runtime's business; here a message
//! becomes bytes and the server's answer becomes "sent", "later" or "never".

mod compose;
mod mailbox;
mod settings;
mod smtp;

pub use mailbox::Mailbox;
pub use settings::{Security, Settings, Timeouts};
pub use smtp::Smtp;
