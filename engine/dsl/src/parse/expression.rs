//! Finding expressions in texts.

use std::sync::Arc;

use tongban_expr::Value;

use super::reader::{Reader, value};
use crate::codes;
use crate::definition::{
    Entry, ExpressionSource, Language, Mode, Template, TemplateKind, TextPart,
};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::place::Places;
use crate::span::Span;

impl Reader {
    /// An expression that may stand bare: `if`, `when`, `while`, `in`.
    pub fn condition(&mut self, node: &Node, what: &str) -> Option<ExpressionSource> {
        match &node.kind {
            NodeKind::Text(text) => self.bare(text, node.span, what),
            NodeKind::Bool(value) => {
                let message = format!("{what} must be an expression (a text), found {value}");
                self.report(
                    Diagnostic::error(codes::WRONG_TYPE, node.span, message)
                        .help(format!("put it into quotes: '{value}'")),
                );
                None
            }
            _ => {
                self.wrong_type(node, what, "an expression (a text)");
                None
            }
        }
    }

    /// `input.from`, `output.as`, `export.as`: an expression that may stand bare, or an object of templates.
    pub fn transformation(&mut self, node: &Node, what: &str) -> Option<Template> {
        match &node.kind {
            NodeKind::Text(text)
                if whole(text, self.language).is_some()
                    || !text.contains("${")
                    || self.is_rhai() =>
            {
                let source = self.bare(text, node.span, what)?;
                Some(Template {
                    span: node.span,
                    kind: TemplateKind::Expression(source),
                })
            }
            NodeKind::Text(_) | NodeKind::Map(_) => Some(self.template(node)),
            _ => {
                self.wrong_type(node, what, "an expression or an object");
                None
            }
        }
    }

    fn is_rhai(&self) -> bool {
        self.language == Language::Rhai
    }

    fn bare(&mut self, text: &Arc<str>, span: Span, what: &str) -> Option<ExpressionSource> {
        let (start, end) = whole(text, self.language).unwrap_or((0, text.len()));
        if start == 0
            && text.trim_start().starts_with("${")
            && close(text, text.find("${").unwrap_or(0) + 2, self.language).is_none()
        {
            self.unclosed(text, span);
            return None;
        }
        let source = self.source(text, start, end, span, Mode::Strict);
        if source.text.is_empty() {
            self.report(
                Diagnostic::error(
                    codes::EMPTY_EXPRESSION,
                    span,
                    format!("{what} is an empty expression"),
                )
                .help("write a condition, or leave the property out"),
            );
            return None;
        }
        Some(source)
    }

    /// A value whose texts may be or hold expressions.
    pub fn template(&mut self, node: &Node) -> Template {
        let kind = match &node.kind {
            NodeKind::Text(text) => self.text_template(text, node.span),
            NodeKind::List(items) => {
                TemplateKind::List(items.iter().map(|item| self.template(item)).collect())
            }
            NodeKind::Map(_) => TemplateKind::Object(self.entries(node)),
            _ => TemplateKind::Literal(value(node)),
        };
        Template {
            span: node.span,
            kind,
        }
    }

    /// The fields of an object, each as a template.
    pub fn entries(&mut self, node: &Node) -> Vec<Entry> {
        node.fields()
            .iter()
            .map(|field| Entry {
                key: Arc::clone(&field.key),
                key_span: field.key_span,
                value: self.template(&field.value),
            })
            .collect()
    }

    fn text_template(&mut self, text: &Arc<str>, span: Span) -> TemplateKind {
        let literal = || TemplateKind::Literal(Value::from(&**text));
        if !text.contains("${") {
            let loose = self.mode == Mode::Loose && !text.trim().is_empty();
            return if loose {
                TemplateKind::Expression(self.source(text, 0, text.len(), span, Mode::Loose))
            } else {
                literal()
            };
        }
        if let Some((start, end)) = whole(text, self.language) {
            let source = self.source(text, start, end, span, Mode::Strict);
            if source.text.is_empty() {
                self.report(
                    Diagnostic::error(
                        codes::EMPTY_EXPRESSION,
                        span,
                        "there is no expression between `${` and `}`",
                    )
                    .help("write one, or `null` for no value"),
                );
                return literal();
            }
            return TemplateKind::Expression(source);
        }
        match self.parts(text, span) {
            Some(parts) => TemplateKind::Text(parts),
            None => {
                self.unclosed(text, span);
                literal()
            }
        }
    }

