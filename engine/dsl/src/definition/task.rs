//! Tasks: the twelve kinds and what all of them share.

use crate::definition::duration::{Duration, Timeout};
use crate::definition::event::{Consumption, Read};
use crate::definition::expression::{Entry, ExpressionSource, Template};
use crate::definition::failure::{ErrorFilter, ErrorReference};
use crate::definition::metadata::TaskMetadata;
use crate::definition::retry::Retry;
use crate::definition::schema::{Export, Input, Output, Resource};
use crate::span::{Span, Spanned};

/// A step of a workflow.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name, unique in its scope.
    pub name: Spanned<String>,
    /// Place of the body.
    pub span: Span,
    /// Runs only when this holds.
    pub if_: Option<ExpressionSource>,
    /// Validates and transforms its input.
    pub input: Option<Input>,
    /// Transforms and validates its output.
    pub output: Option<Output>,
    /// Sets the context.
    pub export: Option<Export>,
    /// Limit of calendar time.
    pub timeout: Option<Timeout>,
    /// Where the flow goes on; `None` is `continue`.
    pub then: Option<Then>,
    /// Our conventions.
    pub metadata: TaskMetadata,
    /// What it does.
    pub kind: TaskKind,
}

/// A flow directive with its place.
pub type Then = Spanned<Flow>;

/// Where the flow goes on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Flow {
    /// The next task of the scope.
    Continue,
    /// Leaves the scope.
    Exit,
    /// Ends the workflow.
    End,
    /// A task of the same scope.
    Task(String),
}

/// What a task does.
#[derive(Debug, Clone)]
pub enum TaskKind {
    /// Calls a function.
    Call(Call),
    /// Runs tasks in order.
    Do(Vec<Task>),
    /// Sends an event.
    Emit(Emit),
    /// Runs tasks for each item.
    For(For),
    /// Runs branches at once.
    Fork(Fork),
    /// Waits for events.
    Listen(Box<Listen>),
    /// Raises an error.
    Raise(Raise),
    /// Runs a script, a workflow, a shell command or a container.
    Run(Run),
    /// Gives a value.
    Set(Template),
    /// Chooses the way.
    Switch(Vec<SwitchCase>),
    /// Runs tasks and catches their errors.
    Try(Box<Try>),
    /// Waits.
    Wait(Duration),
}

impl TaskKind {
    /// The keyword that makes a task of this kind.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            TaskKind::Call(_) => "call",
            TaskKind::Do(_) => "do",
            TaskKind::Emit(_) => "emit",
            TaskKind::For(_) => "for",
            TaskKind::Fork(_) => "fork",
            TaskKind::Listen(_) => "listen",
            TaskKind::Raise(_) => "raise",
            TaskKind::Run(_) => "run",
            TaskKind::Set(_) => "set",
            TaskKind::Switch(_) => "switch",
            TaskKind::Try(_) => "try",
            TaskKind::Wait(_) => "wait",
        }
    }
}

/// A `call` task.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is called: `http`, `openapi`, a function of a plugin, or one of `use.functions`.
    pub function: Spanned<String>,
    /// `with`: the arguments (an object), or nothing.
    pub with: Option<Template>,
}

/// An `emit` task: the event's attributes, each of which may be an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Emit {
    /// Place of `event.with`.
    pub span: Span,
    /// `event.with`: at least `source` and `type`.
    pub with: Vec<Entry>,
}

/// A `for` task.
#[derive(Debug, Clone)]
pub struct For {
    /// Name of the variable that holds the item, `item` when absent.
    pub each: Spanned<String>,
    /// Gives the list.
    pub in_: ExpressionSource,
    /// Name of the variable that holds the index, `index` when absent.
    pub at: Spanned<String>,
    /// Tested before each iteration.
    pub while_: Option<ExpressionSource>,
    /// The tasks of one iteration.
    pub tasks: Vec<Task>,
}

/// A `fork` task.
#[derive(Debug, Clone)]
pub struct Fork {
    /// The branches; each is one task.
    pub branches: Vec<Task>,
    /// The first branch to end wins, the others are cancelled.
    pub compete: bool,
}

