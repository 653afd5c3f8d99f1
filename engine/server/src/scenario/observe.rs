//! What came of a scenario: heads, items, mails, records, events, and where a case stands.

use std::fmt::Write as _;

use tongban_core::{Error, RecordStatus};
use tongban_expr::{Value, value};
use tongban_runtime::history::Entry;
use tongban_runtime::{CaseView, Clock as _};
use tongban_store::lists::{Filter, Seen};

use super::stage::Stage;

/// The last entries of the history that a failure shows.
const LAST_ENTRIES: usize = 8;

/// The cases of one scenario that coverage counts.
const FAMILY_MAX: usize = 200;
/// The children that a failure shows.
const CHILDREN_SHOWN: i64 = 10;

/// Where an instance stands, in the words of scenario files.
pub struct Head {
    /// `waiting`, `completed` …
    pub status: String,
    /// The output.
    pub output: Value,
    /// The error.
    pub error: Value,
}

/// A mail that was written.
pub struct WrittenMail {
    /// The template.
    pub template: String,
    /// To whom.
    pub person: String,
    /// In which language.
    pub language: String,
    /// Subject and text.
    pub text: String,
}

impl Stage {
    /// Status, output and error of a case.
    pub async fn head(&self, instance: &str) -> Result<Head, String> {
        let case = self
            .case(instance)
            .await
            .map_err(|error| error.to_string())?;
        let status = match case.instance.status() {
            tongban_core::Status::Pending | tongban_core::Status::Running => "waiting",
            tongban_core::Status::Suspended => "suspended",
            tongban_core::Status::Completed => "completed",
            tongban_core::Status::Faulted => "faulted",
            tongban_core::Status::Cancelled => "cancelled",
        };
        let error = case.instance.error().map_or(Value::Null, Error::to_value);
        Ok(Head {
            status: status.to_string(),
            output: case.instance.output().clone(),
            error,
        })
    }

    /// The public word for where a case stands.
    pub fn state_word(&self, case: &CaseView) -> String {
        case.state_word().unwrap_or_default().to_string()
    }

    /// A clock by the name that scenarios use: `case`, the path of a step, or of a step's item.
    pub fn clock(&self, case: &CaseView, name: &str) -> Option<Value> {
        let views = case.clocks();
        let found = views
            .iter()
            .find(|clock| clock.id == name || clock.place == name)?;
        let cards: Vec<Value> = found
            .cards
            .iter()
            .map(|card| Value::of(card).unwrap_or_default())
            .collect();
        let used = Value::of(&found.used).unwrap_or_default();
        Some(value!({
            "due": (found.due.as_str()), "running": (found.running), "closed": (found.closed), "ground": (found.ground.clone()),
            "used": (used), "cards": (Value::list(cards)), "provisional": (found.provisional), "overdue": (found.overdue)
        }))
    }

    /// What a candidate sees of an item: its data and what is shown.
    pub fn item_view(&self, case: &CaseView, n: u32) -> Result<Value, String> {
        let rows = case.desk.rows();
        let candidate = rows
            .candidates
            .iter()
            .find(|candidate| candidate.n == n)
            .map(|candidate| candidate.candidate.clone());
        let person = candidate.unwrap_or_default();
        let view = case.item(n, person.trim_start_matches("person:"));
        view.map_or(Ok(Value::Null), |view| {
            Value::of(&view).map_err(|error| error.to_string())
        })
    }

