//! Retry policies and errors.

use super::reader::{Reader, first_line};
use crate::codes;
use crate::definition::{
    Backoff, Duration, ErrorDefinition, ErrorReference, Retry, RetryPolicy, TemplateKind,
};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};

const POLICY: &[&str] = &["when", "exceptWhen", "delay", "backoff", "limit", "jitter"];
const BACKOFF: &[(&str, Backoff)] = &[
    ("constant", Backoff::Constant),
    ("linear", Backoff::Linear),
    ("exponential", Backoff::Exponential),
];

impl Reader {
    pub fn retry(&mut self, node: &Node) -> Option<Retry> {
        match &node.kind {
            NodeKind::Text(_) => self.text(node, "`retry`").map(Retry::Named),
            _ => self
                .retry_policy(node, "`retry`")
                .map(|policy| Retry::Policy(Box::new(policy))),
        }
    }

    pub fn retry_policy(&mut self, node: &Node, what: &str) -> Option<RetryPolicy> {
        let fields = self.object(node, what)?;
        for field in fields.iter().filter(|field| !POLICY.contains(&&*field.key)) {
            let help = match &*field.key {
                "count" | "attempts" | "maxAttempts" | "times" => {
                    Some("write `limit: { attempt: { count: 5 } }`")
                }
                "duration" => Some("write `limit: { duration: … }`"),
                "interval" | "after" | "wait" => Some("it is called `delay` here"),
                "constant" | "linear" | "exponential" => Some("write it under `backoff`"),
                _ => None,
            };
            if help.is_some() {
                let message = format!("{what} has no property `{}`", field.key);
                self.report(
                    Diagnostic::error(codes::UNKNOWN_PROPERTY, field.key_span, message)
                        .help_if(help.map(str::to_owned)),
                );
            } else {
                self.unknown_property(field, what, POLICY);
            }
        }
        let backoff = node
            .get("backoff")
            .and_then(|backoff| self.backoff(backoff))
            .unwrap_or_default();
        let (limit_count, limit_attempt, limit_total) = match node.get("limit") {
            Some(limit) => self.limit(limit),
            None => (None, None, None),
        };
        Some(RetryPolicy {
            span: node.span,
            when: node
                .get("when")
                .and_then(|when| self.condition(when, "`when`")),
            except_when: node
                .get("exceptWhen")
                .and_then(|when| self.condition(when, "`exceptWhen`")),
            delay: node
                .get("delay")
                .and_then(|delay| self.duration(delay, "`delay`")),
            backoff,
            limit_count,
            limit_attempt,
            limit_total,
            jitter: node.get("jitter").and_then(|jitter| self.jitter(jitter)),
        })
    }

