//! `run` plays one file; what it names is looked for in its pack, or beside it when it belongs to none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tongban_dsl::Definition;
use tongban_runtime::pack::{Files, Publication, bundle_beside, run_by};

use super::files::{self, Named};

/// A file beside may have so many bytes.
const FILE_BYTES_MAX: u64 = 2 << 20;
/// So many files are looked through for the workflows that are run.
const FILES_MAX: usize = 1_000;

/// The folder from which the paths of a document count.
pub(crate) struct Folder {
    root: PathBuf,
    /// The document's own path in it.
    path: String,
}

impl Folder {
    /// The pack of a file, else the folder that it lies in.
    pub(crate) fn of(file: &Path) -> anyhow::Result<Folder> {
        if let Named::InPack(root, path) = files::named(file)? {
            return Ok(Folder { root, path });
        }
        let name = file.file_name().unwrap_or_default();
        Ok(Folder {
            root: match file.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
                _ => PathBuf::from("."),
            },
            path: name.to_string_lossy().into_owned(),
        })
    }

    /// What playing the document publishes: itself, the files that it reaches, and the workflows that it runs.
    pub(crate) fn publication(&self, source: &str) -> anyhow::Result<Publication> {
        let definition = tongban_dsl::parse(source)
            .definition
            .context("the document was checked before")?;
        let mut waiting: Vec<String> = run_by(&definition).into_iter().collect();
        let mut bundles = vec![bundle_beside(&definition, &self.path, self)];
        let known = if waiting.is_empty() {
            Vec::new()
        } else {
            self.workflows()
        };
        let mut seen = BTreeSet::new();
        while let Some(reference) = waiting.pop() {
            if !seen.insert(reference.clone()) {
                continue;
            }
            let found = known
                .iter()
                .filter(|(path, other)| other.reference() == reference && *path != self.path);
            for (path, other) in found {
                waiting.extend(run_by(other));
                bundles.push(bundle_beside(other, path, self));
            }
        }
        Ok(Publication {
            version: definition.document.version.value.clone(),
            bundles,
            ..Publication::default()
        })
    }

    /// The workflows in the folder of the document and in `workflows/`.
    fn workflows(&self) -> Vec<(String, Definition)> {
        let own = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut paths = self.under(own);
        if own != "workflows" {
            paths.extend(self.under("workflows"));
        }
        let yaml = paths
            .into_iter()
            .filter(|path| path.ends_with(".yaml") || path.ends_with(".yml"));
        let parsed = yaml.take(FILES_MAX).filter_map(|path| {
            let source = self.text(&path)?;
            Some((path, tongban_dsl::parse(&source).definition?))
        });
        let mut found: Vec<(String, Definition)> = parsed.collect();
        // What is published last is the current version.
        found.sort_by_key(|(_, definition)| numbers(&definition.document.version.value));
        found
    }

    /// A path inside the folder; symbolic links are not followed.
    fn inside(&self, path: &str) -> Option<PathBuf> {
        let mut found = self.root.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if part == ".." || part.contains('\\') {
                return None;
            }
            found.push(part);
            if found.symlink_metadata().ok()?.file_type().is_symlink() {
                return None;
            }
        }
        Some(found)
    }
}

/// The numbers of a semantic version, to put versions in order.
fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    plain
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

impl Files for Folder {
    fn text(&self, path: &str) -> Option<Arc<str>> {
        let found = self.inside(path)?;
        let facts = found.metadata().ok()?;
        if !facts.is_file() || facts.len() > FILE_BYTES_MAX {
            return None;
        }
        std::fs::read_to_string(found).ok().map(Arc::from)
    }

    fn under(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![folder.trim_end_matches('/').to_owned()];
        while let Some(folder) = open.pop() {
            let Some(entries) = self.inside(&folder).and_then(|path| path.read_dir().ok()) else {
                continue;
            };
            for entry in entries.flatten().take(FILES_MAX) {
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                match entry.file_type() {
                    // The folder of a document may be anything: only what was asked for by name is gone into.
                    Ok(kind) if kind.is_dir() && !folder.is_empty() => open.push(path),
                    Ok(kind) if kind.is_file() && found.len() < FILES_MAX => found.push(path),
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }
}
