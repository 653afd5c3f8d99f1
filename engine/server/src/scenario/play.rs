//! Plays one scenario: starts cases, lets people act, moves the clock, holds expectations against what came.

use indexmap::IndexMap;
use tongban_runtime::{CaseView, RuntimeError};
use tongban_work::{Act, Channel, Refusal, Resume, ReturnTo, Siblings, What};

use super::change::{as_object, changed};
use super::expect;
use super::expected::Refused;
use super::file::{Scenario, ScenarioFile, Start};
use super::matching::Difference;
use super::reading::ScenarioLines;
use super::stage::Stage;
use super::step::{Advance, Correct, Decide, Resubmit, Return, Step, Submit, Who};

/// Why a scenario failed.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// The line of the file on which it failed.
    pub line: usize,
    /// What was done there: `step 3 (decide city)`.
    pub at: String,
    /// What went wrong, when it is no expectation that did not hold.
    pub message: String,
    /// What was expected and what came.
    pub differences: Vec<Difference>,
    /// Where the case stood.
    pub stood: String,
}

impl Failure {
    /// In lines, without the place.
    pub fn told(&self) -> String {
        let mut text = String::new();
        for part in [self.message.clone()]
            .into_iter()
            .chain(self.differences.iter().map(Difference::lines))
            .filter(|part| !part.is_empty())
        {
            text.push_str(&part);
            text.push('\n');
        }
        text.push_str(&self.stood);
        text
    }
}

/// What did not go as the scenario says.
pub enum Wrong {
    /// Something could not be done.
    Failed(String),
    /// Something else was found than expected.
    Differs(Vec<Difference>),
}

impl From<String> for Wrong {
    fn from(message: String) -> Wrong {
        Wrong::Failed(message)
    }
}

impl From<&str> for Wrong {
    fn from(message: &str) -> Wrong {
        Wrong::Failed(message.to_string())
    }
}

/// Why a case was not started.
pub struct NotStarted {
    /// In words.
    pub said: String,
    /// The fields that do not fit; `None` when it is not about fields.
    pub fields: Option<Vec<String>>,
}

impl NotStarted {
    fn of(error: &RuntimeError) -> NotStarted {
        let fields = match error {
            RuntimeError::Invalid(faults) => {
                Some(faults.iter().map(|fault| fault.field.clone()).collect())
            }
            _ => None,
        };
        NotStarted {
            said: described(error),
            fields,
        }
    }
}

/// A scenario being played.
pub struct Play<'a> {
    /// The node.
    pub stage: &'a Stage,
    /// Cases by the name that the scenario gives them; the first is the one that a step means by default.
    cases: IndexMap<String, String>,
    /// The start that was refused, if one was.
    refused: Option<NotStarted>,
}

