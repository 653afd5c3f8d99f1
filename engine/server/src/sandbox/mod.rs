//! `tongban sandbox`: answers another process over pipes, within limits of the system. It checks packs that came through
//! the API before the server reads them, and evaluates their scripts. A fault of a reader, a compiler or the evaluator
//! ends this process and no other.

mod bounds;
mod pool;
mod process;

use std::io::{Read, Write};

use anyhow::Context;
use tongban_expr::sandbox::{Child, read_frame, write_frame};

use crate::inspection::{self, Inspect};

pub use pool::Pool;

/// What the process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Work {
    /// Checks packs.
    Inspect,
    /// Evaluates expressions and scripts.
    Evaluate,
}

/// Bounds this process and answers requests until the stream ends.
///
/// # Errors
/// The process cannot be bounded, or the other side sends what is no request.
pub fn serve(
    work: Work,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> anyhow::Result<()> {
    bounds::process(work).context("cannot bound the sandbox")?;
    match work {
        Work::Inspect => inspect(input, output),
        Work::Evaluate => evaluate(input, output),
    }
}

fn inspect(mut input: impl Read, mut output: impl Write) -> anyhow::Result<()> {
    while let Some(asked) = read_frame::<Inspect>(&mut input)? {
        write_frame(&mut output, &inspection::answer(asked))?;
    }
    Ok(())
}

/// One thread with a large stack does everything: it starts before the process loses the right to start any.
fn evaluate(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> anyhow::Result<()> {
    let worker = std::thread::Builder::new()
        .name("sandbox".to_owned())
        .stack_size(Child::STACK_BYTES)
        .spawn(move || -> anyhow::Result<()> {
            bounds::no_more_processes().context("cannot bound the sandbox")?;
            Child::new(input, output).run(&mut bounds::renew_time)?;
            Ok(())
        })?;
    match worker.join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
