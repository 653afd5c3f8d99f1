//! What a case expects, held against what came.

use serde_json::Value;

use crate::case::{Case, Status};
use crate::run::Came;

/// What was expected and did not come.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn expect(&mut self, what: &str, fits: bool, wanted: &Value, found: &Value) {
        if !fits {
            self.0
                .push(format!("{what}: expected {wanted}, found {found}"));
        }
    }
}

impl Case {
    /// What it expected and did not come.
    pub(crate) fn faults(&self, came: &Came) -> Vec<String> {
        let mut faults = Faults::default();
        let (word, code) = self.status.facts();
        faults.expect(
            "exit code",
            code == came.code,
            &code.into(),
            &came.code.into(),
        );
        if let Some(words) = &self.says {
            let said = came.printed.contains(words.as_str());
            faults.expect("words", said, &words.as_str().into(), &Value::Null);
        }
        if self.status != Status::Invalid {
            let status = &came.object["status"];
            faults.expect("status", status == word, &word.into(), status);
            self.data(&came.object, &mut faults);
            self.progress(&came.object, &mut faults);
        }
        faults.0
    }

    /// The output and the error.
    fn data(&self, object: &Value, faults: &mut Faults) {
        let output = &object["output"];
        if let Some(wanted) = &self.output {
            // As texts: a number keeps its kind and an object the order of its members.
            faults.expect("output", same_text(wanted, output), wanted, output);
        }
        if let Some(wanted) = &self.has {
            faults.expect("output", within(wanted, output), wanted, output);
        }
        if let Some(wanted) = &self.error {
            let error = &object["error"];
            faults.expect("error", within(wanted, error), wanted, error);
        }
    }

    /// The tasks and the time that went by.
    fn progress(&self, object: &Value, faults: &mut Faults) {
        if let Some(tasks) = &self.tasks {
            let wanted: Vec<String> = tasks.iter().map(|task| with_status(task)).collect();
            let tasks = object["tasks"].as_array().into_iter().flatten();
            let found: Vec<String> = tasks.map(told).collect();
            faults.expect(
                "tasks",
                wanted == found,
                &wanted.clone().into(),
                &found.clone().into(),
            );
        }
        let seconds = &object["virtual_seconds"];
        if let Some(wanted) = self.virtual_seconds {
            let fits = *seconds == wanted;
            faults.expect("virtual_seconds", fits, &wanted.into(), seconds);
        }
        if let Some((least, most)) = self.virtual_seconds_between {
            let found = seconds.as_i64();
            let fits = found.is_some_and(|found| (least..=most).contains(&found));
            let wanted = format!("{least} to {most}");
            faults.expect("virtual_seconds", fits, &wanted.into(), seconds);
        }
    }
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
