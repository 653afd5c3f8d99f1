//! A form that is filled in: labels, help, controls and faults, without a need for JavaScript.

use askama::Template;
use serde_json::Value as Json;

use super::access::{Access, FieldAccess};
use super::fault::{FaultLine, identifier};
use super::field::{Choice, Field, Form, Kind};
use super::read::{Reading, text_of};
use crate::language::{InWords, Language};
use crate::words::{Words, fill};

/// Up to so many values are offered side by side; more are offered in a list to open.
const SIDE_BY_SIDE: usize = 6;

/// One value to choose, ready to show.
struct Offer {
    key: String,
    label: String,
    chosen: bool,
    id: String,
}

/// What a person types or marks.
enum Control {
    Line {
        value: String,
        mode: &'static str,
        kind: &'static str,
    },
    Lines {
        value: String,
        rows: usize,
    },
    List(Vec<Offer>),
    Radios(Vec<Offer>),
    Ticks(Vec<Offer>),
    Tick {
        checked: bool,
    },
    Shown(String),
}

#[derive(Template)]
#[template(path = "form/field.html")]
struct FieldTemplate<'a> {
    words: &'static Words,
    id: String,
    name: &'a str,
    label: &'a str,
    hints: Vec<String>,
    required: bool,
    fault: Option<&'a str>,
    control: Control,
}

#[derive(Template)]
#[template(path = "form/group.html")]
struct GroupTemplate<'a> {
    label: &'a str,
    help: Option<&'a str>,
    text: Option<&'a str>,
    inside: String,
}

#[derive(Template)]
#[template(path = "form/table.html")]
struct TableTemplate<'a> {
    words: &'static Words,
    id: String,
    name: &'a str,
    label: &'a str,
    help: Option<&'a str>,
    fault: Option<&'a str>,
    rows: Vec<RowShown>,
    grows: bool,
    may_add: bool,
}

struct RowShown {
    title: String,
    remove: String,
    remove_label: String,
    inside: String,
}

#[derive(Template)]
#[template(path = "form/sections.html")]
struct SectionsTemplate {
    sections: Vec<(Option<String>, String)>,
}

/// Renders the fields of a form that a person may edit or see.
pub fn render_fields(
    form: &Form,
    access: &Access,
    data: &Json,
    faults: &[FaultLine],
    language: Language,
) -> String {
    let page = Page {
        access,
        faults,
        language,
        words: language.words(),
    };
    let sections = form.sections.iter().map(|section| {
        let title = section
            .title
            .as_ref()
            .map(|title| title.text(language).to_owned());
        (title, page.fields(&section.fields, "", Some(data)))
    });
    let sections = sections.filter(|(_, inside)| !inside.is_empty()).collect();
    SectionsTemplate { sections }.render().unwrap_or_default()
}

/// Renders the answers as hidden inputs, for the page on which they are checked before sending.
pub fn hidden_inputs(form: &Form, access: &Access, data: &Json) -> Vec<(String, String)> {
    let mut inputs = Vec::new();
    for field in form.fields() {
        hide(
            field,
            &field.name,
            access,
            data.get(&field.name),
            &mut inputs,
        );
    }
    inputs
}

fn hide(
    field: &Field,
    name: &str,
    access: &Access,
    value: Option<&Json>,
    inputs: &mut Vec<(String, String)>,
) {
    match (&field.kind, value) {
        (Kind::Group(children), Some(value)) => {
            for child in children {
                hide(
                    child,
                    &format!("{name}.{}", child.name),
                    access,
                    value.get(&child.name),
                    inputs,
                );
            }
        }
        (Kind::Table { columns, .. }, Some(Json::Array(rows))) => {
            inputs.push((format!("{name}[]"), rows.len().to_string()));
            for (at, row) in rows.iter().enumerate() {
                for column in columns {
                    hide(
                        column,
                        &format!("{name}[{at}].{}", column.name),
                        access,
                        row.get(&column.name),
                        inputs,
                    );
                }
            }
        }
        _ if field.read_only || access.of(&field.path) != FieldAccess::Edit => {}
        (Kind::Several(_), Some(Json::Array(values))) => {
            inputs.extend(values.iter().map(|value| (name.to_owned(), typed(value))));
        }
        (Kind::Lines { .. }, Some(Json::Array(values))) => {
            inputs.push((
                name.to_owned(),
                values.iter().map(typed).collect::<Vec<_>>().join("\n"),
            ));
        }
        (Kind::Tick, Some(Json::Bool(false))) | (Kind::Data, _) | (_, None | Some(Json::Null)) => {}
        (Kind::Tick | Kind::Agree(_), Some(_)) => inputs.push((name.to_owned(), "yes".to_owned())),
        (_, Some(value)) => inputs.push((name.to_owned(), typed(value))),
    }
}

/// A value as it is typed.
fn typed(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

struct Page<'a> {
    access: &'a Access,
    faults: &'a [FaultLine],
    language: Language,
    words: &'static Words,
}

