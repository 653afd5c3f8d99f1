//! `docs/conformance.md`: every property of the reference, whether it is supported, and the tests that show it; made
//! from `tests/conformance/reference.yaml` and from what the cases' documents use and say.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::Value;

use crate::case::File;
use crate::run::whole;

/// How to make the page anew.
const COMMAND: &str =
    "TONGBAN_REGENERATE=yes cargo test -p tongban-tests --test conformance -- page";
/// How many tests the page names for a property.
const NAMED: usize = 3;

/// A section of the reference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    section: String,
    #[serde(default = "yes")]
    supported: bool,
    note: Option<String>,
    properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Property {
    name: String,
    /// Where a document has it.
    #[serde(default, rename = "in")]
    places: Vec<String>,
    supported: Option<bool>,
    note: Option<String>,
    /// Tests of other crates, FILE::TEST.
    #[serde(default)]
    tests: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// A document that a test plays.
struct Shown {
    name: String,
    document: Value,
    shows: Vec<String>,
    length: usize,
}

/// The tests of the page.
pub(crate) fn trials(files: &[File], kit: &[(String, String)]) -> Vec<Trial> {
    let mut shown: Vec<Shown> = files
        .iter()
        .flat_map(|file| file.cases.iter().map(move |case| (file, case)))
        .filter_map(|(file, case)| {
            Some(Shown {
                name: format!("{}: {}", file.group, case.case),
                document: case
                    .is_valid()
                    .then(|| serde_yaml::from_str(&whole(&case.workflow)).ok())?
                    .unwrap_or(Value::Null),
                shows: case.shows.clone(),
                length: case.workflow.len(),
            })
        })
        .collect();
    shown.extend(kit.iter().map(|(name, document)| Shown {
        name: name.clone(),
        document: serde_yaml::from_str(document).unwrap_or(Value::Null),
        shows: Vec::new(),
        length: document.len(),
    }));
    shown.sort_by_key(|shown| shown.length);
    let page = Trial::test(
        "page: docs/conformance.md is what the suite shows",
        move || compare(&shown),
    );
    let whole = Trial::test(
        "page: the table has every property of the reference",
        complete,
    );
    vec![page, whole]
}

fn table() -> Result<Vec<Section>, Failed> {
    let path = tongban_tests::root().join("tests/conformance/reference.yaml");
    Ok(serde_yaml::from_str(&std::fs::read_to_string(path)?)?)
}

/// Every row of the tables of the reference, in its order.
fn complete() -> Result<(), Failed> {
    let path = tongban_tests::root().join("tests/conformance/serverless-workflow/dsl-reference.md");
    let mut wanted = Vec::new();
    let mut section = String::new();
    let mut in_table = false;
    for line in std::fs::read_to_string(path)?.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            if !["properties", "examples"].contains(&heading.to_lowercase().as_str()) {
                heading.clone_into(&mut section);
            }
            in_table = false;
        } else if let Some(row) = line.strip_prefix('|') {
            let cell = row.split('|').next().unwrap_or_default();
            let name = crate::cites::plain(cell).replace('"', "");
            let name = name
                .rsplit("/errors/")
                .next()
                .unwrap_or_default()
                .to_owned();
            if ["Name", "Property", "Directive", "Type", "Language"].contains(&name.as_str()) {
                in_table = true;
            } else if in_table && !name.chars().all(|c| ":-".contains(c)) {
                wanted.push(format!("{section}/{name}"));
            }
        } else {
            in_table = false;
        }
    }
    let found: Vec<String> = table()?
        .iter()
        .flat_map(|section| {
            section
                .properties
                .iter()
                .map(|property| format!("{}/{}", section.section, property.name))
        })
        .collect();
    let missing: Vec<&String> = wanted.iter().filter(|name| !found.contains(name)).collect();
    let surplus: Vec<&String> = found.iter().filter(|name| !wanted.contains(name)).collect();
    if missing.is_empty() && surplus.is_empty() {
        return Ok(());
    }
    Err(format!("missing: {missing:?}; not in the reference: {surplus:?}").into())
}

