//! Which files a workflow reaches: every text in its document that names one, and what those files name in turn. Tests
//! and samples are never reached; dated parameters are not pinned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use super::code_lists::CodeLists;
use super::manifest::{CodeTitle, Manifest};
use super::{PACK_FACTS, Pack, PackWorkflow};

/// What a bundle keeps of `pack.yaml` and of the packs that it points at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackFacts {
    /// The pack's name.
    pub pack: String,
    /// The languages of its forms and mails.
    pub languages: Vec<String>,
    /// Titles of its roles.
    pub roles: indexmap::IndexMap<String, CodeTitle>,
    /// The code lists that the workflow's files name.
    pub codes: CodeLists,
    /// Titles of rules for traces and letters, from `rules/parameters.yaml`.
    pub rules: Value,
}

impl PackFacts {
    pub(super) fn new(manifest: &Manifest, codes: CodeLists, rules: Value) -> PackFacts {
        PackFacts {
            pack: manifest.pack.clone(),
            languages: manifest.languages.clone(),
            roles: manifest.roles.clone(),
            codes,
            rules,
        }
    }
}

/// The files that a workflow reaches, its own document first among them.
pub(super) fn files(pack: &Pack, workflow: &PackWorkflow) -> BTreeMap<String, Arc<str>> {
    let mut reached = BTreeSet::new();
    let mut open = vec![workflow.path.clone()];
    while let Some(path) = open.pop() {
        let Some(source) = pack.files.get(&path) else {
            continue;
        };
        if !reached.insert(path.clone()) {
            continue;
        }
        if path.ends_with(".yaml") {
            let (value, _) = tongban_dsl::read_yaml(source);
            let mut texts = Vec::new();
            gather(&value.unwrap_or(Value::Null), &mut texts);
            open.extend(texts.iter().flat_map(|text| named(pack, text)));
            // A function of a catalogue is named by its call, not by its path.
            let called = texts
                .iter()
                .filter_map(|text| workflow.definition.function_file(text));
            open.extend(called.filter(|file| pack.files.contains_key(file)));
        }
    }
    reached
        .into_iter()
        .filter_map(|path| pack.files.get(&path).map(|text| (path, text.clone())))
        .collect()
}

/// The texts in `files` that may name code lists of other packs.
pub(super) fn texts(files: &BTreeMap<String, Arc<str>>) -> Vec<String> {
    let mut texts = Vec::new();
    for (path, source) in files {
        if path.ends_with(".yaml") {
            gather(
                &tongban_dsl::read_yaml(source).0.unwrap_or(Value::Null),
                &mut texts,
            );
        }
    }
    texts
}

/// Puts the facts into the bundle's files.
pub(super) fn with_facts(
    mut files: BTreeMap<String, Arc<str>>,
    facts: &PackFacts,
) -> BTreeMap<String, Arc<str>> {
    let text = serde_json::to_string(facts).expect("facts are texts and values");
    files.insert(PACK_FACTS.to_string(), Arc::from(text));
    files
}

/// The files that one text names: itself, behind `pack://`, or a template in each of its languages.
fn named(pack: &Pack, text: &str) -> Vec<String> {
    let path = text.strip_prefix("pack://").unwrap_or(text);
    if pack.files.contains_key(path) && reachable(path) {
        return vec![path.to_string()];
    }
    if path.starts_with("mails/") || path.starts_with("notices/") {
        let languages = ["zh-CN", "en"]
            .into_iter()
            .map(|language| format!("{path}.{language}.md"));
        return languages
            .filter(|file| pack.files.contains_key(file))
            .collect();
    }
    Vec::new()
}

fn reachable(path: &str) -> bool {
    !path.starts_with("tests/")
        && !path.starts_with("samples/")
        && path != "rules/parameters.yaml"
        && path != "pack.yaml"
}

pub(super) fn gather(value: &Value, texts: &mut Vec<String>) {
    if let Some(text) = value.as_str() {
        texts.push(text.to_string());
    }
    for item in value.as_list().into_iter().flatten() {
        gather(item, texts);
    }
    for (_, member) in value.as_object().into_iter().flatten() {
        gather(member, texts);
    }
}
