//! What a definition may refer to outside of itself.

use std::sync::Arc;

use crate::signatures::{self, Kind, Signature};

/// Kinds of things in a pack that a definition names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A form's path: `forms/application.yaml`.
    Form,
    /// A register's name.
    Register,
    /// A role's id.
    Role,
    /// A rule file's path: `rules/eligibility.rhai`.
    Rule,
    /// A mail or notice template without language and ending: `mails/granted`.
    Template,
    /// A workflow: `namespace/name`.
    Workflow,
    /// A dated parameter's id.
    Parameter,
    /// A code list's name.
    Code,
    /// A level of the unit tree.
    Level,
    /// Any file of the pack, by its path.
    File,
    /// A unit of the organisation, by its id.
    Unit,
    /// A post.
    Post,
    /// A group of people.
    Group,
    /// A person.
    Person,
}

/// What a definition may refer to: functions, and the things of its pack and of the packs it requires.
pub trait Surroundings {
    /// The signature of a function.
    fn function(&self, name: &str) -> Option<Signature>;

    /// The names of all functions, for "did you mean".
    fn function_names(&self) -> Vec<String>;

    /// All names of a kind; `None` when they are not known, so that nothing is checked against them.
    fn names(&self, kind: Reference) -> Option<Vec<String>>;

    /// The text of a file of the pack; `None` when there is none.
    fn file(&self, path: &str) -> Option<Arc<str>> {
        let _ = path;
        None
    }

    /// The paths of the pack's files in a folder, for "did you mean".
    fn files_under(&self, folder: &str) -> Vec<String> {
        let _ = folder;
        Vec::new()
    }

    /// The name of the thing of a kind that people know by this title.
    fn titled(&self, kind: Reference, title: &str) -> Option<String> {
        let _ = (kind, title);
        None
    }

    /// Whether the cases of a workflow get numbers; `None` when it is not known.
    fn is_numbered(&self, workflow: &str) -> Option<bool> {
        let _ = workflow;
        None
    }

    /// The JSON Schema of a register's records; `None` when it is not known.
    fn record(&self, register: &str) -> Option<tongban_expr::Value> {
        let _ = register;
        None
    }

    /// The JSON Schema of a form, to know its fields; `None` when it is not known.
    fn form(&self, path: &str) -> Option<tongban_expr::Value> {
        let _ = path;
        None
    }
}

/// A document that stands alone: only the language's own calls exist, and nothing else is checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Surroundings for Nothing {
    fn function(&self, name: &str) -> Option<Signature> {
        signatures::language(name)
    }

    fn function_names(&self) -> Vec<String> {
        vec!["http".to_owned(), "openapi".to_owned()]
    }

    fn names(&self, _: Reference) -> Option<Vec<String>> {
        None
    }
}

/// Whether a call of this function is answered by people or other cases, later.
pub(crate) fn is_work(surroundings: &dyn Surroundings, name: &str) -> bool {
    surroundings
        .function(name)
        .is_some_and(|signature| signature.kind == Kind::Work)
}
