//! Finds packs and workflow files on the disk. Symbolic links are not followed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tongban_runtime::pack::{FileDiagnostic, Library, Pack};

/// A pack and the folder that it was read from.
pub struct PackFolder {
    /// The folder.
    pub path: PathBuf,
    /// The pack's name; the folder's when `pack.yaml` cannot be read.
    pub name: String,
    /// What is wrong with its files.
    pub diagnostics: Vec<FileDiagnostic>,
}

/// What a path names.
pub(crate) enum Named {
    /// A folder with `pack.yaml`.
    Pack(PathBuf),
    /// A folder of packs.
    Packs(Vec<PathBuf>),
    /// One file inside a pack: the pack's folder, and the file's path in it.
    InPack(PathBuf, String),
    /// A file, or the YAML files of a folder, that belong to no pack.
    Bare(Vec<PathBuf>),
}

/// Finds out what a path names.
pub(crate) fn named(path: &Path) -> anyhow::Result<Named> {
    let shown = path.display();
    if path.is_file() {
        let whole = path
            .canonicalize()
            .with_context(|| format!("cannot read `{shown}`"))?;
        let pack = whole
            .ancestors()
            .skip(1)
            .find(|folder| folder.join("pack.yaml").is_file());
        return Ok(match pack {
            Some(folder) => {
                let inside = whole
                    .strip_prefix(folder)
                    .unwrap_or(&whole)
                    .to_string_lossy()
                    .replace('\\', "/");
                Named::InPack(folder.to_path_buf(), inside)
            }
            None => Named::Bare(vec![path.to_path_buf()]),
        });
    }
    if !path.is_dir() {
        bail!("there is no file or folder `{shown}`");
    }
    if path.join("pack.yaml").is_file() {
        return Ok(Named::Pack(path.to_path_buf()));
    }
    let packs = pack_folders(path)?;
    if !packs.is_empty() {
        return Ok(Named::Packs(packs));
    }
    let mut found = Vec::new();
    walk(path, &mut |file| {
        if is_yaml(file) {
            found.push(file.to_path_buf());
        }
        Ok(())
    })?;
    if found.is_empty() {
        bail!("`{shown}` holds no pack and no YAML file");
    }
    found.sort();
    Ok(Named::Bare(found))
}

/// The folders below `path` that are packs, by name.
pub(crate) fn pack_folders(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(path)
        .with_context(|| format!("cannot read the folder `{}`", path.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        if folder.join("pack.yaml").is_file() {
            folders.push(folder);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Reads packs and puts them together, with what is wrong with each.
pub fn read_packs(folders: &[PathBuf]) -> anyhow::Result<(Library, Vec<PackFolder>)> {
    let mut packs = Vec::new();
    let mut read = Vec::new();
    for folder in folders {
        let outcome = Pack::read(pack_files(folder)?);
        let fallback = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let name = outcome
            .pack
            .as_ref()
            .map_or(fallback, |pack| pack.name().to_string());
        packs.extend(outcome.pack);
        read.push(PackFolder {
            path: folder.clone(),
            name,
            diagnostics: outcome.diagnostics,
        });
    }
    let library = Library::new(packs).map_err(anyhow::Error::msg)?;
    Ok((library, read))
}

/// Every text file of a pack by its path in it.
pub(crate) fn pack_files(folder: &Path) -> anyhow::Result<BTreeMap<String, Arc<str>>> {
    let mut files = BTreeMap::new();
    walk(folder, &mut |file| {
        let inside = file
            .strip_prefix(folder)
            .unwrap_or(file)
            .to_string_lossy()
            .replace('\\', "/");
        if [".yaml", ".rhai", ".md"]
            .iter()
            .any(|ending| inside.ends_with(ending))
        {
            files.insert(inside, Arc::from(read_text(file)?));
        }
        Ok(())
    })?;
    Ok(files)
}

/// Reads a UTF-8 file.
pub(crate) fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        anyhow::anyhow!(
            "`{}` is not UTF-8 text: byte {} begins no character",
            path.display(),
            error.utf8_error().valid_up_to()
        )
    })
}

pub(crate) fn is_yaml(path: &Path) -> bool {
    matches!(
        path.extension().and_then(|ending| ending.to_str()),
        Some("yaml" | "yml" | "json")
    )
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), visit)?;
        } else if kind.is_file() {
            visit(&entry.path())?;
        }
    }
    Ok(())
}
