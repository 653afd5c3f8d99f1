//! What the test programs share: surroundings made of data, and the reading of events.

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod events;
pub mod scenario;
pub mod surroundings;
