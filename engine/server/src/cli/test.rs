//! `tongban test PATH…`: plays scenario files and tells what they covered.

use std::path::{Path, PathBuf};

use super::files::{self, Named};
use super::{DONE, FAILED, Format, SiteArguments};
use crate::scenario::{Coverage, LoadedFile, Outcome, Suite, load};

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
    /// Only scenarios whose title holds this text
    #[arg(long)]
    only: Option<String>,
}

/// Plays and prints.
pub(crate) fn test(arguments: &TestArguments) -> anyhow::Result<u8> {
    let mut folders = Vec::new();
    let mut wanted = Vec::new();
    for path in &arguments.paths {
        for (folder, only) in packs_of(path)? {
            wanted.push((folder.clone(), only));
            let parent = folder
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            for neighbour in parent
                .map(files::pack_folders)
                .transpose()?
                .unwrap_or_else(|| vec![folder.clone()])
            {
                if !folders.contains(&neighbour) {
                    folders.push(neighbour);
                }
            }
        }
    }
    let (library, read) = files::read_packs(&folders)?;
    if let Some(fault) = read
        .iter()
        .flat_map(|pack| &pack.diagnostics)
        .find(|fault| fault.diagnostic.is_error())
    {
        anyhow::bail!(
            "{}:{}: {} (run `tongban check` first)",
            fault.file,
            fault.diagnostic.span.line,
            fault.diagnostic.message
        );
    }
    let mut loaded = Vec::new();
    let mut coverage = Coverage::default();
    for (folder, only) in &wanted {
        let name = read
            .iter()
            .find(|pack| pack.path == *folder)
            .map(|pack| pack.name.as_str())
            .unwrap_or_default();
        for workflow in library.pack(name).iter().flat_map(|pack| &pack.workflows) {
            coverage.know(&workflow.definition);
        }
        loaded.extend(scenario_files(folder, name, only.as_deref())?);
    }
    let organisation = crate::site::organisation(&arguments.site.site, &library)?;
    let suite = Suite {
        library,
        organisation,
    };
    let outcomes = play(&suite, &loaded, &mut coverage)?;
    let shown: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| {
            arguments
                .only
                .as_ref()
                .is_none_or(|only| outcome.test.contains(only))
        })
        .collect();
    if let Some(only) = arguments.only.as_ref().filter(|_| shown.is_empty()) {
        anyhow::bail!(
            "no scenario has `{only}` in its title; there are {}",
            outcomes.len()
        );
    }
    match arguments.format {
        Format::Text => print_text(&shown, &coverage),
        Format::Json | Format::Sarif => print_json(&shown, &coverage),
    }
    Ok(if shown.iter().any(|outcome| outcome.failure.is_some()) {
        FAILED
    } else {
        DONE
    })
}

fn play(
    suite: &Suite,
    files: &[LoadedFile],
    coverage: &mut Coverage,
) -> anyhow::Result<Vec<Outcome>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async {
        let mut outcomes = Vec::new();
        for file in files {
            outcomes.extend(suite.play(file, coverage).await);
        }
        outcomes
    }))
}

/// The packs that a path names, each with the one file that is wanted of it.
fn packs_of(path: &Path) -> anyhow::Result<Vec<(PathBuf, Option<String>)>> {
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

fn scenario_files(
    folder: &Path,
    pack: &str,
    only: Option<&str>,
) -> anyhow::Result<Vec<LoadedFile>> {
    let mut loaded = Vec::new();
    for (inside, source) in files::pack_files(folder)? {
        let wanted = match only {
            Some(only) => only == inside,
            None => inside.starts_with("tests/") && inside.ends_with(".test.yaml"),
        };
        if wanted {
            loaded.push(load(pack, &folder.join(&inside), &source).map_err(anyhow::Error::msg)?);
        }
    }
    Ok(loaded)
}

fn print_text(outcomes: &[&Outcome], coverage: &Coverage) {
    let mut file = None;
    for outcome in outcomes {
        if file != Some(&outcome.path) {
            println!("{}", outcome.path.display());
            file = Some(&outcome.path);
        }
        match &outcome.failure {
            None => println!("  ok      {}", outcome.test),
            Some(failure) => println!(
                "  FAILED  {}\n          {}",
                outcome.test,
                failure.trim_end().replace('\n', "\n          ")
            ),
        }
    }
    println!("\n{}", coverage.text().trim_end());
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some())
        .count();
    println!("\n{} passed, {failed} failed", outcomes.len() - failed);
}

fn print_json(outcomes: &[&Outcome], coverage: &Coverage) {
    let scenarios: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            serde_json::json!({ "file": outcome.path, "test": outcome.test, "passed": outcome.failure.is_none(), "failure": outcome.failure })
        })
        .collect();
    println!(
        "{}",
        serde_json::json!({ "scenarios": scenarios, "coverage": coverage.json() })
    );
}
