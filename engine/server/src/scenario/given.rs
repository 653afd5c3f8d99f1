//! What a scenario is given: packs, an organisation, records, cases that ended before.

use std::path::Path;
use std::sync::Arc;

use tongban_core::{Jump, JumpInput, Right, Target};
use tongban_expr::Value;
use tongban_org::{Organisation, OrganisationFile};
use tongban_runtime::pack::{Bundle, Library, Publication};
use tongban_runtime::{Caller, Clock, Operate, RuntimeError, Start};
use tongban_work::Channel;

use super::file::{Given, GivenCase, Scenario, ScenarioFile};
use super::stage::Stage;
use super::{Suite, stubs};

/// The organisation of a scenario: its own, its file's, or the site's.
pub fn organisation(
    suite: &Suite,
    file: &ScenarioFile,
    scenario: &Scenario,
) -> Result<Arc<Organisation>, String> {
    let given = [&scenario.given, &file.given];
    let Some(given) = given.iter().find_map(|given| given.organisation.as_ref()) else {
        return Ok(suite.organisation.clone());
    };
    let wrong = |error: &dyn std::fmt::Display| format!("given.organisation: {error}");
    let described = match given.as_str() {
        None => given.clone(),
        Some(path) => {
            let reference = file.workflow.as_deref().or(file.rule.as_deref());
            let pack = reference.and_then(|reference| reference.split('/').next());
            let text = pack
                .and_then(|pack| suite.library.pack(pack))
                .and_then(|pack| pack.files.get(path))
                .ok_or_else(|| wrong(&format!("the pack has no file `{path}`")))?;
            let (value, diagnostics) = tongban_dsl::read_yaml(text);
            if let Some(fault) = diagnostics.iter().find(|fault| fault.is_error()) {
                return Err(wrong(&format!(
                    "{path}:{}: {}",
                    fault.span.line, fault.message
                )));
            }
            value.unwrap_or_default()
        }
    };
    let json = serde_json::to_value(described).map_err(|error| wrong(&error))?;
    let settings: OrganisationFile = serde_path_to_error::deserialize(json)
        .map_err(|error| wrong(&format!("`{}`: {}", error.path(), error.inner())))?;
    let calendars = suite.site.join("config").join("calendars");
    let place = Path::new("given.organisation");
    crate::site::organisation_from(&settings, place, &calendars, &suite.library)
        .map_err(|error| format!("{error:#}"))
}

impl Stage {
    pub(super) async fn publish(
        &self,
        library: &Library,
        scenario: &Scenario,
    ) -> Result<(), String> {
        for pack in library.packs() {
            let mut publication = library.publication(pack);
            for bundle in &mut publication.bundles {
                let mock = scenario
                    .mocks
                    .iter()
                    .find(|mock| mock.workflow.as_ref() == Some(&bundle.workflow));
                if let Some(mock) = mock {
                    *bundle = stubs::played(&bundle.workflow, &bundle.version, mock);
                }
            }
            self.runtime
                .publish_from_outside(&publication, "scenario")
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    pub(super) async fn give(
        &self,
        library: &Library,
        under_test: Option<&str>,
        given: &Given,
    ) -> Result<(), String> {
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
            self.give_case(library, under_test, case).await?;
        }
        Ok(())
    }

    /// Loads records; those that are there already stay.
    pub(super) async fn load(&self, register: &str, records: &[Value]) -> Result<(), String> {
        let loaded =
            crate::samples::import(&self.runtime, register, records, self.clock.now_ms()).await;
        loaded.map(|_| ()).map_err(|error| format!("{error:#}"))
    }

    /// A case that ended before: a run of its workflow that gives the given results under the given number.
    async fn give_case(
        &self,
        library: &Library,
        under_test: Option<&str>,
        given: &GivenCase,
    ) -> Result<(), String> {
        let (pack, workflow) = library
            .workflow(&given.workflow)
            .ok_or_else(|| format!("given.cases: there is no workflow `{}`", given.workflow))?;
        let real = library.bundle(pack, workflow);
        let unit = Some(given.starter.unit.clone()).filter(|unit| !unit.is_empty());
        let caller = Caller::person(given.starter.user.clone(), unit, Channel::Api);
        let mut outcome = Ok(());
        // A form that was filled in before may lack what the form of today asks for.
        let before = 2 * self.given.lock().len();
        for (at, with_schema) in [(1, true), (2, false)] {
            // A version names one content for ever.
            let version = &format!("0.0.{}", before + at);
            let stub = stubs::given_case(given, version, &workflow.definition, &real, with_schema);
            if let Some(fault) = stubs::fault(&stub) {
                return Err(format!("given.cases: {}: {fault}", given.number));
            }
            self.publish_bundle(stub).await?;
            let start = Start {
                workflow: given.workflow.clone(),
                version: Some(version.to_string()),
                input: given.form.clone(),
                caller: caller.clone(),
                idempotency_key: None,
                link: None,
            };
            match self.runtime.start(start).await {
                Err(RuntimeError::Invalid(_)) if with_schema => continue,
                Err(error) => {
                    outcome = Err(format!(
                        "given.cases: {}: {}",
                        given.number,
                        super::play::described(&error)
                    ));
                }
                Ok(started) => {
                    let steps = stubs::reopened(library, under_test, given);
                    outcome = self.pass(&started.id, &steps).await;
                    self.given.lock().insert(given.number.clone(), started.id);
                }
            }
            break;
        }
        self.publish_bundle(real).await?;
        self.settle().await?;
        outcome
    }

    /// Lets an ended case have been at some of its steps: only there it can be opened again.
    async fn pass(&self, instance: &str, steps: &[String]) -> Result<(), String> {
        self.settle().await?;
        for step in steps {
            let there = [
                (step.as_str(), Right::Revive),
                (stubs::END, Right::Operator),
            ];
            for (to, right) in there {
                let to = Target::Task(to.to_string());
                let mut jump = Jump::operator(to, "scenario", "given.cases");
                jump.right = right;
                jump.input = JumpInput::Given(Value::object([("given", true)]));
                let jump = Operate::Jump(Box::new(jump));
                self.runtime
                    .operate(instance, jump, "given.cases", Caller::system())
                    .await
                    .map_err(|error| format!("given.cases: at `{step}`: {error}"))?;
                self.settle().await?;
            }
        }
        Ok(())
    }

    async fn publish_bundle(&self, bundle: Bundle) -> Result<(), String> {
        let publication = Publication::of_bundle(bundle);
        self.runtime
            .publish_from_outside(&publication, "scenario")
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}
