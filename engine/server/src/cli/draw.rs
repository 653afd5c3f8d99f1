//! `tongban draw FILE`: the diagram of a workflow.

use std::path::PathBuf;

use super::check::{Checked, print};
use super::{DONE, Format, INVALID, files, say};

/// Arguments of `draw`.
#[derive(clap::Args)]
pub(crate) struct DrawArguments {
    /// The workflow's file
    file: PathBuf,
    /// Where the SVG goes; standard output when absent
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Print the outline, the picture's equal in text
    #[arg(long, conflicts_with = "output")]
    outline: bool,
}

/// Draws.
pub(crate) fn draw(arguments: &DrawArguments) -> anyhow::Result<u8> {
    let source = files::read_text(&arguments.file)?;
    let parsed = tongban_dsl::parse(&source);
    let Some(definition) = parsed.definition else {
        let path = arguments.file.display().to_string();
        print(
            &[Checked {
                path,
                source,
                diagnostics: parsed.diagnostics,
            }],
            Format::Text,
        )?;
        return Ok(INVALID);
    };
    let marks = tongban_dsl::draw::Marks::default();
    if arguments.outline {
        let steps = tongban_dsl::draw::outline(&definition, &marks);
        let lines: String = steps
            .iter()
            .map(|step| {
                format!(
                    "{}{}\n",
                    "  ".repeat(step.depth),
                    step.sentence(marks.tongue, marks.reading)
                )
            })
            .collect();
        say(&lines)?;
        return Ok(DONE);
    }
    let svg = tongban_dsl::draw::draw(&definition, &marks);
    match &arguments.output {
        Some(path) => std::fs::write(path, svg)?,
        None => say(&svg)?,
    }
    Ok(DONE)
}
