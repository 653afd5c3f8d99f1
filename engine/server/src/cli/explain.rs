//! `tongban explain CODE`: the page of a diagnostic.

use tongban_dsl::codes;

use tongban_expr::{Value, value};

use super::{DONE, INVALID, Listing, say};

/// Arguments of `explain`.
#[derive(clap::Args)]
pub(crate) struct ExplainArguments {
    /// The code, such as TB0102; all codes when absent
    code: Option<String>,
    /// In which language: en or zh-CN [default: that of the terminal]
    #[arg(long)]
    lang: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    format: Listing,
}

/// Prints one page, or the list of all.
pub(crate) fn explain(arguments: &ExplainArguments) -> anyhow::Result<u8> {
    let language = arguments.lang.clone().unwrap_or_else(of_the_terminal);
    let json = arguments.format == Listing::Json;
    let Some(code) = &arguments.code else {
        if json {
            let pages = codes::PAGES
                .iter()
                .map(|page| of_page(page, &language))
                .collect();
            say(&format!("{}\n", Value::list(pages).to_json()))?;
            return Ok(DONE);
        }
        let lines: String = codes::PAGES
            .iter()
            .map(|page| format!("{}  {}\n", page.id, page.said_in(&language).0))
            .collect();
        say(&lines)?;
        return Ok(DONE);
    };
    let Some(page) = codes::explain(code) else {
        eprintln!("error: there is no code `{code}`; `tongban explain` lists them all");
        return Ok(INVALID);
    };
    if json {
        say(&format!("{}\n", of_page(page, &language).to_json()))?;
        return Ok(DONE);
    }
    let (title, explanation) = page.said_in(&language);
    let (colon, example) = if language.starts_with("zh") {
        (":", "例:")
    } else {
        (": ", "Example:")
    };
    let lines: String = page
        .example
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    say(&format!(
        "{}{colon}{title}\n\n{explanation}\n\n{example}\n\n{lines}",
        page.id
    ))?;
    Ok(DONE)
}

fn of_page(page: &codes::Page, language: &str) -> Value {
    let (title, explanation) = page.said_in(language);
    value!({ "code": (page.id), "title": (title), "explanation": (explanation), "example": (page.example) })
}

/// Chinese when the terminal is, by the variables that say so.
fn of_the_terminal() -> String {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    said.filter(|value| value.starts_with("zh"))
        .map_or_else(|| "en".to_owned(), |_| "zh-CN".to_owned())
}
