//! From a definition to a program.

mod body;
mod catalog;
mod event;
mod extension;
mod head;
mod task;
mod value;

pub(crate) use body::POLICIES;
use catalog::CatalogFunction;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tongban_dsl::codes;
use tongban_dsl::definition::{Definition, Flow, Task as Source, TaskKind, Then};
use tongban_dsl::{Diagnostic, Span};
use tongban_expr::sandbox::Evaluator;

use crate::code::Template;
use crate::program::{Next, Program, Scope, ScopeId};
use crate::surroundings::Surroundings;

/// A program has at most so many tasks, bodies of functions counted at each call.
const TASKS_MAX: usize = 20_000;

/// Compiles a definition.
///
/// # Errors
/// Everything that cannot be compiled: expressions, names that lead nowhere, what is not supported.
pub fn compile(
    definition: &Definition,
    surroundings: &dyn Surroundings,
) -> Result<Program, Vec<Diagnostic>> {
    let cataloged = catalog::reached(definition, surroundings);
    let mut compiler = Compiler::new(definition, &cataloged, surroundings);
    compiler.document();
    compiler.finish()
}

/// Where something stands: what it can see.
#[derive(Clone, Default)]
struct Place {
    /// The lists around it, outermost first.
    scopes: Vec<ScopeId>,
    /// The variables around it.
    locals: Vec<Arc<str>>,
    /// JSON pointer of the task or block.
    pointer: String,
    /// Path of the task around it.
    path: String,
}

impl Place {
    fn with_local(mut self, name: &str) -> Self {
        self.locals.push(name.into());
        self
    }

    fn below(&self, part: &str) -> Self {
        Self {
            pointer: format!("{}/{}", self.pointer, escaped(part)),
            ..self.clone()
        }
    }
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Names of results: the list that keeps each, and its label there.
type Names = HashMap<Arc<str>, (ScopeId, Arc<str>)>;

struct Compiler<'a> {
    definition: &'a Definition,
    /// Functions of catalogues, by what calls name.
    cataloged: &'a HashMap<String, CatalogFunction>,
    surroundings: &'a dyn Surroundings,
    evaluator: Option<Arc<dyn Evaluator>>,
    program: Program,
    diagnostics: Vec<Diagnostic>,
    /// Names that results can be read by, in each list.
    visible: Vec<Names>,
    /// Results that are read.
    kept: HashSet<(ScopeId, Arc<str>)>,
    /// Targets of returns: who may see them, and their names.
    targets: Vec<(Vec<ScopeId>, Arc<str>)>,
    /// Functions whose bodies are being compiled.
    calling: Vec<String>,
    policies: Arc<HashMap<String, Template>>,
    /// How many extensions deep the tasks being compiled stand.
    extending: u8,
}

