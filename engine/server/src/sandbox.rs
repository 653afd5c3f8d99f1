//! `tongban sandbox`: answers another process over pipes, within limits of the system: it checks packs that came through
//! the API before the server reads them, and evaluates expressions. A fault of a reader, a compiler or the evaluator ends
//! this process and no other.

use std::io::{Read, Write};

use anyhow::Context;
use serde::Deserialize;
use tongban_expr::sandbox::{Request, handle, read_frame, write_frame};

use crate::inspection::{self, Inspect};

/// Memory that the process may have, in bytes.
const MEMORY_MAX: u64 = 512 << 20;
/// Processor seconds that it may use in its life.
const SECONDS_MAX: u64 = 60;

/// What the process is asked.
#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Inspect(Inspect),
    Evaluate(Box<Request>),
}

/// Bounds this process and answers requests until the stream ends.
pub fn serve(input: &mut impl Read, output: &mut impl Write) -> anyhow::Result<()> {
    bound(libc::RLIMIT_AS, MEMORY_MAX).context("cannot bound the memory of the sandbox")?;
    bound(libc::RLIMIT_CPU, SECONDS_MAX).context("cannot bound the time of the sandbox")?;
    while let Some(asked) = read_frame::<Asked>(input)? {
        match asked {
            Asked::Inspect(asked) => write_frame(output, &inspection::answer(asked))?,
            Asked::Evaluate(request) => write_frame(output, &handle(*request))?,
        }
        output.flush()?;
    }
    Ok(())
}

fn bound(resource: libc::__rlimit_resource_t, limit: u64) -> std::io::Result<()> {
    let limits = libc::rlimit {
        rlim_cur: limit,
        rlim_max: limit,
    };
    // SAFETY: `limits` is a valid rlimit that outlives the call.
    let outcome = unsafe { libc::setrlimit(resource, &limits) };
    if outcome == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}
