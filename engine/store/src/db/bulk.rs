//! The rows of a bulk form: columns of borrowed values, sorted by key, encoded for either database.

use super::statement::{Columns, Kind};

/// One value on its way to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
}

/// One column of a bulk form.
#[derive(Debug)]
pub(crate) enum Column<'a> {
    Text(Vec<Option<&'a str>>),
    Int(Vec<Option<i64>>),
}

/// The rows of one statement.
#[derive(Debug)]
pub(crate) struct Bulk<'a> {
    columns: Vec<Column<'a>>,
    count: usize,
}

impl<'a> Bulk<'a> {
    pub fn new(columns: Columns) -> Self {
        let columns = columns
            .iter()
            .map(|(_, kind)| match kind {
                Kind::Text => Column::Text(Vec::new()),
                Kind::Int => Column::Int(Vec::new()),
            })
            .collect();
        Self { columns, count: 0 }
    }

    /// Gathers rows of cells, sorted by their `key` columns so that all transactions write in one order. With
    /// `replaces`, the last of several rows with one key stands for all of them.
    pub fn sorted(
        columns: Columns,
        key: &[usize],
        mut rows: Vec<&'a [Cell]>,
        replaces: bool,
    ) -> Self {
        let order = |left: &&[Cell], right: &&[Cell]| {
            key.iter()
                .map(|place| compare(left.get(*place), right.get(*place)))
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        };
        rows.sort_by(order);
        let mut bulk = Self::new(columns);
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.next() {
            let replaced = replaces && rows.peek().is_some_and(|next| order(&row, next).is_eq());
            if !replaced {
                bulk.push_cells(row);
            }
        }
        bulk
    }

    /// One text column.
    pub fn texts(values: impl IntoIterator<Item = &'a str>) -> Self {
        let values: Vec<_> = values.into_iter().map(Some).collect();
        Self {
            count: values.len(),
            columns: vec![Column::Text(values)],
        }
    }

    fn push_cells(&mut self, row: &'a [Cell]) {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            match (column, cell) {
                (Column::Text(values), Cell::Text(text)) => values.push(text.as_deref()),
                (Column::Int(values), Cell::Int(number)) => values.push(*number),
                _ => unreachable!("the cells of a row have the kinds of its columns"),
            }
        }
        self.count += 1;
    }

    /// Adds a row of values given in the order of the columns.
    pub fn push(&mut self, row: &[Value<'a>]) {
        debug_assert_eq!(
            row.len(),
            self.columns.len(),
            "a row has a value for each column"
        );
        for (column, value) in self.columns.iter_mut().zip(row) {
            match (column, value) {
                (Column::Text(values), Value::Text(text)) => values.push(*text),
                (Column::Int(values), Value::Int(number)) => values.push(*number),
                _ => unreachable!("the values of a row have the kinds of its columns"),
            }
        }
        self.count += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn columns(&self) -> &[Column<'a>] {
        &self.columns
    }

    /// The rows as one JSON array of arrays.
    pub fn to_json(&self) -> String {
        let text: usize = self
            .columns
            .iter()
            .map(|column| match column {
                Column::Text(values) => values
                    .iter()
                    .map(|value| value.map_or(5, |text| text.len() + 3))
                    .sum(),
                Column::Int(values) => values.len() * 14,
            })
            .sum();
        let mut json = String::with_capacity(text + text / 8 + 2 * self.count + 2);
        json.push('[');
        for row in 0..self.count {
            json.push_str(if row == 0 { "[" } else { ",[" });
            for (place, column) in self.columns.iter().enumerate() {
                if place > 0 {
                    json.push(',');
                }
                match column {
                    Column::Text(values) => match values.get(row).copied().flatten() {
                        Some(text) => push_text(&mut json, text),
                        None => json.push_str("null"),
                    },
                    Column::Int(values) => match values.get(row).copied().flatten() {
                        Some(number) => push_int(&mut json, number),
                        None => json.push_str("null"),
                    },
                }
            }
            json.push(']');
        }
        json.push(']');
        json
    }
}

/// A value of a hand-made bulk row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Value::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Value::Int(number)
    }
}

fn compare(left: Option<&Cell>, right: Option<&Cell>) -> std::cmp::Ordering {
    match (left, right) {
        (Some(Cell::Text(left)), Some(Cell::Text(right))) => left.cmp(right),
        (Some(Cell::Int(left)), Some(Cell::Int(right))) => left.cmp(right),
        _ => std::cmp::Ordering::Equal,
    }
}

fn push_int(json: &mut String, number: i64) {
    use std::fmt::Write as _;
    write!(json, "{number}").expect("a string takes all that is written");
}

fn push_text(json: &mut String, text: &str) {
    json.push('"');
    let mut start = 0;
    for (place, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x00..=0x1f => "",
            _ => continue,
        };
        json.push_str(text.get(start..place).unwrap_or_default());
        if escape.is_empty() {
            json.push_str("\\u00");
            json.push(char::from(b'0' + (byte >> 4)));
            json.push(char::from(
                b"0123456789abcdef"
                    .get(usize::from(byte & 15))
                    .copied()
                    .unwrap_or(b'0'),
            ));
        } else {
            json.push_str(escape);
        }
        start = place + 1;
    }
    json.push_str(text.get(start..).unwrap_or_default());
    json.push('"');
}