    fn backoff(&mut self, node: &Node) -> Option<Backoff> {
        if let Some(text) = node.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    node.span,
                    "`backoff` must be an object, found a text",
                )
                .help(format!("write `backoff: {{ {text}: {{}} }}`")),
            );
            return None;
        }
        let names: Vec<&str> = BACKOFF.iter().map(|(name, _)| *name).collect();
        let fields = self.closed(node, "`backoff`", &names)?;
        let [only] = fields else {
            self.report(
                Diagnostic::error(
                    codes::BAD_VALUE,
                    first_line(node.span),
                    "`backoff` is one of constant, linear, exponential",
                )
                .help("write `backoff: { exponential: {} }`"),
            );
            return None;
        };
        if !matches!(only.value.kind, NodeKind::Map(_)) {
            let message = format!(
                "`{}` must be an object, found {}",
                only.key,
                only.value.kind_name()
            );
            self.report(
                Diagnostic::error(codes::WRONG_TYPE, only.key_span, message)
                    .help(format!("write `backoff: {{ {}: {{}} }}`", only.key)),
            );
        }
        BACKOFF
            .iter()
            .find(|(name, _)| *name == &*only.key)
            .map(|(_, backoff)| *backoff)
    }

    fn limit(&mut self, node: &Node) -> (Option<u32>, Option<Duration>, Option<Duration>) {
        if let NodeKind::Map(_) = node.kind
            && let Some(field) = node
                .fields()
                .iter()
                .find(|field| matches!(&*field.key, "count" | "attempts"))
        {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` stands under `limit.attempt`", field.key),
                )
                .help("write `limit: { attempt: { count: 5 } }`"),
            );
            return (Some(1), None, None);
        }
        if self
            .closed(node, "`limit`", &["attempt", "duration"])
            .is_none()
        {
            return (None, None, None);
        }
        let total = node
            .get("duration")
            .and_then(|duration| self.positive_duration(duration, "`duration`"));
        let Some(attempt) = node.get("attempt") else {
            return (None, None, total);
        };
        if self
            .closed(attempt, "`attempt`", &["count", "duration"])
            .is_none()
        {
            return (None, None, total);
        }
        let count = attempt.get("count").and_then(|node| {
            let count = self.integer(node, "`count`")?;
            let fit = u32::try_from(count).ok();
            if fit.is_none() {
                self.report(
                    Diagnostic::error(
                        codes::BAD_VALUE,
                        node.span,
                        format!("`count` is at least 0, found {count}"),
                    )
                    .help("write how often it is tried again"),
                );
            }
            fit
        });
        let each = attempt
            .get("duration")
            .and_then(|duration| self.positive_duration(duration, "`duration`"));
        (count, each, total)
    }

    fn jitter(&mut self, node: &Node) -> Option<(Duration, Duration)> {
        self.closed(node, "`jitter`", &["from", "to"])?;
        let from = self
            .required(node, "`jitter`", "from")
            .and_then(|from| self.duration(from, "`from`"));
        let to = self
            .required(node, "`jitter`", "to")
            .and_then(|to| self.duration(to, "`to`"));
        Some((from?, to?))
    }

    pub fn error_reference(&mut self, node: &Node) -> Option<ErrorReference> {
        match &node.kind {
            NodeKind::Text(_) => self.text(node, "`error`").map(ErrorReference::Named),
            _ => self
                .error_definition(node, "an error")
                .map(|error| ErrorReference::Inline(Box::new(error))),
        }
    }

    pub fn error_definition(&mut self, node: &Node, what: &str) -> Option<ErrorDefinition> {
        self.closed(
            node,
            what,
            &["type", "status", "instance", "title", "detail"],
        )?;
        let type_uri = self.required(node, what, "type");
        let status = self.required(node, what, "status");
        let type_uri = type_uri.and_then(|found| {
            let template = self.template(found);
            match template.as_str() {
                Some(text) if !has_scheme(text) => {
                    let fault = Diagnostic::error(codes::BAD_URI, found.span, format!("the `type` of an error is a URI, found `{text}`"))
                        .help("write for example https://serverlessworkflow.io/spec/1.0.0/errors/validation, or a URI of your own");
                    self.report(fault);
                    None
                }
                None if matches!(template.kind, TemplateKind::Literal(_) | TemplateKind::List(_) | TemplateKind::Object(_)) => {
                    self.wrong_type(found, "the `type` of an error", "a URI");
                    None
                }
                _ => Some(template),
            }
        });
        let status = status.and_then(|found| match &found.kind {
            NodeKind::Int(_) => Some(self.template(found)),
            NodeKind::Text(text) if text.contains("${") => Some(self.template(found)),
            _ => {
                self.wrong_type(found, "the `status` of an error", "a whole number");
                None
            }
        });
        let mut optional = |name: &str| {
            let found = node.get(name)?;
            self.text(found, &format!("`{name}`"))?;
            Some(self.template(found))
        };
        let (instance, title, detail) =
            (optional("instance"), optional("title"), optional("detail"));
        Some(ErrorDefinition {
            span: node.span,
            type_uri: type_uri?,
            status: status?,
            instance,
            title,
            detail,
        })
    }
}

/// Whether a text begins with a URI's scheme.
pub(crate) fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}