    /// Text with expressions inside; `None` when one is not closed.
    fn parts(&mut self, text: &Arc<str>, span: Span) -> Option<Vec<TextPart>> {
        let mut parts = Vec::new();
        let mut rest = 0;
        while let Some(found) = text.get(rest..).and_then(|tail| tail.find("${")) {
            let open = rest + found;
            let end = close(text, open + 2, self.language)?;
            if open > rest {
                parts.push(TextPart::Literal(Arc::from(text.get(rest..open)?)));
            }
            parts.push(TextPart::Expression(self.source(
                text,
                open + 2,
                end,
                span,
                Mode::Strict,
            )));
            rest = end + 1;
        }
        if rest < text.len() {
            parts.push(TextPart::Literal(Arc::from(text.get(rest..)?)));
        }
        Some(parts)
    }

    /// The expression in `text[start..end]`, trimmed.
    fn source(
        &self,
        text: &Arc<str>,
        start: usize,
        end: usize,
        span: Span,
        mode: Mode,
    ) -> ExpressionSource {
        let inner = text.get(start..end).unwrap_or("");
        let trimmed = inner.trim_start();
        let offset = start + inner.len() - trimmed.len();
        ExpressionSource {
            text: Arc::from(trimmed.trim_end()),
            language: self.language,
            mode,
            span,
            scalar: Arc::clone(text),
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
        }
    }

    fn unclosed(&mut self, text: &str, span: Span) {
        if let Some((at, bracket)) = open_bracket(text).filter(|_| self.cut_off(span).is_none()) {
            let place = Places::new(&self.source).inside(span, text, at..at + 1);
            self.report(
                Diagnostic::error(
                    codes::UNCLOSED,
                    place,
                    format!("`{bracket}` opens inside of the expression and is not closed before its `}}`"),
                )
                .help(format!("close it: `{bracket}` … `{}`", closing(bracket))),
            );
            return;
        }
        let help = self
            .cut_off(span)
            .unwrap_or("balance braces, brackets and quotes inside the expression");
        self.report(
            Diagnostic::error(
                codes::UNCLOSED,
                span,
                "an expression begins with `${` and has no `}` of its own",
            )
            .help(help),
        );
    }

    /// Why YAML ended an unquoted text before its author did.
    fn cut_off(&self, span: Span) -> Option<&'static str> {
        cut_off(&self.source, span)
    }
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The innermost bracket behind `${` that is still open where a `}` closes.
fn open_bracket(text: &str) -> Option<(usize, char)> {
    let start = text.find("${")? + 2;
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote: Option<char> = None;
    for (at, letter) in text.char_indices().filter(|(at, _)| *at >= start) {
        match (letter, quote) {
            (_, Some(end)) if letter == end => quote = None,
            (_, Some(_)) => {}
            ('"' | '`', None) => quote = Some(letter),
            ('(' | '[' | '{', None) => open.push((at, letter)),
            (')' | ']' | '}', None) => match open.last().copied() {
                Some((_, top)) if closing(top) == letter => {
                    open.pop();
                }
                found => return found,
            },
            _ => {}
        }
    }
    open.last().copied()
}

/// An unquoted text that YAML cut off at ` #` or, in `{ }`, at a comma.
pub(crate) fn cut_off(source: &str, span: Span) -> Option<&'static str> {
    let first = source.get(span.start as usize..)?.chars().next()?;
    if matches!(first, '\'' | '"' | '|' | '>') {
        return None;
    }
    let rest = source.get(span.end as usize..)?.lines().next()?;
    let trimmed = rest.trim_start();
    if trimmed.starts_with('#') && rest.starts_with([' ', '\t']) {
        return Some("` #` begins a comment in YAML: put the whole expression into single quotes");
    }
    trimmed.starts_with([',', '}', ']']).then_some(
        "a comma or a bracket ends an unquoted value here: put the whole expression into single quotes",
    )
}

/// What YAML took for a comment behind an unquoted text, where its author probably meant it: `受理 #1`, `申请(见 # 2)`.
pub(crate) fn commented(source: &str, span: Span) -> Option<&str> {
    let text = source.get(span.range())?;
    if text.is_empty() || text.starts_with(['\'', '"', '|', '>']) {
        return None;
    }
    let rest = source.get(span.end as usize..)?.lines().next()?;
    let comment = rest.trim_start().trim_end();
    let behind = comment
        .strip_prefix('#')
        .filter(|_| rest.starts_with([' ', '\t']))?;
    let opens = |sign: char| text.matches(sign).count();
    let unclosed = [
        ('(', ')'),
        ('（', '）'),
        ('【', '】'),
        ('《', '》'),
        ('“', '”'),
    ]
    .iter()
    .any(|(open, close)| opens(*open) > opens(*close))
        || opens('`') % 2 == 1;
    (behind.starts_with(char::is_alphanumeric) || unclosed).then_some(comment)
}

