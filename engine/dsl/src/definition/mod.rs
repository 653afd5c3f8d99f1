//! The typed tree of a workflow definition: what the parser makes and the compiler reads.
//!
//! Everything that can hold an expression keeps its source text and its place, so that an error
//! found when compiling points into the YAML.

mod catalog;
mod duration;
mod event;
mod expression;
mod failure;
mod metadata;
mod retry;
mod schema;
mod task;

use std::sync::Arc;

use indexmap::IndexMap;
use tongban_expr::Value;

pub use catalog::{Catalog, Cataloged, DEFAULT_CATALOG};
pub use duration::{Duration, DurationKind, Period, Timeout};
pub use event::{Consumption, Correlation, EventFilter, EventPattern, Read, Until};
pub use expression::{Entry, ExpressionSource, Language, Mode, Template, TemplateKind, TextPart};
pub use failure::{ErrorDefinition, ErrorFilter, ErrorReference};
pub use metadata::{
    Case, CatchUp, Clock, DocumentMetadata, Pauses, Start, StartTrigger, TaskMetadata,
};
pub use retry::{Backoff, Retry, RetryPolicy};
pub use schema::{Export, Input, Output, Resource, Schema, SchemaSource};
pub use task::{
    Call, Catch, Emit, Flow, For, Fork, Iterator, Listen, Raise, Run, RunKind, ScriptSource,
    SwitchCase, Task, TaskKind, Then, Try,
};

use crate::span::{Span, Spanned};

/// One workflow: a whole document.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The text that it was parsed from.
    pub source: Arc<str>,
    /// The document as data, for `$workflow.definition` and `$task.definition`.
    pub value: Value,
    /// Who it is: namespace, name, version, title, our metadata.
    pub document: Document,
    /// How the workflow's input is validated and transformed.
    pub input: Option<Input>,
    /// How the workflow's output is transformed and validated.
    pub output: Option<Output>,
    /// `use`: what tasks refer to by name.
    pub reusables: Reusables,
    /// Limit of calendar time for the whole run.
    pub timeout: Option<Timeout>,
    /// What starts it besides a request.
    pub schedule: Option<Schedule>,
    /// The expressions' language and mode.
    pub evaluate: Evaluate,
    /// `do`: the tasks of the main scope, in order.
    pub tasks: Vec<Task>,
}

/// The `document` block.
#[derive(Debug, Clone)]
pub struct Document {
    /// Place of the block.
    pub span: Span,
    /// Version of the language, `1.0.x`.
    pub dsl: Spanned<String>,
    /// Namespace, by convention the pack's name.
    pub namespace: Spanned<String>,
    /// Name within the namespace.
    pub name: Spanned<String>,
    /// Semantic version.
    pub version: Spanned<String>,
    /// Title for people.
    pub title: Option<Spanned<String>>,
    /// Markdown summary.
    pub summary: Option<Spanned<String>>,
    /// Free key/value tags.
    pub tags: Option<Template>,
    /// Our conventions: case, start, clock.
    pub metadata: DocumentMetadata,
}

/// The `evaluate` block; `jq` and `strict` when absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluate {
    /// Language of every expression of the document.
    pub language: Language,
    /// Whether an expression must stand in `${ … }`.
    pub mode: Mode,
}

/// The `use` block: named parts, in the order of the document.
#[derive(Debug, Clone, Default)]
pub struct Reusables {
    /// Authentication policies by name (a template: its leaves may be expressions).
    pub authentications: IndexMap<String, Template>,
    /// Errors by name.
    pub errors: IndexMap<String, ErrorDefinition>,
    /// Functions by name; each body is a task.
    pub functions: IndexMap<String, Task>,
    /// Retry policies by name.
    pub retries: IndexMap<String, RetryPolicy>,
    /// Timeouts by name: the duration after which each fires.
    pub timeouts: IndexMap<String, Duration>,
    /// Names of the secrets that the document may use.
    pub secrets: Vec<Spanned<String>>,
    /// Extensions in declared order.
    pub extensions: Vec<Extension>,
    /// Catalogues of functions by name.
    pub catalogs: IndexMap<String, Catalog>,
}

/// One entry of `use.extensions`: tasks around every task of one kind.
#[derive(Debug, Clone)]
pub struct Extension {
    /// Name and its place.
    pub name: Spanned<String>,
    /// Keyword of the tasks that it extends, `composite` or `all`.
    pub extend: Spanned<String>,
    /// Whether it applies to a task, asked on that task's raw input.
    pub when: Option<ExpressionSource>,
    /// Tasks run before.
    pub before: Vec<Task>,
    /// Tasks run after.
    pub after: Vec<Task>,
}

impl Extension {
    /// Whether it extends tasks of this kind; `composite` are those that only hold others.
    #[must_use]
    pub fn extends(&self, kind: &TaskKind) -> bool {
        match self.extend.value.as_str() {
            "all" => true,
            "composite" => matches!(kind, TaskKind::Do(_) | TaskKind::Fork(_)),
            keyword => kind.keyword() == keyword,
        }
    }

    /// Whether it extends the tasks of other extensions.
    #[must_use]
    pub fn extends_extensions(&self) -> bool {
        self.extend.value == "extension"
    }
}

/// The `schedule` block; exactly one of the four is set.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Place of the block.
    pub span: Span,
    /// Starts at this interval, whether or not the last run has ended.
    pub every: Option<Duration>,
    /// Starts by a Unix cron expression.
    pub cron: Option<Spanned<String>>,
    /// Starts again this long after the last run ended.
    pub after: Option<Duration>,
    /// Starts on events.
    pub on: Option<Consumption>,
}

impl Definition {
    /// Every list's tasks at the top: those of the document, the bodies of `use.functions`, those around other tasks.
    pub fn roots(&self) -> impl std::iter::Iterator<Item = &Task> {
        let extensions = self.reusables.extensions.iter();
        let around =
            extensions.flat_map(|extension| extension.before.iter().chain(&extension.after));
        let own = self.tasks.iter().chain(self.reusables.functions.values());
        own.chain(around)
    }

    /// `namespace/name`, as other workflows refer to this one.
    #[must_use]
    pub fn reference(&self) -> String {
        format!(
            "{}/{}",
            self.document.namespace.value, self.document.name.value
        )
    }

    /// The duration that a timeout stands for; `None` when it names one that `use.timeouts` lacks.
    #[must_use]
    pub fn timeout_after<'a>(&'a self, timeout: &'a Timeout) -> Option<&'a Duration> {
        match timeout {
            Timeout::After(duration) => Some(duration),
            Timeout::Named(name) => self.reusables.timeouts.get(name.value.as_str()),
        }
    }

    /// The policy that a `retry` stands for; `None` when it names one that `use.retries` lacks.
    #[must_use]
    pub fn retry_policy<'a>(&'a self, retry: &'a Retry) -> Option<&'a RetryPolicy> {
        match retry {
            Retry::Policy(policy) => Some(policy),
            Retry::Named(name) => self.reusables.retries.get(name.value.as_str()),
        }
    }

    /// The error that a `raise` stands for; `None` when it names one that `use.errors` lacks.
    #[must_use]
    pub fn error<'a>(&'a self, error: &'a ErrorReference) -> Option<&'a ErrorDefinition> {
        match error {
            ErrorReference::Inline(definition) => Some(definition),
            ErrorReference::Named(name) => self.reusables.errors.get(name.value.as_str()),
        }
    }
}