impl<'a> Compiler<'a> {
    fn new(
        definition: &'a Definition,
        cataloged: &'a HashMap<String, CatalogFunction>,
        surroundings: &'a dyn Surroundings,
    ) -> Self {
        let document = tongban_dsl::read_yaml(&definition.source)
            .0
            .unwrap_or_default();
        let program = Program {
            tasks: Vec::new(),
            scopes: Vec::new(),
            by_path: HashMap::new(),
            document,
            namespace: definition.document.namespace.value.clone(),
            name: definition.document.name.value.clone(),
            version: definition.document.version.value.clone(),
            input_schema: None,
            input_from: None,
            output_as: None,
            output_schema: None,
            timeout: None,
            case: None,
            clock: None,
            secrets: definition
                .reusables
                .secrets
                .iter()
                .map(|name| name.value.clone())
                .collect(),
            shapes: Vec::new(),
            keeps_answers: false,
        };
        Self {
            definition,
            cataloged,
            surroundings,
            evaluator: surroundings.evaluator(),
            program,
            diagnostics: Vec::new(),
            visible: Vec::new(),
            kept: HashSet::new(),
            targets: Vec::new(),
            calling: Vec::new(),
            policies: Arc::default(),
            extending: 0,
        }
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Compiles a list of tasks below `place`; `word` leads to it in the document.
    fn list(&mut self, tasks: &'a [Source], word: &str, place: &Place) -> ScopeId {
        let taken: HashSet<Arc<str>> = HashSet::new();
        self.labelled_list(tasks, word, place, &taken)
    }

    /// The same, where the labels in `taken` belong to a sibling list of the same task.
    fn labelled_list(
        &mut self,
        tasks: &'a [Source],
        word: &str,
        place: &Place,
        taken: &HashSet<Arc<str>>,
    ) -> ScopeId {
        let labels = labels(tasks, taken);
        let scope = self.open_scope(&labels, None);
        self.show_names(scope, tasks, &labels);
        let mut inside = place.clone();
        inside.scopes.push(scope);
        for (position, (task, label)) in tasks.iter().zip(&labels).enumerate() {
            let pointer = format!(
                "{}/{word}/{position}/{}",
                place.pointer,
                escaped(&task.name.value)
            );
            let inside = Place {
                pointer,
                ..inside.clone()
            };
            self.task(task, label.clone(), scope, position, &inside);
        }
        scope
    }

    /// Compiles the branches of a fork: each is seen from the list around, after the join.
    fn branches(&mut self, branches: &'a [Source], place: &Place) -> ScopeId {
        let labels = labels(branches, &HashSet::new());
        let around = place.scopes.last().copied();
        let store = around.map(|scope| self.program.scope(scope).store);
        let scope = self.open_scope(&labels, store);
        for (position, (task, label)) in branches.iter().zip(&labels).enumerate() {
            let pointer = format!(
                "{}/fork/branches/{position}/{}",
                place.pointer,
                escaped(&task.name.value)
            );
            let inside = Place {
                pointer,
                ..place.clone()
            };
            self.task(task, label.clone(), scope, position, &inside);
        }
        scope
    }

    fn open_scope(&mut self, labels: &[Arc<str>], store: Option<ScopeId>) -> ScopeId {
        let id = number(self.program.scopes.len());
        self.program.scopes.push(Scope {
            tasks: Vec::new(),
            by_label: labels
                .iter()
                .enumerate()
                .map(|(at, label)| (label.clone(), number(at)))
                .collect(),
            branches: store.is_some(),
            store: store.unwrap_or(id),
        });
        self.visible.push(HashMap::new());
        id
    }

    /// Makes the names of a list readable in it, those of branches included.
    fn show_names(&mut self, scope: ScopeId, tasks: &[Source], labels: &[Arc<str>]) {
        let mut names = Names::new();
        for (task, label) in tasks.iter().zip(labels) {
            names.insert(task.name.value.as_str().into(), (scope, label.clone()));
        }
        for task in tasks {
            branch_names(task, &mut |name| {
                let name: Arc<str> = name.into();
                names.entry(name.clone()).or_insert((scope, name));
            });
        }
        if let Some(shown) = self.visible.get_mut(scope as usize) {
            *shown = names;
        }
    }

    /// The list and label that a result's name stands for.
    fn result(&self, name: &str, scopes: &[ScopeId]) -> Option<(ScopeId, Arc<str>)> {
        scopes
            .iter()
            .rev()
            .find_map(|scope| self.visible.get(*scope as usize)?.get(name).cloned())
    }

    /// Where a directive leads, in the list `scope`.
    fn next(&mut self, then: Option<&Then>, scope: ScopeId) -> Next {
        match then.map(|then| (&then.value, then.span)) {
            None | Some((Flow::Continue, _)) => Next::Continue,
            Some((Flow::Exit, _)) => Next::Exit,
            Some((Flow::End, _)) => Next::End,
            Some((Flow::Task(name), span)) => self.target(name, span, scope),
        }
    }

    fn target(&mut self, name: &str, span: Span, scope: ScopeId) -> Next {
        let catching = format!("{CATCH}{name}");
        let labels = &self.program.scope(scope).by_label;
        if let Some(position) = labels.get(name).or_else(|| labels.get(catching.as_str())) {
            return Next::To(*position);
        }
        let message = format!("expected a task of this list, found {name:?}");
        self.error(Diagnostic::error(codes::UNKNOWN_TARGET, span, message));
        Next::Continue
    }

    fn finish(mut self) -> Result<Program, Vec<Diagnostic>> {
        if self.diagnostics.iter().any(Diagnostic::is_error) {
            return Err(self.diagnostics);
        }
        for name in self.surroundings.steps_read_elsewhere() {
            let found = self
                .visible
                .iter()
                .filter_map(|names| names.get(name.as_str()).cloned());
            let found: Vec<_> = found.collect();
            self.kept.extend(found);
        }
        let mut marked = HashSet::new();
        for (scopes, name) in std::mem::take(&mut self.targets) {
            marked.extend(self.result(&name, &scopes));
        }
        let program = &mut self.program;
        for index in 1..program.tasks.len() {
            let Some(task) = program.tasks.get(index) else {
                break;
            };
            let store = program.scope(task.home).store;
            let key = (store, task.label.clone());
            let (keep, target) = (self.kept.contains(&key), marked.contains(&key));
            if let Some(task) = program.tasks.get_mut(index) {
                task.keep = keep;
                task.checkpoint |= target || task.is_work();
                program.keeps_answers |= task.is_work();
                program.by_path.insert(task.path.clone(), number(index));
            }
        }
        Ok(self.program)
    }
}

/// Marks the label of a task in `catch` whose name a tried task has.
const CATCH: &str = "catch:";

/// Labels of the tasks of a list: their names, unless a sibling list has them.
fn labels(tasks: &[Source], taken: &HashSet<Arc<str>>) -> Vec<Arc<str>> {
    let label = |task: &Source| {
        let name: Arc<str> = task.name.value.as_str().into();
        if taken.contains(&name) {
            format!("{CATCH}{name}").into()
        } else {
            name
        }
    };
    tasks.iter().map(label).collect()
}

fn branch_names(task: &Source, show: &mut dyn FnMut(&str)) {
    if let TaskKind::Fork(fork) = &task.kind {
        for branch in &fork.branches {
            show(&branch.name.value);
            branch_names(branch, show);
        }
    }
}

/// A position as a number of the tables. They are bounded far below 2³².
fn number(position: usize) -> u32 {
    u32::try_from(position).expect("the tables of a program are bounded by TASKS_MAX")
}
