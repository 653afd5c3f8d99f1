//! Finds packs and workflow files on the disk. Symbolic links are not followed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tongban_dsl::{Diagnostic, Span, codes};
use tongban_runtime::pack::{FileDiagnostic, Library, Pack, ReadPack};

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
    read_with(folders, |read| read.pack)
}

/// The same with what can be understood of packs whose head is faulty, so that their other files are checked too.
pub(crate) fn read_drafts(folders: &[PathBuf]) -> anyhow::Result<(Library, Vec<PackFolder>)> {
    read_with(folders, |read| read.pack.or(read.draft))
}

fn read_with(
    folders: &[PathBuf],
    taken: impl Fn(ReadPack) -> Option<Pack>,
) -> anyhow::Result<(Library, Vec<PackFolder>)> {
    let mut packs: Vec<Pack> = Vec::new();
    let mut read = Vec::new();
    for folder in folders {
        let (files, mut diagnostics) = pack_texts(folder)?;
        let mut outcome = Pack::read(files);
        diagnostics.append(&mut outcome.diagnostics);
        let fallback = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let pack = taken(outcome);
        let name = match &pack {
            Some(pack) => pack.name().to_string(),
            None => fallback,
        };
        packs.extend(pack);
        read.push(PackFolder {
            path: folder.clone(),
            name,
            diagnostics,
        });
    }
    if let Some((name, first, second)) = same_names(&packs, &read) {
        bail!(
            "two packs are named `{name}`: `{}` and `{}`; give one of them another `pack:` in its pack.yaml, or move it away",
            first.display(),
            second.display()
        );
    }
    let library = Library::new(packs).map_err(anyhow::Error::msg)?;
    Ok((library, read))
}

/// Two folders whose packs say that they have the same name.
fn same_names<'r>(
    packs: &'r [Pack],
    read: &'r [PackFolder],
) -> Option<(&'r str, &'r Path, &'r Path)> {
    packs.iter().find_map(|pack| {
        let mut folders = read.iter().filter(|folder| folder.name == pack.name());
        let (first, second) = (folders.next()?, folders.next()?);
        Some((pack.name(), first.path.as_path(), second.path.as_path()))
    })
}

/// Every text file of a pack by its path in it.
pub(crate) fn pack_files(folder: &Path) -> anyhow::Result<BTreeMap<String, Arc<str>>> {
    let (files, faults) = pack_texts(folder)?;
    match faults.first() {
        Some(fault) => bail!(
            "`{}`: {}",
            folder.join(&fault.file).display(),
            fault.diagnostic.message
        ),
        None => Ok(files),
    }
}

/// Texts by their paths in a pack, and what is wrong with files that are no text.
type Texts = (BTreeMap<String, Arc<str>>, Vec<FileDiagnostic>);

/// Every text file of a pack, and those that are in another encoding.
pub(crate) fn pack_texts(folder: &Path) -> anyhow::Result<Texts> {
    let mut files = BTreeMap::new();
    let mut faults = Vec::new();
    walk(folder, &mut |path| {
        let file = path
            .strip_prefix(folder)
            .unwrap_or(path)
            .to_string_lossy()
            .replace('\\', "/");
        let is_text = [".yaml", ".rhai", ".md"];
        if !is_text.iter().any(|ending| file.ends_with(ending)) {
            return Ok(());
        }
        if let Some(fault) = too_large(path)? {
            let source = Arc::from("");
            faults.push(FileDiagnostic {
                file,
                source,
                diagnostic: fault,
            });
            return Ok(());
        }
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        match String::from_utf8(bytes) {
            Ok(text) => {
                files.insert(file, Arc::from(text));
            }
            Err(error) => {
                let (source, diagnostic) = not_text(&error);
                faults.push(FileDiagnostic {
                    file,
                    source: source.into(),
                    diagnostic,
                });
            }
        }
        Ok(())
    })?;
    Ok((files, faults))
}

/// A file that is larger than any file of a pack: it is not read at all.
pub(crate) fn too_large(path: &Path) -> anyhow::Result<Option<Diagnostic>> {
    /// A workflow has 2 MiB at most, and that is said at its place when it is read.
    const BYTES_MAX: u64 = 8 << 20;
    let shown = path.display();
    let found = std::fs::metadata(path)
        .with_context(|| format!("cannot read `{shown}`"))?
        .len();
    Ok((found > BYTES_MAX).then(|| {
        let message = format!("a file has at most 8 MiB, this one has {} MiB", found >> 20);
        let place = Span {
            line: 1,
            column: 1,
            ..Span::default()
        };
        Diagnostic::error(codes::TOO_LARGE, place, message)
            .help("records belong into a register: load them through the API, and keep a few of them as samples")
    }))
}

/// A file in another encoding: what can be read of it, and the place of the first byte that cannot.
pub(crate) fn not_text(error: &std::string::FromUtf8Error) -> (String, Diagnostic) {
    let source = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let valid = error.utf8_error().valid_up_to();
    let fault = Diagnostic::error(
        codes::ENCODING,
        Span::of(&source, valid..valid),
        "the file is not UTF-8 text",
    )
    .help("save it with the encoding UTF-8 (not GBK, not UTF-16)");
    (source, fault)
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

pub(crate) fn walk(
    folder: &Path,
    visit: &mut dyn FnMut(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
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
