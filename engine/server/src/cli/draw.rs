//! `tongban draw PATH`: the diagrams of a workflow, or of every workflow of a pack.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use tongban_dsl::Definition;
use tongban_dsl::draw::{self, Marks, Names};

use super::check::{Checked, print};
use super::files::{self, Named};
use super::{DONE, Format, INVALID, SiteArguments, say};
use crate::drawing;
use crate::language::Language;

/// Arguments of `draw`.
#[derive(clap::Args)]
pub(crate) struct DrawArguments {
    /// A workflow's file, a pack, or a folder of packs
    path: PathBuf,
    /// What is drawn
    #[arg(long, value_enum, default_value = "svg")]
    format: Picture,
    /// Where it goes: a file, or a folder (`pictures/`, which is made) when there are several workflows; standard output
    /// when absent
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// The same as `--format outline`
    #[arg(long, conflicts_with = "format")]
    outline: bool,
    /// Language of the words that the picture adds
    #[arg(long, value_enum, default_value = "zh")]
    language: Words,
    #[command(flatten)]
    site: SiteArguments,
}

/// A kind of picture.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Picture {
    /// A picture for people
    Svg,
    /// A flowchart for documents that render Mermaid
    Mermaid,
    /// The picture's equal in text
    Outline,
}

/// The language of added words.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Words {
    /// 中文
    Zh,
    /// English
    En,
}

impl Words {
    /// As the rest of the program names it.
    pub(crate) fn language(self) -> Language {
        match self {
            Words::Zh => Language::Chinese,
            Words::En => Language::English,
        }
    }
}

impl Picture {
    fn ending(self) -> &'static str {
        match self {
            Picture::Svg => "svg",
            Picture::Mermaid => "mmd",
            Picture::Outline => "txt",
        }
    }
}

/// Draws.
pub(crate) fn draw(arguments: &DrawArguments) -> anyhow::Result<u8> {
    let format = if arguments.outline {
        Picture::Outline
    } else {
        arguments.format
    };
    let language = arguments.language.language();
    let (definitions, names) = match found(arguments, language)? {
        Ok(found) => found,
        Err(broken) => {
            print(&[*broken], Format::Text)?;
            return Ok(INVALID);
        }
    };
    let marks = Marks {
        tongue: drawing::tongue(language),
        names,
        ..Marks::default()
    };
    let folder = arguments
        .output
        .as_ref()
        .filter(|path| definitions.len() > 1 || path.is_dir() || is_folder(path));
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        for definition in &definitions {
            let name = definition.reference().replace('/', "-");
            let path = folder.join(format!("{name}.{}", format.ending()));
            write(&path, &drawn(definition, &marks, format))?;
            say(&format!("{}\n", path.display()))?;
        }
        return Ok(DONE);
    }
    if definitions.len() > 1 && format == Picture::Svg {
        anyhow::bail!(
            "`{}` holds {} workflows: say with `--output FOLDER` where the pictures go",
            arguments.path.display(),
            definitions.len()
        );
    }
    let all: Vec<String> = definitions
        .iter()
        .map(|definition| drawn(definition, &marks, format))
        .collect();
    match &arguments.output {
        Some(path) => write(path, &all.concat())?,
        None => say(&all.join("\n"))?,
    }
    Ok(DONE)
}

/// Whether a path is written as a folder's: `pictures/`.
fn is_folder(path: &Path) -> bool {
    path.as_os_str()
        .to_string_lossy()
        .ends_with(std::path::is_separator)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

fn drawn(definition: &Definition, marks: &Marks, format: Picture) -> String {
    match format {
        Picture::Svg => draw::draw(definition, marks),
        Picture::Mermaid => draw::mermaid(definition, marks),
        Picture::Outline => draw::outline(definition, marks)
            .iter()
            .map(|step| {
                let indent = "  ".repeat(step.depth);
                format!("{indent}{}\n", step.sentence(marks.tongue, marks.reading))
            })
            .collect(),
    }
}

/// What is drawn, or the file that cannot be understood.
type Found = Result<(Vec<Arc<Definition>>, Names), Box<Checked>>;

/// The definitions that the path names, and the names that their people know.
fn found(arguments: &DrawArguments, language: Language) -> anyhow::Result<Found> {
    let (packs, only) = match files::named(&arguments.path)? {
        Named::Pack(folder) => (vec![folder], None),
        Named::Packs(folders) => (folders, None),
        Named::InPack(folder, inside) => (vec![folder], Some(inside)),
        Named::Bare(paths) => (
            Vec::new(),
            paths.first().map(|path| path.display().to_string()),
        ),
    };
    let mut neighbours = packs.clone();
    for folder in &packs {
        if let Some(parent) = folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            neighbours.extend(files::pack_folders(parent)?);
        }
    }
    neighbours.sort();
    neighbours.dedup();
    let (library, read) = files::read_packs(&neighbours)?;
    let mut names = match crate::site::organisation(&arguments.site.site, &library) {
        Ok(organisation) => drawing::names(&organisation, language),
        // A picture needs no site; without one units are shown by their ids.
        Err(_) => Names::default(),
    };
    drawing::add_roles(&mut names, &library, language);
    if packs.is_empty() || only.is_some() {
        return Ok(one(&arguments.path)?.map(|definition| (vec![definition], names)));
    }
    let mut definitions = Vec::new();
    for pack in read.iter().filter(|pack| packs.contains(&pack.path)) {
        let workflows = library.pack(&pack.name).into_iter();
        definitions.extend(
            workflows
                .flat_map(|pack| &pack.workflows)
                .map(|workflow| workflow.definition.clone()),
        );
    }
    anyhow::ensure!(
        !definitions.is_empty(),
        "`{}` holds no workflow that can be drawn; see `tongban check`",
        arguments.path.display()
    );
    Ok(Ok((definitions, names)))
}

/// One document, whatever else is in its folder.
fn one(path: &Path) -> anyhow::Result<Result<Arc<Definition>, Box<Checked>>> {
    let source = files::read_text(path)?;
    let parsed = tongban_dsl::parse(&source);
    Ok(match parsed.definition {
        Some(definition) => Ok(Arc::new(definition)),
        None => Err(Box::new(Checked {
            path: path.display().to_string(),
            source,
            diagnostics: parsed.diagnostics,
        })),
    })
}
