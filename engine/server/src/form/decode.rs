//! From the entries of a posted form to data, guided by the form's fields.
//!
//! Names are paths (`scope.items`, `members[0].id`); `members[]` carries the number of rows. What a
//! person may not edit comes from the data before, never from the entries, and an entry that no
//! editable field asked for refuses the whole post: nothing is assigned by accident.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value as Json};

use super::access::{Access, FieldAccess};
use super::fault::{Fault, What};
use super::field::{Field, Form, Kind};

/// The most lines that a field with one value a line takes.
const LINES_MAX: usize = 1000;

/// The names and values of a posted form.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    values: BTreeMap<String, Vec<String>>,
}

impl Entries {
    /// Gathers entries; several values of one name keep their order.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push(value);
        }
        Self { values }
    }

    /// The first value of a name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .and_then(|values| values.first())
            .map(String::as_str)
    }

    /// All values of a name.
    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every name that was sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// What a posted form says.
#[derive(Debug)]
pub struct Decoded {
    /// The data; an answer that could not be read stays in it as the text that was typed.
    pub data: Json,
    /// What is wrong with single answers.
    pub faults: Vec<Fault>,
}

/// Decodes a post. Rows that are empty are dropped when `finished`, and kept while rows are still
/// being added.
///
/// # Errors
/// The name of an entry that no editable field of the form has.
pub fn decode(
    form: &Form,
    access: &Access,
    base: &Json,
    entries: &Entries,
    finished: bool,
) -> Result<Decoded, String> {
    let mut reader = Reader {
        access,
        entries,
        finished,
        used: BTreeSet::new(),
        faults: Vec::new(),
    };
    let mut data = base.as_object().cloned().unwrap_or_default();
    for field in form.fields() {
        let value = reader.field(field, &field.name, base.get(&field.name), true);
        put(&mut data, &field.name, value);
    }
    let Reader { used, faults, .. } = reader;
    if let Some(unknown) = entries
        .names()
        .find(|name| !name.starts_with('_') && !used.contains(*name))
    {
        return Err(unknown.to_owned());
    }
    Ok(Decoded {
        data: without_nulls(Json::Object(data)),
        faults,
    })
}

/// The plain texts of a post over the data before it, good enough to look up what other choices hang on.
pub fn sketch(base: &Json, entries: &Entries) -> Json {
    let mut data = base.clone();
    for name in entries
        .names()
        .filter(|name| !name.starts_with('_') && !name.contains('['))
    {
        let text = clean(entries.first(name).unwrap_or_default());
        if let Some(place) = slot(&mut data, name) {
            *place = Json::String(text);
        }
    }
    data
}

