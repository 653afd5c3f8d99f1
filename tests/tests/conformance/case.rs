//! `tests/conformance/cases/*.yaml`: a document, what goes in, what has to come out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::Value;

use crate::run::{Came, Given, run};

/// A file of cases.
pub(crate) struct File {
    /// Its name without its ending.
    pub(crate) group: String,
    pub(crate) cases: Vec<Arc<Case>>,
}

/// One case of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows, one sentence.
    pub(crate) case: String,
    /// The document; `document:` may be left out.
    pub(crate) workflow: String,
    input: Option<Value>,
    /// The input as a text, where reading it here would change it.
    input_text: Option<String>,
    /// Files that lie beside the document, by their paths.
    #[serde(default)]
    pub(crate) beside: BTreeMap<String, String>,
    /// CloudEvents, in order.
    events: Option<Value>,
    /// Whether timers fire at once: yes.
    #[serde(default = "yes")]
    fast_forward: bool,
    /// `completed` when absent; `invalid` for a document that must be refused.
    #[serde(default)]
    pub(crate) status: Status,
    #[serde(default, deserialize_with = "present")]
    pub(crate) output: Option<Value>,
    /// What the output has at least.
    pub(crate) has: Option<Value>,
    /// What the error has at least.
    pub(crate) error: Option<Value>,
    /// `POINTER` or `POINTER STATUS`, in the order in which they started.
    pub(crate) tasks: Option<Vec<String>>,
    pub(crate) virtual_seconds: Option<i64>,
    /// The least and the most virtual seconds, where chance has a part.
    pub(crate) virtual_seconds_between: Option<(i64, i64)>,
    /// What an invalid document's diagnostics say.
    pub(crate) says: Option<String>,
    /// What of the reference it shows, `SECTION/PROPERTY` of `reference.yaml`: it fails when that is broken.
    #[serde(default)]
    pub(crate) shows: Vec<String>,
    /// The sentence of the language's text, or of our manual, that asks for it.
    pub(crate) cites: Citation,
}

/// A sentence of the language's text, or of our manual where the language leaves it open.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Citation {
    /// FILE#SECTION, the section as its heading is written; `docs/…` is a page of the manual.
    pub(crate) from: String,
    /// The sentence, without the marks of Markdown.
    pub(crate) text: String,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    #[default]
    Completed,
    Faulted,
    Cancelled,
    Waiting,
    Invalid,
}

impl Status {
    /// Its word, and the exit code that goes with it.
    pub(crate) fn facts(self) -> (&'static str, i32) {
        match self {
            Self::Completed => ("completed", 0),
            Self::Faulted => ("faulted", 1),
            Self::Cancelled => ("cancelled", 1),
            Self::Invalid => ("invalid", 2),
            Self::Waiting => ("waiting", 3),
        }
    }
}

const fn yes() -> bool {
    true
}

/// `output: null` is an expectation, no `output` is none.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Case {
    /// Plays a document with what goes into this case; what came, and what of it was not expected.
    pub(crate) fn played(&self, document: &str, port: u16) -> Result<(Came, Vec<String>), Failed> {
        let came = run(&Given {
            document,
            input: self
                .input_text
                .clone()
                .or_else(|| self.input.as_ref().map(Value::to_string)),
            beside: Some(&self.beside),
            events: self.events.as_ref(),
            fast_forward: self.fast_forward,
            hosts: &["stub.example"],
            port,
        })?;
        let faults = self.faults(&came);
        Ok((came, faults))
    }
}

/// Every file of cases, in the order of their names.
pub(crate) fn files() -> Vec<File> {
    let folder = tongban_tests::root().join("tests/conformance/cases");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of the cases")
        .map(|file| file.expect("a case").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| of_file(path)).collect()
}

fn of_file(path: &Path) -> File {
    let text = std::fs::read_to_string(path).expect("a readable file of cases");
    let cases: Vec<Arc<Case>> = serde_yaml::from_str::<Vec<Case>>(&text)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into_iter()
        .map(Arc::new)
        .collect();
    let group = path.file_stem().unwrap_or_default().to_string_lossy();
    File {
        group: group.into_owned(),
        cases,
    }
}

/// A test for every case.
pub(crate) fn trials(files: &[File], port: u16) -> Vec<Trial> {
    let trial = |group: &str, case: &Arc<Case>| {
        let name = format!("{group}: {}", case.case);
        let case = Arc::clone(case);
        Trial::test(name, move || play(&case, port))
    };
    files
        .iter()
        .flat_map(|file| file.cases.iter().map(move |case| trial(&file.group, case)))
        .collect()
}

fn play(case: &Case, port: u16) -> Result<(), Failed> {
    let (came, faults) = case.played(&case.workflow, port)?;
    if faults.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\n{}", faults.join("\n"), came.printed).into())
    }
}
