//! A document that is played alone: the files that it names are looked for beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tongban_dsl::definition::{RunKind, Task, TaskKind};
use tongban_dsl::signatures::Signature;
use tongban_dsl::{Definition, Reference};
use tongban_expr::Value;

use super::bundle::Bundle;
use super::reach::gather;
use super::surroundings::Alone;
use crate::functions::Functions;

/// The files beside a document: who reads the disk is the caller.
pub trait Files {
    /// The text of a file, by its path from the document's pack or folder.
    fn text(&self, path: &str) -> Option<Arc<str>>;

    /// The paths of the files in a folder.
    fn under(&self, folder: &str) -> Vec<String>;
}

/// A document in no library: its functions and the files beside it are known, and nothing else is.
pub struct Beside<'a> {
    /// The functions.
    pub functions: &'a Functions,
    /// The files.
    pub files: &'a dyn Files,
}

impl tongban_dsl::Surroundings for Beside<'_> {
    fn function(&self, name: &str) -> Option<Signature> {
        let functions = self.functions;
        Alone { functions }.function(name)
    }

    fn function_names(&self) -> Vec<String> {
        let functions = self.functions;
        Alone { functions }.function_names()
    }

    fn names(&self, _: Reference) -> Option<Vec<String>> {
        None
    }

    fn file(&self, path: &str) -> Option<Arc<str>> {
        self.files.text(path)
    }

    fn files_under(&self, folder: &str) -> Vec<String> {
        self.files.under(folder)
    }
}

/// Endings of the files that a document may name.
const ENDINGS: [&str; 6] = [".yaml", ".yml", ".json", ".rhai", ".md", ".txt"];

/// A bundle of a document and of the files beside it that it reaches. `path` is its own.
#[must_use]
pub fn bundle(definition: &Definition, path: &str, files: &dyn Files) -> Bundle {
    let mut reached: BTreeMap<String, Arc<str>> =
        BTreeMap::from([(path.to_owned(), Arc::clone(&definition.source))]);
    let mut open = vec![Arc::clone(&definition.source)];
    while let Some(source) = open.pop() {
        let mut texts = Vec::new();
        let (value, _) = tongban_dsl::read_yaml(&source);
        gather(&value.unwrap_or(Value::Null), &mut texts);
        for named in texts.iter().flat_map(|text| named(definition, text)) {
            if reached.contains_key(&named) {
                continue;
            }
            let Some(text) = files.text(&named) else {
                continue;
            };
            if named.ends_with(".yaml") || named.ends_with(".yml") {
                open.push(Arc::clone(&text));
            }
            reached.insert(named, text);
        }
    }
    let version = &definition.document.version.value;
    Bundle::new(&definition.reference(), version, path, reached)
}

/// The files that one text may name.
fn named(definition: &Definition, text: &str) -> Vec<String> {
    let path = text.strip_prefix("pack://").unwrap_or(text);
    let plain = path.len() <= 200 && !path.contains(['\n', '\\', ':', ' ', '{']);
    let file = plain && ENDINGS.iter().any(|ending| path.ends_with(ending));
    let function = definition.function_file(text);
    file.then(|| path.to_owned())
        .into_iter()
        .chain(function)
        .collect()
}

/// The workflows that the tasks of a document run, each as `namespace/name`.
#[must_use]
pub fn run_by(definition: &Definition) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    definition
        .roots()
        .for_each(|task| gather_runs(task, &mut found));
    found
}

fn gather_runs(task: &Task, found: &mut BTreeSet<String>) {
    if let TaskKind::Run(run) = &task.kind
        && let RunKind::Workflow {
            namespace, name, ..
        } = &run.kind
    {
        found.insert(format!("{}/{}", namespace.value, name.value));
    }
    for (_, tasks) in task.scopes() {
        tasks.iter().for_each(|inner| gather_runs(inner, found));
    }
}
