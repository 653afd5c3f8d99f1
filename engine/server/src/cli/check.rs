//! `tongban check PATH…`: prints diagnostics, exits 0 or 2.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tongban_dsl::Diagnostic;
use tongban_dsl::render::{self, Report};
use tongban_org::Organisation;
use tongban_runtime::pack::{Alone, Beside, FileDiagnostic, Files, Library};

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
    /// The site whose people and units are named; the nearest folder above a pack that has `config/organisation.yaml`
    /// when absent
    #[arg(long, env = "TONGBAN_SITE")]
    site: Option<PathBuf>,
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
        checked.extend(check_path(path, arguments.site.as_deref())?);
    }
    print(&checked, arguments.format)?;
    let errors = checked
        .iter()
        .flat_map(|file| &file.diagnostics)
        .any(Diagnostic::is_error);
    Ok(if errors { INVALID } else { DONE })
}

/// Everything that is wrong with what a path names; `site` has the organisation that it may name.
pub(crate) fn check_path(path: &Path, site: Option<&Path>) -> anyhow::Result<Vec<Checked>> {
    match files::named(path)? {
        Named::Pack(folder) => check_packs(std::slice::from_ref(&folder), None, site),
        Named::Packs(folders) => check_packs(&folders, None, site),
        Named::InPack(folder, inside) => check_packs(&[folder], Some(&inside), site),
        Named::Bare(paths) => paths.iter().map(|path| check_bare(path)).collect(),
    }
}

/// The organisation of a site, or of the nearest folder above a pack that is one.
fn organisation(site: Option<&Path>, pack: &Path) -> anyhow::Result<Option<Arc<Organisation>>> {
    const FILE: &str = "config/organisation.yaml";
    let nobody = Library::default();
    if let Some(site) = site {
        return crate::site::organisation(site, &nobody).map(Some);
    }
    let whole = pack.canonicalize();
    let above = whole.as_deref().unwrap_or(pack).ancestors().skip(1);
    let Some(site) = above.into_iter().find(|folder| folder.join(FILE).is_file()) else {
        return Ok(None);
    };
    // A site that cannot be read is told where it is served; the pack can be checked without it.
    Ok(crate::site::organisation(site, &nobody).ok())
}

/// Checks the wanted packs beside their neighbours, which they may name.
fn check_packs(
    wanted: &[PathBuf],
    only: Option<&str>,
    site: Option<&Path>,
) -> anyhow::Result<Vec<Checked>> {
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
    let (library, read) = files::read_drafts(&folders)?;
    let functions = crate::functions::all();
    let mut checked = Vec::new();
    for pack in read.iter().filter(|pack| wanted.contains(&pack.path)) {
        let mut found = pack.diagnostics.clone();
        let organisation = organisation(site, &pack.path)?;
        if let Some(known) = library.pack(&pack.name) {
            found.extend(library.check_for(known, &functions, organisation.as_deref()));
        }
        found.extend(scenario_faults(
            &pack.path,
            &library,
            organisation.as_deref(),
        )?);
        for found in found {
            if only.is_some_and(|only| only != found.file) {
                continue;
            }
            let path = pack.path.join(&found.file).display().to_string();
            add(
                &mut checked,
                path,
                found.source.to_string(),
                found.diagnostic,
            );
        }
    }
    for file in &mut checked {
        file.diagnostics = tongban_dsl::in_order(std::mem::take(&mut file.diagnostics));
    }
    Ok(checked)
}

/// What is wrong with a pack's scenario files.
fn scenario_faults(
    folder: &Path,
    library: &Library,
    organisation: Option<&Organisation>,
) -> anyhow::Result<Vec<FileDiagnostic>> {
    let (files, _) = files::pack_texts(folder)?;
    let files = files
        .into_iter()
        .filter(|(path, _)| path.starts_with("tests/") && path.ends_with(".test.yaml"));
    let told = |(file, source): (String, Arc<str>)| -> Vec<FileDiagnostic> {
        let faults = scenario::faults(&source, library, organisation).into_iter();
        faults
            .map(|diagnostic| FileDiagnostic {
                file: file.clone(),
                source: source.clone(),
                diagnostic,
            })
            .collect()
    };
    Ok(files.flat_map(told).collect())
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
    if let Some(fault) = files::too_large(path)? {
        return Ok(unread(path, String::new(), fault));
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let source = match String::from_utf8(bytes) {
        Ok(source) => source,
        Err(error) => {
            // What can be read of another encoding tells the place.
            let (source, fault) = files::not_text(&error);
            return Ok(unread(path, source, fault));
        }
    };
    let inspected = tongban_dsl::inspect(&source, surroundings);
    Ok(Checked {
        path: path.display().to_string(),
        source,
        diagnostics: inspected.diagnostics,
    })
}

/// A file that is no text to be checked.
fn unread(path: &Path, source: String, fault: Diagnostic) -> Checked {
    Checked {
        path: path.display().to_string(),
        source,
        diagnostics: vec![fault],
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
