//! The kinds of tasks.

mod around;
mod call;
mod emit;
mod fork;
mod listen;
mod plain;
mod repeat;
mod script;
mod trial;
