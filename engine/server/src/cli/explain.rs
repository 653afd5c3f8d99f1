//! `tongban explain CODE`: the page of a diagnostic.

use super::{DONE, INVALID, say};

/// Arguments of `explain`.
#[derive(clap::Args)]
pub(crate) struct ExplainArguments {
    /// The code, such as TB0102; all codes when absent
    code: Option<String>,
}

/// Prints one page, or the list of all.
pub(crate) fn explain(arguments: &ExplainArguments) -> anyhow::Result<u8> {
    let Some(code) = &arguments.code else {
        let lines: String = tongban_dsl::codes::PAGES
            .iter()
            .map(|page| format!("{}  {}\n", page.id, page.title))
            .collect();
        say(&lines)?;
        return Ok(DONE);
    };
    match tongban_dsl::codes::explain(code) {
        Some(page) => {
            println!(
                "{}: {}\n\n{}\n\nExample:\n",
                page.id, page.title, page.explanation
            );
            for line in page.example.lines() {
                println!("    {line}");
            }
            Ok(DONE)
        }
        None => {
            eprintln!("error: there is no code `{code}`; `tongban explain` lists them all");
            Ok(INVALID)
        }
    }
}
