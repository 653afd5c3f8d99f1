//! Diagnostics for people (text with the place marked) and for tools (JSON, SARIF).

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value as Json, json};

use crate::codes::PAGES;
use crate::diagnostic::{Diagnostic, Severity};
use crate::span::Span;

/// One file with what was found in it.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The file's path, as it is shown.
    pub path: &'a str,
    /// The file's text.
    pub source: &'a str,
    /// What was found.
    pub diagnostics: &'a [Diagnostic],
}

/// The diagnostics as text, each with its line and a caret under the place; `styled` for a terminal.
#[must_use]
pub fn text(report: &Report<'_>, styled: bool) -> String {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let source = report
        .source
        .strip_prefix('\u{feff}')
        .unwrap_or(report.source);
    let mut out = String::new();
    for diagnostic in report.diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut snippet = Snippet::source(source).path(report.path);
        snippet = snippet.annotation(AnnotationKind::Primary.span(shown(source, diagnostic.span)));
        for label in &diagnostic.labels {
            snippet = snippet.annotation(
                AnnotationKind::Context
                    .span(shown(source, label.span))
                    .label(label.text.as_str()),
            );
        }
        let mut group: Group<'_> = level
            .primary_title(diagnostic.message.as_str())
            .id(diagnostic.code.id())
            .element(snippet);
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out
}

/// The range to underline: within one line, at least one character.
fn shown(source: &str, span: Span) -> std::ops::Range<usize> {
    let start = source.floor_char_boundary((span.start as usize).min(source.len()));
    let line_end = source
        .get(start..)
        .and_then(|rest| rest.find(['\n', '\r']))
        .map_or(source.len(), |found| start + found);
    let end = source.floor_char_boundary((span.end as usize).clamp(start, line_end));
    let trimmed = source
        .get(start..end)
        .map_or(end, |text| start + text.trim_end().len());
    let end = trimmed.max(start);
    if end > start {
        return start..end;
    }
    let next = source
        .get(start..line_end)
        .and_then(|rest| rest.chars().next())
        .map_or(start, |c| start + c.len_utf8());
    start..next
}

/// The diagnostics as JSON: a list of objects with path, line and column.
#[must_use]
pub fn json(reports: &[Report<'_>]) -> String {
    let found: Vec<Json> = reports
        .iter()
        .flat_map(|report| {
            report.diagnostics.iter().map(|diagnostic| {
                let mut object = serde_json::to_value(diagnostic).unwrap_or_default();
                if let Some(fields) = object.as_object_mut() {
                    fields.insert("path".to_owned(), json!(report.path));
                    fields.insert("line".to_owned(), json!(diagnostic.span.line));
                    fields.insert("column".to_owned(), json!(diagnostic.span.column));
                    let end =
                        diagnostic.span.column.max(1) + columns(report.source, diagnostic.span);
                    fields.insert("endColumn".to_owned(), json!(end));
                }
                object
            })
        })
        .collect();
    serde_json::to_string_pretty(&found).unwrap_or_default()
}

/// The diagnostics as SARIF 2.1.0, which code hosts and editors show beside the lines.
#[must_use]
pub fn sarif(reports: &[Report<'_>]) -> String {
    let rules: Vec<Json> = PAGES
        .iter()
        .map(|page| {
            json!({
                "id": page.id,
                "shortDescription": { "text": page.title },
                "fullDescription": { "text": page.explanation },
                "help": {
                    "text": format!("{}\n\n{}", page.explanation, page.example),
                    "markdown": format!("{}\n\n```yaml\n{}\n```", page.explanation, page.example),
                },
            })
        })
        .collect();
    let results: Vec<Json> = reports
        .iter()
        .flat_map(|report| report.diagnostics.iter().map(|found| result(report, found)))
        .collect();
    let artifacts: Vec<Json> = reports
        .iter()
        .map(|report| json!({ "location": { "uri": uri(report.path) }, "encoding": "utf-8" }))
        .collect();
    let driver = json!({
        "name": "tongban",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "invocations": [{ "executionSuccessful": true }],
            "artifacts": artifacts,
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn result(report: &Report<'_>, diagnostic: &Diagnostic) -> Json {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let message = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let related: Vec<Json> = diagnostic
        .labels
        .iter()
        .map(|label| json!({ "physicalLocation": location(report, label.span), "message": { "text": label.text } }))
        .collect();
    let id = diagnostic.code.id();
    let mut result = json!({
        "ruleId": id,
        "level": level,
        "message": { "text": message },
        "locations": [{ "physicalLocation": location(report, diagnostic.span) }],
    });
    let index = PAGES.iter().position(|page| page.id == id);
    if let (Some(fields), Some(index)) = (result.as_object_mut(), index) {
        fields.insert("ruleIndex".to_owned(), json!(index));
        if !related.is_empty() {
            fields.insert("relatedLocations".to_owned(), json!(related));
        }
    }
    result
}

fn location(report: &Report<'_>, span: Span) -> Json {
    let start = span.column.max(1);
    json!({
        "artifactLocation": { "uri": uri(report.path) },
        "region": {
            "startLine": span.line.max(1),
            "startColumn": start,
            "endColumn": start + columns(report.source, span),
        },
    })
}

/// How many characters of its line a place underlines, at least one.
fn columns(source: &str, span: Span) -> u32 {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let text = source.get(shown(source, span));
    let count = text.map_or(1, |text| text.chars().count().max(1));
    u32::try_from(count).unwrap_or(1)
}

/// A path as a relative reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
