//! Reading objects, texts and choices out of nodes, with the faults that all of them share.

use tongban_expr::Value;

use crate::chinese;
use crate::codes;
use crate::definition::{Language, Mode};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::span::{Span, Spanned};
use crate::suggest;
use crate::width;

/// Reads one document; holds what applies to all of it.
pub(crate) struct Reader {
    pub diagnostics: Vec<Diagnostic>,
    pub language: Language,
    pub mode: Mode,
    /// The text that is read, to see what stands around a value.
    pub source: std::sync::Arc<str>,
}

/// Words that authors bring from other languages, and ours for them.
const SYNONYMS: &[(&str, &str)] = &[
    ("url", "endpoint"),
    ("uri", "endpoint"),
    ("address", "endpoint"),
    ("verb", "method"),
    ("payload", "body"),
    ("json", "body"),
    ("params", "query"),
    ("condition", "when"),
    ("next", "then"),
    ("goto", "then"),
    ("transition", "then"),
    ("tasks", "do"),
    ("steps", "do"),
    ("states", "do"),
    ("actions", "do"),
    ("id", "name"),
    ("description", "summary"),
    ("args", "with"),
    ("arguments", "with"),
    ("parameters", "with"),
    ("items", "in"),
    ("collection", "in"),
    ("index", "at"),
    ("item", "each"),
    ("message", "detail"),
    ("code", "status"),
    ("assignee", "to"),
    ("assignees", "to"),
    ("approvers", "to"),
    ("users", "to"),
    ("deadline", "due"),
    ("when", "if"),
    ("trigger", "schedule"),
    ("triggers", "schedule"),
    ("on", "schedule"),
    ("inputs", "input"),
    ("outputs", "output"),
    ("functions", "use"),
    ("secrets", "use"),
    ("errors", "use"),
    ("retries", "use"),
];

impl Reader {
    pub fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            diagnostics,
            language: Language::Jq,
            mode: Mode::Strict,
            source: std::sync::Arc::from(""),
        }
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The fields of an object; anything else is a fault.
    pub fn object<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Field]> {
        match &node.kind {
            NodeKind::Map(fields) => Some(fields),
            _ => {
                self.wrong_type(node, what, "an object");
                None
            }
        }
    }

    /// The fields of an object that has only these properties.
    pub fn closed<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        properties: &[&str],
    ) -> Option<&'n [Field]> {
        let fields = self.object(node, what)?;
        self.only(fields, what, properties);
        Some(fields)
    }

    /// Reports every field that is none of these.
    pub fn only(&mut self, fields: &[Field], what: &str, properties: &[&str]) {
        for field in fields
            .iter()
            .filter(|field| !properties.contains(&&*field.key))
        {
            self.unknown_property(field, what, properties);
        }
    }

    pub fn unknown_property(&mut self, field: &Field, what: &str, properties: &[&str]) {
        if let Some(fault) = width::key(&field.key, field.key_span, properties) {
            self.report(fault);
            return;
        }
        let help = synonym(&field.key, properties)
            .or_else(|| chinese::key(&field.key, properties).map(called))
            .or_else(|| suggest::did_you_mean(&field.key, properties.iter().copied()));
        self.report(
            Diagnostic::error(
                codes::UNKNOWN_PROPERTY,
                field.key_span,
                format!("{what} has no property `{}`", field.key),
            )
            .help_if(help),
        );
    }

    pub fn missing(&mut self, span: Span, what: &str, property: &str) {
        self.report(
            Diagnostic::error(
                codes::MISSING_PROPERTY,
                first_line(span),
                format!("{what} needs `{property}`"),
            )
            .help(added(property)),
        );
    }

    /// A property that must be there.
    pub fn required<'n>(&mut self, node: &'n Node, what: &str, property: &str) -> Option<&'n Node> {
        let found = node.get(property);
        // Its misspelt form is reported as such; "missing" beside it would only be noise.
        let misspelt = node.fields().iter().any(|field| {
            let near = meant(&field.key) == Some(property)
                || chinese::key(&field.key, &[property]).is_some()
                || suggest::nearest(&field.key, [property]).is_some();
            let told = |fault: &Diagnostic| {
                fault.code == codes::UNKNOWN_PROPERTY && fault.span == field.key_span
            };
            near && self.diagnostics.iter().any(told)
        });
        if found.is_none() && !misspelt {
            self.missing(node.span, what, property);
        }
        found.map(|node| &**node)
    }

    pub fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        let fault = Diagnostic::error(
            codes::WRONG_TYPE,
            first_line(node.span),
            format!("{what} must be {expected}, found {}", node.kind_name()),
        );
        let help = match node.kind {
            NodeKind::Int(_) | NodeKind::Float(_) | NodeKind::Bool(_)
                if expected.starts_with("a text") =>
            {
                Some("put it into quotes".to_owned())
            }
            NodeKind::Null if expected.starts_with("a text") => {
                Some("write it behind the colon, or leave the key out".to_owned())
            }
            NodeKind::List(_) if expected.starts_with("an object") => {
                Some("take the `- ` or the brackets away: `key: value` pairs, no list".to_owned())
            }
            _ if expected.starts_with("an object") => {
                Some("write `key: value` pairs, indented below it".to_owned())
            }
            NodeKind::List(_) | NodeKind::Map(_) if expected.starts_with("a text") => {
                Some("one text stands here, without brackets or braces".to_owned())
            }
            NodeKind::Int(_) | NodeKind::Float(_) if expected.starts_with("a whole number") => {
                Some("write whole numbers from 0 on; a smaller unit says parts of it".to_owned())
            }
            _ if expected.starts_with("a whole number") => {
                Some("write its digits, without quotes".to_owned())
            }
            _ if expected.starts_with("true or false") => Some(truth(node).to_owned()),
            NodeKind::Text(ref text) if expected.starts_with("a list") => {
                Some(format!("write `[{text}]`, or one line with `- ` for each"))
            }
            _ if expected.starts_with("a list") => {
                Some("write it in brackets, or one line with `- ` for each".to_owned())
            }
            _ if expected.starts_with("an expression") => {
                Some("write an expression in single quotes".to_owned())
            }
            _ => Some(format!("write {expected} here")),
        };
        self.report(fault.help_if(help));
    }

    pub fn text(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        match node.as_str() {
            Some(text) => Some(Spanned::new(text.to_owned(), node.span)),
            None => {
                self.wrong_type(node, what, "a text");
                None
            }
        }
    }

    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.kind {
            NodeKind::Bool(value) => Some(value),
            _ => {
                self.wrong_type(node, what, "true or false");
                None
            }
        }
    }

    pub fn integer(&mut self, node: &Node, what: &str) -> Option<i64> {
        match node.kind {
            NodeKind::Int(value) => Some(value),
            _ => {
                self.wrong_type(node, what, "a whole number");
                None
            }
        }
    }

    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [std::rc::Rc<Node>]> {
        match &node.kind {
            NodeKind::List(items) => Some(items),
            _ => {
                self.wrong_type(node, what, "a list");
                None
            }
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<Spanned<String>> {
        let items = self.list(node, what).unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.text(item, &format!("each entry of {what}")))
            .collect()
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let Some(text) = node.as_str() else {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    first_line(node.span),
                    format!("{what} must be a text, found {}", node.kind_name()),
                )
                .help(format!("write {}", suggest::list(&words))),
            );
            return None;
        };
        let found = choices
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value);
        if found.is_none() {
            self.report(
                Diagnostic::error(
                    codes::BAD_VALUE,
                    node.span,
                    format!("{what} is {}, found `{text}`", suggest::list(&words)),
                )
                .help(
                    chinese::value(text, &words)
                        .or_else(|| suggest::nearest(text, words.iter().copied()))
                        .map_or_else(
                            || format!("write {}", suggest::list(&words)),
                            |near| format!("did you mean `{near}`?"),
                        ),
                ),
            );
        }
        found
    }
}

