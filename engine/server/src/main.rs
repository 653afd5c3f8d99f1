//! The binary `tongban`.

use std::alloc::System;

use tongban_expr::alloc::Counting;

/// Counts what each thread holds, so that the meter of expressions can stop one that grows without bound.
#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

fn main() -> std::process::ExitCode {
    tongban_server::cli::main()
}
