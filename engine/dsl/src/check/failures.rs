//! Errors: what is raised, what a `catch` takes for it, and how it is tried again.

use crate::codes;
use crate::definition::{Catch, DurationKind, ErrorDefinition, ErrorReference, Retry, RetryPolicy};
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::checker::Checker;
use super::setting::Setting;

/// Where the standard errors of the language have their names.
const STANDARD_BASE: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";
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

    pub(super) fn raised(&mut self, error: &ErrorReference, setting: &Setting<'_>) {
        match error {
            ErrorReference::Inline(error) => self.error(error, setting),
            ErrorReference::Named(name) => {
                self.reusable(
                    &name.value,
                    name.span,
                    "errors",
                    self.definition.reusables.errors.keys(),
                );
            }
        }
    }

    pub(super) fn error(&mut self, error: &ErrorDefinition, setting: &Setting<'_>) {
        let optional = [&error.instance, &error.title, &error.detail];
        for template in [&error.type_uri, &error.status]
            .into_iter()
            .chain(optional.into_iter().flatten())
        {
            self.template(template, setting);
        }
    }

    pub(super) fn retry(&mut self, retry: &Retry, setting: &Setting<'_>) {
        match retry {
            Retry::Policy(policy) => self.policy(policy, setting),
            Retry::Named(name) => {
                self.reusable(
                    &name.value,
                    name.span,
                    "retries",
                    self.definition.reusables.retries.keys(),
                );
            }
        }
    }

    /// A `catch` that tries again and then goes on as if nothing had happened.
    pub(super) fn swallowed(&mut self, catch: &Catch) {
        let limited = match &catch.retry {
            Some(Retry::Policy(policy)) => {
                policy.limit_count.is_some() || policy.limit_total.is_some()
            }
            Some(Retry::Named(name)) => self.definition.reusables.retries.contains_key(&name.value),
            None => false,
        };
        if !catch.tasks.is_empty() || catch.then.is_some() || !limited {
            return;
        }
        self.faults.push(
            Diagnostic::warning(
                codes::SWALLOWED,
                crate::parse::first_line(catch.span),
                "when the retries are used up, the error is swallowed and the case goes on",
            )
            .help("add `do: [{ giveUp: { raise: { error: { type: …, status: 503 } } } }]`, or hand it to a person with `call: approve`"),
        );
    }

    pub(super) fn policy(&mut self, policy: &RetryPolicy, setting: &Setting<'_>) {
        for condition in [&policy.when, &policy.except_when].into_iter().flatten() {
            self.condition(condition, setting);
        }
        let jitter = policy.jitter.iter().flat_map(|(from, to)| [from, to]);
        let durations = [&policy.delay, &policy.limit_attempt, &policy.limit_total];
        for duration in durations.into_iter().flatten().chain(jitter) {
            self.duration(duration, setting);
        }
        let unlimited = policy.limit_count.is_none() && policy.limit_total.is_none();
        let at_once = match &policy.delay {
            None => true,
            Some(delay) => {
                matches!(delay.kind, DurationKind::Fixed(period) if period.approximate_ms() == 0)
            }
        };
        let place = crate::parse::first_line(policy.span);
        if unlimited && at_once {
            self.faults.push(
                Diagnostic::error(
                    codes::RETRY_FOREVER,
                    place,
                    "this retries for ever and without a pause",
                )
                .help("add `limit: { attempt: { count: 5 } }` and `delay: { seconds: 10 }`"),
            );
        } else if unlimited {
            self.faults.push(
                Diagnostic::warning(codes::RETRY_FOREVER, place, "this retries without a limit")
                    .help("add `limit: { attempt: { count: 5 } }` or `limit: { duration: … }`"),
            );
        }
    }
}
