//! Cases that follow another: `metadata.start` says on which case's page a workflow is offered, to whom, and for how long.

use tongban_dsl::definition::{Start, StartTrigger, Template};
use tongban_expr::Value;
use tongban_org::{Budget, Organisation, ResolveCase, Selector};

use crate::case_view::CaseView;
use crate::error::RuntimeError;
use crate::facade::Runtime;
use crate::request::WorkflowView;

/// What matters of the case that is followed.
pub(crate) struct Followed<'a> {
    pub workflow: &'a str,
    pub outcome: Option<&'a str>,
    pub ended_ms: Option<i64>,
    pub starter: &'a str,
    pub unit: Option<&'a str>,
    /// Whether a notice of it takes objections by the workflow that is asked for.
    pub takes_objections: bool,
}

impl Followed<'_> {
    /// Whether this person may start a workflow from the case now; else why not.
    pub fn allows(
        &self,
        start: &Start,
        person: &str,
        organisation: &Organisation,
        now_ms: i64,
    ) -> Result<(), String> {
        match &start.on {
            StartTrigger::Case { workflow, outcomes } => {
                self.is_of(&workflow.value)?;
                let ended_ms = self
                    .ended_ms
                    .ok_or("the case that it follows has not ended")?;
                let found = self.outcome.unwrap_or_default();
                if !outcomes.is_empty() && outcomes.iter().all(|one| one.value != found) {
                    let wanted: Vec<&str> = outcomes.iter().map(|one| one.value.as_str()).collect();
                    return Err(format!(
                        "it follows a case that ended as {}, found `{found}`",
                        wanted.join(", ")
                    ));
                }
                self.in_time(start, ended_ms, organisation, now_ms)?;
            }
            StartTrigger::Notice { workflow } => {
                self.is_of(&workflow.value)?;
                if !self.takes_objections {
                    return Err("no notice of the case takes objections now".to_owned());
                }
            }
        }
        self.is_for(start, person, organisation, now_ms)
    }

    fn is_of(&self, workflow: &str) -> Result<(), String> {
        match self.workflow == workflow {
            true => Ok(()),
            false => Err(format!(
                "it follows a case of `{workflow}`, found one of `{}`",
                self.workflow
            )),
        }
    }

    fn in_time(
        &self,
        start: &Start,
        ended_ms: i64,
        organisation: &Organisation,
        now_ms: i64,
    ) -> Result<(), String> {
        let Some(within) = start.within.as_ref().and_then(Template::constant) else {
            return Ok(());
        };
        let budget = Budget::parse(&within).map_err(|error| format!("`within`: {error}"))?;
        let calendar = organisation.calendar(self.unit);
        let last_ms = calendar.deadline(ended_ms, &budget, &[], now_ms).at_ms;
        match now_ms <= last_ms {
            true => Ok(()),
            false => Err(format!(
                "the time to start it ended on {}",
                calendar.date_of(last_ms)
            )),
        }
    }

    /// Selectors with expressions cannot be asked before there is a case: they leave it to the rights.
    fn is_for(
        &self,
        start: &Start,
        person: &str,
        organisation: &Organisation,
        now_ms: i64,
    ) -> Result<(), String> {
        let Some(by) = start.by.as_ref().and_then(Template::constant) else {
            return Ok(());
        };
        if by.items().any(|one| one.as_str() == Some("anyone")) {
            return Ok(());
        }
        let selectors = Selector::parse_list(&by).map_err(|error| format!("`by`: {error}"))?;
        let case = ResolveCase {
            applicant: (!self.starter.is_empty()).then_some(self.starter),
            applicant_unit: self.unit,
            chosen: &[],
            now_ms,
        };
        let people = organisation.resolve(&selectors, &case).people();
        match people.iter().any(|one| one == person) {
            true => Ok(()),
            false => Err("it is not for this person to start".to_owned()),
        }
    }
}

impl Runtime {
    /// The workflows that a person may start from a case now.
    pub async fn follow_ups(
        &self,
        case: &CaseView,
        person: &str,
    ) -> Result<Vec<WorkflowView>, RuntimeError> {
        let mut found = Vec::new();
        for view in self.workflows().await? {
            let ready = self.node().bundles.get(self.node(), &view.digest).await?;
            let start = ready.definition.document.metadata.start.as_ref();
            let offered = match start {
                Some(start) => self.follows(case, &view.workflow, start, person).await?,
                None => continue,
            };
            if offered.is_ok() {
                found.push(view);
            }
        }
        Ok(found)
    }

    /// Whether a person may start a workflow from a case; else why not.
    pub(crate) async fn follows(
        &self,
        case: &CaseView,
        workflow: &str,
        start: &Start,
        person: &str,
    ) -> Result<Result<(), String>, RuntimeError> {
        let head = self.store().instance_head(case.instance.id()).await?;
        let output = case.instance.output();
        let followed = Followed {
            workflow: &case.head.workflow,
            outcome: output.get("outcome").and_then(Value::as_str),
            ended_ms: head.and_then(|head| head.ended_at_ms),
            starter: &case.head.starter.user,
            unit: case.head.starter.unit.as_deref(),
            takes_objections: case.takes_objections(workflow),
        };
        let now_ms = self.node().clock.now_ms();
        Ok(followed.allows(start, person, &self.organisation(), now_ms))
    }
}