/// A `listen` task.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Which events, and when to stop.
    pub to: Consumption,
    /// What of an event becomes the value.
    pub read: Read,
    /// Tasks run for every event, in order of arrival.
    pub foreach: Option<Iterator>,
}

/// `foreach` of a listener.
#[derive(Debug, Clone)]
pub struct Iterator {
    /// Its place.
    pub span: Span,
    /// Name of the variable that holds the event's value, `item` when absent.
    pub item: Spanned<String>,
    /// Name of the variable that holds its number, `index` when absent.
    pub at: Spanned<String>,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Transforms each iteration's output.
    pub output: Option<Output>,
    /// Exports after each iteration.
    pub export: Option<Export>,
}

/// A `raise` task.
#[derive(Debug, Clone, PartialEq)]
pub struct Raise {
    /// What is raised.
    pub error: ErrorReference,
}

/// One case of a `switch`.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchCase {
    /// Name and its place.
    pub name: Spanned<String>,
    /// The condition; a case without one is the default.
    pub when: Option<ExpressionSource>,
    /// Where the flow goes on.
    pub then: Then,
}

/// A `try` task.
#[derive(Debug, Clone)]
pub struct Try {
    /// The tasks that are tried.
    pub tasks: Vec<Task>,
    /// What is done about their errors.
    pub catch: Catch,
}

/// The `catch` of a `try`.
#[derive(Debug, Clone)]
pub struct Catch {
    /// Its place.
    pub span: Span,
    /// Which errors; all when absent.
    pub errors: Option<ErrorFilter>,
    /// Name of the variable that holds the error, `error` when absent.
    pub as_: Spanned<String>,
    /// Catches only when this holds.
    pub when: Option<ExpressionSource>,
    /// Does not catch when this holds.
    pub except_when: Option<ExpressionSource>,
    /// Tries again first.
    pub retry: Option<Retry>,
    /// Then runs these; empty when there is no `do`.
    pub tasks: Vec<Task>,
    /// Then goes on here (an example of the specification has it; the schema forgot it).
    pub then: Option<Then>,
}

/// A `run` task.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Whether the flow waits for its end.
    pub await_: bool,
    /// `return`: what becomes the output; `None` is the default (`stdout`: the result).
    pub returns: Option<Spanned<String>>,
    /// What is run.
    pub kind: RunKind,
}

/// What a `run` task runs.
#[derive(Debug, Clone, PartialEq)]
pub enum RunKind {
    /// A script.
    Script {
        /// Its language; only `rhai` runs.
        language: Spanned<String>,
        /// Its text or its file.
        source: ScriptSource,
        /// `stdin`, `arguments` and `environment`, as written.
        process: Option<Template>,
    },
    /// Another workflow.
    Workflow {
        /// Its namespace.
        namespace: Spanned<String>,
        /// Its name.
        name: Spanned<String>,
        /// A version, or `latest`.
        version: Spanned<String>,
        /// Its input; an empty object when absent.
        input: Option<Template>,
    },
    /// A shell command: the properties of the process (refused unless the site allows it).
    Shell(Template),
    /// A container: the properties of the process (refused unless the site allows it).
    Container(Template),
}

/// Where a script is.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptSource {
    /// `code`.
    Code(Spanned<String>),
    /// `source`.
    Resource(Resource),
}

impl Task {
    /// The task lists of this task, each with the word that leads to it (`do`, `branches`, `try`, `catch`, `foreach`).
    #[must_use]
    pub fn scopes(&self) -> Vec<(&'static str, &[Task])> {
        match &self.kind {
            TaskKind::Do(tasks) => vec![("do", tasks)],
            TaskKind::For(body) => vec![("do", &body.tasks)],
            TaskKind::Fork(fork) => vec![("branches", &fork.branches)],
            TaskKind::Try(body) if body.catch.tasks.is_empty() => vec![("try", &body.tasks)],
            TaskKind::Try(body) => vec![("try", &body.tasks), ("catch", &body.catch.tasks)],
            TaskKind::Listen(listen) => match &listen.foreach {
                Some(iterator) => vec![("foreach", &iterator.tasks)],
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}
