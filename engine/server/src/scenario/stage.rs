//! The node that scenarios are played on: the real engine on an in-memory database, under a virtual clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tongban_core::Error;
use tongban_dsl::definition::StartTrigger;
use tongban_expr::{Value, value};
use tongban_org::{Calendar, Function, Object, Organisation};
use tongban_runtime::history::Entry;
use tongban_runtime::pack::{Bundle, Library, Publication};
use tongban_runtime::{
    Acted, Caller, CaseView, Clock, LinkKeys, Operate, Parts, Runtime, RuntimeError, SeededIds,
    Settings, Start, Started, VirtualClock,
};
use tongban_store::lists::{Filter, Seen};
use tongban_store::{Options, Store};
use tongban_work::{Act, Channel};

use crate::functions::{nowhere, plugins};

use super::file::{Advance, Given, GivenCase, Scenario, ScenarioFile};
use super::{Suite, mocks};

/// The most timers that one move of the clock fires.
const TIMERS_MAX: u32 = 100_000;

/// A node and its clock.
pub struct Stage {
    runtime: Runtime,
    clock: Arc<VirtualClock>,
    organisation: Arc<Organisation>,
    calendar: Arc<Calendar>,
    /// The workflow that objects to the notices of another, by that other one.
    objections: BTreeMap<String, String>,
}

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
    /// Publishes the packs, loads what is given, and plays the mocks.
    pub async fn build(
        suite: &Suite,
        file: &ScenarioFile,
        scenario: &Scenario,
    ) -> Result<Stage, String> {
        let calendar = suite.organisation.calendar(None);
        let now_ms = match &file.now {
            Some(text) => instant(text)?,
            None => {
                return Err("`now` is missing: a scenario begins at a given instant".to_string());
            }
        };
        let clock = Arc::new(VirtualClock::at(now_ms));
        let store = Store::open(&Options::new("sqlite::memory:"))
            .await
            .map_err(|error| error.to_string())?;
        let mut parts = Parts::plain(store, clock.clone(), Arc::new(SeededIds::new(7)));
        parts.plugins = mocks::played(plugins(nowhere()), &scenario.mocks);
        parts.organisation = suite.organisation.as_ref().clone();
        parts.link_keys = LinkKeys::new(vec![[7; 32]]);
        parts.settings = Settings {
            zone: calendar.zone().clone(),
            ..Settings::default()
        };
        let runtime = Runtime::inline(parts)
            .await
            .map_err(|error| error.to_string())?;
        let stage = Stage {
            runtime,
            clock,
            organisation: suite.organisation.clone(),
            calendar,
            objections: objections(&suite.library),
        };
        stage.publish(&suite.library, scenario).await?;
        for (register, records) in &scenario.registers {
            stage.load(register, records).await?;
        }
        // What the file gives goes before the samples of the pack: a record that is there stays.
        for given in [&scenario.given, &file.given, &Given::samples_of(file)] {
            stage.give(&suite.library, given).await?;
        }
        Ok(stage)
    }

    async fn publish(&self, library: &Library, scenario: &Scenario) -> Result<(), String> {
        for pack in library.packs() {
            let mut publication = library.publication(pack);
            for bundle in &mut publication.bundles {
                let mock = scenario
                    .mocks
                    .iter()
                    .find(|mock| mock.workflow.as_ref() == Some(&bundle.workflow));
                if let Some(mock) = mock {
                    let output = mock.output.clone().unwrap_or(Value::Null);
                    *bundle = mocks::played_workflow(&bundle.workflow, &bundle.version, &output);
                }
            }
            self.runtime
                .publish(&publication, "scenario")
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn give(&self, library: &Library, given: &Given) -> Result<(), String> {
        for (register, records) in &given.registers {
            self.load(register, records).await?;
        }
        for name in &given.samples {
            let pack = library
                .pack(name)
                .ok_or_else(|| format!("given.samples: there is no pack `{name}`"))?;
            for (register, records) in pack.samples()? {
                self.load(&register, &records).await?;
            }
        }
        for case in &given.cases {
            self.give_case(library, case).await?;
        }
        Ok(())
    }

    /// Loads records; those that are there already stay.
    async fn load(&self, register: &str, records: &[Value]) -> Result<(), String> {
        let loaded =
            crate::samples::import(&self.runtime, register, records, self.clock.now_ms()).await;
        loaded.map(|_| ()).map_err(|error| format!("{error:#}"))
    }

    /// A case that ended before: a run of a workflow that gives its results under its number.
    async fn give_case(&self, library: &Library, given: &GivenCase) -> Result<(), String> {
        let (pack, workflow) = library
            .workflow(&given.workflow)
            .ok_or_else(|| format!("given.cases: there is no workflow `{}`", given.workflow))?;
        let stub = mocks::given_case(&given.workflow, &given.number, &given.steps, &given.outcome);
        let real = library.bundle(pack, workflow);
        self.publish_bundle(stub).await?;
        let unit = Some(given.starter.unit.clone()).filter(|unit| !unit.is_empty());
        let start = Start {
            workflow: given.workflow.clone(),
            version: Some("0.0.1".to_string()),
            input: given.form.clone(),
            caller: Caller::person(given.starter.user.clone(), unit, Channel::Api),
            idempotency_key: None,
            link: None,
        };
        self.runtime
            .start(start)
            .await
            .map_err(|error| format!("given.cases: {error}"))?;
        self.publish_bundle(real).await?;
        self.settle().await
    }

    async fn publish_bundle(&self, bundle: Bundle) -> Result<(), String> {
        let publication = Publication::of_bundle(bundle);
        self.runtime
            .publish(&publication, "scenario")
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    /// Starts a case as a person, or as the system.
    pub async fn start(
        &self,
        workflow: &str,
        by: &str,
        input: Value,
        link: Option<String>,
    ) -> Result<Started, RuntimeError> {
        let caller = if by == "system" {
            Caller::system()
        } else {
            let unit = self
                .organisation
                .person(by)
                .and_then(|person| person.unit.clone());
            Caller::person(by, unit, Channel::Api)
        };
        let start = Start {
            workflow: workflow.to_string(),
            version: None,
            input,
            caller,
            idempotency_key: None,
            link,
        };
        self.runtime.start(start).await
    }

    /// Whether a person has the right to start a workflow, as the console and the API ask.
    pub fn may_start(&self, workflow: &str, by: &str) -> Result<(), String> {
        if by == "system" {
            return Ok(());
        }
        let person = self
            .organisation
            .person(by)
            .ok_or_else(|| format!("the organisation has no person `{by}`"))?;
        let object = Object {
            workflow: Some(workflow),
            unit: person.unit.as_deref(),
            starter: Some(by),
            reached: None,
        };
        let verdict = self.organisation.may(by, Function::Start, &object);
        if verdict.allowed {
            return Ok(());
        }
        Err(format!(
            "`{by}` may not start `{workflow}`: {}; see `rights` of pack.yaml and `roles` of organisation.yaml",
            verdict.because
        ))
    }

    /// Starts the case that objects to the open notice of a case.
    pub async fn object(
        &self,
        instance: &str,
        by: &str,
        input: Value,
    ) -> Result<Started, RuntimeError> {
        let case = self.runtime.case(instance).await?;
        let workflow = self.objections.get(&case.head.workflow);
        let workflow = workflow.ok_or_else(|| {
            RuntimeError::Unfit("no workflow takes objections to its notices".to_string())
        })?;
        self.start(workflow, by, input, Some(case.head.number.clone()))
            .await
    }

    /// A person acts.
    pub async fn act(&self, instance: &str, act: Act) -> Result<Acted, RuntimeError> {
        let unit = self
            .organisation
            .person(&act.who)
            .and_then(|person| person.unit.clone());
        let caller = Caller::person(act.who.clone(), unit, act.channel);
        self.runtime.act(instance, act, caller).await
    }

    /// An operator cancels.
    pub async fn cancel(&self, instance: &str, by: &str, reason: &str) -> Result<(), RuntimeError> {
        let caller = Caller::person(by, None, Channel::Api);
        self.runtime
            .operate(instance, Operate::Cancel, reason, caller)
            .await
    }

    /// An event arrives.
    pub async fn receive(&self, event: Value) -> Result<(), RuntimeError> {
        self.runtime
            .receive(event, Caller::system())
            .await
            .map(|_| ())
    }

    /// Does everything that is due now.
    pub async fn settle(&self) -> Result<(), String> {
        self.runtime
            .run_until_idle()
            .await
            .map_err(|error| error.to_string())
    }

    /// Moves the clock, firing what comes due on the way in due order.
    pub async fn advance_to(&self, target_ms: i64) -> Result<(), String> {
        for _ in 0..TIMERS_MAX {
            let due = self
                .runtime
                .next_due_ms()
                .await
                .map_err(|error| error.to_string())?;
            let Some(due) = due.filter(|due| *due <= target_ms) else {
                break;
            };
            self.clock.advance_to(due);
            self.settle().await?;
        }
        self.clock.advance_to(target_ms);
        self.settle().await
    }

    /// The instant that a move of the clock leads to.
    pub fn moment(&self, advance: &Advance) -> Result<i64, String> {
        const MINUTE: i64 = 60_000;
        let now = self.clock.now_ms();
        if let Some(to) = &advance.to {
            return instant(to);
        }
        if let Some(days) = advance.working_days {
            let today = self.calendar.date_of(now);
            let date = self.calendar.working_day_after(
                today,
                i32::try_from(days).map_err(|_| "`workingDays` is out of range")?,
            );
            let into_day = now - self.calendar.day_start_ms(today);
            return Ok(self.calendar.day_start_ms(date) + into_day);
        }
        let minutes = advance
            .days
            .map(|days| days * 1440)
            .or(advance.hours.map(|hours| hours * 60))
            .or(advance.minutes);
        let minutes =
            minutes.ok_or("`advance`: expected one of workingDays, days, hours, minutes, to")?;
        Ok(now + minutes * MINUTE)
    }

    /// A case as it stands.
    pub async fn case(&self, instance: &str) -> Result<CaseView, RuntimeError> {
        self.runtime.case(instance).await
    }

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

    /// Where a case stands, in some lines.
    pub fn describe(&self, name: &str, case: &CaseView) -> String {
        let rows = case.desk.rows();
        let open: Vec<String> = rows
            .items
            .iter()
            .filter(|item| item.closed_at_ms.is_none())
            .map(|item| {
                let to: Vec<&str> = rows
                    .candidates
                    .iter()
                    .filter(|row| row.n == item.n)
                    .map(|row| row.candidate.as_str())
                    .collect();
                format!("{} ({}) to {}", item.run_id, item.status, to.join(", "))
            })
            .collect();
        let live: Vec<String> = case
            .instance
            .live()
            .iter()
            .map(|task| task.path.clone())
            .collect();
        let error = case
            .instance
            .error()
            .map(|error| format!("; error: {}", error.to_value()))
            .unwrap_or_default();
        format!(
            "case {name}: {:?} at [{}]; open: [{}]; output: {}{error}\n",
            case.instance.status(),
            live.join(", "),
            open.join("; "),
            case.instance.output()
        )
    }
}

fn objections(library: &Library) -> BTreeMap<String, String> {
    let workflows = library.packs().flat_map(|pack| &pack.workflows);
    let pairs = workflows.filter_map(|workflow| {
        let start = workflow.definition.document.metadata.start.as_ref()?;
        match &start.on {
            StartTrigger::Notice { workflow: noticed } => {
                Some((noticed.value.clone(), workflow.definition.reference()))
            }
            StartTrigger::Case { .. } => None,
        }
    });
    pairs.collect()
}

fn instant(text: &str) -> Result<i64, String> {
    let instant: Timestamp = text
        .parse()
        .map_err(|error| format!("`{text}` is not an instant with an offset: {error}"))?;
    Ok(instant.as_millisecond())
}
