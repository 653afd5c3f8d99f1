//! A site's folder: `config/organisation.yaml`, `config/calendars/*.yaml`, and the rights that its packs bring.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use tongban_org::{CalendarFile, Organisation, OrganisationFile};
use tongban_runtime::pack::Library;

/// Builds the organisation of a site's folder with the rights of the packs.
pub fn organisation(site: &Path, library: &Library) -> anyhow::Result<Arc<Organisation>> {
    let config = site.join("config");
    organisation_of(
        &config.join("organisation.yaml"),
        &config.join("calendars"),
        library,
    )
}

/// Builds the organisation of a file and a folder of calendars with the rights of the packs.
pub fn organisation_of(
    file: &Path,
    calendars: &Path,
    library: &Library,
) -> anyhow::Result<Arc<Organisation>> {
    organisation_from(&read_yaml(file)?, file, calendars, library)
}

/// Builds an organisation that is described somewhere else (`file` is named in faults), with a folder of calendars.
pub fn organisation_from(
    settings: &OrganisationFile,
    file: &Path,
    calendars: &Path,
    library: &Library,
) -> anyhow::Result<Arc<Organisation>> {
    let mut days = Vec::new();
    if calendars.is_dir() {
        for path in calendar_files(calendars)? {
            days.push(read_yaml::<CalendarFile>(&path)?);
        }
    }
    let mut organisation =
        Organisation::build(settings, &days).map_err(|faults| told(file, &faults))?;
    for pack in library.packs() {
        organisation
            .add_rights(pack.name(), &pack.manifest.rights)
            .map_err(|faults| told(Path::new(pack.name()), &faults))?;
    }
    Ok(Arc::new(organisation))
}

/// A mark of everything that [`organisation_of`] reads: another mark means that deadlines and agents may have changed.
pub fn organisation_mark(
    file: &Path,
    calendars: &Path,
    library: &Library,
) -> anyhow::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut paths = vec![file.to_path_buf()];
    if calendars.is_dir() {
        paths.extend(calendar_files(calendars)?);
    }
    for path in paths {
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        hasher.update(blake3::hash(&bytes).as_bytes());
    }
    for pack in library.packs() {
        hasher.update(serde_json::to_string(&pack.manifest.rights)?.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn calendar_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    Ok(paths)
}

fn told(place: &Path, faults: &[tongban_org::OrganisationError]) -> anyhow::Error {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("`{}`:\n{}", place.display(), faults.join("\n"))
}

/// Reads a settings file with the budgets and the places of our own reader.
fn read_yaml<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let source = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let (value, diagnostics) = tongban_dsl::read_yaml(&source);
    if let Some(fault) = diagnostics.iter().find(|fault| fault.is_error()) {
        bail!(
            "{}:{}:{}: {}",
            path.display(),
            fault.span.line,
            fault.span.column,
            fault.message
        );
    }
    let json = serde_json::to_value(value.unwrap_or_default())?;
    serde_path_to_error::deserialize(json).map_err(|error| {
        anyhow::anyhow!("{}: `{}`: {}", path.display(), error.path(), error.inner())
    })
}
