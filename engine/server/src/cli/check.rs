//! `tongban check PATH…`: prints diagnostics, exits 0 or 2.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tongban_dsl::render::{self, Report};
use tongban_dsl::{Diagnostic, Span, codes};
use tongban_runtime::pack::{Alone, Beside, FileDiagnostic, Files};

use super::files::{self, Named};
use super::{DONE, Format, INVALID, say};
use crate::scenario;

/// Arguments of `check`.
#[derive(clap::Args)]
pub(crate) struct CheckArguments {
    /// Packs, folders of packs, or workflow files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// One file with what is wrong in it.
pub(crate) struct Checked {
    /// Shown path.
    pub path: String,
    /// Its text.
    pub source: String,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    fn report(&self) -> Report<'_> {
        Report {
            path: &self.path,
            source: &self.source,
            diagnostics: &self.diagnostics,
        }
    }
}

/// Checks and prints.
pub(crate) fn check(arguments: &CheckArguments) -> anyhow::Result<u8> {
    let mut checked = Vec::new();
    for path in &arguments.paths {
        checked.extend(check_path(path)?);
    }
    print(&checked, arguments.format)?;
    let errors = checked
        .iter()
        .flat_map(|file| &file.diagnostics)
        .any(Diagnostic::is_error);
    Ok(if errors { INVALID } else { DONE })
}

/// Everything that is wrong with what a path names.
pub(crate) fn check_path(path: &Path) -> anyhow::Result<Vec<Checked>> {
    match files::named(path)? {
        Named::Pack(folder) => check_packs(std::slice::from_ref(&folder), None),
        Named::Packs(folders) => check_packs(&folders, None),
        Named::InPack(folder, inside) => check_packs(&[folder], Some(&inside)),
        Named::Bare(paths) => paths.iter().map(|path| check_bare(path)).collect(),
    }
}

/// Checks the wanted packs beside their neighbours, which they may name.
fn check_packs(wanted: &[PathBuf], only: Option<&str>) -> anyhow::Result<Vec<Checked>> {
    let mut folders: BTreeSet<PathBuf> = wanted.iter().cloned().collect();
    for folder in wanted {
        if let Some(parent) = folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            folders.extend(files::pack_folders(parent)?);
        }
    }
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    let (library, read) = files::read_packs(&folders)?;
    let functions = crate::functions::all();
    let mut checked = Vec::new();
    for pack in read.iter().filter(|pack| wanted.contains(&pack.path)) {
        let mut found = pack.diagnostics.clone();
        if let Some(known) = library.pack(&pack.name) {
            found.extend(library.check(known, &functions));
        }
        found.extend(scenario_faults(&pack.path)?);
        for diagnostic in found {
            if only.is_some_and(|only| only != diagnostic.file) {
                continue;
            }
            let path = pack.path.join(&diagnostic.file).display().to_string();
            let source = diagnostic.source.to_string();
            let placed = placed(diagnostic.diagnostic, &source);
            add(&mut checked, path, source, placed);
        }
    }
    for file in &mut checked {
        file.diagnostics
            .sort_by_key(|diagnostic| diagnostic.span.start);
    }
    Ok(checked)
}

/// What cannot be read of a pack's scenario files.
fn scenario_faults(folder: &Path) -> anyhow::Result<Vec<FileDiagnostic>> {
    let files = files::pack_files(folder)?
        .into_iter()
        .filter(|(path, _)| path.starts_with("tests/") && path.ends_with(".test.yaml"));
    Ok(files
        .filter_map(|(file, source)| {
            let diagnostic = scenario::read(&source).err()?;
            Some(FileDiagnostic {
                file,
                source,
                diagnostic,
            })
        })
        .collect())
}

/// A fault of a whole YAML file that names a path (``roles.keeper`: …`) stands at that path.
fn placed(mut fault: Diagnostic, source: &str) -> Diagnostic {
    let path = fault
        .message
        .strip_prefix('`')
        .and_then(|rest| rest.split_once("`:"))
        .map(|(path, _)| path);
    if fault.span.end == 0
        && fault.span.line <= 1
        && let Some(path) = path
    {
        fault.span = tongban_dsl::read_yaml_placed(source).place(&scenario::pointer(path));
    }
    fault
}

fn add(checked: &mut Vec<Checked>, path: String, source: String, diagnostic: Diagnostic) {
    match checked.iter_mut().find(|file| file.path == path) {
        Some(file) => file.diagnostics.push(diagnostic),
        None => checked.push(Checked {
            path,
            source,
            diagnostics: vec![diagnostic],
        }),
    }
}

/// Checks one document that belongs to no pack.
pub(crate) fn check_bare(path: &Path) -> anyhow::Result<Checked> {
    let functions = crate::functions::all();
    check_document(
        path,
        &Alone {
            functions: &functions,
        },
    )
}

/// Checks one document with the files beside it.
pub(crate) fn check_beside(path: &Path, files: &dyn Files) -> anyhow::Result<Checked> {
    let functions = crate::functions::all();
    let functions = &functions;
    check_document(path, &Beside { functions, files })
}

fn check_document(
    path: &Path,
    surroundings: &dyn tongban_dsl::Surroundings,
) -> anyhow::Result<Checked> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let source = match String::from_utf8(bytes) {
        Ok(source) => source,
        Err(error) => return Ok(not_text(path, &error)),
    };
    let parsed = tongban_dsl::parse(&source);
    let mut diagnostics = parsed.diagnostics;
    if let Some(definition) = &parsed.definition {
        diagnostics.extend(tongban_dsl::check(definition, surroundings));
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    Ok(Checked {
        path: path.display().to_string(),
        source,
        diagnostics,
    })
}

/// A file in another encoding: what can be read of it tells the place.
fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> Checked {
    let source = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let valid = error.utf8_error().valid_up_to();
    let message = "the file is not UTF-8 text";
    let help = "save it with the encoding UTF-8 (not GBK, not UTF-16)";
    let diagnostic =
        Diagnostic::error(codes::YAML_SYNTAX, Span::of(&source, valid..valid), message).help(help);
    Checked {
        path: path.display().to_string(),
        source,
        diagnostics: vec![diagnostic],
    }
}

/// Prints diagnostics in the wanted form.
pub(crate) fn print(checked: &[Checked], format: Format) -> anyhow::Result<()> {
    let reports: Vec<Report<'_>> = checked.iter().map(Checked::report).collect();
    match format {
        Format::Json => say(&format!("{}\n", render::json(&reports))),
        Format::Sarif => say(&format!("{}\n", render::sarif(&reports))),
        Format::Text => print_text(&reports),
    }
}

fn print_text(reports: &[Report<'_>]) -> anyhow::Result<()> {
    let styled = std::io::stdout().is_terminal();
    let texts: Vec<String> = reports
        .iter()
        .map(|report| render::text(report, styled))
        .collect();
    say(&texts.concat())?;
    let all = || reports.iter().flat_map(|report| report.diagnostics);
    let errors = all().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = all().count() - errors;
    eprintln!("{errors} errors, {warnings} warnings");
    Ok(())
}
