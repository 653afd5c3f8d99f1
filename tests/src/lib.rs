//! What tests across crates share: the repository's root and the built binary.

use std::path::PathBuf;

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("tests/ lies in the repository")
        .to_path_buf()
}

/// The binary `tongban` that the same build made.
///
/// # Panics
/// When it is not there: `cargo build -p tongban-server` makes it.
#[must_use]
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test
        .parent()
        .and_then(std::path::Path::parent)
        .expect("tests are built under target/PROFILE/deps");
    let binary = folder.join("tongban");
    assert!(
        binary.is_file(),
        "`{}` is missing: run `cargo build -p tongban-server` first",
        binary.display()
    );
    binary
}
