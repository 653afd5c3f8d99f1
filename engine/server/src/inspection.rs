//! Checking a pack that came through the API. Whatever its files do to the readers and compilers, they do it first to a
//! child process with little memory and time: a pack on which the child dies never reaches this process.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tongban_expr::sandbox::{read_frame, write_frame};
use tongban_runtime::pack::{FileDiagnostic, Library, Pack};

/// How long a check may take, waiting included.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A pack's files by path.
pub type Files = BTreeMap<String, Arc<str>>;

/// What the child is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspect {
    /// The pack's files by path.
    pub inspect: BTreeMap<String, String>,
}

/// What the child says when it has read, checked and compiled everything and still lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survived {
    /// How many faults it found; the server finds them again and shows them.
    pub faults: usize,
}

/// A pack that must not be read in the server's process.
#[derive(Debug, thiserror::Error)]
pub enum Unsafe {
    /// The child could not be started: the server's matter.
    #[error("the process that checks packs could not be started: {0}")]
    NoChild(#[source] std::io::Error),
    /// The child ended before its answer.
    #[error(
        "the check of the pack was ended by the limits of its process ({0}); make its files smaller and simpler"
    )]
    Died(String),
    /// The child did not answer in time.
    #[error("the check of the pack did not end within {} seconds; make its files smaller and simpler", .0.as_secs())]
    Slow(Duration),
}

/// Reads, checks and compiles a pack, and gathers everything that is wrong with it.
///
/// # Errors
/// The pack's head says something that no library can hold.
pub fn inspect(files: Files) -> Result<(Library, Vec<FileDiagnostic>), String> {
    let reading = Pack::read(files);
    let mut diagnostics = reading.diagnostics;
    let library = Library::new(reading.pack.into_iter().collect())?;
    if let Some(pack) = library.packs().next() {
        diagnostics.extend(library.check(pack, &crate::functions::all()));
    }
    Ok((library, diagnostics))
}

/// The child's part.
pub fn answer(asked: Inspect) -> Survived {
    let files = asked.inspect.into_iter();
    let files = files.map(|(path, text)| (path, text.into())).collect();
    Survived {
        faults: inspect(files).map_or(1, |(_, diagnostics)| diagnostics.len()),
    }
}

/// Has a child process read a pack first.
///
/// # Errors
/// The child died of the pack, or did not come to an end.
pub async fn survived(
    executable: &Path,
    files: &Files,
    patience: Duration,
) -> Result<Survived, Unsafe> {
    let asked = Inspect {
        inspect: files
            .iter()
            .map(|(path, text)| (path.clone(), text.to_string()))
            .collect(),
    };
    let mut frame = Vec::new();
    write_frame(&mut frame, &asked).map_err(|error| Unsafe::Died(error.to_string()))?;
    let mut child = Command::new(executable)
        .args(["sandbox", "inspect"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(Unsafe::NoChild)?;
    let pipes = (child.stdin.take(), child.stdout.take());
    let (Some(mut input), Some(mut output)) = pipes else {
        return Err(Unsafe::NoChild(std::io::ErrorKind::BrokenPipe.into()));
    };
    let talk = async {
        let mut answer = Vec::new();
        // A child that died does not take the question; why it died is asked below.
        let told = async {
            let sent = input.write_all(&frame).await;
            drop(input);
            sent
        };
        let _ = tokio::join!(told, output.read_to_end(&mut answer));
        let status = child.wait().await;
        match read_frame::<Survived>(&mut answer.as_slice()) {
            Ok(Some(survived)) => Ok(survived),
            _ => Err(Unsafe::Died(status.map_or_else(
                |error| error.to_string(),
                |status| status.to_string(),
            ))),
        }
    };
    tokio::time::timeout(patience, talk)
        .await
        .unwrap_or(Err(Unsafe::Slow(patience)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(folder: &Path, text: &str) -> std::path::PathBuf {
        let path = folder.join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .expect("executable");
        path
    }

    #[tokio::test]
    async fn a_pack_on_which_the_child_dies_or_stays_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: Files = [("pack.yaml".to_owned(), Arc::from("pack: x"))]
            .into_iter()
            .collect();
        let dying = program(folder.path(), "kill -9 $$");
        let died = survived(&dying, &files, PATIENCE)
            .await
            .expect_err("it died");
        assert!(
            matches!(&died, Unsafe::Died(how) if how.contains("signal: 9")),
            "{died}"
        );
        let silent = program(folder.path(), "exec /bin/cat > /dev/null");
        let died = survived(&silent, &files, PATIENCE)
            .await
            .expect_err("it said nothing");
        assert!(matches!(died, Unsafe::Died(_)), "{died}");
        let staying = program(folder.path(), "while :; do :; done");
        let slow = survived(&staying, &files, Duration::from_millis(50))
            .await
            .expect_err("it stays");
        assert!(matches!(slow, Unsafe::Slow(_)), "{slow}");
        let none = survived(&folder.path().join("nothing"), &files, PATIENCE).await;
        assert!(matches!(none, Err(Unsafe::NoChild(_))));
    }

    #[test]
    fn the_child_reads_the_same_as_the_server() {
        let asked = Inspect {
            inspect: [("pack.yaml".to_owned(), "pack: [".to_owned())]
                .into_iter()
                .collect(),
        };
        assert!(answer(asked).faults > 0);
    }
}
