//! What the system allows a sandbox: no files, no network it was not born with, no further processes, little memory,
//! little time.

use std::io;

use super::Work;

/// Memory that the process may have, in bytes of addresses: its stacks and its program count.
const MEMORY_MAX: u64 = 640 << 20;
/// Processor seconds of one inspection.
const INSPECTION_SECONDS: u64 = 60;
/// Processor seconds of one evaluation: the parent loses its patience earlier; this ends a child whose parent is gone.
const EVALUATION_SECONDS: u64 = 15;
/// Processor seconds of a whole life.
const LIFE_SECONDS: u64 = 4 * 3_600;

/// Bounds this process for its work.
pub(super) fn process(work: Work) -> io::Result<()> {
    limit(libc::RLIMIT_AS, MEMORY_MAX, MEMORY_MAX)?;
    limit(libc::RLIMIT_CORE, 0, 0)?;
    limit(libc::RLIMIT_FSIZE, 0, 0)?;
    close_inherited();
    match work {
        // The tables of time zones may be files of the system.
        Work::Inspect => limit(libc::RLIMIT_CPU, INSPECTION_SECONDS, INSPECTION_SECONDS)?,
        Work::Evaluate => {
            limit(libc::RLIMIT_NOFILE, 3, 3)?;
            limit(libc::RLIMIT_CPU, EVALUATION_SECONDS, LIFE_SECONDS)?;
        }
    }
    // SAFETY: these calls change flags of this process and touch no memory of ours.
    let gained = unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    };
    outcome(gained)
}

/// From here on this process starts no other and no thread.
pub(super) fn no_more_processes() -> io::Result<()> {
    limit(libc::RLIMIT_NPROC, 0, 0)
}

/// Gives the next evaluation its processor time.
pub(super) fn renew_time() {
    // SAFETY: a zeroed rusage is a valid one, and the call fills it.
    let used = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    };
    let used = u64::try_from(used).unwrap_or(0);
    let end = (used + 1 + EVALUATION_SECONDS).min(LIFE_SECONDS);
    // When it cannot be renewed the old limit holds: the process ends sooner.
    let _ = limit(libc::RLIMIT_CPU, end, LIFE_SECONDS);
}

/// Whatever the parent had open, beside the two pipes: nothing should be, and nothing is kept.
fn close_inherited() {
    // SAFETY: closes descriptors that nobody in this young process uses.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32);
    }
}

fn limit(resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> io::Result<()> {
    let limits = libc::rlimit {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: `limits` is a valid rlimit that outlives the call.
    outcome(unsafe { libc::setrlimit(resource, &limits) })
}

fn outcome(code: libc::c_int) -> io::Result<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
