//! A compiled definition: flat tables that the interpreter walks by number.

use std::collections::HashMap;
use std::sync::Arc;

use tongban_dsl::definition::{Backoff, ErrorFilter, Read};
use tongban_expr::{Script, Value};

use crate::code::{Code, Duration, Template};
use crate::listening::{EventFilter, Shape};
use crate::schema::Schema;
use crate::surroundings::Kind;

/// Number of a task; 0 is the workflow itself.
pub(crate) type TaskId = u32;
/// Keyword of what holds the tasks of an extension.
pub(crate) const EXTENSION: &str = "extension";

/// Number of a list of tasks.
pub(crate) type ScopeId = u32;

/// A compiled definition: tables of tasks and lists, every expression compiled once.
#[derive(Debug)]
pub struct Program {
    pub(crate) tasks: Vec<Task>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) by_path: HashMap<Arc<str>, TaskId>,
    /// The document as data, for `$workflow.definition`.
    pub(crate) document: Value,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) input_schema: Option<Schema>,
    pub(crate) input_from: Option<Template>,
    pub(crate) output_as: Option<Template>,
    pub(crate) output_schema: Option<Schema>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) case: Option<Case>,
    pub(crate) clock: Option<Clock>,
    pub(crate) secrets: Vec<String>,
    pub(crate) shapes: Vec<Shape>,
    /// Answers are kept, because somebody may return.
    pub(crate) keeps_answers: bool,
}

/// How an instance appears as a case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) title: Option<Template>,
    pub(crate) number: Option<String>,
    pub(crate) key: Option<Template>,
    pub(crate) search: Vec<(Arc<str>, Template)>,
    pub(crate) links: Vec<(Arc<str>, Template)>,
    /// The outcomes that refuse a person.
    pub(crate) refusals: Vec<String>,
}

/// A clock of the metadata.
#[derive(Debug)]
pub(crate) struct Clock {
    pub(crate) title: Option<Template>,
    /// `due`, `promise`, `basis`, `remind`, `escalate`, as far as they are there.
    pub(crate) parts: Vec<(&'static str, Template)>,
    pub(crate) stops: Value,
}

/// A list of tasks, or the branches of a fork.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The tasks in order.
    pub(crate) tasks: Vec<TaskId>,
    /// Positions by label.
    pub(crate) by_label: HashMap<Arc<str>, u32>,
    /// Whether these are branches.
    pub(crate) branches: bool,
    /// The list whose line keeps the outputs of these tasks: itself, for branches the list around.
    pub(crate) store: ScopeId,
}

/// A task.
#[derive(Debug)]
pub(crate) struct Task {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Its name, made unique where a `catch` has the name of a tried task.
    pub(crate) label: Arc<str>,
    /// Labels from the root, joined by `/`.
    pub(crate) path: Arc<str>,
    /// JSON pointer into the document.
    pub(crate) pointer: Arc<str>,
    /// Its definition as data.
    pub(crate) definition: Value,
    /// Keyword.
    pub(crate) keyword: &'static str,
    /// The list that it stands in.
    pub(crate) home: ScopeId,
    /// Its position there.
    pub(crate) position: u32,
    pub(crate) if_: Option<Code>,
    pub(crate) input_schema: Option<Schema>,
    pub(crate) input_from: Option<Template>,
    pub(crate) results: Results,
    pub(crate) timeout: Option<Duration>,
    pub(crate) then: Next,
    /// The extensions that run before it and after it: lists of [`Body::Extension`].
    pub(crate) before: Option<ScopeId>,
    pub(crate) after: Option<ScopeId>,
    pub(crate) title: Option<Template>,
    pub(crate) state: Option<Template>,
    pub(crate) clock: Option<Clock>,
    pub(crate) pauses: Option<Pauses>,
    pub(crate) idempotency_key: Option<Template>,
    pub(crate) extra: Vec<(Arc<str>, Template)>,
    /// A checkpoint is kept on entry.
    pub(crate) checkpoint: bool,
    /// Some expression reads its output.
    pub(crate) keep: bool,
    /// What it does.
    pub(crate) body: Body,
}

/// `output` and `export` of a task, or of one round of `foreach`.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) output_as: Option<Template>,
    pub(crate) output_schema: Option<Schema>,
    pub(crate) export_as: Option<Template>,
    pub(crate) export_schema: Option<Schema>,
}

impl Results {
    /// Whether a raw output goes on as it is and the context stays.
    pub(crate) fn are_plain(&self) -> bool {
        self.output_as.is_none() && self.output_schema.is_none() && self.export_as.is_none()
    }
}

/// The ground that holds while a task is live.
#[derive(Debug)]
pub(crate) struct Pauses {
    pub(crate) ground: String,
    pub(crate) basis: Option<Template>,
}

/// Where the flow goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Continue,
    Exit,
    End,
    To(u32),
}

/// What a task does.
#[derive(Debug)]
pub(crate) enum Body {
    /// Not a task of the document: the workflow itself, and tasks while they are compiled.
    None,
    Set(Template),
    Do(ScopeId),
    Switch(Vec<SwitchCase>),
    For(Box<For>),
    Fork {
        scope: ScopeId,
        compete: bool,
    },
    Try(Box<Try>),
    Raise(Box<Raise>),
    Wait(Duration),
    Emit(Vec<(Arc<str>, Template)>),
    Listen(Box<Listen>),
    Call(Box<Call>),
    /// A call of one of `use.functions`: its body is a list of one task.
    Function {
        with: Option<Template>,
        scope: ScopeId,
    },
    Script(Box<ScriptRun>),
    Child(Box<Child>),
    /// One extension around a task: its `before` or its `after`.
    Extension(ScopeId),
}

