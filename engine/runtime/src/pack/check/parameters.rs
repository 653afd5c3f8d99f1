//! Dated parameters: that every value has its day, and that numbers are numbers.

use tongban_dsl::codes;
use tongban_expr::{Parameters, ParametersError, Value};

use super::{Checking, pointer};

impl Checking<'_> {
    pub(super) fn parameters(&mut self) {
        const FILE: &str = "rules/parameters.yaml";
        if self.pack.parameters.is_null() || !self.fits(FILE, "parameters", codes::PACK_PARAMETERS)
        {
            return;
        }
        // Each by itself, so that one fault does not hide the next.
        let entries = self
            .pack
            .parameters
            .get("parameters")
            .into_iter()
            .flat_map(Value::entries);
        let entries: Vec<(String, Value)> = entries
            .map(|(id, entry)| (id.to_string(), entry.clone()))
            .collect();
        for (id, entry) in entries {
            let one =
                Value::object([("parameters", Value::object([(id.as_str(), entry.clone())]))]);
            if let Err(error) = Parameters::from_value(&one) {
                let (place, help) = date(&error, &one);
                self.at(FILE, &place, codes::PACK_PARAMETERS, error.message, help);
            }
            self.figures(FILE, &id, &entry);
        }
    }

    /// Values that people read as numbers and comparisons do not.
    fn figures(&mut self, file: &str, id: &str, entry: &Value) {
        let values = entry.get("values").into_iter().flat_map(Value::items);
        for (at, dated) in values.enumerate() {
            let Some(text) = dated.text("value") else {
                continue;
            };
            // Digits alone may be a code.
            let code = text.bytes().all(|byte| byte.is_ascii_digit());
            let Some(number) = tongban_dsl::number_meant(text).filter(|_| !code) else {
                continue;
            };
            self.doubt(
                file,
                &format!("/parameters/{id}/values/{at}/value"),
                codes::PACK_PARAMETERS,
                format!("`{text}` is a text: nothing can be compared with it or computed from it"),
                format!("write `value: {number}`; what it is counted in stands in `unit`"),
            );
        }
    }
}

/// Where a fault of a parameter is, and what to write: the day itself when that is what is wrong.
fn date(error: &ParametersError, file: &Value) -> (String, String) {
    let place = pointer(&error.path);
    let mut found = Some(file);
    for part in place.split('/').skip(1) {
        found = found.and_then(|value| match part.parse::<usize>() {
            Ok(at) => value.items().nth(at),
            Err(_) => value.get(part),
        });
    }
    let from = found.and_then(|dated| dated.text("from"));
    match from.filter(|_| error.message.starts_with("expected `from`, a date")) {
        Some(from) => {
            let help = match day(from) {
                Some(day) => format!("write `from: {day}`"),
                None => "write the year, the month and the day: `from: 2026-01-31`".to_owned(),
            };
            (format!("{place}/from"), help)
        }
        None => {
            let help = "write `values: [{ from: 2026-01-31, value: 5, basis: '…' }]`";
            (place, help.to_owned())
        }
    }
}

/// `2026/7/1`, `2026.7.1` and `2026年7月1日` as `2026-07-01`.
fn day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text
        .trim()
        .trim_end_matches('日')
        .split(['/', '.', '-', '年', '月'])
        .collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let (month, day): (u32, u32) = (month.parse().ok()?, day.parse().ok()?);
    let sound = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    (sound && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then(|| format!("{year}-{month:02}-{day:02}"))
}
