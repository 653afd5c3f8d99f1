//! What an expression sees.

use std::fmt;
use std::sync::Arc;

use crate::{Parameters, Value};

/// Answers `unit(id, level)`: the organisation's tree, given by the caller.
pub trait Units: Send + Sync {
    /// Gives the unit of `level` that `unit` is or lies under.
    fn ancestor(&self, unit: &str, level: &str) -> Option<String>;

    /// Gives the name of a unit for people.
    fn name(&self, unit: &str) -> Option<String>;
}

/// An organisation without units: every question is answered with null.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoUnits;

impl Units for NoUnits {
    fn ancestor(&self, _unit: &str, _level: &str) -> Option<String> {
        None
    }

    fn name(&self, _unit: &str) -> Option<String> {
        None
    }
}

/// The values that an expression can name. jq names them `$context`,
/// `$form` …, rhai `context`, `form` …; what is not set is null.
#[derive(Clone)]
pub struct Scope {
    /// What the expression is evaluated on: `.` in jq. `None` takes `input`.
    /// rhai has no `.`: there the caller puts the same value into `input`
    /// (before a task has run) or `output` (after it).
    pub argument: Option<Value>,
    /// `input`.
    pub input: Value,
    /// `output`.
    pub output: Value,
    /// `context`.
    pub context: Value,
    /// `workflow`: id, number, title, starter …
    pub workflow: Value,
    /// `task`: name, reference, input …
    pub task: Value,
    /// `runtime`.
    pub runtime: Value,
    /// `authorization`.
    pub authorization: Value,
    /// `secrets`: markers by name, see [`crate::secret`].
    pub secrets: Value,
    /// `form`: the case's current form.
    pub form: Value,
    /// `steps`: outputs by task name.
    pub steps: Value,
    /// `params`, resolved: `{NAME: {value, from, basis, title, unit}}`, as
    /// [`Parameters::as_of`] gives them. `params.NAME` reads `value`.
    pub params: Value,
    /// `link`: the case that this one was started from.
    pub link: Value,
    /// Further variables: `each`'s item, `$error`, a function's arguments.
    pub locals: Vec<(String, Value)>,
    /// The organisation's tree for `unit(id, level)`.
    pub units: Arc<dyn Units>,
    /// All dated values and the titles of rules, for `judge`, which takes
    /// what holds at `input.asOf`. Without them it uses `params`.
    pub parameters: Option<Arc<Parameters>>,
    /// What "no record" means by source of a rule: `{vehicles: "nothing"}`;
    /// the caller takes it from the registers (`none: unknown|nothing`). A
    /// source's own `none` in `input.sources` goes first; a source that
    /// neither names is `unknown`.
    pub sources_none: Value,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            argument: None,
            input: Value::Null,
            output: Value::Null,
            context: Value::Null,
            workflow: Value::Null,
            task: Value::Null,
            runtime: Value::Null,
            authorization: Value::Null,
            secrets: Value::Null,
            form: Value::Null,
            steps: Value::Null,
            params: Value::Null,
            link: Value::Null,
            locals: Vec::new(),
            units: Arc::new(NoUnits),
            parameters: None,
            sources_none: Value::Null,
        }
    }
}

impl Scope {
    /// The names that every expression knows, in a fixed order.
    pub const NAMES: [&'static str; 12] = [
        "input",
        "output",
        "context",
        "workflow",
        "task",
        "runtime",
        "authorization",
        "secrets",
        "form",
        "steps",
        "params",
        "link",
    ];

    /// Gives the value of a name: a local first, then the fixed names.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Value> {
        if let Some((_, value)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Some(value);
        }
        Some(match name {
            "input" => &self.input,
            "output" => &self.output,
            "context" => &self.context,
            "workflow" => &self.workflow,
            "task" => &self.task,
            "runtime" => &self.runtime,
            "authorization" => &self.authorization,
            "secrets" => &self.secrets,
            "form" => &self.form,
            "steps" => &self.steps,
            "params" => &self.params,
            "link" => &self.link,
            _ => return None,
        })
    }

    /// Gives the place of a fixed name.
    pub(crate) fn fixed_mut(&mut self, name: &str) -> Option<&mut Value> {
        Some(match name {
            "input" => &mut self.input,
            "output" => &mut self.output,
            "context" => &mut self.context,
            "workflow" => &mut self.workflow,
            "task" => &mut self.task,
            "runtime" => &mut self.runtime,
            "authorization" => &mut self.authorization,
            "secrets" => &mut self.secrets,
            "form" => &mut self.form,
            "steps" => &mut self.steps,
            "params" => &mut self.params,
            "link" => &mut self.link,
            _ => return None,
        })
    }

    /// Gives `.` of jq.
    #[must_use]
    pub fn argument(&self) -> &Value {
        self.argument.as_ref().unwrap_or(&self.input)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Scope");
        for name in Self::NAMES {
            // Secrets are markers, but even names are nobody's business.
            if let Some(value) = self.variable(name)
                && !value.is_null()
                && name != "secrets"
            {
                shown.field(name, value);
            }
        }
        shown.field("locals", &self.locals).finish_non_exhaustive()
    }
}
