//! Evaluating expressions: which arguments are there at which stage.

use std::sync::Arc;

use tongban_expr::{
    Budget, CARRIED_MAX, COLLECTION_MAX, Language, Limit, Scope, Value, WEIGHT_MAX, secret,
};

use crate::code::{Code, Part, Template, as_text};
use crate::error::{Error, ErrorKind};
use crate::frame::{Frame, FrameId, ROOT, State};
use crate::machine::Machine;
use crate::program::Body;
use crate::time;

/// The rows of the table of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The workflow's `input.from`.
    WorkflowInput,
    /// A task's `if` and `input.from`.
    Before,
    /// A task's definition.
    Definition,
    /// `output.as`.
    Output,
    /// `export.as`.
    Export,
    /// The workflow's `output.as`.
    WorkflowOutput,
}

/// What an evaluation sees besides the instance.
pub(crate) struct Moment<'v> {
    /// The frame in which it stands.
    pub(crate) frame: FrameId,
    pub(crate) stage: Stage,
    /// What it is evaluated on.
    pub(crate) argument: &'v Value,
    /// The task's transformed input, from [`Stage::Definition`] on.
    pub(crate) input: &'v Value,
    /// The task's raw output, from [`Stage::Output`] on.
    pub(crate) raw_output: Option<&'v Value>,
    /// Variables that no frame holds.
    pub(crate) extra: &'v [(Arc<str>, Value)],
    /// The authentication itself is being evaluated: nothing is authorized yet.
    pub(crate) authenticating: bool,
}

impl<'v> Moment<'v> {
    /// The moment before a task runs.
    pub(crate) fn before(frame: FrameId, raw: &'v Value) -> Self {
        Self {
            frame,
            stage: Stage::Before,
            argument: raw,
            input: &Value::Null,
            raw_output: None,
            extra: &[],
            authenticating: false,
        }
    }

    /// The moment of a task's definition.
    pub(crate) fn definition(frame: FrameId, input: &'v Value) -> Self {
        Self {
            stage: Stage::Definition,
            input,
            ..Self::before(frame, input)
        }
    }

    /// The same moment on another argument.
    pub(crate) fn on<'w>(&'w self, argument: &'w Value) -> Moment<'w> {
        Moment {
            frame: self.frame,
            stage: self.stage,
            argument,
            input: self.input,
            raw_output: self.raw_output,
            extra: self.extra,
            authenticating: self.authenticating,
        }
    }
}

