//! `--watch`: which files a run reads, and which of them changed since.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::files;

/// How often the files are looked at.
pub(super) const LOOK: Duration = Duration::from_millis(400);

/// When each file changed last, and how long it is.
pub(super) type Stamps = BTreeMap<PathBuf, (SystemTime, u64)>;

/// The stamps of all files below folders; what cannot be read has none.
pub(super) fn stamps(folders: &[PathBuf]) -> Stamps {
    let mut found = Stamps::new();
    let mut note = |path: &Path| {
        // A file that goes while it is looked at is a change like any other.
        if let Ok(facts) = path.metadata()
            && let Ok(changed) = facts.modified()
        {
            found.insert(path.to_path_buf(), (changed, facts.len()));
        }
        Ok(())
    };
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        // A folder that goes meanwhile has no files.
        let _ = files::walk(folder, &mut note);
    }
    found
}

/// The files that came, went, or are not what they were.
pub(super) fn changed(before: &Stamps, after: &Stamps) -> Vec<PathBuf> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let other = after
        .iter()
        .filter(|(path, stamp)| before.get(*path) != Some(stamp))
        .map(|(path, _)| path);
    let mut paths: Vec<PathBuf> = gone.chain(other).cloned().collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::{Stamps, changed};
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    fn stamps(files: &[(&str, u64, u64)]) -> Stamps {
        let stamp = |(path, second, length): &(&str, u64, u64)| {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(*second);
            (PathBuf::from(path), (at, *length))
        };
        files.iter().map(stamp).collect()
    }

    #[test]
    fn what_came_went_and_became_other_is_a_change() {
        let before = stamps(&[("a", 1, 5), ("b", 1, 5), ("c", 1, 5), ("d", 1, 5)]);
        assert!(changed(&before, &before.clone()).is_empty());
        let after = stamps(&[("a", 1, 5), ("b", 2, 5), ("c", 1, 6), ("e", 1, 5)]);
        let told = changed(&before, &after);
        assert_eq!(told, ["b", "c", "d", "e"].map(PathBuf::from));
        // An older file in its place is a change, too: somebody put it back.
        assert_eq!(changed(&after, &before).len(), 4);
    }
}
