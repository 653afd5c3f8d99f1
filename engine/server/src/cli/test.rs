//! `tongban test PATH…`: plays scenario files and tells what they covered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use super::check::{Checked, print};
use super::files::{self, Named, PackFolder};
use super::watch::{LOOK, changed, stamps};
use super::{DONE, FAILED, Format, INVALID, SiteArguments, say};
use crate::drawing;
use crate::language::Language;
use crate::scenario::report::{self, Report};
use crate::scenario::{Coverage, LoadedFile, Outcome, Suite, load};

/// Stack of a thread that plays: whole cases run on it.
const STACK_BYTES: usize = 32 << 20;

/// Arguments of `test`.
#[derive(clap::Args)]
pub(crate) struct TestArguments {
    /// Packs, folders of packs, or scenario files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    site: SiteArguments,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Only scenarios whose title, or whose file, holds this text
    #[arg(long, alias = "only")]
    filter: Option<String>,
    /// Write a report too: text, json, junit (XML) or html (one page with diagrams), as KIND=FILE
    #[arg(long = "report", value_name = "KIND=FILE")]
    reports: Vec<ReportFile>,
    /// Play again whenever a file changes
    #[arg(long)]
    watch: bool,
}

/// A report and the file that it goes to.
#[derive(Clone)]
struct ReportFile {
    kind: Kind,
    path: PathBuf,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Json,
    Junit,
    Html,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<ReportFile, String> {
        let (kind, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or("expected KIND=FILE, such as junit=report.xml")?;
        let kind = match kind {
            "text" => Kind::Text,
            "json" => Kind::Json,
            "junit" => Kind::Junit,
            "html" => Kind::Html,
            other => {
                return Err(format!(
                    "there is no report `{other}`; expected text, json, junit or html"
                ));
            }
        };
        Ok(ReportFile {
            kind,
            path: PathBuf::from(path),
        })
    }
}

/// Plays and prints, once or whenever something changed.
pub(crate) fn test(arguments: &TestArguments) -> anyhow::Result<u8> {
    if !arguments.watch {
        return once(arguments);
    }
    loop {
        let watched = watched(arguments);
        // A report that is written into a pack is no change of it.
        let look = || {
            let mut found = stamps(&watched);
            for report in &arguments.reports {
                found.retain(|path, _| !is_same(path, &report.path));
            }
            found
        };
        let before = look();
        if let Err(error) = once(arguments) {
            say(&format!("error: {error:#}\n"))?;
        }
        say("\nwaiting for a change; Ctrl-C ends\n")?;
        let found = loop {
            let found = changed(&before, &look());
            if !found.is_empty() {
                break found;
            }
            std::thread::sleep(LOOK);
        };
        for path in found {
            say(&format!("changed: {}\n", path.display()))?;
        }
        say("\n")?;
    }
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().ok();
    one.file_name() == other.file_name() && whole(one).is_some() && whole(one) == whole(other)
}

/// The folders whose files a run reads.
fn watched(arguments: &TestArguments) -> Vec<PathBuf> {
    // What cannot be found now may come back: the paths themselves are watched then.
    let found = folders(&arguments.paths).map(|(_, folders)| folders);
    let mut watched = found.unwrap_or_else(|_| arguments.paths.clone());
    watched.push(arguments.site.site.join("config"));
    watched
}

/// A pack's folder and the one file that is wanted of it.
type Wanted = (PathBuf, Option<String>);

/// What is wanted, and all folders of packs that are read for it.
fn folders(paths: &[PathBuf]) -> anyhow::Result<(Vec<Wanted>, Vec<PathBuf>)> {
    let mut folders = Vec::new();
    let mut wanted = Vec::new();
    for path in paths {
        for (folder, only) in packs_of(path)? {
            wanted.push((folder.clone(), only));
            let parent = folder
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            let neighbours = parent.map(files::pack_folders).transpose()?;
            for neighbour in neighbours.unwrap_or_else(|| vec![folder.clone()]) {
                if !folders.contains(&neighbour) {
                    folders.push(neighbour);
                }
            }
        }
    }
    Ok((wanted, folders))
}

fn once(arguments: &TestArguments) -> anyhow::Result<u8> {
    let began = Instant::now();
    let (wanted, folders) = folders(&arguments.paths)?;
    let (library, read) = files::read_packs(&folders)?;
    if let Some(broken) = broken(&read) {
        print(&broken, diagnostics_format(arguments.format))?;
        anyhow::bail!("a pack cannot be read: scenarios are not played");
    }
    let mut coverage = Coverage::default();
    let name_of = |folder: &PathBuf| {
        let pack = read.iter().find(|pack| pack.path == *folder);
        pack.map_or("", |pack| pack.name.as_str())
    };
    let organisation = crate::site::organisation(&arguments.site.site, &library)?;
    let site = arguments.site.site.clone();
    let suite = Arc::new(Suite::new(library, organisation, site));
    for (folder, _) in &wanted {
        if let Some(pack) = suite.library.pack(name_of(folder)) {
            suite.know(pack, &mut coverage);
        }
    }
    let Some(loaded) = loaded(&wanted, &suite, arguments.format)? else {
        return Ok(INVALID);
    };
    let chosen = chosen(&loaded, arguments.filter.as_deref())?;
    let outcomes = play(&suite, &loaded, chosen)?;
    for outcome in &outcomes {
        coverage.note(&outcome.ran);
    }
    let report = Report {
        outcomes: &outcomes,
        coverage: &coverage,
        partial: arguments.filter.is_some() || wanted.iter().any(|(_, only)| only.is_some()),
        millis: began.elapsed().as_millis(),
    };
    match arguments.format {
        Format::Text => say(&report::text(&report))?,
        Format::Json | Format::Sarif => say(&format!("{}\n", report::json(&report)))?,
    }
    for file in &arguments.reports {
        let text = match file.kind {
            Kind::Text => report::text(&report),
            Kind::Json => format!("{}\n", report::json(&report)),
            Kind::Junit => report::junit(&report),
            Kind::Html => {
                let mut names = drawing::names(&suite.organisation, Language::Chinese);
                drawing::add_roles(&mut names, &suite.library, Language::Chinese);
                report::html(&report, &names)
            }
        };
        std::fs::write(&file.path, text)
            .map_err(|error| anyhow::anyhow!("cannot write `{}`: {error}", file.path.display()))?;
    }
    Ok(if report.failed() > 0 { FAILED } else { DONE })
}

fn diagnostics_format(format: Format) -> Format {
    match format {
        Format::Text => Format::Text,
        Format::Json | Format::Sarif => Format::Json,
    }
}

/// The files of packs with errors; `None` when there are none.
fn broken(read: &[PackFolder]) -> Option<Vec<Checked>> {
    let mut checked: Vec<Checked> = Vec::new();
    for pack in read {
        for fault in pack
            .diagnostics
            .iter()
            .filter(|fault| fault.diagnostic.is_error())
        {
            let path = pack.path.join(&fault.file).display().to_string();
            match checked.iter_mut().find(|file| file.path == path) {
                Some(file) => file.diagnostics.push(fault.diagnostic.clone()),
                None => checked.push(Checked {
                    path,
                    source: fault.source.to_string(),
                    diagnostics: vec![fault.diagnostic.clone()],
                }),
            }
        }
    }
    (!checked.is_empty()).then_some(checked)
}

/// The scenario files; `None` when some cannot be played, which is then told.
fn loaded(
    wanted: &[Wanted],
    suite: &Suite,
    format: Format,
) -> anyhow::Result<Option<Vec<LoadedFile>>> {
    let mut loaded = Vec::new();
    let mut broken = Vec::new();
    for (folder, only) in wanted {
        for (inside, source) in files::pack_files(folder)? {
            let is_wanted = match only {
                Some(only) => *only == inside,
                None => inside.starts_with("tests/") && inside.ends_with(".test.yaml"),
            };
            if !is_wanted {
                continue;
            }
            let path = folder.join(&inside);
            match load(&path, &source, suite) {
                Ok(file) => loaded.push(file),
                Err(diagnostics) => broken.push(Checked {
                    path: path.display().to_string(),
                    source: source.to_string(),
                    diagnostics,
                }),
            }
        }
    }
    if broken.is_empty() {
        return Ok(Some(loaded));
    }
    print(&broken, diagnostics_format(format))?;
    Ok(None)
}

/// The scenarios to play: file and place in it.
fn chosen(loaded: &[LoadedFile], filter: Option<&str>) -> anyhow::Result<Vec<(usize, usize)>> {
    let mut chosen = Vec::new();
    let mut all = 0;
    for (file, read) in loaded.iter().enumerate() {
        let path = read.path.display().to_string();
        for (at, title) in read.titles().enumerate() {
            all += 1;
            if filter.is_none_or(|text| title.contains(text) || path.contains(text)) {
                chosen.push((file, at));
            }
        }
    }
    match filter {
        Some(filter) if chosen.is_empty() => anyhow::bail!(
            "no scenario has `{filter}` in its title or its file's name; there are {all}"
        ),
        _ => Ok(chosen),
    }
}

/// Plays scenarios side by side, each in a world of its own; the outcomes come in the order of the files.
fn play(
    suite: &Arc<Suite>,
    loaded: &[LoadedFile],
    chosen: Vec<(usize, usize)>,
) -> anyhow::Result<Vec<Outcome>> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let done = parking_lot::Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let mut workers = Vec::new();
        for _ in 0..threads.min(chosen.len().max(1)) {
            let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
            workers.push(worker.spawn_scoped(scope, || -> anyhow::Result<()> {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((file, scenario)) = chosen.get(at) else {
                        return Ok(());
                    };
                    let Some(read) = loaded.get(*file) else {
                        return Ok(());
                    };
                    if let Some(outcome) = runtime.block_on(suite.play(read, *scenario)) {
                        done.lock().insert(at, outcome);
                    }
                }
            })?);
        }
        for worker in workers {
            match worker.join() {
                Ok(outcome) => outcome?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })?;
    Ok(done.into_inner().into_values().collect())
}

/// The packs that a path names, each with the one file that is wanted of it.
fn packs_of(path: &Path) -> anyhow::Result<Vec<Wanted>> {
    Ok(match files::named(path)? {
        Named::Pack(folder) => vec![(folder, None)],
        Named::Packs(folders) => folders.into_iter().map(|folder| (folder, None)).collect(),
        Named::InPack(folder, inside) => vec![(folder, Some(inside))],
        Named::Bare(_) => anyhow::bail!(
            "`{}` belongs to no pack: a scenario file lies under `tests/` of its pack",
            path.display()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::ReportFile;

    #[test]
    fn a_report_names_its_kind_and_its_file() {
        assert!("junit=out/report.xml".parse::<ReportFile>().is_ok());
        assert!("html=".parse::<ReportFile>().is_err());
        assert!(
            "pdf=x"
                .parse::<ReportFile>()
                .is_err_and(|told| told.contains("junit"))
        );
    }
}
