//! The events of the parser, one by one, made into nodes.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle};

use unicode_normalization::UnicodeNormalization;

use super::help::FLATTER;
use super::tree::{Field, Node, NodeKind};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::number::{Number, number};
use crate::place::Places;
use crate::span::Span;

/// Deepest nesting of lists and objects.
const MAX_DEPTH: usize = 100;
/// Most values, counted after aliases are expanded.
const MAX_NODES: usize = 250_000;

/// Behind so many faults it is not looked for what a key that stands twice was meant for.
const LOOKED_FOR_MAX: usize = 100;

/// A list or an object whose end has not come yet.
pub(super) enum Open {
    List {
        span: Span,
        anchor: usize,
        items: Vec<Rc<Node>>,
    },
    Map {
        span: Span,
        anchor: usize,
        fields: Vec<Field>,
        /// The keys so far with their places: looking through `fields` would be quadratic.
        seen: HashMap<Arc<str>, Span>,
        key: Option<(Arc<str>, Span)>,
        skip_value: bool,
    },
}

pub(super) struct Builder<'a> {
    pub places: &'a Places<'a>,
    pub stack: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    nodes: usize,
    pub diagnostics: Vec<Diagnostic>,
    documents: usize,
}

/// Why the text is no YAML, in the parser's words.
pub(super) struct Fault {
    pub span: Span,
    pub info: String,
}

/// Reading ends here; the reason is already among the diagnostics.
struct Stop;

/// The place of the first fault of syntax of a proposal; `None` when it is valid YAML.
pub(super) fn first_fault(source: &str) -> Option<Span> {
    let places = Places::new(source);
    let read = Builder::new(&places).run(source);
    read.err().map(|fault| fault.span)
}

impl<'a> Builder<'a> {
    pub fn new(places: &'a Places<'a>) -> Self {
        Builder {
            places,
            stack: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            nodes: 0,
            diagnostics: Vec::new(),
            documents: 0,
        }
    }