#[derive(Debug)]
pub(crate) struct ScriptRun {
    pub(crate) script: Script,
    /// Its `arguments`, `stdin` and `environment`.
    pub(crate) with: Vec<(Arc<str>, Template)>,
    pub(crate) gives: ScriptGives,
}

/// Which of what a script gave becomes the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScriptGives {
    /// Its last value; what it printed when it ended without one.
    Value,
    Stderr,
    Code,
    All,
    Nothing,
    /// Nobody waits for it.
    Input,
}

/// What a `run` makes of its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// The result.
    Result,
    /// `return: none`.
    Nothing,
    /// `await: false`: the input goes on.
    Input,
}

#[derive(Debug)]
pub(crate) struct SwitchCase {
    pub(crate) name: Arc<str>,
    pub(crate) when: Option<Code>,
    pub(crate) then: Next,
}

#[derive(Debug)]
pub(crate) struct For {
    pub(crate) each: Arc<str>,
    pub(crate) at: Arc<str>,
    pub(crate) in_: Code,
    pub(crate) while_: Option<Code>,
    pub(crate) scope: ScopeId,
}

#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) scope: ScopeId,
    pub(crate) errors: Option<ErrorFilter>,
    pub(crate) as_: Arc<str>,
    pub(crate) when: Option<Code>,
    pub(crate) except_when: Option<Code>,
    pub(crate) retry: Option<Retry>,
    pub(crate) catch: Option<ScopeId>,
    pub(crate) then: Option<Next>,
}

#[derive(Debug)]
pub(crate) struct Retry {
    pub(crate) when: Option<Code>,
    pub(crate) except_when: Option<Code>,
    pub(crate) delay: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) count: Option<u32>,
    pub(crate) attempt: Option<Duration>,
    pub(crate) total: Option<Duration>,
    pub(crate) jitter: Option<(Duration, Duration)>,
}

#[derive(Debug)]
pub(crate) struct Raise {
    pub(crate) type_uri: Template,
    pub(crate) status: Template,
    pub(crate) title: Option<Template>,
    pub(crate) detail: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct Listen {
    pub(crate) to: Consumption,
    pub(crate) read: Read,
    pub(crate) foreach: Option<Foreach>,
}

/// Which events are consumed. Numbers are those of [`Listen`]'s filters.
#[derive(Debug)]
pub(crate) struct Consumption {
    pub(crate) filters: Vec<EventFilter>,
    pub(crate) how: How,
}

#[derive(Debug)]
pub(crate) enum How {
    One,
    All,
    Any,
    Until(Code),
    Never,
    /// Stops when this has been consumed; its filters are numbered after the others.
    UntilConsumed(Box<Consumption>),
}

#[derive(Debug)]
pub(crate) struct Foreach {
    pub(crate) item: Arc<str>,
    pub(crate) at: Arc<str>,
    pub(crate) scope: Option<ScopeId>,
    pub(crate) results: Results,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: String,
    pub(crate) kind: Kind,
    pub(crate) with: Option<Template>,
    /// Arguments that the function asks for later, per item.
    pub(crate) late: Vec<(Arc<str>, Template)>,
    /// Reusable authentication policies by name.
    pub(crate) policies: Arc<HashMap<String, Template>>,
    /// What becomes of its answer.
    pub(crate) gives: Gives,
}

#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) input: Option<Template>,
    pub(crate) awaited: bool,
    pub(crate) gives: Gives,
}

impl Program {
    /// The paths of all tasks, in the order of the document.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let tasks = self.tasks.iter().skip(1);
        tasks
            .filter(|task| !task.is_extension())
            .map(|task| &*task.path)
    }

    /// `namespace/name`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The version of the document.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Shapes of the events that its tasks listen for.
    #[must_use]
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The JSON pointer of the task at a path.
    #[must_use]
    pub fn pointer(&self, path: &str) -> Option<&str> {
        self.by_path.get(path).map(|id| &*self.task(*id).pointer)
    }

    /// The task's name at a path.
    #[must_use]
    pub fn task_name(&self, path: &str) -> Option<&str> {
        self.by_path.get(path).map(|id| &*self.task(*id).name)
    }

    pub(crate) fn task(&self, id: TaskId) -> &Task {
        self.tasks
            .get(id as usize)
            .expect("task numbers come from this program")
    }

    pub(crate) fn scope(&self, id: ScopeId) -> &Scope {
        self.scopes
            .get(id as usize)
            .expect("scope numbers come from this program")
    }

    /// The task of a label in a list.
    pub(crate) fn in_scope(&self, scope: ScopeId, label: &str) -> Option<TaskId> {
        let scope = self.scope(scope);
        let position = scope.by_label.get(label)?;
        scope.tasks.get(*position as usize).copied()
    }
}

impl Task {
    /// Whether people answer it.
    pub(crate) fn is_work(&self) -> bool {
        matches!(&self.body, Body::Call(call) if call.kind == Kind::Work)
    }

    /// Whether it is no task of the document: it holds the tasks of an extension.
    pub(crate) fn is_extension(&self) -> bool {
        matches!(self.body, Body::Extension(_))
    }

    /// Whether its answer may be reused after a return.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(&self.body, Body::Call(call) if matches!(call.kind, Kind::Work | Kind::Act))
    }
}
