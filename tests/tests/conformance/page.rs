//! `docs/conformance.md`: every property of the reference, whether it is supported, and the tests that show it; made
//! from `tests/conformance/reference.yaml` and from what the cases say that they show.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use libtest_mimic::{Failed, Trial};

use crate::case::File;
use crate::reference::{Property, complete, table};

/// How to make the page anew.
const COMMAND: &str =
    "TONGBAN_REGENERATE=yes cargo test -p tongban-tests --test conformance -- page";

/// The cases that say that they show a property, by `SECTION/PROPERTY`.
type Shows = BTreeMap<String, Vec<String>>;

/// What stands at the head of the page.
struct Counts {
    cases: usize,
    /// The names of the kit's scenarios.
    kit: Vec<String>,
}

/// The tests of the page.
pub(crate) fn trials(files: &[File], kit: Vec<String>) -> Vec<Trial> {
    let cases = files.iter().map(|file| file.cases.len()).sum();
    let counts = Counts { cases, kit };
    let mut shows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, case) in files
        .iter()
        .flat_map(|file| file.cases.iter().map(move |case| (file, case)))
    {
        for key in &case.shows {
            let named = shows.entry(key.clone()).or_default();
            named.push(format!("{}: {}", file.group, case.case));
        }
    }
    let page = Trial::test(
        "page: docs/conformance.md is what the suite shows",
        move || compare(&shows, &counts),
    );
    let whole = Trial::test(
        "page: the table has every property of the reference",
        complete,
    );
    vec![page, whole]
}

fn compare(shows: &Shows, counts: &Counts) -> Result<(), Failed> {
    let page = page(shows, counts)?;
    let path = tongban_tests::root().join("docs/conformance.md");
    if std::env::var_os("TONGBAN_REGENERATE").is_some() {
        std::fs::write(&path, &page)?;
        return Ok(());
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    if stands == page {
        return Ok(());
    }
    let differs = stands
        .lines()
        .zip(page.lines())
        .find(|(stands, page)| stands != page);
    Err(format!("docs/conformance.md is not what the suite shows; run `{COMMAND}`\nfirst difference: {differs:?}").into())
}

/// The page, when every supported property has a test that says that it shows it.
fn page(shows: &Shows, counts: &Counts) -> Result<String, Failed> {
    let sections = table()?;
    let mut body = String::new();
    let (mut supported, mut all) = (0, 0);
    let mut unshown = Vec::new();
    for section in &sections {
        write!(body, "\n## {}\n\n", section.section)?;
        if let Some(note) = &section.note {
            write!(body, "{note}.\n\n")?;
        }
        body.push_str("| property | supported | shown by |\n|---|---|---|\n");
        for property in &section.properties {
            let is_supported = property.supported.unwrap_or(section.supported);
            let key = section.key(property);
            let names = named(property, shows.get(&key))?;
            all += 1;
            supported += usize::from(is_supported);
            if is_supported && names.is_empty() {
                unshown.push(key);
            }
            body.push_str(&row(property, is_supported, &names));
        }
    }
    if unshown.is_empty() {
        let head = head(supported, all, counts.cases);
        return Ok(format!("{head}{}{body}", material(&counts.kit)?));
    }
    Err(format!("supported, and no test says that it shows it (`shows`): {unshown:?}").into())
}

fn row(property: &Property, is_supported: bool, names: &[String]) -> String {
    let word = if is_supported { "yes" } else { "no" };
    let note = property
        .note
        .as_ref()
        .map(|note| format!(": {note}"))
        .unwrap_or_default();
    let names = names.join("; ");
    format!("| `{}` | {word}{note} | {names} |\n", property.name)
}

fn head(supported: usize, all: usize, cases: usize) -> String {
    format!(
        "# Conformance\n\n\
         What Tongban does of the Serverless Workflow DSL 1.0.3: every property of its reference, whether it is supported, and the \
         tests that show it (`FILE: CASE` of `tests/conformance/cases`, the others are tests of crates). {supported} of {all} are \
         supported. A case that shows a property fails when the property is taken out of its document; that is a test, too. Each of \
         the {cases} cases cites the sentence that asks for it. Where our checker and the published schema differ, \
         `tests/conformance/differences.yaml` has the rule and the reason.\n\n\
         Generated; do not edit. Make it anew with `{COMMAND}`.\n"
    )
}

/// What came with the language: all of it is tested, and a file that is added or lost is told.
fn material(kit: &[String]) -> Result<String, Failed> {
    let folder = tongban_tests::root().join("tests/conformance/serverless-workflow");
    let files = |name: &str| std::fs::read_dir(folder.join(name)).map(Iterator::count);
    let mut text = format!(
        "\n## The language's own material\n\n\
         | what | how many | tested by |\n|---|---|---|\n\
         | example documents | {} | `tests/tests/documents.rs::every_example_checks_or_is_refused_by_name`; \
         `tests/tests/documents.rs::every_example_is_the_same_after_it_was_written_and_read_again` |\n\
         | invalid samples | {} | `tests/tests/documents.rs::every_invalid_sample_is_refused_with_what_is_wrong` |\n\
         | scenarios of the conformance kit | {} | each by a test of its own |\n\n",
        files("examples")?,
        files("invalid")?,
        kit.len(),
    );
    for name in kit {
        writeln!(text, "- {name}")?;
    }
    Ok(text)
}

/// The tests that show a property.
fn named(property: &Property, cases: Option<&Vec<String>>) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for test in &property.tests {
        let (file, name) = test.rsplit_once("::").ok_or("expected FILE::TEST")?;
        let text = std::fs::read_to_string(tongban_tests::root().join(file))
            .map_err(|error| format!("{file}: {error}"))?;
        if !text.contains(&format!("fn {name}(")) {
            return Err(format!("{file} has no test `{name}`").into());
        }
        names.push(format!("`{test}`"));
    }
    let cases = cases.into_iter().flatten();
    names.extend(cases.map(|case| case.replace('|', "\\|")));
    Ok(names)
}