impl Machine<'_> {
    /// Evaluates an expression.
    pub(crate) fn eval(&self, code: &Code, moment: &Moment<'_>) -> Result<Value, Error> {
        if moment.stage == Stage::WorkflowInput {
            // What comes in may be as large as a loop's collection: it is made ready for one.
            return self.eval_collection(code, moment);
        }
        match self.weight_max(moment) {
            WEIGHT_MAX => self.eval_within(code, moment, &self.env.budget),
            weight => {
                let budget = self.env.budget.clone();
                self.eval_within(code, moment, &Budget { weight, ..budget })
            }
        }
    }

    /// How large a value may be that is made at this moment: what carries a large input or context along may be larger
    /// than what is made of nothing.
    fn weight_max(&self, moment: &Moment<'_>) -> u64 {
        const CARRIES_FROM: u64 = WEIGHT_MAX / 2;
        if moment.stage == Stage::WorkflowInput {
            return COLLECTION_MAX;
        }
        let instance = &self.instance;
        let there = [
            moment.argument,
            moment.input,
            instance.input.get(),
            instance.context.get(),
        ];
        let largest = there.map(Value::weight).into_iter().max().unwrap_or(0);
        if largest <= CARRIES_FROM {
            WEIGHT_MAX
        } else {
            CARRIED_MAX.min(largest.saturating_add(WEIGHT_MAX))
        }
    }

    /// Evaluates an expression whose value goes to a blob and is read piece by piece.
    pub(crate) fn eval_collection(&self, code: &Code, moment: &Moment<'_>) -> Result<Value, Error> {
        let budget = self.env.budget.clone().widened_for_collections();
        self.eval_within(code, moment, &budget)
    }

    fn eval_within(
        &self,
        code: &Code,
        moment: &Moment<'_>,
        budget: &Budget,
    ) -> Result<Value, Error> {
        let Some(expression) = &code.expression else {
            return Ok(Value::from(&*code.text));
        };
        let scope = self.scope(code, expression.language(), moment);
        match expression.eval(&scope, budget) {
            Ok(value) if code.reads.secrets => self.with_known_secrets(value),
            Ok(value) => Ok(value),
            Err(_) if code.loose => Ok(Value::from(&*code.text)),
            Err(fault) => Err(self.expression_error(code, moment.frame, &fault)),
        }
    }

    /// A value that carries no secret which the site does not have. Whoever reads one is told at once, not when a call is sent.
    fn with_known_secrets(&self, value: Value) -> Result<Value, Error> {
        let absent = &self.env.absent_secrets;
        if absent.is_empty() {
            return Ok(value);
        }
        let named = secret::names_in(&value);
        match absent.iter().find(|name| named.contains(*name)) {
            Some(name) => Err(Error::new(
                ErrorKind::Authorization,
                secret::UnknownSecret(name.clone()).to_string(),
            )),
            None => Ok(value),
        }
    }

    /// Evaluates a condition.
    pub(crate) fn holds(&self, code: &Code, moment: &Moment<'_>) -> Result<bool, Error> {
        self.eval(code, moment).map(|value| value.truthy())
    }

    /// Evaluates a template.
    pub(crate) fn fill(&self, template: &Template, moment: &Moment<'_>) -> Result<Value, Error> {
        match template {
            Template::Constant(value) => Ok(value.clone()),
            Template::Code(code) => self.eval(code, moment),
            Template::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Code(code) => text.push_str(&as_text(&self.eval(code, moment)?)),
                    }
                }
                Ok(Value::from(text))
            }
            Template::Uri(template) => crate::uri::expand(template, moment.input).map(Value::from),
            Template::List(items) => {
                let items: Result<Vec<Value>, Error> =
                    items.iter().map(|item| self.fill(item, moment)).collect();
                self.made(items.map(Value::list)?, moment)
            }
            Template::Object(entries) => self.fill_entries(entries, moment),
        }
    }

    /// Evaluates the entries of an object.
    pub(crate) fn fill_entries(
        &self,
        entries: &[(Arc<str>, Template)],
        moment: &Moment<'_>,
    ) -> Result<Value, Error> {
        let filled: Result<Vec<(&str, Value)>, Error> = entries
            .iter()
            .map(|(key, entry)| Ok((&**key, self.fill(entry, moment)?)))
            .collect();
        self.made(filled.map(Value::object)?, moment)
    }

    /// A template puts together no larger value than an expression may give.
    fn made(&self, value: Value, moment: &Moment<'_>) -> Result<Value, Error> {
        match value.storable_within(self.weight_max(moment)) {
            Ok(()) => Ok(value),
            Err(fault) => Err(Error::new(ErrorKind::Expression, fault.to_string())),
        }
    }

    /// Evaluates a template to a text; null is no text.
    pub(crate) fn fill_text(
        &self,
        template: &Template,
        moment: &Moment<'_>,
    ) -> Result<Option<String>, Error> {
        let value = self.fill(template, moment)?;
        Ok((!value.is_null()).then(|| as_text(&value)))
    }

    fn scope(&self, code: &Code, language: Language, moment: &Moment<'_>) -> Scope {
        use Stage::{Before, Definition, Export, Output, WorkflowInput, WorkflowOutput};
        let rhai = language == Language::Rhai;
        let stage = moment.stage;
        let input = match stage {
            Before | WorkflowInput if rhai => moment.argument.clone(),
            Definition if rhai => moment.argument.clone(),
            Definition | Output | Export => moment.input.clone(),
            _ => Value::Null,
        };
        let output = match stage {
            Export => moment.argument.clone(),
            Output | WorkflowOutput if rhai => moment.argument.clone(),
            _ => Value::Null,
        };
        let authorized = matches!(stage, Definition | Output | Export);
        Scope {
            argument: Some(moment.argument.clone()),
            input,
            output,
            context: if stage == WorkflowInput {
                Value::Null
            } else {
                self.context_at(moment.frame)
            },
            workflow: if code.reads.workflow {
                self.workflow_value()
            } else {
                Value::Null
            },
            task: if code.reads.task {
                self.task_value(moment)
            } else {
                Value::Null
            },
            runtime: self.env.runtime.clone(),
            authorization: if authorized && code.reads.authorization {
                self.authorization(moment)
            } else {
                Value::Null
            },
            secrets: if code.reads.secrets {
                self.secrets_value()
            } else {
                Value::Null
            },
            form: self.instance.form.value(),
            steps: self.steps_value(code, moment.frame),
            params: self.env.params.clone(),
            link: self.env.link.clone(),
            locals: self.locals(code, moment),
            units: self.env.units.clone(),
            parameters: self.env.parameters.clone(),
            sources_none: self.env.sources_none.clone(),
        }
    }

    /// The scope of a rule file: no variables, only what its functions need.
    pub(crate) fn rule_scope(&self) -> Scope {
        Scope {
            params: self.env.params.clone(),
            units: self.env.units.clone(),
            parameters: self.env.parameters.clone(),
            sources_none: self.env.sources_none.clone(),
            ..Scope::default()
        }
    }

    /// The context that a frame sees: the copy of the nearest branch around it.
    pub(crate) fn context_at(&self, frame: FrameId) -> Value {
        let copies = self
            .instance
            .ancestors(frame)
            .find_map(|(_, frame)| frame.context.as_ref());
        copies.unwrap_or(&self.instance.context).value()
    }

    /// Replaces the context that a frame sees.
    pub(crate) fn set_context(&mut self, frame: FrameId, context: Value) {
        let holder = self
            .instance
            .ancestors(frame)
            .find(|(_, frame)| frame.context.is_some())
            .map(|(id, _)| id);
        match holder.and_then(|id| self.instance.frames.get_mut(&id)) {
            Some(frame) => frame.context = Some(context.into()),
            None => self.instance.context = context.into(),
        }
    }

    fn workflow_value(&self) -> Value {
        let made = self.workflow.get_or_init(|| {
            let instance = &self.instance;
            let mut workflow = self.env.workflow.clone();
            workflow.set("id", instance.id.as_str());
            workflow.set("definition", self.program.document.clone());
            workflow.set("input", instance.input.value());
            workflow.set("startedAt", time::descriptor(instance.started_ms));
            workflow.set(
                "startedOn",
                time::local_date(instance.started_ms, &self.env.zone),
            );
            workflow
        });
        made.clone()
    }

    fn secrets_value(&self) -> Value {
        let names = self.program.secrets.iter().map(String::as_str);
        self.secrets
            .get_or_init(|| secret::markers(names, &self.env.secret_nonce))
            .clone()
    }

    fn task_value(&self, moment: &Moment<'_>) -> Value {
        if moment.frame == ROOT {
            return Value::Null;
        }
        // Inside an extension the task is the one that is extended.
        let extended = self.extended(moment.frame).map(|(_, frame)| frame);
        let own = || self.instance.frames.get(&moment.frame);
        let Some(frame) = extended.or_else(own) else {
            return Value::Null;
        };
        let task = self.program.task(frame.task);
        let output = match (&frame.state_of, extended.is_some()) {
            (State::Around(around), true) => around.ended.as_ref().map(|ended| ended.raw.value()),
            (_, true) => None,
            (_, false) => moment.raw_output.cloned(),
        };
        let mut descriptor = Value::object([
            ("name", Value::from(&*task.name)),
            ("reference", Value::from(&*task.pointer)),
            ("definition", task.definition.clone()),
            ("input", frame.raw.value()),
            ("output", output.unwrap_or_default()),
            ("startedAt", time::descriptor(frame.started_ms)),
        ]);
        if self.task_of(moment.frame).is_extension() {
            // `when` of an extension is written as the language's examples have it: `$task.call`, `$task.with`.
            for (name, member) in task.definition.entries() {
                if descriptor.get(name).is_none() {
                    descriptor.set(name, member.clone());
                }
            }
        }
        descriptor
    }

    fn steps_value(&self, code: &Code, frame: FrameId) -> Value {
        if code.steps.is_empty() {
            return Value::Null;
        }
        let read = code.steps.iter().map(|read| {
            let line = self
                .instance
                .ancestors(frame)
                .find_map(|(_, frame)| frame.line().filter(|line| line.scope == read.scope));
            let result = line.and_then(|line| line.steps.get(&read.label));
            (
                &*read.name,
                result.map(crate::held::Held::value).unwrap_or_default(),
            )
        });
        Value::object(read)
    }

    fn locals(&self, code: &Code, moment: &Moment<'_>) -> Vec<(String, Value)> {
        let found = code.locals.iter().filter_map(|name| {
            let extra = moment
                .extra
                .iter()
                .find(|(extra, _)| extra == name)
                .map(|(_, value)| value.clone());
            let value = extra.or_else(|| {
                self.instance
                    .ancestors(moment.frame)
                    .find_map(|(_, frame)| self.local_of(frame, name))
            });
            Some((name.to_string(), value?))
        });
        let mut found: Vec<(String, Value)> = found.collect();
        // A variable in sight that has no value yet is null, not unknown.
        for name in &code.locals {
            if !found.iter().any(|(known, _)| **known == **name) {
                found.push((name.to_string(), Value::Null));
            }
        }
        found
    }

    /// The value of a variable that this very frame holds.
    fn local_of(&self, frame: &Frame, name: &str) -> Option<Value> {
        match (&frame.state_of, &self.program.task(frame.task).body) {
            (State::For { items, index, .. }, Body::For(body)) => {
                if *body.each == *name {
                    return Some(item_at(items.get(), *index));
                }
                (*body.at == *name).then(|| Value::from(i64::try_from(*index).unwrap_or(i64::MAX)))
            }
            (State::Try(trial), Body::Try(body)) if *body.as_ == *name => {
                trial.error.as_ref().map(Error::to_value)
            }
            (State::Listen(listening), Body::Listen(body)) => {
                let foreach = body.foreach.as_ref()?;
                if *foreach.item == *name {
                    return listening.item.as_ref().map(crate::held::Held::value);
                }
                (*foreach.at == *name)
                    .then(|| Value::from(i64::try_from(listening.index).unwrap_or(i64::MAX)))
            }
            _ => None,
        }
    }

    fn expression_error(
        &self,
        code: &Code,
        frame: FrameId,
        fault: &tongban_expr::EvalError,
    ) -> Error {
        let path = self.instance.path_of(frame);
        let of = if path.is_empty() {
            "the workflow".to_owned()
        } else {
            format!("task {path}")
        };
        let at = fault
            .at
            .as_ref()
            .map(|at| format!(" (at character {})", at.start + 1))
            .unwrap_or_default();
        let detail = format!(
            "the expression `{}` in `{}` of {of} failed: {}{at}",
            code.text, code.place, fault.message
        );
        let mut error = Error::new(fault_kind(fault), detail);
        error.extra.set("expression", &*code.text);
        error.extra.set("place", &*code.place);
        error.extra.set("line", code.span.line);
        error
    }
}

/// What an evaluation that failed is to the flow.
pub(crate) fn fault_kind(fault: &tongban_expr::EvalError) -> ErrorKind {
    match fault.limit {
        // Not the expression: what should have evaluated it is gone.
        Some(Limit::Process) => ErrorKind::Runtime,
        _ => ErrorKind::Expression,
    }
}

/// An item of a loop's collection.
fn item_at(items: &Value, index: u64) -> Value {
    usize::try_from(index)
        .ok()
        .and_then(|index| items.item(index))
        .cloned()
        .unwrap_or_default()
}