impl Page<'_> {
    fn fields(&self, fields: &[Field], prefix: &str, data: Option<&Json>) -> String {
        fields
            .iter()
            .filter(|field| self.access.of(&field.path) != FieldAccess::Hide)
            .map(|field| {
                let name = format!("{prefix}{}", field.name);
                self.field(field, &name, data.and_then(|data| data.get(&field.name)))
            })
            .collect()
    }

    fn field(&self, field: &Field, name: &str, value: Option<&Json>) -> String {
        let help = field.help.as_ref().map(|help| help.text(self.language));
        let label = field.title.text(self.language);
        match &field.kind {
            Kind::Group(children) => {
                let inside = self.fields(children, &format!("{name}."), value);
                GroupTemplate {
                    label,
                    help,
                    text: field.text.as_deref(),
                    inside,
                }
                .render()
                .unwrap_or_default()
            }
            Kind::Table { columns, most }
                if self.access.edits_within(&field.path) && !field.read_only =>
            {
                self.table(field, columns, *most, name, value)
            }
            _ => self.leaf(field, name, value),
        }
    }

    fn table(
        &self,
        field: &Field,
        columns: &[Field],
        most: usize,
        name: &str,
        value: Option<&Json>,
    ) -> String {
        let empty = Json::Object(serde_json::Map::new());
        let mut rows: Vec<&Json> = value
            .and_then(Json::as_array)
            .map(|rows| rows.iter().collect())
            .unwrap_or_default();
        let grows = self.access.of(&field.path) == FieldAccess::Edit;
        if rows.is_empty() && grows {
            // One empty row invites an answer; it is dropped again when nothing is typed there.
            rows.push(&empty);
        }
        let shown = rows.iter().enumerate().map(|(at, row)| {
            let number = (at + 1).to_string();
            RowShown {
                title: fill(self.words.row, &[("n", &number)]),
                remove: format!("{name}[{at}]"),
                remove_label: fill(self.words.remove_row, &[("n", &number)]),
                inside: self.fields(columns, &format!("{name}[{at}]."), Some(row)),
            }
        });
        let template = TableTemplate {
            words: self.words,
            id: identifier(name),
            name,
            label: field.title.text(self.language),
            help: field.help.as_ref().map(|help| help.text(self.language)),
            fault: self.fault(name),
            may_add: grows && rows.len() < most,
            rows: shown.collect(),
            grows,
        };
        template.render().unwrap_or_default()
    }

    fn leaf(&self, field: &Field, name: &str, value: Option<&Json>) -> String {
        let editable = self.access.of(&field.path) == FieldAccess::Edit && !field.read_only;
        let id = identifier(name);
        let control = if editable && !matches!(field.kind, Kind::Data) {
            self.control(field, &id, value.or(field.default.as_ref()))
        } else {
            let reading = Reading {
                language: self.language,
                masks: self.access.masks(),
            };
            Control::Shown(text_of(field, value, &reading))
        };
        let template = FieldTemplate {
            words: self.words,
            id,
            name,
            label: field.title.text(self.language),
            hints: self.hints(field, &control),
            required: field.required || self.access.requires(&field.path),
            fault: self.fault(name),
            control,
        };
        template.render().unwrap_or_default()
    }

    fn control(&self, field: &Field, id: &str, value: Option<&Json>) -> Control {
        let text = value.map(typed).unwrap_or_default();
        match &field.kind {
            Kind::Text { lines: true, .. } => Control::Lines {
                value: text,
                rows: 5,
            },
            Kind::Number { whole } => Control::Line {
                value: text,
                mode: if *whole { "numeric" } else { "decimal" },
                kind: "text",
            },
            Kind::Date => Control::Line {
                value: text,
                mode: "text",
                kind: "date",
            },
            Kind::Tick => Control::Tick {
                checked: value == Some(&Json::Bool(true)),
            },
            Kind::Agree(fixed) => Control::Tick {
                checked: value == Some(fixed),
            },
            Kind::Choice(choices) => {
                let offers = offers(choices, id, |choice| value == Some(&choice.value));
                if offers.len() <= SIDE_BY_SIDE {
                    Control::Radios(offers)
                } else {
                    Control::List(offers)
                }
            }
            Kind::Several(choices) => {
                let values = value
                    .and_then(Json::as_array)
                    .map_or(&[][..], Vec::as_slice);
                Control::Ticks(offers(choices, id, |choice| values.contains(&choice.value)))
            }
            Kind::Lines { .. } => {
                let values = value
                    .and_then(Json::as_array)
                    .map_or(&[][..], Vec::as_slice);
                let lines: Vec<String> = values.iter().map(typed).collect();
                Control::Lines {
                    value: if values.is_empty() {
                        text
                    } else {
                        lines.join("\n")
                    },
                    rows: 4,
                }
            }
            _ => Control::Line {
                value: text,
                mode: "text",
                kind: "text",
            },
        }
    }

    fn hints(&self, field: &Field, control: &Control) -> Vec<String> {
        let mut hints: Vec<String> = field
            .help
            .iter()
            .map(|help| help.text(self.language).to_owned())
            .collect();
        if matches!(control, Control::Shown(_)) {
            return hints;
        }
        match (&field.kind, control) {
            (Kind::Lines { files: true, .. }, _) => hints.push(self.words.files_help.to_owned()),
            (Kind::Lines { .. }, _) => hints.push(self.words.one_a_line.to_owned()),
            (Kind::Signature, _) => hints.push(self.words.signature_help.to_owned()),
            (_, Control::Ticks(offers)) if offers.is_empty() => {
                hints.push(self.words.choose_first.to_owned());
            }
            (_, Control::Radios(offers)) if offers.is_empty() => {
                hints.push(self.words.nothing_to_choose.to_owned());
            }
            _ => {}
        }
        hints
    }

    fn fault(&self, name: &str) -> Option<&str> {
        self.faults
            .iter()
            .find(|fault| fault.name == name)
            .map(|fault| fault.message.as_str())
    }
}

fn offers(choices: &[Choice], id: &str, chosen: impl Fn(&Choice) -> bool) -> Vec<Offer> {
    let offer = |(at, choice): (usize, &Choice)| Offer {
        key: choice.key(),
        label: choice.label.clone(),
        chosen: chosen(choice),
        // The first control carries the field's own id, so that links from the summary reach it.
        id: if at == 0 {
            id.to_owned()
        } else {
            format!("{id}-{at}")
        },
    };
    choices.iter().enumerate().map(offer).collect()
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