    /// The root, or none where a fault among the diagnostics ended the reading.
    pub fn run(&mut self, source: &str) -> Result<Option<Rc<Node>>, Fault> {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        options.emit_unresolved_aliases = true;
        for event in Parser::new_from_str_with_options(source, options) {
            let (event, span) = event.map_err(|error| Fault {
                span: self.places.point(error.marker()),
                info: error.info().to_string(),
            })?;
            let span = self.places.span(&span);
            if self.event(event, span).is_err() {
                return Ok(self.root.take());
            }
        }
        if self.root.is_none() && self.diagnostics.is_empty() {
            self.diagnostics.push(empty_document());
        }
        Ok(self.root.take())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.scalar(&text, style, anchor, span)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.refuse_collection_key(span);
                self.open(
                    Open::List {
                        span,
                        anchor,
                        items: Vec::new(),
                    },
                    span,
                )
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.refuse_collection_key(span);
                self.open(
                    Open::Map {
                        span,
                        anchor,
                        fields: Vec::new(),
                        seen: HashMap::new(),
                        key: None,
                        skip_value: false,
                    },
                    span,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        codes::UNKNOWN_ALIAS,
                        span,
                        format!("`*{name}` has no anchor `&{name}` before it"),
                    )
                    .help("quote the text when it begins with `*` and is no alias"),
                );
                self.place(
                    Node {
                        span,
                        kind: NodeKind::Null,
                        weight: 1,
                        height: 0,
                    },
                    0,
                )
            }
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents <= 1 {
            return Ok(());
        }
        let message = "expected one document, found a second after `---`";
        self.diagnostics.push(
            Diagnostic::error(codes::MANY_DOCUMENTS, span, message)
                .help("put every workflow into a file of its own"),
        );
        Err(Stop)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        span: Span,
    ) -> Result<(), Stop> {
        let is_key = matches!(self.stack.last(), Some(Open::Map { key: None, .. }));
        if is_key {
            if text == "<<" && style == ScalarStyle::Plain {
                self.diagnostics.push(
                    Diagnostic::error(
                        codes::MERGE_KEY,
                        span,
                        "merge keys (`<<`) are not part of YAML 1.2",
                    )
                    .help("write the keys out, or name what repeats under `use` and refer to it"),
                );
            }
            self.refuse_nul(text, span);
            if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
                self.nameless_key(text, span);
            }
            self.key(Arc::from(text), span);
            return Ok(());
        }
        let kind = if style == ScalarStyle::Plain {
            self.plain(text, span)
        } else {
            NodeKind::Text(Arc::from(text))
        };
        self.refuse_nul(text, span);
        self.place(
            Node {
                span,
                kind,
                weight: 1,
                height: 0,
            },
            anchor,
        )
    }

    /// Resolves a plain scalar by the core schema.
    fn plain(&mut self, text: &str, span: Span) -> NodeKind {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
            "true" | "True" | "TRUE" => return NodeKind::Bool(true),
            "false" | "False" | "FALSE" => return NodeKind::Bool(false),
            _ => {}
        }
        match number(text) {
            Number::No => NodeKind::Text(Arc::from(text)),
            Number::Int(value) => NodeKind::Int(value),
            Number::Float(value) => NodeKind::Float(value),
            Number::Unfit => {
                self.diagnostics.push(
                    Diagnostic::error(
                        codes::NUMBER_RANGE,
                        span,
                        format!("`{text}` cannot be held as a number"),
                    )
                    .help("quote it when it is a text; integers have 64 bits, floats are finite"),
                );
                NodeKind::Null
            }
        }
    }

    /// Takes a key; one that stands twice is reported and its value dropped.
    fn key(&mut self, text: Arc<str>, span: Span) {
        let Some(Open::Map {
            fields,
            seen,
            key,
            skip_value,
            ..
        }) = self.stack.last_mut()
        else {
            return;
        };
        // Keys that differ only in how their characters are composed look the same.
        let composed: Arc<str> = if text.is_ascii() {
            Arc::clone(&text)
        } else {
            text.nfc().collect::<String>().into()
        };
        let first = seen.insert(composed, span);
        if let Some(first) = first {
            self.diagnostics.push(
                Diagnostic::error(
                    codes::DUPLICATE_KEY,
                    span,
                    format!("the key `{text}` stands twice in one object"),
                )
                .help("keep one of them, or rename one")
                .label(first, "first given here"),
            );
        }
        // `do:` left empty before a second `do:`: the second is what was meant.
        let looked_for = first.is_some() && self.diagnostics.len() < LOOKED_FOR_MAX;
        let is_empty =
            |field: &Field| field.key == text && matches!(field.value.kind, NodeKind::Null);
        let empty = if looked_for {
            fields.iter().rposition(is_empty)
        } else {
            None
        };
        if let Some(empty) = empty {
            fields.remove(empty);
        }
        *skip_value = first.is_some() && empty.is_none();
        *key = Some((text, span));
    }

    fn open(&mut self, open: Open, span: Span) -> Result<(), Stop> {
        if self.stack.len() >= MAX_DEPTH {
            self.diagnostics.push(too_deep(span));
            self.root = None;
            return Err(Stop);
        }
        self.stack.push(open);
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Stop> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let (span, anchor, mut kind) = match open {
            Open::List {
                span,
                anchor,
                items,
            } => (span, anchor, NodeKind::List(items)),
            Open::Map {
                span,
                anchor,
                fields,
                ..
            } => (span, anchor, NodeKind::Map(fields)),
        };
        if let NodeKind::Map(fields) = &mut kind {
            merge(fields);
            self.joined_keys(fields);
        }
        let (mut weight, mut height, mut last) = (1_usize, 0_usize, span.end);
        let mut add = |node: &Node| {
            weight = weight.saturating_add(node.weight);
            height = height.max(node.height + 1);
            last = last.max(node.span.end.min(end.end));
        };
        match &kind {
            NodeKind::List(items) => items.iter().for_each(|item| add(item)),
            NodeKind::Map(fields) => fields.iter().for_each(|field| add(&field.value)),
            _ => {}
        }
        // A flow collection ends with its bracket, a block collection with its last value.
        let flow = self
            .places
            .byte_at(span.start)
            .is_some_and(|byte| byte == b'[' || byte == b'{');
        let span = Span {
            end: if flow { end.end } else { last },
            ..span
        };
        self.place(
            Node {
                span,
                kind,
                weight,
                height,
            },
            anchor,
        )
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            let message = "an alias must not refer to what holds it";
            self.diagnostics.push(
                Diagnostic::error(codes::UNKNOWN_ALIAS, span, message).help("write the values out"),
            );
            return self.place(
                Node {
                    span,
                    kind: NodeKind::Null,
                    weight: 1,
                    height: 0,
                },
                0,
            );
        };
        if self.stack.len() + node.height > MAX_DEPTH {
            let message =
                format!("with this alias expanded, lists and objects nest deeper than {MAX_DEPTH}");
            self.diagnostics
                .push(Diagnostic::error(codes::TOO_DEEP, span, message).help(FLATTER));
            self.root = None;
            return Err(Stop);
        }
        let weight = node.weight;
        self.attach(node, span, weight)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        let span = node.span;
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.attach(node, span, 1)
    }

    /// Puts a finished value where it belongs. It counts against the budget: once, since what it holds was counted before,
    /// and what an alias repeats with all that it holds.
    fn attach(&mut self, node: Rc<Node>, span: Span, count: usize) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(count);
        if self.nodes > MAX_NODES {
            self.diagnostics.push(
                Diagnostic::error(codes::TOO_MANY_VALUES, span, format!("a definition holds at most {MAX_NODES} values, aliases expanded"))
                    .help("aliases that repeat aliases multiply; write the values out or move them into a file of the pack"),
            );
            self.root = None;
            return Err(Stop);
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map {
                fields,
                key,
                skip_value,
                ..
            }) => {
                if let Some((key, key_span)) = key.take() {
                    if !*skip_value {
                        fields.push(Field {
                            key,
                            key_span,
                            value: node,
                        });
                    }
                } else {
                    // A list or an object as a key was reported when it opened; it stands for an unnamed key.
                    *skip_value = true;
                    *key = Some((Arc::from(""), span));
                }
            }
        }
        Ok(())
    }
}

/// A merge key was refused where it stands; what it brings is there for the checks, so that they do not miss it.
fn merge(fields: &mut Vec<Field>) {
    let Some(at) = fields.iter().position(|field| &*field.key == "<<") else {
        return;
    };
    let merged = fields.remove(at);
    let own: HashSet<Arc<str>> = fields.iter().map(|field| Arc::clone(&field.key)).collect();
    let brought = merged.value.fields().iter();
    fields.extend(brought.filter(|field| !own.contains(&field.key)).cloned());
}

/// Lists and objects that nest too deep.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    let message = format!("lists and objects nest at most {MAX_DEPTH} deep");
    Diagnostic::error(codes::TOO_DEEP, span, message).help(FLATTER)
}

fn empty_document() -> Diagnostic {
    Diagnostic::error(
        codes::EMPTY,
        Span {
            line: 1,
            column: 1,
            ..Span::default()
        },
        "the document is empty",
    )
    .help("a workflow needs at least `document` and `do`")
}
