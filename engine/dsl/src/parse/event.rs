//! Listening: which events, how many, until when.

use super::reader::{Reader, first_line};
use super::retry::has_scheme;
use crate::codes;
use crate::definition::{
    Consumption, Correlation, EventFilter, EventPattern, Iterator, Listen, Read, Until,
};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::span::Spanned;

impl Reader {
    pub fn listen(&mut self, task: &Node, node: &Node) -> Option<Listen> {
        let direct = ["one", "any", "all", "with"];
        if let Some(field) = node
            .fields()
            .iter()
            .find(|field| direct.contains(&&*field.key))
        {
            let to = if &*field.key == "with" {
                "one: { with: … }".to_owned()
            } else {
                format!("{}: …", field.key)
            };
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` stands under `listen.to`", field.key),
                )
                .help(format!("write `listen: {{ to: {{ {to} }} }}`")),
            );
            return None;
        }
        if self.bare_event(node, "listen: { to: { one: { with:") {
            return None;
        }
        if let Some(field) = node.fields().iter().find(|field| &*field.key == "foreach") {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    "`foreach` stands beside `listen`, not inside",
                )
                .help("move it one level out"),
            );
            return None;
        }
        self.closed(node, "`listen`", &["to", "read"])?;
        let to = self
            .required(node, "`listen`", "to")
            .and_then(|to| self.consumption(to, "`to`"));
        let reads = [
            ("data", Read::Data),
            ("envelope", Read::Envelope),
            ("raw", Read::Raw),
        ];
        let read = node
            .get("read")
            .and_then(|read| self.choice(read, "`read`", &reads))
            .unwrap_or_default();
        let foreach = task
            .get("foreach")
            .and_then(|foreach| self.iterator(foreach));
        Some(Listen {
            to: to?,
            read,
            foreach,
        })
    }

    /// The type of an event, or its properties, where a wrapper is missing. Tells whether that was found.
    fn bare_event(&mut self, node: &Node, wrapped: &str) -> bool {
        let closing = "}".repeat(wrapped.matches('{').count());
        let closing: Vec<String> = closing.chars().map(String::from).collect();
        let (span, found, inner) = match (node.as_str(), node.fields()) {
            (Some(text), _) => (node.span, "a text".to_owned(), format!("type: {text}")),
            (None, fields) => {
                let bare = ["type", "event", "events", "source", "topic", "message"];
                let Some(field) = fields.iter().find(|field| bare.contains(&&*field.key)) else {
                    return false;
                };
                let name = field.value.as_str();
                let name = name.or_else(|| field.value.get("type").and_then(|name| name.as_str()));
                let inner = format!("type: {}", name.unwrap_or("…"));
                (field.key_span, format!("`{}`", field.key), inner)
            }
        };
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                span,
                format!(
                    "which events are heard stands under `to`, `one` and `with`, found {found}"
                ),
            )
            .help(format!(
                "write `{wrapped} {{ {inner} }} {}`",
                closing.join(" ")
            )),
        );
        true
    }

    /// `one`, `any` (with `until`) or `all`.
    pub fn consumption(&mut self, node: &Node, what: &str) -> Option<Consumption> {
        let name = what.trim_matches('`');
        if self.bare_event(node, &format!("{name}: {{ one: {{ with:")) {
            return None;
        }
        self.closed(node, what, &["one", "any", "all", "until"])?;
        let chosen: Vec<&str> = ["one", "any", "all"]
            .into_iter()
            .filter(|name| node.get(name).is_some())
            .collect();
        let [chosen] = chosen.as_slice() else {
            let found = if chosen.is_empty() {
                "none".to_owned()
            } else {
                chosen.join(" and ")
            };
            self.report(
                Diagnostic::error(
                    codes::MISSING_PROPERTY,
                    first_line(node.span),
                    format!("{what} listens to one, any or all; found {found}"),
                )
                .help("write `one: { with: { type: … } }`, or a list under `any` or `all`"),
            );
            return None;
        };
        let body = node.get(chosen)?;
        if *chosen != "any"
            && let Some(until) = node.get("until")
        {
            self.report(
                Diagnostic::error(
                    codes::UNKNOWN_PROPERTY,
                    first_line(until.span),
                    format!("`until` belongs to `any`, not to `{chosen}`"),
                )
                .help("use `any` to listen until something holds"),
            );
        }
        match *chosen {
            "one" => self
                .filter(body)
                .map(|filter| Consumption::One(Box::new(filter))),
            "all" => Some(Consumption::All(self.filters(body, "all"))),
            _ => {
                let filters = self.filters(body, "any");
                let until = node.get("until").and_then(|until| self.until(until));
                Some(Consumption::Any { filters, until })
            }
        }
    }

    fn until(&mut self, node: &Node) -> Option<Until> {
        match &node.kind {
            NodeKind::Text(_) | NodeKind::Bool(_) => {
                let condition = self.condition(node, "`until`")?;
                Some(if &*condition.text == "false" {
                    Until::Never
                } else {
                    Until::Condition(condition)
                })
            }
            NodeKind::Map(_) => {
                if let Some(inner) = node.get("until") {
                    self.report(
                        Diagnostic::error(codes::UNKNOWN_PROPERTY, first_line(inner.span), "the events that stop a listener have no `until` of their own")
                            .help("make the condition the `until` of the outer `any`, or name the stopping events only"),
                    );
                }
                self.consumption(node, "`until`")
                    .map(|stop| Until::Consumed(Box::new(stop)))
            }
            _ => {
                self.wrong_type(node, "`until`", "a condition or events");
                None
            }
        }
    }

    fn filters(&mut self, node: &Node, name: &str) -> Vec<EventFilter> {
        if matches!(node.kind, NodeKind::Map(_)) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    first_line(node.span),
                    format!("`{name}` must be a list of filters, found an object"),
                )
                .help(format!("write `{name}: [{{ with: {{ … }} }}]`")),
            );
            return Vec::new();
        }
        let items = self.list(node, &format!("`{name}`")).unwrap_or_default();
        items.iter().filter_map(|item| self.filter(item)).collect()
    }

    fn filter(&mut self, node: &Node) -> Option<EventFilter> {
        let fields = self.object(node, "an event filter")?;
        if node.get("with").is_none()
            && let Some(field) = fields
                .iter()
                .find(|field| matches!(&*field.key, "type" | "source" | "subject" | "data"))
        {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` of an event filter stands under `with`", field.key),
                )
                .help(format!("write `with: {{ {}: … }}`", field.key)),
            );
            return None;
        }
        self.only(fields, "an event filter", &["with", "correlate"]);
        let with = self.required(node, "an event filter", "with")?;
        let attributes = self.object(with, "`with`")?;
        if attributes.is_empty() {
            self.report(
                Diagnostic::error(
                    codes::MISSING_PROPERTY,
                    with.span,
                    "an event filter needs at least one attribute",
                )
                .help("give `type`"),
            );
        }
        self.event_attributes(with);
        let with = self
            .entries(with)
            .into_iter()
            .map(|entry| EventPattern {
                attribute: Spanned::new(entry.key.to_string(), entry.key_span),
                value: entry.value,
            })
            .collect();
        let correlate = match node.get("correlate") {
            Some(correlate) => self.correlations(correlate),
            None => Vec::new(),
        };
        Some(EventFilter {
            span: node.span,
            with,
            correlate,
        })
    }

    /// The attributes of CloudEvents have types; extension attributes are open.
    pub fn event_attributes(&mut self, with: &Node) {
        for field in with.fields() {
            let what = format!("`{}` of an event", field.key);
            let known = matches!(
                &*field.key,
                "id" | "source" | "type" | "time" | "subject" | "datacontenttype" | "dataschema"
            );
            if !known {
                continue;
            }
            let Some(text) = self.text(&field.value, &what) else {
                continue;
            };
            let uri = matches!(&*field.key, "source" | "dataschema");
            if uri && !text.contains("${") && !has_scheme(&text) {
                let message = format!("{what} is a URI, found `{}`", text.value);
                self.report(
                    Diagnostic::error(codes::BAD_URI, text.span, message)
                        .help("begin with a scheme, for example https://"),
                );
            }
        }
    }

    fn correlations(&mut self, node: &Node) -> Vec<Correlation> {
        let fields = self.object(node, "`correlate`").unwrap_or_default();
        let mut found = Vec::new();
        for field in fields {
            let what = format!("the correlation `{}`", field.key);
            if self.object(&field.value, &what).is_none() {
                continue;
            }
            self.only(field.value.fields(), &what, &["from", "expect"]);
            let from = self
                .required(&field.value, &what, "from")
                .and_then(|from| self.condition(from, "`from`"));
            let expect = field
                .value
                .get("expect")
                .map(|expect| self.template(expect));
            if let Some(from) = from {
                found.push(Correlation {
                    name: Spanned::new(field.key.to_string(), field.key_span),
                    from,
                    expect,
                });
            }
        }
        found
    }

    fn iterator(&mut self, node: &Node) -> Option<Iterator> {
        self.closed(node, "`foreach`", &["item", "at", "do", "output", "export"])?;
        Some(Iterator {
            span: node.span,
            item: self.variable(node, "item", "item"),
            at: self.variable(node, "at", "index"),
            tasks: node
                .get("do")
                .map(|tasks| self.tasks(tasks, "`foreach.do`"))
                .unwrap_or_default(),
            output: node
                .get("output")
                .and_then(|output| self.output(output, "`output`")),
            export: node.get("export").and_then(|export| self.export(export)),
        })
    }
}
