//! History: what one activation did, as it is stored and as it is read again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tongban_core::{Error, Record, RecordStatus};
use tongban_expr::Value;

/// An output heavier than this goes to a blob.
const INLINE_BYTES: u64 = 1024;

/// One task in one activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Path of names; empty for the instance itself.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub task: String,
    /// The entry into the task, when it is not the path itself.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The task's keyword.
    #[serde(rename = "k")]
    pub kind: String,
    /// What happened last.
    #[serde(rename = "s")]
    pub status: RecordStatus,
    /// Which attempt, when not the first.
    #[serde(rename = "n", default = "one", skip_serializing_if = "is_one")]
    pub attempt: u32,
    /// When it began, when that was in this activation.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub began_ms: Option<i64>,
    /// When it ended, when that was in this activation.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// The output of a call, a listener, a child, a work task; `{"blob": digest}` when it is large.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The error.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// A former answer was reused.
    #[serde(rename = "u", default, skip_serializing_if = "is_false")]
    pub reused: bool,
    /// For people.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What one activation did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The tasks, in the order in which they were met.
    #[serde(rename = "h", default)]
    pub entries: Vec<Entry>,
    /// The channel through which it was caused.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The form's versions, records of the people's side, notes of operators.
    #[serde(rename = "w", default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Value>,
    /// The final state of an instance that ended, for its page and for reviving it.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Box<LastState>>,
}

/// The state in which an instance ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastState {
    /// The state's text.
    pub body: String,
    /// Large values that stay in blobs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub blobs: BTreeSet<String>,
}

/// The records of one activation, one entry for each run of a task; large outputs come back by digest.
pub fn entries(records: &[Record]) -> (Vec<Entry>, Vec<(String, Value)>) {
    let mut entries: Vec<Entry> = Vec::with_capacity(records.len() / 2 + 1);
    let mut blobs = Vec::new();
    for record in records {
        let output = record
            .output
            .as_ref()
            .map(|output| inline(output, &mut blobs));
        let begun = record.status == RecordStatus::Started;
        let open = (!begun).then(|| open_entry(&mut entries, record)).flatten();
        if let Some(entry) = open {
            entry.status = record.status;
            entry.ended_ms = Some(record.at_ms);
            entry.output = output;
            entry.error.clone_from(&record.error);
            entry.reused = record.reused;
            entry.note.clone_from(&record.note);
            continue;
        }
        entries.push(Entry {
            task: record.path.clone(),
            run_id: (record.run_id != record.path).then(|| record.run_id.clone()),
            kind: record.kind.clone(),
            status: record.status,
            attempt: record.attempt,
            began_ms: begun.then_some(record.at_ms),
            ended_ms: (!begun).then_some(record.at_ms),
            output,
            error: record.error.clone(),
            reused: record.reused,
            note: record.note.clone(),
        });
    }
    (entries, blobs)
}

/// The entry that was begun for the same run of the same task and has not ended.
fn open_entry<'a>(entries: &'a mut [Entry], record: &Record) -> Option<&'a mut Entry> {
    let ends = matches!(
        record.status,
        RecordStatus::Completed | RecordStatus::Faulted | RecordStatus::Cancelled
    );
    let same = |entry: &&mut Entry| {
        entry.status == RecordStatus::Started
            && entry.task == record.path
            && entry.run_id.as_deref().unwrap_or(&entry.task) == record.run_id
    };
    if ends {
        entries.iter_mut().rev().find(same)
    } else {
        None
    }
}

fn inline(output: &Value, blobs: &mut Vec<(String, Value)>) -> Value {
    if output.weight() <= INLINE_BYTES {
        return output.clone();
    }
    let digest = output.text_digest();
    let reference = Value::object([("blob", Value::from(digest.as_str()))]);
    blobs.push((digest, output.clone()));
    reference
}

fn one() -> u32 {
    1
}

fn is_one(number: &u32) -> bool {
    *number == 1
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str, status: RecordStatus, at_ms: i64) -> Record {
        Record {
            run_id: path.to_owned(),
            path: path.to_owned(),
            kind: "call".to_owned(),
            status,
            attempt: 1,
            at_ms,
            output: None,
            error: None,
            reused: false,
            note: None,
            correlation: None,
        }
    }

    #[test]
    fn begin_and_end_of_one_activation_are_one_entry() {
        let (entries, _) = entries(&[
            record("a", RecordStatus::Started, 1),
            record("b", RecordStatus::Started, 2),
            record("a", RecordStatus::Completed, 3),
        ]);
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].began_ms, entries[0].ended_ms),
            (Some(1), Some(3))
        );
        assert_eq!((entries[1].began_ms, entries[1].ended_ms), (Some(2), None));
    }

    #[test]
    fn a_large_output_goes_to_a_blob() {
        let mut large = record("a", RecordStatus::Completed, 1);
        large.output = Some(Value::from("x".repeat(5_000)));
        let (entries, blobs) = entries(&[large]);
        assert_eq!(blobs.len(), 1);
        let reference = entries[0]
            .output
            .as_ref()
            .and_then(|output| output.get("blob"))
            .and_then(Value::as_str);
        assert_eq!(reference, blobs.first().map(|(digest, _)| digest.as_str()));
    }
}