struct Reader<'a> {
    access: &'a Access,
    entries: &'a Entries,
    finished: bool,
    used: BTreeSet<String>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    /// The value of one field; `demanded` says whether its surroundings exist, so that the required
    /// fields of an optional, empty group are not missed.
    fn field(
        &mut self,
        field: &Field,
        name: &str,
        base: Option<&Json>,
        demanded: bool,
    ) -> Option<Json> {
        let editable = self.access.of(&field.path) == FieldAccess::Edit && !field.read_only;
        match &field.kind {
            Kind::Group(children) => self.group(field, children, name, base, demanded),
            Kind::Table { columns, most } => self.table(field, columns, *most, name, base),
            _ if !editable => base.cloned(),
            _ => {
                let value = self.leaf(field, name, base);
                let wanted = field.required || self.access.requires(&field.path);
                if value.is_none() && wanted && demanded && self.finished && !self.has_fault(name) {
                    self.faults
                        .push(Fault::new(name, What::missing(&field.kind)));
                }
                value
            }
        }
    }

    fn group(
        &mut self,
        field: &Field,
        children: &[Field],
        name: &str,
        base: Option<&Json>,
        demanded: bool,
    ) -> Option<Json> {
        if self.access.of(&field.path) == FieldAccess::Hide {
            return base.cloned();
        }
        let prefix = format!("{name}.");
        let typed = self.entries.values.iter().any(|(entry, values)| {
            entry.starts_with(&prefix)
                && !entry.ends_with("[]")
                && values.iter().any(|value| !value.trim().is_empty())
        });
        let demanded = demanded && (field.required || typed);
        let mut object = base.and_then(Json::as_object).cloned().unwrap_or_default();
        for child in children {
            let value = self.field(
                child,
                &format!("{name}.{}", child.name),
                base.and_then(|base| base.get(&child.name)),
                demanded,
            );
            put(&mut object, &child.name, value);
        }
        (field.required || !is_empty(&Json::Object(object.clone()))).then_some(Json::Object(object))
    }

    fn table(
        &mut self,
        field: &Field,
        columns: &[Field],
        most: usize,
        name: &str,
        base: Option<&Json>,
    ) -> Option<Json> {
        let rows_before = base.and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        if !self.access.edits_within(&field.path) || field.read_only {
            return base.cloned();
        }
        let grows = self.access.of(&field.path) == FieldAccess::Edit;
        let marker = format!("{name}[]");
        let sent = self
            .entries
            .first(&marker)
            .and_then(|count| count.parse::<usize>().ok());
        self.used.insert(marker);
        let count = if grows {
            sent.unwrap_or(0).min(most)
        } else {
            rows_before.len()
        };
        let mut rows = Vec::with_capacity(count);
        for at in 0..count {
            let before = rows_before.get(at);
            let mut row = before
                .and_then(Json::as_object)
                .cloned()
                .unwrap_or_default();
            let faults_before = self.faults.len();
            for column in columns {
                let cell = format!("{name}[{at}].{}", column.name);
                let value = self.field(
                    column,
                    &cell,
                    before.and_then(|row| row.get(&column.name)),
                    true,
                );
                put(&mut row, &column.name, value);
            }
            let row = Json::Object(row);
            if grows && self.finished && is_empty(&row) {
                // An empty row was never begun: it is dropped, and so is what it missed.
                self.faults.truncate(faults_before);
                continue;
            }
            rows.push(row);
        }
        if rows.is_empty() {
            let wanted = field.required || self.access.requires(&field.path);
            if wanted && self.finished {
                self.faults.push(Fault::new(name, What::Required));
            }
            return None;
        }
        Some(Json::Array(rows))
    }

    fn leaf(&mut self, field: &Field, name: &str, base: Option<&Json>) -> Option<Json> {
        self.used.insert(name.to_owned());
        let text = clean(self.entries.first(name).unwrap_or_default());
        match &field.kind {
            Kind::Text { lines, code, .. } => {
                let text = if *code {
                    compact(&text)
                } else if *lines {
                    text
                } else {
                    text.replace('\n', " ")
                };
                filled(text)
            }
            Kind::Signature => filled(text.replace('\n', " ")),
            Kind::Number { whole } => self.number(name, &compact(&text), *whole),
            Kind::Date => self.date(name, &compact(&text)),
            Kind::Tick => Some(Json::Bool(!text.is_empty())),
            Kind::Agree(fixed) => (!text.is_empty()).then(|| fixed.clone()),
            Kind::Choice(choices) => {
                let text = filled(text)?;
                let key = text.as_str().unwrap_or_default().to_owned();
                match choices.iter().find(|choice| choice.key() == key) {
                    Some(choice) => Some(choice.value.clone()),
                    None => self.faulty(name, What::NotOffered, key),
                }
            }
            Kind::Several(choices) => {
                let keys: Vec<String> = self
                    .entries
                    .all(name)
                    .iter()
                    .map(|key| clean(key))
                    .filter(|key| !key.is_empty())
                    .collect();
                let known = choices.iter().filter(|choice| keys.contains(&choice.key()));
                let values: Vec<Json> = known.map(|choice| choice.value.clone()).collect();
                if keys
                    .iter()
                    .any(|key| !choices.iter().any(|choice| choice.key() == *key))
                {
                    self.faults.push(Fault::new(name, What::NotOffered));
                }
                (!values.is_empty()).then_some(Json::Array(values))
            }
            Kind::Lines { whole_numbers, .. } => self.lines(name, &text, *whole_numbers),
            Kind::Group(_) | Kind::Table { .. } | Kind::Data => base.cloned(),
        }
    }

    fn number(&mut self, name: &str, text: &str, whole: bool) -> Option<Json> {
        if text.is_empty() {
            return None;
        }
        if let Ok(number) = text.parse::<i64>() {
            return Some(Json::from(number));
        }
        if whole {
            return self.faulty(name, What::Whole, text.to_owned());
        }
        match text.parse::<f64>().ok().and_then(Number::from_f64) {
            Some(number) => Some(Json::Number(number)),
            None => self.faulty(name, What::Number, text.to_owned()),
        }
    }

    fn date(&mut self, name: &str, text: &str) -> Option<Json> {
        if text.is_empty() {
            return None;
        }
        match civil_date(text) {
            Some(date) => Some(Json::String(date.to_string())),
            None => self.faulty(name, What::Date, text.to_owned()),
        }
    }

    fn lines(&mut self, name: &str, text: &str, whole_numbers: bool) -> Option<Json> {
        let mut values = Vec::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(LINES_MAX)
        {
            let value = if whole_numbers {
                self.number(name, &compact(line), true)?
            } else {
                Json::String(line.to_owned())
            };
            values.push(value);
        }
        (!values.is_empty()).then_some(Json::Array(values))
    }

    fn faulty(&mut self, name: &str, what: What, typed: String) -> Option<Json> {
        self.faults.push(Fault::new(name, what));
        Some(Json::String(typed))
    }

    fn has_fault(&self, name: &str) -> bool {
        self.faults.iter().any(|fault| fault.name == name)
    }
}

