//! `tests/conformance/reference.yaml`: every property of the reference, whether it is supported, where a document has it.

use libtest_mimic::Failed;
use serde::Deserialize;

/// A section of the reference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) section: String,
    #[serde(default = "yes")]
    pub(crate) supported: bool,
    pub(crate) note: Option<String>,
    pub(crate) properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Property {
    pub(crate) name: String,
    /// Where a document has it.
    #[serde(default, rename = "in")]
    pub(crate) places: Vec<String>,
    pub(crate) supported: Option<bool>,
    pub(crate) note: Option<String>,
    /// Tests of other crates, FILE::TEST.
    #[serde(default)]
    pub(crate) tests: Vec<String>,
}

impl Section {
    /// The name of one of its properties, as cases say it.
    pub(crate) fn key(&self, property: &Property) -> String {
        format!("{}/{}", self.section, property.name)
    }
}

const fn yes() -> bool {
    true
}

/// The table, in the reference's order.
pub(crate) fn table() -> Result<Vec<Section>, Failed> {
    let path = tongban_tests::root().join("tests/conformance/reference.yaml");
    Ok(serde_yaml::from_str(&std::fs::read_to_string(path)?)?)
}

/// Every row of the tables of the reference, in its order.
pub(crate) fn complete() -> Result<(), Failed> {
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
                .map(|property| section.key(property))
        })
        .collect();
    let missing: Vec<&String> = wanted.iter().filter(|name| !found.contains(name)).collect();
    let surplus: Vec<&String> = found.iter().filter(|name| !wanted.contains(name)).collect();
    if missing.is_empty() && surplus.is_empty() {
        return Ok(());
    }
    Err(format!("missing: {missing:?}; not in the reference: {surplus:?}").into())
}