    /// The history's entries in order.
    pub async fn history(&self, instance: &str) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        let mut after = 0;
        loop {
            let pages = self
                .runtime
                .history(instance, after, 100)
                .await
                .map_err(|error| error.to_string())?;
            let Some((version, _, _)) = pages.last() else {
                return Ok(entries);
            };
            after = *version;
            entries.extend(pages.into_iter().flat_map(|(_, _, page)| page.entries));
        }
    }

    /// The decisions on a case.
    pub async fn decisions(&self, instance: &str) -> Result<Vec<Value>, String> {
        let items = self
            .runtime
            .store()
            .work_items(instance)
            .await
            .map_err(|error| error.to_string())?;
        let decisions = self
            .runtime
            .store()
            .decisions(instance)
            .await
            .map_err(|error| error.to_string())?;
        let told = decisions.iter().map(|row| {
            let run_id = items.iter().find(|item| item.n == row.n).map_or("", |item| item.run_id.as_str());
            let outcome = row.act.strip_prefix("decide:").unwrap_or(&row.act);
            value!({
                "step": (super::play::path_of(run_id)), "outcome": (outcome), "by": (row.person_id.as_str()),
                "comment": (row.comment.clone()), "channel": (row.channel.as_str()), "reused": (row.kept_from.is_some()), "round": (row.round)
            })
        });
        let mut told: Vec<Value> = told.collect();
        for entry in self
            .history(instance)
            .await?
            .into_iter()
            .filter(|entry| entry.reused)
        {
            let output = entry.output.unwrap_or_default();
            let outcome = output.text("outcome").unwrap_or_default().to_string();
            told.push(value!({ "step": (entry.task), "outcome": (outcome), "reused": true }));
        }
        Ok(told)
    }

    /// All records of a register.
    pub async fn records(&self, register: &str) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let rows = self
                .runtime
                .store()
                .record_find(register, &[], &after, 200)
                .await
                .map_err(|error| error.to_string())?;
            let Some(last) = rows.last() else {
                return Ok(found);
            };
            after.clone_from(&last.id);
            found.extend(
                rows.iter()
                    .filter_map(|row| Value::from_json(&row.body).ok()),
            );
        }
    }

    /// All mails, rendered.
    pub async fn mails(&self) -> Result<Vec<WrittenMail>, String> {
        let rows = self
            .runtime
            .store()
            .mails(None, None, 1000)
            .await
            .map_err(|error| error.to_string())?;
        let mut mails = Vec::new();
        for row in rows {
            let person = row.person_id.clone().unwrap_or_default();
            let message = self
                .runtime
                .mail(&row.id)
                .await
                .map_err(|error| format!("mail {}: {error}", row.template))?;
            let language = self
                .organisation
                .person(&person)
                .map(|person| person.language.tag().to_string())
                .unwrap_or_default();
            mails.push(WrittenMail {
                template: row.template,
                person,
                language,
                text: format!("{}\n{}", message.subject, message.text),
            });
        }
        Ok(mails)
    }

    /// Whether a mail's recipient is the person, or of the unit, that a scenario names.
    pub fn is_meant(&self, wanted: &Value, person: &str) -> bool {
        match wanted.text("unit") {
            Some(unit) => self
                .organisation
                .person(person)
                .is_some_and(|person| person.unit.as_deref() == Some(unit)),
            None => wanted.as_str() == Some(person),
        }
    }

    /// How many cases of a workflow there are.
    pub async fn started(&self, workflow: &str) -> Result<usize, String> {
        let filter = Filter {
            workflow: Some(workflow.to_string()),
            ..Filter::default()
        };
        let found = self
            .runtime
            .store()
            .instances(Seen::All, &filter, None, 100_000)
            .await;
        found
            .map(|found| found.len())
            .map_err(|error| error.to_string())
    }

    /// An instant as a local date.
    pub fn date(&self, at_ms: i64) -> String {
        self.calendar.date_of(at_ms).to_string()
    }

    /// The search fields of a case.
    pub async fn search(&self, instance: &str) -> Result<Value, String> {
        let fields = self
            .runtime
            .store()
            .search_fields(instance)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Value::object(
            fields
                .into_iter()
                .map(|(name, value)| (name, Value::from(value))),
        ))
    }

    /// The cases that a case started.
    pub async fn children(&self, instance: &str) -> Result<Vec<Value>, String> {
        let rows = self
            .runtime
            .store()
            .instance_children(instance, "", 1000)
            .await
            .map_err(|error| error.to_string())?;
        let told = rows.into_iter().map(|row| {
            let output = row
                .output
                .as_deref()
                .and_then(|text| Value::from_json(text).ok())
                .unwrap_or_default();
            let status = if row.status == "running" {
                "waiting".to_string()
            } else {
                row.status
            };
            value!({
                "workflow": (row.workflow), "status": (status), "number": (row.number), "title": (row.title),
                "outcome": (output.get("outcome").cloned().unwrap_or_default()), "output": (output)
            })
        });
        Ok(told.collect())
    }

    /// These cases, and those that they started, and so on downwards; at most [`FAMILY_MAX`].
    pub async fn with_children(&self, instances: impl Iterator<Item = &str>) -> Vec<String> {
        let mut family: Vec<String> = instances.map(str::to_string).collect();
        let mut at = 0;
        while let Some(parent) = family.get(at).filter(|_| family.len() < FAMILY_MAX) {
            let free = (FAMILY_MAX - family.len()) as i64;
            let rows = self
                .runtime
                .store()
                .instance_children(parent, "", free)
                .await;
            for row in rows.unwrap_or_default() {
                if !family.contains(&row.id) {
                    family.push(row.id);
                }
            }
            at += 1;
        }
        family
    }

    /// The CloudEvents that came or went, in order.
    pub async fn events(&self) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        let mut seq = 1;
        while let Some(event) = self
            .runtime
            .store()
            .event(seq)
            .await
            .map_err(|error| error.to_string())?
        {
            found.extend(Value::from_json(&event.body));
            seq += 1;
        }
        Ok(found)
    }

    /// Where a case stands: its live steps as a tree, who has what, what happened last.
    pub async fn describe(&self, name: &str, case: &CaseView) -> String {
        let mut text = format!(
            "where the case {name} stood ({}, {} at {})\n",
            case.head.number,
            format!("{:?}", case.instance.status()).to_lowercase(),
            self.calendar.iso(self.clock.now_ms())
        );
        let mut above: Vec<String> = Vec::new();
        for task in case.instance.live() {
            let parts: Vec<String> = task.run_id.split('/').map(str::to_string).collect();
            let common = parts.iter().zip(&above).take_while(|(a, b)| a == b).count();
            for (depth, part) in parts.iter().enumerate().skip(common) {
                let _ = write!(text, "  {}{part}", "  ".repeat(depth));
                if depth + 1 == parts.len() {
                    let title = task.title.as_deref().map(|title| format!(" {title}"));
                    let _ = write!(text, " ({}{})", task.kind, title.unwrap_or_default());
                    if let Some(due) = task.due_ms {
                        let _ = write!(text, ", wakes at {}", self.calendar.iso(due));
                    }
                }
                text.push('\n');
            }
            above = parts;
        }
        let rows = case.desk.rows();
        for item in rows.items.iter().filter(|item| item.closed_at_ms.is_none()) {
            let to: Vec<&str> = rows
                .candidates
                .iter()
                .filter(|row| row.n == item.n)
                .map(|row| row.candidate.trim_start_matches("person:"))
                .collect();
            let due = item
                .due_at_ms
                .map(|due| format!(", due {}", self.date(due)));
            let _ = writeln!(
                text,
                "  open: {} ({}) to {}{}",
                item.run_id,
                item.status,
                to.join(", "),
                due.unwrap_or_default()
            );
        }
        if case.instance.status().has_ended() {
            let _ = writeln!(text, "  output: {}", case.instance.output());
        }
        if let Some(error) = case.instance.error() {
            let _ = writeln!(text, "  error: {}", error.to_value());
        }
        if let Ok(entries) = self.history(case.instance.id()).await {
            self.describe_last(&entries, &mut text);
        }
        self.describe_children(case.instance.id(), &mut text).await;
        text
    }

    /// What became of the cases that a case started.
    async fn describe_children(&self, instance: &str, text: &mut String) {
        let store = self.runtime.store();
        let rows = store.instance_children(instance, "", CHILDREN_SHOWN).await;
        for row in rows.unwrap_or_default() {
            let _ = write!(
                text,
                "  child: {} ({}, {})",
                row.workflow,
                row.number.as_deref().unwrap_or("no number"),
                row.status
            );
            if let Ok(child) = self.case(&row.id).await {
                if let Some(error) = child.instance.error() {
                    let _ = write!(text, ": {}", error.to_value());
                }
                for item in child.desk.rows().items {
                    if item.closed_at_ms.is_none() {
                        let _ = write!(text, ", open: {}", item.run_id);
                    }
                }
            }
            text.push('\n');
        }
    }

    fn describe_last(&self, entries: &[Entry], text: &mut String) {
        let told: Vec<&Entry> = entries
            .iter()
            .filter(|entry| !entry.task.is_empty())
            .collect();
        let skipped = told.len().saturating_sub(LAST_ENTRIES);
        if told.is_empty() {
            return;
        }
        text.push_str("  last:\n");
        for entry in told.into_iter().skip(skipped) {
            let at = entry.ended_ms.or(entry.began_ms).unwrap_or_default();
            let status = match entry.status {
                RecordStatus::Started => "entered".to_string(),
                other => format!("{other:?}").to_lowercase(),
            };
            let _ = write!(
                text,
                "    {} {status} {}",
                self.calendar.iso(at),
                entry.run_id.as_deref().unwrap_or(&entry.task)
            );
            let outcome = entry
                .output
                .as_ref()
                .and_then(|output| output.text("outcome"));
            let chosen = entry.note.as_deref().filter(|_| entry.kind == "switch");
            if let Some(outcome) = outcome.or(chosen) {
                let _ = write!(text, ": {outcome}");
            }
            if let Some(error) = &entry.error {
                let _ = write!(text, ": {}", error.to_value());
            }
            text.push('\n');
        }
    }
}