impl<'a> Play<'a> {
    /// Nothing has happened yet.
    pub fn new(stage: &'a Stage) -> Play<'a> {
        Play {
            stage,
            cases: IndexMap::new(),
            refused: None,
        }
    }

    /// Plays a scenario to its end.
    pub async fn run(
        &mut self,
        file: &ScenarioFile,
        scenario: &Scenario,
        lines: &ScenarioLines,
    ) -> Result<(), Failure> {
        let workflow = file.workflow.as_deref().unwrap_or_default();
        let starts = scenario.start.as_ref().or(file.start.as_ref());
        let usual = file.start.as_ref().map(|starts| starts.list());
        let usual = usual.and_then(|starts| starts.into_iter().next());
        for mut start in starts.map(|starts| starts.list()).unwrap_or_default() {
            // Changes alone are changes of what the file starts with.
            if let Some(usual) = usual.as_ref().filter(|_| start.input.is_null()) {
                start.input = usual.input.clone();
            }
            let started = self.start(workflow, &start).await;
            self.told(started, lines.start, "start").await?;
        }
        let expected = scenario.expect.refused.as_ref();
        if expected.is_none_or(Refused::is_accepted)
            && let Some(refused) = &self.refused
        {
            let refused = Err(Wrong::Failed(format!("refused: {}", refused.said)));
            return self.told(refused, lines.start, "start").await;
        }
        for (index, step) in scenario.steps.iter().enumerate() {
            let played = self.step(step).await;
            let line = lines.steps.get(index).copied().unwrap_or(lines.test);
            let at = format!("step {} ({})", index + 1, name_of(step));
            self.told(played, line, &at).await?;
        }
        let held = expect::hold(self, &scenario.expect).await;
        self.told(held, lines.expect, "at the end").await
    }

    /// The instances of the scenario.
    pub fn instances(&self) -> impl Iterator<Item = &str> {
        self.cases.values().map(String::as_str)
    }

    /// Why the start was refused.
    pub fn refused(&self) -> Option<&NotStarted> {
        self.refused.as_ref()
    }

    /// The case that a step means: by the name that the scenario gave it, or any by its number.
    pub async fn case(&self, of: Option<&str>) -> Result<CaseView, String> {
        self.stage
            .case(&self.instance(of).await?)
            .await
            .map_err(|error| described(&error))
    }

    async fn instance(&self, of: Option<&str>) -> Result<String, String> {
        let Some(name) = of else {
            let first = self.cases.values().next().cloned();
            return first.ok_or_else(|| "no case was started".to_string());
        };
        let named = self.cases.get(name).cloned();
        if let Some(found) = named.or_else(|| self.stage.given_case(name)) {
            return Ok(found);
        }
        // A case that another started.
        let numbered = self.stage.numbered(name).await?;
        numbered
            .ok_or_else(|| format!("there is no case named `{name}`, and none with that number"))
    }

    async fn told(&self, outcome: Result<(), Wrong>, line: usize, at: &str) -> Result<(), Failure> {
        let wrong = match outcome {
            Ok(()) => return Ok(()),
            Err(wrong) => wrong,
        };
        let mut stood = String::new();
        for (name, instance) in &self.cases {
            if let Ok(case) = self.stage.case(instance).await {
                stood.push_str(&self.stage.describe(name, &case).await);
            }
        }
        let (message, differences) = match wrong {
            Wrong::Failed(message) => (message, Vec::new()),
            Wrong::Differs(differences) => (String::new(), differences),
        };
        Err(Failure {
            line,
            at: at.to_string(),
            message,
            differences,
            stood,
        })
    }

    async fn start(&mut self, workflow: &str, start: &Start) -> Result<(), Wrong> {
        let input = changed(&start.input, &start.change)?;
        let by = self.stage.person(&start.by)?;
        if start.link.is_none() {
            // A case that follows another is offered by `metadata.start`, not by a right.
            if let Err(said) = self.stage.may_start(workflow, &by) {
                let fields = None;
                self.refused = Some(NotStarted { said, fields });
                return Ok(());
            }
        }
        match self
            .stage
            .start(workflow, &by, input, start.link.clone())
            .await
        {
            Ok(started) => {
                let name = start
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("#{}", self.cases.len() + 1));
                self.cases.insert(name, started.id);
            }
            Err(error) => self.refused = Some(NotStarted::of(&error)),
        }
        Ok(self.stage.settle().await?)
    }

