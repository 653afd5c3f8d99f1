//! What a `catch` takes for the type of an error.

use crate::codes;
use crate::definition::Catch;
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::walk::Checker;

/// Where the standard errors of the language have their names.
pub(crate) const STANDARD_BASE: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";
/// The standard errors.
const STANDARD: &[&str] = &[
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
];

impl Checker<'_> {
    /// `errors: { with: { type: validation } }`: a word that is the type of no error.
    pub(super) fn caught_type(&mut self, catch: &Catch) {
        let kind = catch.errors.as_ref();
        let Some(kind) = kind.and_then(|errors| errors.type_uri.as_ref()) else {
            return;
        };
        if kind.value.contains("://") || kind.value.contains("${") {
            return;
        }
        let own = self.definition.reusables.errors.get(&kind.value);
        let own = own.and_then(|error| error.type_uri.as_str());
        let standard = suggest::nearest(&kind.value, STANDARD.iter().copied());
        let help = match (own, standard) {
            (Some(uri), _) => format!("write the type that `use.errors` gives it: {uri}"),
            (None, Some(word)) => format!("write {STANDARD_BASE}{word}"),
            (None, None) => format!(
                "write {STANDARD_BASE} and one of {} behind it, or the URI of your own error",
                suggest::list(STANDARD)
            ),
        };
        self.faults.push(
            Diagnostic::warning(
                codes::BAD_URI,
                kind.span,
                format!(
                    "the type of an error is a whole URI: `{}` catches nothing",
                    kind.value
                ),
            )
            .help(help),
        );
    }
}
