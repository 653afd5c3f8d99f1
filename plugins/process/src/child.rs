//! One process: begun in a group and a folder of its own, read within limits, killed with everything that it began.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tongban_plugin::Failure;

/// What a process is started as.
pub(crate) struct Program {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// The whole environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) stdin: Option<String>,
}

/// What a process gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Why a process gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Its time was over.
    Time,
    /// It wrote too much.
    Output(&'static str),
    /// The system failed.
    System(String),
}

/// A folder that goes away with its process.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt as _;
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes)
            .map_err(|why| Failure::runtime(format!("the system gives no randomness: {why}")))?;
        let name = format!("tongban-run-{:016x}", u64::from_be_bytes(bytes));
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|why| {
                Failure::runtime(format!("no folder for the process can be made: {why}"))
            })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the folder of a process could not be removed");
        }
    }
}

/// A process that runs. Dropping it kills its whole group.
pub(crate) struct Running {
    child: Child,
    group: Option<i32>,
    stdin: Option<String>,
    _folder: Folder,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    /// Starts it, in its own group, with nothing of this process's environment.
    pub(crate) fn start(self) -> Result<Running, Failure> {
        let folder = Folder::new()?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment)
            .current_dir(&folder.0)
            .stdin(if self.stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let child = command
            .spawn()
            .map_err(|why| not_started(&self.program, &why))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Running {
            child,
            group,
            stdin: self.stdin,
            _folder: folder,
        })
    }
}

fn not_started(program: &Path, why: &std::io::Error) -> Failure {
    Failure::configuration(format!(
        "`{}` could not be started: {why}",
        program.display()
    ))
}

impl Running {
    /// Waits for the end of the process and of its output.
    pub(crate) async fn end(&mut self, limit: Duration, bytes: usize) -> Result<Ended, Stopped> {
        let ended = tokio::time::timeout(limit, self.talk(bytes)).await;
        // Whatever it left behind in its group ends with it, also when it ended well.
        self.kill();
        ended.unwrap_or(Err(Stopped::Time))
    }

    async fn talk(&mut self, bytes: usize) -> Result<Ended, Stopped> {
        let input = self.child.stdin.take();
        let text = self.stdin.take().unwrap_or_default();
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let told = async {
            if let Some(mut input) = input {
                // A process that does not read its input is not at fault.
                let _ = input.write_all(text.as_bytes()).await;
            }
            Ok::<(), Stopped>(())
        };
        let group = self.group;
        let status = async {
            let status = self.child.wait().await;
            // What it left running holds its output open.
            kill(group);
            status.map_err(|why| Stopped::System(why.to_string()))
        };
        let ((), stdout, stderr, status) = tokio::try_join!(
            told,
            read(stdout, bytes, "output"),
            read(stderr, bytes, "errors"),
            status
        )?;
        Ok(Ended {
            code: code_of(status),
            stdout,
            stderr,
        })
    }

    fn kill(&mut self) {
        kill(self.group.take());
    }
}

fn kill(group: Option<i32>) {
    if let Some(group) = group {
        // SAFETY: `kill` reads no memory of ours; the group was made for this process alone.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

/// The exit code; of a process that a signal ended 128 and the signal, as shells say it.
fn code_of(status: ExitStatus) -> i64 {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = || status.signal().map_or(-1, |signal| 128 + i64::from(signal));
    status.code().map_or_else(signal, i64::from)
}

async fn read(
    pipe: Option<impl AsyncRead + Unpin>,
    most: usize,
    what: &'static str,
) -> Result<String, Stopped> {
    let Some(pipe) = pipe else {
        return Ok(String::new());
    };
    let mut bytes = Vec::new();
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    pipe.take(bound)
        .read_to_end(&mut bytes)
        .await
        .map_err(|why| Stopped::System(why.to_string()))?;
    if bytes.len() > most {
        return Err(Stopped::Output(what));
    }
    // What is no text stays readable, and the character NUL rests in no database.
    Ok(String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}"))
}
