//! Rules: that they can be compiled.

use std::sync::Arc;

use tongban_dsl::{Diagnostic, Span, codes};
use tongban_expr::Script;

use super::Checking;

impl Checking<'_> {
    pub(super) fn rules(&mut self) {
        let rules: Vec<(String, Arc<str>)> = self.files_with(".rhai");
        for (path, source) in rules {
            if let Err(error) = Script::compile(&source, &path) {
                let span = Span::of(&source, error.at.clone());
                let help = error.help.unwrap_or_else(|| {
                    "the manual, “Packs”, says what a rule file sees and gives".to_owned()
                });
                self.push(
                    &path,
                    Diagnostic::error(codes::PACK_RULE, span, error.message).help(help),
                );
            }
        }
    }

    pub(super) fn files_with(&self, ending: &str) -> Vec<(String, Arc<str>)> {
        let files = self.pack.files.iter();
        files
            .filter(|(path, _)| path.ends_with(ending))
            .map(|(path, source)| (path.clone(), source.clone()))
            .collect()
    }
}