fn compare(shown: &[Shown]) -> Result<(), Failed> {
    let page = page(shown)?;
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

fn page(shown: &[Shown]) -> Result<String, Failed> {
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
            all += 1;
            let is_supported = property.supported.unwrap_or(section.supported);
            let names = named(section, property, shown)?;
            if is_supported {
                supported += 1;
                if names.is_empty() {
                    unshown.push(format!("{}/{}", section.section, property.name));
                }
            }
            let word = if is_supported { "yes" } else { "no" };
            let note = property
                .note
                .as_ref()
                .map(|note| format!(": {note}"))
                .unwrap_or_default();
            writeln!(
                body,
                "| `{}` | {word}{note} | {} |",
                property.name,
                names.join("; ")
            )?;
        }
    }
    if !unshown.is_empty() {
        return Err(format!("supported, and no test shows it: {unshown:?}").into());
    }
    Ok(format!("{}{body}", head(supported, all)))
}

fn head(supported: usize, all: usize) -> String {
    format!(
        "# Conformance\n\n\
         What Tongban does of the Serverless Workflow DSL 1.0.3: every property of its reference, whether it is supported, and the \
         tests that show it (`FILE: CASE` of `tests/conformance/cases`, `kit` is the language's own conformance kit, the others are \
         tests of crates). {supported} of {all} are supported. Where our checker and the published schema differ, \
         `tests/conformance/differences.yaml` has the rule and the reason.\n\n\
         Generated; do not edit. Make it anew with `{COMMAND}`.\n"
    )
}

/// The tests that show a property: those that say so first, then the shortest documents that have it.
fn named(section: &Section, property: &Property, shown: &[Shown]) -> Result<Vec<String>, Failed> {
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
    let key = format!("{}/{}", section.section, property.name);
    let says = shown.iter().filter(|shown| shown.shows.contains(&key));
    let has = shown.iter().filter(|shown| {
        property
            .places
            .iter()
            .any(|place| has(&shown.document, place))
    });
    let mut seen = BTreeMap::new();
    for one in says.chain(has) {
        if names.len() >= NAMED {
            break;
        }
        if seen.insert(&one.name, ()).is_none() {
            names.push(one.name.replace('|', "\\|"));
        }
    }
    Ok(names)
}

/// Whether a document has something at a place: `a/b` is a member `b` of a member `a` at any depth, `^` the document
/// itself, `#` a place in a list, `*` any member; `[k]`, `[!k]`, `[k=v]` ask for a member of what stands there.
fn has(document: &Value, place: &str) -> bool {
    let steps: Vec<&str> = place.split('/').collect();
    if steps.first() == Some(&"^") {
        return leads(document, steps.get(1..).unwrap_or_default());
    }
    leads(document, &steps)
        || match document {
            Value::Object(fields) => fields.values().any(|inner| has(inner, place)),
            Value::Array(items) => items.iter().any(|inner| has(inner, place)),
            _ => false,
        }
}

/// Whether these steps lead from a value to something.
fn leads(value: &Value, steps: &[&str]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    let (name, conditions) = step.split_once('[').unwrap_or((step, ""));
    let goes = |inner: &Value| {
        conditions
            .split('[')
            .filter(|condition| !condition.is_empty())
            .all(|condition| holds(inner, condition.trim_end_matches(']')))
            && leads(inner, rest)
    };
    match (value, name) {
        (Value::Array(items), "#") => items.iter().any(goes),
        (Value::Object(fields), "*") => fields.values().any(goes),
        (Value::Object(fields), name) => fields.get(name).is_some_and(goes),
        _ => false,
    }
}

fn holds(value: &Value, condition: &str) -> bool {
    match (condition.split_once('='), condition.strip_prefix('!')) {
        (Some((name, wanted)), _) => value[name].as_str() == Some(wanted),
        (None, Some(name)) => value.get(name).is_none(),
        (None, None) => value.get(condition).is_some(),
    }
}