    async fn step(&mut self, step: &Step) -> Result<(), Wrong> {
        match step {
            Step::Expect(expected) => expect::hold(self, expected).await,
            Step::Advance(advance) => Ok(self.advance(advance).await?),
            Step::Refuses(inner) => match Box::pin(self.step(inner)).await {
                Ok(()) => Err("expected to be refused, but it was accepted".into()),
                Err(_) => Ok(()),
            },
            Step::Object(object) => {
                let instance = self.instance(object.of.as_deref()).await?;
                let by = self.stage.person(&object.by)?;
                let started = self
                    .stage
                    .object(&instance, &by, object.input.clone())
                    .await;
                let started = started.map_err(|error| described(&error))?;
                let name = object
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("#{}", self.cases.len() + 1));
                self.cases.insert(name, started.id);
                Ok(self.stage.settle().await?)
            }
            Step::Cancel(cancel) => {
                let instance = self.instance(cancel.of.as_deref()).await?;
                let by = self.stage.person(&cancel.by)?;
                let done = self.stage.cancel(&instance, &by, &cancel.reason).await;
                done.map_err(|error| described(&error))?;
                Ok(self.stage.settle().await?)
            }
            Step::Event(event) => {
                self.stage
                    .receive(event.clone())
                    .await
                    .map_err(|error| described(&error))?;
                Ok(self.stage.settle().await?)
            }
            Step::Decide(decide) => Ok(self.decide(decide).await?),
            Step::Submit(submit) => Ok(self.submit(submit).await?),
            Step::Return(back) => Ok(self.back(back).await?),
            Step::Correct(correct) => Ok(self.correct(correct).await?),
            Step::Resubmit(resubmit) => Ok(self.resubmit(resubmit).await?),
        }
    }

    async fn advance(&self, advance: &Advance) -> Result<(), String> {
        let target = self.stage.moment(advance)?;
        self.stage.advance_to(target).await
    }

    async fn act(
        &self,
        of: Option<&str>,
        n: u32,
        who: &Who,
        channel: Channel,
        what: What,
    ) -> Result<(), String> {
        let instance = self.instance(of).await?;
        let act = Act {
            n,
            round: None,
            who: self.stage.person(who)?,
            for_whom: None,
            channel,
            seen_digest: None,
            what,
        };
        self.stage
            .act(&instance, act)
            .await
            .map_err(|error| described(&error))?;
        self.stage.settle().await
    }

    async fn open(&self, of: Option<&str>, step: &str) -> Result<u32, String> {
        let case = self.case(of).await?;
        let rows = case.desk.rows();
        let open = rows
            .items
            .iter()
            .rev()
            .find(|item| item.closed_at_ms.is_none() && is_step(&item.run_id, step));
        open.map(|item| item.n).ok_or_else(|| {
            let others: Vec<&str> = rows
                .items
                .iter()
                .filter(|item| item.closed_at_ms.is_none())
                .map(|item| item.run_id.as_str())
                .collect();
            let found = if others.is_empty() {
                "nothing is open".to_string()
            } else {
                format!("open are: {}", others.join(", "))
            };
            format!("expected an open work item of `{step}`, found: {found}")
        })
    }

    async fn decide(&self, decide: &Decide) -> Result<(), String> {
        let of = decide.of.as_deref();
        let n = self.open(of, &decide.step).await?;
        let what = What::Decide {
            outcome: decide.outcome.clone(),
            comment: decide.comment.clone(),
            reason: decide.reason.clone(),
            change: as_object(&decide.change),
            statement: None,
        };
        let channel = channel_of(decide.channel.as_deref())?;
        self.act(of, n, &decide.by, channel, what).await
    }

    async fn submit(&self, submit: &Submit) -> Result<(), String> {
        let of = submit.of.as_deref();
        let n = self.open(of, &submit.step).await?;
        let what = What::Submit {
            outcome: submit.outcome.clone(),
            data: submit.data.clone(),
            change: as_object(&submit.change),
            comment: submit.comment.clone(),
            reason: None,
            statement: Some("played by the scenario".to_string()),
        };
        self.act(of, n, &submit.by, Channel::Api, what).await
    }

    async fn back(&self, back: &Return) -> Result<(), String> {
        let of = back.of.as_deref();
        let n = self.open(of, &back.step).await?;
        let what = What::Return {
            to: match back.to.as_str() {
                "applicant" => ReturnTo::Applicant,
                "previous" => ReturnTo::Previous,
                step => ReturnTo::Step(step.to_string()),
            },
            resume: match back.resume.as_deref() {
                None => None,
                Some("direct") => Some(Resume::Direct),
                Some("rerun") => Some(Resume::Rerun),
                Some(other) => {
                    return Err(format!(
                        "`resume`: expected direct or rerun, found `{other}`"
                    ));
                }
            },
            siblings: match back.siblings.as_deref() {
                None => None,
                Some("keep") => Some(Siblings::Keep),
                Some("cancel") => Some(Siblings::Cancel),
                Some(other) => {
                    return Err(format!(
                        "`siblings`: expected keep or cancel, found `{other}`"
                    ));
                }
            },
            signing: None,
            fields: back
                .fields
                .iter()
                .map(|(field, reason)| (field.clone(), reason.clone()))
                .collect(),
            comment: back.comment.clone(),
        };
        self.act(of, n, &back.by, Channel::Api, what).await
    }

    async fn correct(&self, correct: &Correct) -> Result<(), String> {
        let of = correct.of.as_deref();
        let n = self.open(of, &correct.step).await?;
        let items = correct
            .items
            .iter()
            .map(|item| (item.field.clone(), item.text.clone()))
            .collect();
        self.act(
            of,
            n,
            &correct.by,
            Channel::Api,
            What::Correct {
                items,
                comment: None,
            },
        )
        .await
    }

    async fn resubmit(&self, resubmit: &Resubmit) -> Result<(), String> {
        let of = resubmit.of.as_deref();
        let case = self.case(of).await?;
        let rows = case.desk.rows();
        let waiting = |item: &&tongban_work::ItemRow| {
            item.closed_at_ms.is_none() && matches!(item.kind.as_str(), "resubmit" | "correct")
        };
        let item = rows
            .items
            .iter()
            .rev()
            .find(waiting)
            .ok_or("the case is not with the applicant")?;
        let what = What::Resubmit {
            data: None,
            change: as_object(&resubmit.change),
            comment: None,
            statement: Some("played by the scenario".to_string()),
        };
        self.act(of, item.n, &resubmit.by, Channel::Api, what).await
    }
}

