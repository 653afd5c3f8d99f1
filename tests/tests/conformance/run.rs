//! One run of the binary.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::Value;

/// What stands before a document that does not say what it is called.
const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }\n";

/// A document with its head; one that is written as JSON has it.
pub(crate) fn whole(document: &str) -> String {
    if document.starts_with("document:") || document.starts_with('{') {
        document.to_string()
    } else {
        format!("{HEAD}{document}")
    }
}

/// How long a run may take before it is one that never ends: a retry without a limit under a virtual clock, say.
const LONGEST: Duration = Duration::from_secs(60);

/// What goes into `tongban run`.
#[derive(Default)]
pub(crate) struct Given<'a> {
    pub(crate) document: &'a str,
    /// Files beside it, by their paths.
    pub(crate) beside: Option<&'a BTreeMap<String, String>>,
    pub(crate) input: Option<String>,
    pub(crate) events: Option<&'a Value>,
    pub(crate) fast_forward: bool,
    /// The hosts that the stub answers for.
    pub(crate) hosts: &'a [&'a str],
    pub(crate) port: u16,
}

/// What came of it.
pub(crate) struct Came {
    pub(crate) code: i32,
    /// The one object, or null.
    pub(crate) object: Value,
    /// All that was printed.
    pub(crate) printed: String,
}

/// Runs a document.
pub(crate) fn run(given: &Given<'_>) -> Result<Came, Failed> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).map(|()| path)
    };
    let mut command = Command::new(tongban_tests::binary());
    command
        .arg("run")
        .arg(write("workflow.yaml", &whole(given.document))?)
        .args(["--format", "json"]);
    for (name, text) in given.beside.into_iter().flatten() {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        std::fs::write(path, text)?;
    }
    for host in given.hosts {
        command
            .arg("--resolve")
            .arg(format!("{host}=127.0.0.1:{}", given.port));
    }
    if given.fast_forward {
        command.arg("--fast-forward");
    }
    if let Some(input) = &given.input {
        command.arg("--input").arg(write("input.yaml", input)?);
    }
    if let Some(events) = given.events {
        command
            .arg("--event")
            .arg(write("events.json", &events.to_string())?);
    }
    came(command)
}

/// Checks a document.
pub(crate) fn check(path: &Path) -> Result<Came, Failed> {
    let mut command = Command::new(tongban_tests::binary());
    command.args(["check", "--format", "json"]).arg(path);
    came(command)
}

fn came(mut command: Command) -> Result<Came, Failed> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (done, ended) = mpsc::channel();
    let output = read(child.stdout.take(), done.clone());
    let errors = read(child.stderr.take(), done);
    // Both pipes are closed when it ends.
    let ends = || ended.recv_timeout(LONGEST);
    if ends().and_then(|()| ends()).is_err() {
        child.kill()?;
        child.wait()?;
        return Err(format!("it had not ended after {LONGEST:?}").into());
    }
    let code = child.wait()?.code().ok_or("it was killed")?;
    let text = |reader: JoinHandle<String>| reader.join().map_err(|_| "unreadable output");
    let printed = text(output)?;
    let object = serde_json::from_str(&printed).unwrap_or_default();
    let printed = printed + &text(errors)?;
    if printed.contains("panicked") {
        return Err(format!("it panicked: {printed}").into());
    }
    Ok(Came {
        code,
        object,
        printed,
    })
}

/// Reads a pipe to its end on a thread of its own, and then says so.
fn read(pipe: Option<impl Read + Send + 'static>, done: mpsc::Sender<()>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        // Nobody listens any more when it took too long.
        drop((read, done.send(())));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
