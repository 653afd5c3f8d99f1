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
    status: Status,
    #[serde(default, deserialize_with = "present")]
    output: Option<Value>,
    /// What the output has at least.
    has: Option<Value>,
    /// What the error has at least.
    error: Option<Value>,
    /// `POINTER` or `POINTER STATUS`, in the order in which they started.
    tasks: Option<Vec<String>>,
    virtual_seconds: Option<i64>,
    /// The least and the most virtual seconds, where chance has a part.
    virtual_seconds_between: Option<(i64, i64)>,
    /// What an invalid document's diagnostics say.
    says: Option<String>,
    /// What of the reference it shows that its document does not have: `SECTION/PROPERTY` of `reference.yaml`.
    #[serde(default)]
    pub(crate) shows: Vec<String>,
    /// The sentence of the language's text that asks for it.
    pub(crate) cites: Option<Citation>,
}

/// A sentence of the language's text.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Citation {
    /// FILE#SECTION, the section as its heading is written.
    pub(crate) from: String,
    /// The sentence, without the marks of Markdown.
    pub(crate) text: String,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Completed,
    Faulted,
    Cancelled,
    Waiting,
    Invalid,
}

impl Status {
    /// Its word, and the exit code that goes with it.
    fn facts(self) -> (&'static str, i32) {
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
    /// Whether its document is one that is taken.
    pub(crate) fn is_valid(&self) -> bool {
        self.status != Status::Invalid
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
    let came = run(&Given {
        document: &case.workflow,
        input: case
            .input_text
            .clone()
            .or_else(|| case.input.as_ref().map(Value::to_string)),
        beside: Some(&case.beside),
        events: case.events.as_ref(),
        fast_forward: case.fast_forward,
        hosts: &["stub.example"],
        port,
    })?;
    let faults = faults(case, &came);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\n{}", faults.join("\n"), came.printed).into())
    }
}

fn faults(case: &Case, came: &Came) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: &str, wanted: &Value, found: &Value, fits: bool| {
        if !fits {
            faults.push(format!("{what}: expected {wanted}, found {found}"));
        }
    };
    let (word, code) = case.status.facts();
    expect(
        "exit code",
        &code.into(),
        &came.code.into(),
        code == came.code,
    );
    if let Some(words) = &case.says {
        expect(
            "words",
            &words.as_str().into(),
            &Value::Null,
            came.printed.contains(words.as_str()),
        );
    }
    if case.status == Status::Invalid {
        return faults;
    }
    let object = &came.object;
    expect(
        "status",
        &word.into(),
        &object["status"],
        object["status"] == word,
    );
    if let Some(output) = &case.output {
        // As texts: a number keeps its kind and an object the order of its members.
        expect(
            "output",
            output,
            &object["output"],
            same_text(output, &object["output"]),
        );
    }
    if let Some(has) = &case.has {
        expect(
            "output",
            has,
            &object["output"],
            within(has, &object["output"]),
        );
    }
    if let Some(error) = &case.error {
        expect(
            "error",
            error,
            &object["error"],
            within(error, &object["error"]),
        );
    }
    if let Some(tasks) = &case.tasks {
        let wanted: Vec<String> = tasks.iter().map(|task| with_status(task)).collect();
        let found: Vec<String> = object["tasks"]
            .as_array()
            .into_iter()
            .flatten()
            .map(told)
            .collect();
        expect(
            "tasks",
            &wanted.clone().into(),
            &found.clone().into(),
            wanted == found,
        );
    }
    if let Some(seconds) = case.virtual_seconds {
        expect(
            "virtual_seconds",
            &seconds.into(),
            &object["virtual_seconds"],
            object["virtual_seconds"] == seconds,
        );
    }
    if let Some((least, most)) = case.virtual_seconds_between {
        let found = object["virtual_seconds"].as_i64().unwrap_or(-1);
        expect(
            "virtual_seconds",
            &format!("{least} to {most}").into(),
            &object["virtual_seconds"],
            (least..=most).contains(&found),
        );
    }
    faults
}

fn with_status(task: &str) -> String {
    if task.contains(' ') {
        task.to_string()
    } else {
        format!("{task} completed")
    }
}

fn told(task: &Value) -> String {
    let text = |name: &str| task[name].as_str().unwrap_or_default().to_string();
    let name = text("task")
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .replace("~1", "/")
        .replace("~0", "~");
    let misnamed = if name == text("name") {
        ""
    } else {
        " under another name"
    };
    format!("{} {}{misnamed}", text("task"), text("status"))
}

/// Whether `found` has all that `wanted` has.
pub(crate) fn within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(name, value)| found.get(name).is_some_and(|other| within(value, other))),
        _ => wanted == found,
    }
}

/// Whether two values are written alike.
fn same_text(one: &Value, other: &Value) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    one == other
}
