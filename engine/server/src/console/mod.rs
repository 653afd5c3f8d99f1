//! The console: pages rendered on the server, every decision without JavaScript.

pub mod assets;
pub mod bulk;
pub mod case;
pub mod cases;
pub mod clocks;
pub mod decide;
pub mod failure;
pub mod frame;
pub mod handing;
pub mod inbox;
pub mod item;
pub mod link;
pub mod mailbox;
pub mod notice;
pub mod opened;
pub mod outline;
pub mod posted;
pub mod refusal;
pub mod sign_in;
pub mod start;
pub mod start_list;
pub mod steps;
pub mod time;
pub mod timeline;
pub mod value;