/// What to write where `true` or `false` is wanted.
fn truth(node: &Node) -> &'static str {
    match node.as_str().map(str::to_lowercase).as_deref() {
        Some("yes" | "on" | "y" | "true" | "是") => "write `true`",
        Some("no" | "off" | "n" | "false" | "否") => "write `false`",
        _ => "write `true` or `false`, without quotes",
    }
}

/// Our word for one that authors bring from elsewhere.
fn meant(word: &str) -> Option<&'static str> {
    SYNONYMS
        .iter()
        .find(|(foreign, _)| *foreign == word)
        .map(|(_, ours)| *ours)
}

/// The help for a word that authors use for one of ours.
fn synonym(word: &str, properties: &[&str]) -> Option<String> {
    let lower = word.to_lowercase();
    SYNONYMS
        .iter()
        .find(|(foreign, ours)| *foreign == lower && properties.contains(ours))
        .map(|(_, ours)| called(ours))
}

fn called(ours: &str) -> String {
    format!("it is called `{ours}` here")
}

/// The value of a node as data: nothing in it is an expression.
pub(crate) fn value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::from(*value),
        NodeKind::Int(value) => Value::from(*value),
        NodeKind::Float(value) => Value::Float(*value),
        NodeKind::Text(text) => Value::from(&**text),
        NodeKind::List(items) => {
            Value::from(items.iter().map(|item| value(item)).collect::<Vec<Value>>())
        }
        NodeKind::Map(fields) => Value::object(
            fields
                .iter()
                .map(|field| (&*field.key, value(&field.value))),
        ),
    }
}

/// A span for faults of a whole block: its caret stands at the block's start.
pub(crate) fn first_line(span: Span) -> Span {
    if span.end.saturating_sub(span.start) > 200 {
        Span {
            end: span.start + 1,
            ..span
        }
    } else {
        span
    }
}

/// What to add where a property is missing.
fn added(property: &str) -> String {
    match property {
        "document" => {
            "begin with `document: { dsl: '1.0.3', namespace: …, name: …, version: '1.0.0' }`"
                .to_owned()
        }
        "do" => "add `do:` and below it a list of tasks, `- name: { … }`".to_owned(),
        "then" => "add `then:` with the name of a task, or `continue`, `exit` or `end`".to_owned(),
        "catch" => "add `catch: { do: [ … ] }`".to_owned(),
        "in" => "add the list to go through: `in: '${ … }'`".to_owned(),
        other => format!("add `{other}: …`"),
    }
}
