//! One child process that evaluates, and the talk with it within a time.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tongban_expr::sandbox::{FRAME_LENGTH_MAX, Program, Reply, Session};
use tongban_expr::{Budget, EvalError, Scope, Value};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Why a process gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It ended.
    #[error("its process ended ({0})")]
    Died(String),
    /// It stayed silent.
    #[error("its process did not answer within {} ms and was ended", .0.as_millis())]
    Slow(Duration),
    /// The evaluation does not fit into a frame.
    #[error("it was not sent to its process: {0}")]
    Unsent(io::Error),
    /// What came back is no message.
    #[error("its process answered what is no message: {0}")]
    Garbled(io::Error),
}

/// A child that evaluates one program after the other.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    session: Session,
    received: Vec<u8>,
}

impl Process {
    /// Starts one: no environment, no folder, nothing open but the pipes.
    pub(super) fn start(executable: &Path) -> io::Result<Process> {
        let mut child = Command::new(executable)
            .args(["sandbox", "evaluate"])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            let _ = child.kill();
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        never_wait(input.as_raw_fd())?;
        never_wait(output.as_raw_fd())?;
        Ok(Process {
            child,
            input,
            output,
            session: Session::default(),
            received: Vec::new(),
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still lives, as far as can be told without asking it.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Evaluates. After a fault the process is of no more use.
    pub(super) fn evaluate(
        &mut self,
        program: &Program,
        scope: &Scope,
        budget: &Budget,
        patience: Duration,
    ) -> Result<Result<Value, EvalError>, Fault> {
        let end = Instant::now() + patience;
        let asked = self.session.ask(program, scope, budget);
        let mut said = self.talk(&asked.map_err(Fault::Unsent)?, end, patience)?;
        loop {
            let reply = self.session.take(&said, scope).map_err(Fault::Garbled)?;
            match reply {
                Reply::Done(result) => return Ok(result),
                Reply::More(answer) => said = self.talk(&answer, end, patience)?,
            }
        }
    }

    /// Writes everything and reads one frame, both as the pipes allow: a child that answers while it is still being
    /// told never blocks the two.
    fn talk(
        &mut self,
        mut left: &[u8],
        end: Instant,
        patience: Duration,
    ) -> Result<Vec<u8>, Fault> {
        loop {
            let mut moved = false;
            if !left.is_empty() {
                match self.input.write(left) {
                    Ok(count) => {
                        left = left.get(count..).unwrap_or_default();
                        moved = count > 0;
                    }
                    Err(error) if would_wait(&error) => {}
                    Err(_) => return Err(self.died()),
                }
            }
            moved |= self.receive()?;
            if let Some(frame) = self.frame()? {
                return Ok(frame);
            }
            if !moved {
                self.wait(!left.is_empty(), end, patience)?;
            }
        }
    }

    /// Takes what has come.
    fn receive(&mut self) -> Result<bool, Fault> {
        let mut bytes = [0; READ_BYTES];
        match self.output.read(&mut bytes) {
            Ok(0) => Err(self.died()),
            Ok(count) => {
                self.received
                    .extend_from_slice(bytes.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error) if would_wait(&error) => Ok(false),
            Err(_) => Err(self.died()),
        }
    }

    /// Takes a whole frame off what was received.
    fn frame(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let Some(length) = self.received.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > FRAME_LENGTH_MAX {
            let error = io::Error::other("the frame is longer than 128 MiB");
            return Err(Fault::Garbled(error));
        }
        if self.received.len() < length + 4 {
            return Ok(None);
        }
        let rest = self.received.split_off(length + 4);
        Ok(Some(std::mem::replace(&mut self.received, rest)))
    }

    /// Waits until a pipe is ready.
    fn wait(&mut self, writes: bool, end: Instant, patience: Duration) -> Result<(), Fault> {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let _ = self.child.kill();
            return Err(Fault::Slow(patience));
        }
        let mut ready = [
            poll_of(self.output.as_raw_fd(), libc::POLLIN),
            poll_of(self.input.as_raw_fd(), libc::POLLOUT),
        ];
        let count = if writes { 2 } else { 1 };
        let millis = i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX);
        // SAFETY: `ready` holds at least `count` valid entries and outlives the call.
        unsafe {
            libc::poll(ready.as_mut_ptr(), count, millis);
        }
        Ok(())
    }

    fn died(&mut self) -> Fault {
        let _ = self.child.kill();
        let how = self.child.wait();
        Fault::Died(how.map_or_else(|error| error.to_string(), |how| how.to_string()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has nothing to lose, and nobody else would collect it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn would_wait(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn poll_of(fd: RawFd, events: libc::c_short) -> libc::pollfd {
    libc::pollfd {
        fd,
        events,
        revents: 0,
    }
}

/// Reads and writes of this pipe give back what there is.
fn never_wait(fd: RawFd) -> io::Result<()> {
    // SAFETY: the descriptor is open and ours; the calls touch no memory.
    let set = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK)
    };
    if set == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
