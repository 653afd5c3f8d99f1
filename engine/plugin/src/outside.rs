//! Who runs the scripts of what came from outside.

use std::fmt;
use std::sync::Arc;

use tongban_expr::sandbox::Evaluator;
use tongban_expr::{Script, SyntaxError};

/// The key under which a register's document says that it came through the API.
pub const OUTSIDE: &str = "x-outside";

/// Somebody else who runs scripts, or nobody: then they are run where they are.
#[derive(Clone, Default)]
pub struct Outside(Option<Arc<dyn Evaluator>>);

impl Outside {
    /// By this evaluator, if there is one.
    #[must_use]
    pub fn by(evaluator: Option<Arc<dyn Evaluator>>) -> Self {
        Self(evaluator)
    }

    /// Compiles a script that is run there.
    ///
    /// # Errors
    /// As [`Script::compile`].
    pub fn script(&self, source: &str, name: &str) -> Result<Script, SyntaxError> {
        match &self.0 {
            Some(evaluator) => Script::compile_for(evaluator, source, name),
            None => Script::compile(source, name),
        }
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "outside" } else { "here" })
    }
}

/// Where a script is run is no part of what a register is.
impl PartialEq for Outside {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