/// The range between `${` and `}` when the text is one expression and nothing else.
fn whole(text: &str, language: Language) -> Option<(usize, usize)> {
    let start = text.len() - text.trim_start().len();
    if !text.get(start..)?.starts_with("${") {
        return None;
    }
    let end = close(text, start + 2, language)?;
    text.get(end + 1..)?
        .trim()
        .is_empty()
        .then_some((start + 2, end))
}

/// The byte of the `}` that closes an expression whose first byte is `from`.
///
/// Knows the texts and comments of both languages, so that a brace in a text does not count.
pub(crate) fn close(text: &str, from: usize, language: Language) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut stack: Vec<Inside> = vec![Inside::Code];
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match stack.last()? {
            Inside::Code | Inside::Round => match (byte, language) {
                (b'{', _) => stack.push(Inside::Code),
                (b'}', _) => {
                    if stack.len() == 1 {
                        return Some(at);
                    }
                    stack.pop();
                }
                (b'(', _) => stack.push(Inside::Round),
                (b')', _) if matches!(stack.last(), Some(Inside::Round)) => {
                    stack.pop();
                }
                (b'"', _) => stack.push(Inside::Text),
                (b'`', Language::Rhai) => stack.push(Inside::Template),
                (b'\'', Language::Rhai) => stack.push(Inside::Char),
                (b'/', Language::Rhai) if next == Some(b'*') => {
                    at = text.get(at..)?.find("*/").map(|found| at + found + 1)?;
                }
                (b'/', Language::Rhai) if next == Some(b'/') => at = line_end(bytes, at),
                (b'#', Language::Jq) => at = line_end(bytes, at),
                _ => {}
            },
            Inside::Text => match (byte, next, language) {
                (b'\\', Some(b'('), Language::Jq) => {
                    stack.push(Inside::Round);
                    at += 1;
                }
                (b'\\', _, _) => at += 1,
                (b'"', _, _) => {
                    stack.pop();
                }
                _ => {}
            },
            Inside::Template => match (byte, next) {
                (b'$', Some(b'{')) => {
                    stack.push(Inside::Code);
                    at += 1;
                }
                (b'`', _) => {
                    stack.pop();
                }
                _ => {}
            },
            Inside::Char => match byte {
                b'\\' => at += 1,
                b'\'' => {
                    stack.pop();
                }
                _ => {}
            },
        }
        at += 1;
    }
    None
}

/// What surrounds a byte.
enum Inside {
    Code,
    Round,
    Text,
    Template,
    Char,
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes
        .iter()
        .skip(from)
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |found| from + found)
}

/// Whether a text that is no expression looks as if its author meant one.
pub(crate) fn looks_like_expression(text: &str, language: Language) -> bool {
    let text = text.trim();
    let roots = [
        "input", "output", "context", "workflow", "task", "form", "steps", "params", "link",
        "secrets", "runtime",
    ];
    let word_end = |rest: &str| rest.starts_with(['.', '[', '?']);
    match language {
        Language::Jq => {
            let variable = text
                .strip_prefix('$')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
            let path = text.strip_prefix('.').is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && !rest.contains(['/', '\\'])
                    && (rest.contains([' ', '[', '|'])
                        || rest
                            .chars()
                            .all(|c| c.is_alphanumeric() || c == '.' || c == '_'))
            });
            variable || path
        }
        Language::Rhai => {
            roots
                .iter()
                .any(|root| text.strip_prefix(root).is_some_and(word_end))
                && !text.contains("://")
                && !text.contains(['。', ',', ':'])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(text: &str, language: Language) -> Option<&str> {
        close(text, 2, language).and_then(|end| text.get(2..end))
    }

    #[test]
    fn braces_in_texts_do_not_close() {
        assert_eq!(closed(r#"${ "}" } x"#, Language::Jq), Some(r#" "}" "#));
        assert_eq!(
            closed(r#"${ "a\(.b | {c: "}"})d" } x"#, Language::Jq),
            Some(r#" "a\(.b | {c: "}"})d" "#)
        );
        assert_eq!(
            closed("${ `共享:${form.a}` } x", Language::Rhai),
            Some(" `共享:${form.a}` ")
        );
        assert_eq!(
            closed("${ #{ a: '}' } } x", Language::Rhai),
            Some(" #{ a: '}' } ")
        );
        assert_eq!(
            closed("${ a /* } */ } x", Language::Rhai),
            Some(" a /* } */ ")
        );
        assert_eq!(closed("${ .a", Language::Jq), None);
    }
}
