//! A form that is read: a list of questions and answers, tables as tables.

use askama::Template;
use serde_json::Value as Json;

use super::access::{Access, FieldAccess};
use super::field::{Field, Form, Kind};
use crate::language::{InWords, Language};
use crate::words::Words;

/// How values are shown.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The reader's language.
    pub language: Language,
    /// Whether masked fields are masked.
    pub masks: bool,
}

/// The answer to a field that is no group and no table, as text; empty when there is none.
pub fn text_of(field: &Field, value: Option<&Json>, reading: &Reading) -> String {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return String::new();
    };
    let words = reading.language.words();
    let mask = field.mask.filter(|_| reading.masks);
    let shown = |text: String| mask.map_or(text.clone(), |mask| mask.apply(&text));
    match (&field.kind, value) {
        (Kind::Tick | Kind::Agree(_), Json::Bool(yes)) => {
            (if *yes { words.yes } else { words.no }).to_owned()
        }
        (Kind::Choice(choices), value) => shown(label_of(choices, value)),
        (Kind::Several(choices), Json::Array(values)) => values
            .iter()
            .map(|value| shown(label_of(choices, value)))
            .collect::<Vec<_>>()
            .join("、"),
        (_, Json::Array(values)) => values
            .iter()
            .map(|value| shown(plain(value)))
            .collect::<Vec<_>>()
            .join("\n"),
        (_, value) => shown(plain(value)),
    }
}

fn label_of(choices: &[super::field::Choice], value: &Json) -> String {
    choices
        .iter()
        .find(|choice| choice.value == *value)
        .map_or_else(|| plain(value), |choice| choice.label.clone())
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One line of what is read.
enum Line {
    Answer {
        label: String,
        text: String,
    },
    Table {
        label: String,
        heads: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Group {
        label: String,
        lines: Vec<Line>,
    },
}

#[derive(Template)]
#[template(path = "form/read.html")]
struct ReadTemplate {
    sections: Vec<(Option<String>, String)>,
}

#[derive(Template)]
#[template(path = "form/read_lines.html")]
struct LinesTemplate<'a> {
    words: &'static Words,
    lines: &'a [Shown],
}

/// A line with what stands inside it already rendered.
enum Shown {
    Answer {
        label: String,
        text: String,
    },
    Table {
        label: String,
        heads: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Group {
        label: String,
        inside: String,
    },
}

/// Renders the fields that a person may see as HTML.
pub fn render_read(form: &Form, access: &Access, data: &Json, language: Language) -> String {
    let reading = Reading {
        language,
        masks: access.masks(),
    };
    let sections = form.sections.iter().filter_map(|section| {
        let lines = lines(&section.fields, access, Some(data), &reading);
        let title = section
            .title
            .as_ref()
            .map(|title| title.text(language).to_owned());
        (!lines.is_empty()).then(|| (title, render_lines(lines, language)))
    });
    ReadTemplate {
        sections: sections.collect(),
    }
    .render()
    .unwrap_or_default()
}

fn lines(fields: &[Field], access: &Access, data: Option<&Json>, reading: &Reading) -> Vec<Line> {
    let visible = fields
        .iter()
        .filter(|field| access.of(&field.path) != FieldAccess::Hide);
    visible
        .filter_map(|field| {
            let value = data.and_then(|data| data.get(&field.name));
            let label = field.title.text(reading.language).to_owned();
            match &field.kind {
                Kind::Group(children) => {
                    let lines = lines(children, access, value, reading);
                    (!lines.is_empty()).then_some(Line::Group { label, lines })
                }
                Kind::Table { columns, .. } => Some(table(label, columns, access, value, reading)),
                _ => Some(Line::Answer {
                    label,
                    text: text_of(field, value, reading),
                }),
            }
        })
        .collect()
}

fn table(
    label: String,
    columns: &[Field],
    access: &Access,
    value: Option<&Json>,
    reading: &Reading,
) -> Line {
    let columns: Vec<&Field> = columns
        .iter()
        .filter(|column| access.of(&column.path) != FieldAccess::Hide)
        .collect();
    let rows = value
        .and_then(Json::as_array)
        .map_or(&[][..], Vec::as_slice);
    Line::Table {
        label,
        heads: columns
            .iter()
            .map(|column| column.title.text(reading.language).to_owned())
            .collect(),
        rows: rows
            .iter()
            .map(|row| {
                columns
                    .iter()
                    .map(|column| cell(column, row.get(&column.name), access, reading))
                    .collect()
            })
            .collect(),
    }
}

/// A cell; what is nested in it is written out in one line.
fn cell(column: &Field, value: Option<&Json>, access: &Access, reading: &Reading) -> String {
    match &column.kind {
        Kind::Group(children) => children
            .iter()
            .filter(|child| access.of(&child.path) != FieldAccess::Hide)
            .map(|child| {
                cell(
                    child,
                    value.and_then(|value| value.get(&child.name)),
                    access,
                    reading,
                )
            })
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(";"),
        _ => text_of(column, value, reading),
    }
}

fn render_lines(lines: Vec<Line>, language: Language) -> String {
    let shown: Vec<Shown> = lines
        .into_iter()
        .map(|line| match line {
            Line::Answer { label, text } => Shown::Answer { label, text },
            Line::Table { label, heads, rows } => Shown::Table { label, heads, rows },
            Line::Group { label, lines } => Shown::Group {
                label,
                inside: render_lines(lines, language),
            },
        })
        .collect();
    LinesTemplate {
        words: language.words(),
        lines: &shown,
    }
    .render()
    .unwrap_or_default()
}