/// Adds or removes a row as the button that was pressed says; anything else changes nothing.
pub fn edit_rows(form: &Form, access: &Access, data: &mut Json, entries: &Entries) {
    if let Some(name) = entries.first("_add") {
        let Some(Field {
            kind: Kind::Table { most, .. },
            path,
            ..
        }) = form.field(&super::access::schema_path(name))
        else {
            return;
        };
        if access.of(path) != FieldAccess::Edit {
            return;
        }
        if let Some(rows) = slot(data, name) {
            if !rows.is_array() {
                *rows = Json::Array(Vec::new());
            }
            if let Some(rows) = rows.as_array_mut().filter(|rows| rows.len() < *most) {
                rows.push(Json::Object(Map::new()));
            }
        }
    }
    if let Some((name, at)) = entries.first("_remove").and_then(row_of) {
        if form
            .field(&super::access::schema_path(name))
            .is_none_or(|field| access.of(&field.path) != FieldAccess::Edit)
        {
            return;
        }
        if let Some(rows) = slot(data, name)
            .and_then(Json::as_array_mut)
            .filter(|rows| at < rows.len())
        {
            rows.remove(at);
        }
    }
}

/// Splits `members[2]` into the table and the row.
fn row_of(name: &str) -> Option<(&str, usize)> {
    let (table, row) = name.strip_suffix(']')?.rsplit_once('[')?;
    Some((table, row.parse().ok()?))
}

/// The place of a name in the data; missing objects on the way are made, missing rows are not.
fn slot<'a>(data: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    let mut at = data;
    for step in name.split('.') {
        let (property, rows) = step
            .split_once('[')
            .map_or((step, ""), |(property, rest)| (property, rest));
        if !at.is_object() {
            *at = Json::Object(Map::new());
        }
        at = at
            .as_object_mut()?
            .entry(property.to_owned())
            .or_insert(Json::Null);
        for row in rows.split('[').filter(|row| !row.is_empty()) {
            at = at
                .as_array_mut()?
                .get_mut(row.trim_end_matches(']').parse::<usize>().ok()?)?;
        }
    }
    Some(at)
}

fn put(object: &mut Map<String, Json>, name: &str, value: Option<Json>) {
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.shift_remove(name),
    };
}

fn filled(text: String) -> Option<Json> {
    (!text.is_empty()).then_some(Json::String(text))
}

/// Trims, unifies line ends, and drops control characters, which no answer needs.
fn clean(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .trim()
        .chars()
        .filter(|character| *character == '\n' || *character == '\t' || !character.is_control())
        .collect()
}

/// A code as machines write it: full-width characters narrowed, spaces gone.
fn compact(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| match character {
            '\u{FF01}'..='\u{FF5E}' => {
                char::from_u32(character as u32 - 0xFEE0).unwrap_or(character)
            }
            other => other,
        })
        .collect()
}

/// Reads year, month and day in this order, written with hyphens, slashes, dots or 年月日.
pub fn civil_date(text: &str) -> Option<jiff::civil::Date> {
    let mut parts = text
        .split(['-', '/', '.', '年', '月', '日'])
        .filter(|part| !part.is_empty());
    let date = jiff::civil::Date::new(
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    date.ok().filter(|_| parts.next().is_none())
}

/// Whether nothing was answered; an unticked box is no answer.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.iter().all(is_empty),
        Json::Object(map) => map.values().all(is_empty),
        _ => false,
    }
}

/// Leaves out members that are null: an empty answer is an absent one.
pub fn without_nulls(value: Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(
            map.into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name, without_nulls(member)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