/// Whether a run id belongs to the step that a scenario names: `a/b[2]#3` is an entry of `a/b`.
pub fn is_step(run_id: &str, step: &str) -> bool {
    path_of(run_id) == step || run_id == step
}

/// The path of names in a run id, without iterations and entries.
pub fn path_of(run_id: &str) -> String {
    let mut path = String::with_capacity(run_id.len());
    let mut skipping = false;
    for character in run_id.chars() {
        match character {
            '[' | '#' => skipping = true,
            '/' => {
                skipping = false;
                path.push('/');
            }
            _ if skipping => {}
            other => path.push(other),
        }
    }
    path
}

/// An error of the runtime in words, with the fields that do not fit.
pub fn described(error: &RuntimeError) -> String {
    match error {
        RuntimeError::Invalid(faults) => {
            let faults: Vec<String> = faults
                .iter()
                .map(|fault| format!("{}: {}", fault.field, fault.zh))
                .collect();
            format!("{error}: {}", faults.join("; "))
        }
        RuntimeError::Refused(Refusal::FormFaults { faults }) => {
            let faults: Vec<String> = faults
                .iter()
                .map(|fault| format!("{}: {}", fault.field, fault.zh))
                .collect();
            format!("{error}: {}", faults.join("; "))
        }
        _ => error.to_string(),
    }
}

fn channel_of(name: Option<&str>) -> Result<Channel, String> {
    match name {
        None | Some("api") => Ok(Channel::Api),
        Some("mail") => Ok(Channel::Mail),
        Some("console") => Ok(Channel::Console),
        Some(other) => Err(format!(
            "`channel`: expected mail, console or api, found `{other}`"
        )),
    }
}

fn name_of(step: &Step) -> String {
    match step {
        Step::Decide(decide) => format!("decide {}", decide.step),
        Step::Submit(submit) => format!("submit {}", submit.step),
        Step::Return(back) => format!("return {}", back.step),
        Step::Correct(correct) => format!("correct {}", correct.step),
        Step::Resubmit(_) => "resubmit".to_string(),
        Step::Object(_) => "object".to_string(),
        Step::Cancel(_) => "cancel".to_string(),
        Step::Event(_) => "event".to_string(),
        Step::Advance(_) => "advance".to_string(),
        Step::Expect(_) => "expect".to_string(),
        Step::Refuses(inner) => format!("refuses {}", name_of(inner)),
    }
}
