//! What a definition is compiled against.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongban_expr::sandbox::Evaluator;

/// What a function does to the world, which decides when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// No effect: runs inside the activation.
    Read,
    /// Rows of our own, in the instance's own commit.
    Write,
    /// Leaves the machine: committed first, then performed at least once.
    Act,
    /// People answer later.
    Work,
}

/// What the compiler must know of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its kind.
    pub kind: Kind,
    /// Arguments whose expressions are evaluated later, per item, by [`crate::evaluate_late`].
    pub late: Vec<String>,
}

/// What a definition is compiled against: the functions of the plugins and the files of its bundle.
pub trait Surroundings {
    /// The function of this name.
    fn function(&self, name: &str) -> Option<FunctionInfo>;

    /// The text of a file of the pack, by its path inside the pack.
    fn file(&self, path: &str) -> Option<Arc<str>>;

    /// Who evaluates expressions and scripts of the document, when that is not done here.
    fn evaluator(&self) -> Option<Arc<dyn Evaluator>> {
        None
    }

    /// Names of tasks whose outputs are read elsewhere (mail templates, forms) through `steps`.
    fn steps_read_elsewhere(&self) -> Vec<String> {
        Vec::new()
    }
}
