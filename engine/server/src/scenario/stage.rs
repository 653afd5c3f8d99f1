//! The node that scenarios are played on: the real engine on an in-memory database, under a virtual clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tongban_dsl::definition::StartTrigger;
use tongban_expr::Value;
use tongban_org::{Budget, Calendar, Function, Object, Organisation};
use tongban_plugin::Secrets;
use tongban_runtime::pack::Library;
use tongban_runtime::{
    Acted, Caller, CaseView, Clock, LinkKeys, Operate, Parts, Runtime, RuntimeError, SeededIds,
    Settings, Start, Started, VirtualClock,
};
use tongban_store::{Options, Store};
use tongban_work::{Act, Channel};

use crate::functions::{nowhere, plugins};

use super::file::{Given, Scenario, ScenarioFile};
use super::measure::Watcher;
use super::mocks::{self, Log};
use super::step::{Advance, Span, Who};
use super::{Suite, given};

/// The most timers that one move of the clock fires.
const TIMERS_MAX: u32 = 100_000;

/// In a scenario every secret is there: what is sent with it is played.
struct Played;

impl Secrets for Played {
    fn reveal(&self, name: &str) -> Option<Value> {
        Some(Value::from(name))
    }
}

/// A node and its clock.
pub struct Stage {
    pub(super) runtime: Runtime,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) organisation: Arc<Organisation>,
    pub(super) calendar: Arc<Calendar>,
    /// The calls of functions.
    pub(super) log: Arc<Log>,
    /// What rule files reached.
    pub(super) watcher: Arc<Watcher>,
    /// Given cases by number.
    pub(super) given: Mutex<BTreeMap<String, String>>,
    /// The workflow that objects to the notices of another, by that other one.
    objections: BTreeMap<String, String>,
}

impl Stage {
    /// Publishes the packs, loads what is given, and plays the mocks.
    pub async fn build(
        suite: &Suite,
        file: &ScenarioFile,
        scenario: &Scenario,
    ) -> Result<Stage, String> {
        let organisation = given::organisation(suite, file, scenario)?;
        let calendar = organisation.calendar(None);
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
        let log = Arc::new(Log::default());
        parts.plugins = mocks::played(plugins(nowhere()), &scenario.mocks, &log);
        parts.organisation = organisation.as_ref().clone();
        let watcher = Arc::new(Watcher::new(suite.rules.clone()));
        parts.sandbox = Some(watcher.clone());
        parts.link_keys = LinkKeys::new(vec![[7; 32]]);
        parts.secrets = Arc::new(Played);
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
            organisation,
            calendar,
            log,
            watcher,
            given: Mutex::default(),
            objections: objections(&suite.library),
        };
        stage.publish(&suite.library, scenario).await?;
        for (register, records) in &scenario.registers {
            stage.load(register, records).await?;
        }
        // What the file gives goes before the samples of the pack: a record that is there stays.
        for given in [&scenario.given, &file.given, &Given::samples_of(file)] {
            stage
                .give(&suite.library, file.workflow.as_deref(), given)
                .await?;
        }
        Ok(stage)
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
            let next = [due, self.log.next_ms()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= target_ms) else {
                self.clock.advance_to(target_ms);
                self.settle().await?;
                return Ok(());
            };
            self.clock.advance_to(next);
            self.settle().await?;
            self.deliver_late().await?;
        }
        Err(format!(
            "more than {TIMERS_MAX} timers came due: something loops over a wait"
        ))
    }

    /// Answers that nobody fetched when they came: their tasks had ended before.
    async fn deliver_late(&self) -> Result<(), String> {
        for answer in self.log.late(self.clock.now_ms()) {
            // Nobody waits for it: the case notes it, or has ended and does not even that.
            let _ = self
                .runtime
                .answered(&answer.instance, &answer.run_id, answer.result)
                .await;
            self.settle().await?;
        }
        Ok(())
    }

    /// The instant that a move of the clock leads to.
    pub fn moment(&self, advance: &Advance) -> Result<i64, String> {
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
        if let Some(hours) = advance.working_hours {
            let hours = u32::try_from(hours).map_err(|_| "`workingHours` is out of range")?;
            let deadline = self
                .calendar
                .deadline(now, &Budget::WorkingHours(hours), &[], now);
            return Ok(deadline.at_ms);
        }
        let parts = [
            advance.days,
            advance.hours,
            advance.minutes,
            advance.seconds,
        ];
        if parts.iter().all(Option::is_none) {
            return Err(
                "`advance`: expected workingDays, workingHours, to, or some of days, hours, minutes, seconds"
                    .to_string(),
            );
        }
        let span = Span {
            days: advance.days.unwrap_or_default(),
            hours: advance.hours.unwrap_or_default(),
            minutes: advance.minutes.unwrap_or_default(),
            seconds: advance.seconds.unwrap_or_default(),
        };
        Ok(now.saturating_add(span.millis()))
    }

    /// The person that a scenario means: the first, by id, of those who hold a role, a post or an office.
    pub fn person(&self, who: &Who) -> Result<String, String> {
        let mut found = match who {
            Who::Person(id) => return Ok(id.clone()),
            Who::Role { role, unit } => self.organisation.role_holders(role, unit.as_deref()),
            Who::Post { post, unit } => self.organisation.post_holders(post, unit),
            Who::Head(unit) => self.organisation.heads(unit).to_vec(),
        };
        found.sort();
        found
            .into_iter()
            .next()
            .ok_or_else(|| format!("nobody is {who}"))
    }

    /// The instance of a given case.
    pub fn given_case(&self, number: &str) -> Option<String> {
        self.given.lock().get(number).cloned()
    }

    /// The instance of a case by its number.
    pub async fn numbered(&self, number: &str) -> Result<Option<String>, String> {
        let store = self.runtime.store();
        let found = store.instance_by_number(number).await;
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.map(|row| row.id))
    }

    /// A case as it stands.
    pub async fn case(&self, instance: &str) -> Result<CaseView, RuntimeError> {
        self.runtime.case(instance).await
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

pub(super) fn instant(text: &str) -> Result<i64, String> {
    let instant: Timestamp = text
        .parse()
        .map_err(|error| format!("`{text}` is not an instant with an offset: {error}"))?;
    Ok(instant.as_millisecond())
}
