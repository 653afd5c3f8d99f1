//! Other YAML files of a pack, read by the same parser under the same budgets.

use tongban_expr::Value;

use crate::codes::{self, Code};
use crate::definition::{Entry, Template, TemplateKind};
use crate::diagnostic::{Diagnostic, in_order};
use crate::node::{self, Node, NodeKind};
use crate::parse::{commented, value};
use crate::place::Places;
use crate::shape;
use crate::span::Span;

/// A YAML file as data with the places of its values.
#[derive(Debug)]
pub struct Placed {
    /// The data; `None` when the text could not be read.
    pub value: Option<Value>,
    /// Faults of the text: syntax, duplicate keys, tags, sizes.
    pub diagnostics: Vec<Diagnostic>,
    root: Option<std::rc::Rc<Node>>,
}

impl Placed {
    /// Everything in which the data does not fit a schema, each at its place. `file` is what messages call the whole.
    ///
    /// The schema is a JSON Schema as far as signatures of functions use it; keys that begin with `x-` always pass.
    #[must_use]
    pub fn unfit(&self, schema: &Value, file: &str, code: Code) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        if let Some(root) = self.root.as_deref() {
            shape::check_file(&literal(root), schema, file, code, &mut faults);
        }
        in_order(faults)
    }

    /// The place of a JSON pointer (`/do/0/x`), or of the nearest value around it.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Span {
        let mut span = Span {
            line: 1,
            column: 1,
            ..Span::default()
        };
        let Some(mut node) = self.root.as_deref() else {
            return span;
        };
        span = node.span;
        for name in names(pointer) {
            let Some((inner, place)) = below(node, &name) else {
                break;
            };
            let whole = matches!(inner.kind, NodeKind::Map(_) | NodeKind::List(_));
            // Where nothing stands behind the colon, there is nothing to mark either.
            span = if whole || inner.span.start == inner.span.end {
                place
            } else {
                inner.span
            };
            node = inner;
        }
        span
    }

    /// Texts that people read and that YAML cut short at ` #`; `source` is what was read.
    #[must_use]
    pub fn cut_titles(&self, source: &str) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if let Some(root) = self.root.as_deref() {
            let source = source.strip_prefix('\u{feff}').unwrap_or(source);
            cut_titles(root, source, &mut found);
        }
        found
    }

    /// What to write when a key is none, but the rest of a text that a comma cut off: `{ reason: 甲,乙 }`.
    #[must_use]
    pub fn behind_comma(&self, pointer: &str) -> Option<String> {
        let (around, name) = pointer.rsplit_once('/')?;
        let mut node = self.root.as_deref()?;
        for name in names(around) {
            node = below(node, &name)?.0;
        }
        let key = unescaped(name);
        let at = node.fields().iter().position(|field| *field.key == *key)?;
        shape::behind_comma(literal(node).entries(), at)
    }
}

/// Keys of texts that people read.
const TITLES: &[&str] = &[
    "title",
    "summary",
    "description",
    "group",
    "unit",
    "basis",
    "x-en",
    "en",
    "zh-CN",
    "x-help",
];

/// A text that people read and that a comment cut short.
pub(crate) fn cut_title(source: &str, span: Span) -> Option<Diagnostic> {
    let comment = commented(source, span)?;
    let text = source.get(span.range()).unwrap_or("");
    let message = format!("`{comment}` is a comment: the text ends before it");
    let whole = format!("{text} {comment}").replace('\'', "''");
    Some(
        Diagnostic::warning(codes::BAD_VALUE, span, message).help(format!(
            "put the text into quotes: '{whole}'; a comment that is meant has a space behind its `#`"
        )),
    )
}

fn cut_titles(node: &Node, source: &str, found: &mut Vec<Diagnostic>) {
    let inner = match &node.kind {
        NodeKind::List(items) => items.iter().map(|item| &**item).collect(),
        NodeKind::Map(fields) => {
            for field in fields.iter().filter(|field| TITLES.contains(&&*field.key)) {
                if field.value.as_str().is_some() {
                    found.extend(cut_title(source, field.value.span));
                }
            }
            fields.iter().map(|field| &*field.value).collect()
        }
        _ => Vec::new(),
    };
    for node in inner {
        cut_titles(node, source, found);
    }
}

/// The parts of a JSON pointer.
fn names(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(unescaped)
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// What stands in an object or a list under a name, with the place of the name.
fn below<'n>(node: &'n Node, name: &str) -> Option<(&'n Node, Span)> {
    match &node.kind {
        NodeKind::Map(fields) => fields
            .iter()
            .find(|field| *field.key == *name)
            .map(|field| (&*field.value, field.key_span)),
        NodeKind::List(items) => name
            .parse::<usize>()
            .ok()
            .and_then(|at| items.get(at))
            .map(|item| (&**item, item.span)),
        _ => None,
    }
}

/// A node as a value that holds no expressions.
fn literal(node: &Node) -> Template {
    let kind = match &node.kind {
        NodeKind::List(items) => {
            TemplateKind::List(items.iter().map(|item| literal(item)).collect())
        }
        NodeKind::Map(fields) => TemplateKind::Object(
            fields
                .iter()
                .map(|field| Entry {
                    key: std::sync::Arc::clone(&field.key),
                    key_span: field.key_span,
                    value: literal(&field.value),
                })
                .collect(),
        ),
        _ => TemplateKind::Literal(value(node)),
    };
    Template {
        span: node.span,
        kind,
    }
}

/// Reads a YAML file as data.
#[must_use]
pub fn read_yaml(source: &str) -> (Option<Value>, Vec<Diagnostic>) {
    let placed = read_yaml_placed(source);
    (placed.value, placed.diagnostics)
}

/// Reads a YAML file as data and keeps the places of its values.
#[must_use]
pub fn read_yaml_placed(source: &str) -> Placed {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let read = node::read(source, &Places::new(source));
    let value = read.root.as_deref().map(value);
    Placed {
        value,
        diagnostics: read.diagnostics,
        root: read.root,
    }
}
