//! Tasks that hold tasks or choose between them: switch, for, fork, try and catch.

use super::reader::{Reader, first_line};
use super::task::is_identifier;
use crate::codes;
use crate::definition::{Catch, ErrorFilter, For, Fork, SwitchCase, Try};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::span::Spanned;

impl Reader {
    pub fn switch(&mut self, node: &Node) -> Option<Vec<SwitchCase>> {
        let NodeKind::List(items) = &node.kind else {
            let first = node.fields().first().map_or("name", |field| &*field.key);
            let first = if matches!(first, "when" | "then" | "case" | "cases" | "if") {
                "name"
            } else {
                first
            };
            let help =
                format!("begin each case with a hyphen: `- {first}: {{ when: …, then: … }}`");
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    first_line(node.span),
                    format!(
                        "`switch` must be a list of cases, found {}",
                        node.kind_name()
                    ),
                )
                .help(help),
            );
            return None;
        };
        if items.is_empty() {
            self.report(
                Diagnostic::error(codes::EMPTY_LIST, node.span, "`switch` has no case")
                    .help("write `- name: { when: …, then: TASK }`"),
            );
        }
        let mut cases: Vec<SwitchCase> = Vec::new();
        for item in items {
            for field in self.item(item, "case", &["when", "then"]) {
                if let Some(case) = self.case(&field) {
                    self.second_default(&cases, &case);
                    cases.push(case);
                }
            }
        }
        Some(cases)
    }

    fn case(&mut self, field: &Field) -> Option<SwitchCase> {
        let what = format!("the case `{}`", field.key);
        if let Some(text) = field.value.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    field.value.span,
                    format!("{what} must be an object, found a text"),
                )
                .help(format!("write `{}: {{ then: {text} }}`", field.key)),
            );
            return None;
        }
        let held = field.value.fields().iter();
        let mut held = held.filter(|inner| {
            super::keywords::KEYWORDS.contains(&&*inner.key) || &*inner.key == "with"
        });
        if let Some(inner) = held.next() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    inner.key_span,
                    format!("a case leads to a task and holds none, found `{}`", inner.key),
                )
                .help(format!(
                    "put it as a task of its own behind the switch, `- {}Step: {{ … }}`, and write `then: {}Step` in the case",
                    field.key, field.key
                )),
            );
            return None;
        }
        self.closed(&field.value, &what, &["when", "then"])?;
        let when = match field.value.get("when") {
            Some(when) => Some(self.condition(when, "`when`")?),
            None => None,
        };
        let then = self
            .required(&field.value, &what, "then")
            .and_then(|then| self.then(then))?;
        Some(SwitchCase {
            name: Spanned::new(field.key.to_string(), field.key_span),
            when,
            then,
        })
    }

    fn second_default(&mut self, cases: &[SwitchCase], case: &SwitchCase) {
        if case.when.is_some() {
            return;
        }
        if let Some(first) = cases.iter().find(|case| case.when.is_none()) {
            self.report(
                Diagnostic::error(
                    codes::MANY_DEFAULTS,
                    case.name.span,
                    "a switch has one case without `when`",
                )
                .help("give this case a condition")
                .label(first.name.span, "this one is the default already"),
            );
        }
    }

    pub fn for_task(&mut self, node: &Node, body: &Node, what: &str) -> Option<For> {
        let said = body.as_str().and_then(|text| text.split_once(" in "));
        if let Some((each, list)) = said {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    body.span,
                    "`for` must be an object, found a text",
                )
                .help(format!(
                    "write `for: {{ each: {}, in: '{}' }}`",
                    each.trim(),
                    list.trim()
                )),
            );
            return None;
        }
        self.closed(body, "`for`", &["each", "in", "at"])?;
        let in_ = self.required(body, "`for`", "in");
        let in_ = in_.and_then(|list| self.condition(list, "`in`"));
        let each = self.variable(body, "each", "item");
        let at = self.variable(body, "at", "index");
        let while_ = node
            .get("while")
            .and_then(|condition| self.condition(condition, "`while`"));
        let tasks = match self.required(node, what, "do") {
            Some(tasks) => self.tasks(tasks, &format!("`do` of {what}")),
            None => Vec::new(),
        };
        Some(For {
            each,
            in_: in_?,
            at,
            while_,
            tasks,
        })
    }

    /// The name of a variable, or its default.
    pub fn variable(&mut self, node: &Node, property: &str, default: &str) -> Spanned<String> {
        let fallback = || Spanned::new(default.to_owned(), first_line(node.span));
        let Some(found) = node.get(property) else {
            return fallback();
        };
        let Some(name) = self.text(found, &format!("`{property}`")) else {
            return fallback();
        };
        let plain = name.strip_prefix('$').unwrap_or(&name);
        if !is_identifier(plain) {
            self.report(
                Diagnostic::error(
                    codes::BAD_VALUE,
                    name.span,
                    format!(
                        "`{property}` is the name of a variable, found `{}`",
                        name.value
                    ),
                )
                .help("letters, digits and `_`, beginning with a letter"),
            );
        } else if plain != name.value {
            self.report(
                Diagnostic::error(
                    codes::BAD_VALUE,
                    name.span,
                    format!("`{property}` is a name without `$`"),
                )
                .help(format!(
                    "write `{property}: {plain}`; expressions say `${plain}`"
                )),
            );
        }
        Spanned::new(plain.to_owned(), name.span)
    }

    pub fn fork(&mut self, node: &Node, what: &str) -> Option<Fork> {
        if matches!(node.kind, NodeKind::List(_)) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    first_line(node.span),
                    "the branches of a fork stand under `branches`",
                )
                .help("write `fork: { branches: [ … ] }`"),
            );
            return None;
        }
        self.closed(node, "`fork`", &["branches", "compete"])?;
        let compete = node
            .get("compete")
            .and_then(|compete| self.boolean(compete, "`compete`"))
            .unwrap_or(false);
        let branches = self.required(node, "`fork`", "branches")?;
        Some(Fork {
            branches: self.tasks(branches, &format!("`branches` of {what}")),
            compete,
        })
    }

    pub fn try_task(&mut self, node: &Node, body: &Node, what: &str) -> Option<Try> {
        let tasks = self.tasks(body, &format!("`try` of {what}"));
        let catch = self
            .required(node, what, "catch")
            .and_then(|catch| self.catch(catch, what))?;
        Some(Try { tasks, catch })
    }

    fn catch(&mut self, node: &Node, what: &str) -> Option<Catch> {
        self.closed(
            node,
            "`catch`",
            &["errors", "as", "when", "exceptWhen", "retry", "do", "then"],
        )?;
        let errors = node.get("errors").and_then(|errors| self.caught(errors));
        let as_ = self.variable(node, "as", "error");
        let when = node
            .get("when")
            .and_then(|when| self.condition(when, "`when`"));
        let except_when = node
            .get("exceptWhen")
            .and_then(|when| self.condition(when, "`exceptWhen`"));
        let retry = node.get("retry").and_then(|retry| self.retry(retry));
        let tasks = node
            .get("do")
            .map(|tasks| self.tasks(tasks, &format!("`catch.do` of {what}")))
            .unwrap_or_default();
        let then = node.get("then").and_then(|then| self.then(then));
        Some(Catch {
            span: node.span,
            errors,
            as_,
            when,
            except_when,
            retry,
            tasks,
            then,
        })
    }

    fn caught(&mut self, node: &Node) -> Option<ErrorFilter> {
        let fields = self.object(node, "`errors`")?;
        let direct = ["type", "status", "instance", "title", "detail", "details"];
        if let Some(field) = fields.iter().find(|field| direct.contains(&&*field.key)) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` of a caught error stands under `with`", field.key),
                )
                .help(format!(
                    "write `errors: {{ with: {{ {}: … }} }}`",
                    field.key
                )),
            );
            return None;
        }
        self.only(fields, "`errors`", &["with"]);
        let with = node.get("with")?;
        let fields = self.closed(
            with,
            "`errors.with`",
            &["type", "status", "instance", "title", "details", "detail"],
        )?;
        if fields.is_empty() {
            self.report(
                Diagnostic::error(
                    codes::MISSING_PROPERTY,
                    with.span,
                    "`errors.with` filters by nothing",
                )
                .help("give `type` or `status`, or leave `errors` out to catch all"),
            );
        }
        let mut text = |name: &str| {
            with.get(name)
                .and_then(|node| self.text(node, &format!("`{name}`")))
        };
        let (type_uri, instance, title) = (text("type"), text("instance"), text("title"));
        let detail = text("details").or_else(|| text("detail"));
        let status = with.get("status").and_then(|node| {
            self.integer(node, "`status`")
                .map(|status| Spanned::new(status, node.span))
        });
        Some(ErrorFilter {
            type_uri,
            status,
            instance,
            title,
            detail,
        })
    }
}
