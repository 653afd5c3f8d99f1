//! Matching in part: an expectation holds when everything that it names is there.

use tongban_expr::Value;

/// A place where something else was found than expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where: `output.trace[0].result`.
    pub path: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl Difference {
    /// A difference at a place.
    pub fn at(
        path: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Difference {
        Difference {
            path: path.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// In lines: the place, what was expected, what came.
    pub fn lines(&self) -> String {
        let inner = |text: &str| text.replace('\n', "\n            ");
        format!(
            "{}\n  expected  {}\n  found     {}",
            self.path,
            inner(&self.expected),
            inner(&self.found)
        )
    }
}

/// Every place where `found` does not have what `expected` names; empty when it has all of it.
pub fn differences(path: &str, expected: &Value, found: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    at(path, expected, found, &mut all);
    all
}

/// Whether `found` has all that `expected` names.
pub fn fits(expected: &Value, found: &Value) -> bool {
    differences("", expected, found).is_empty()
}

/// For each expectation that no member of a list fits, how the nearest member differs.
pub fn lacking(path: &str, expected: &[Value], found: &[Value]) -> Vec<Difference> {
    let mut all = Vec::new();
    for wanted in expected {
        if found.iter().any(|one| fits(wanted, one)) {
            continue;
        }
        let nearest = found
            .iter()
            .enumerate()
            .map(|(n, one)| (n, differences("", wanted, one)))
            .min_by_key(|(_, differences)| differences.len());
        let members = wanted.as_object().map_or(1, |members| members.len());
        match nearest {
            // Something is alike: only what differs is told.
            Some((n, few)) if few.len() < members => {
                let told: Vec<String> = few
                    .iter()
                    .map(|difference| {
                        format!(
                            "{}: {} instead of {}",
                            difference.path.trim_start_matches('.'),
                            difference.found,
                            difference.expected
                        )
                    })
                    .collect();
                let found = format!("nearest is [{n}] with {}", told.join(", "));
                all.push(Difference::at(path, format!("one like {wanted}"), found));
            }
            _ => {
                let all_found = if found.is_empty() {
                    "none".to_string()
                } else {
                    Value::list(found.to_vec()).to_string()
                };
                all.push(Difference::at(
                    path,
                    format!("one like {wanted}"),
                    all_found,
                ));
            }
        }
    }
    all
}

fn at(path: &str, expected: &Value, found: &Value, all: &mut Vec<Difference>) {
    if let Some(members) = expected.as_object() {
        if found.as_object().is_none() {
            all.push(Difference::at(path, expected, found));
            return;
        }
        for (name, wanted) in members {
            let inner = format!("{path}.{name}");
            at(&inner, wanted, found.get(name).unwrap_or(&Value::Null), all);
        }
        return;
    }
    if let Some(items) = expected.as_list() {
        match found.as_list() {
            None => all.push(Difference::at(path, expected, found)),
            Some(have) if items.iter().all(|item| item.as_object().is_none()) => {
                if items != have {
                    all.push(Difference::at(path, expected, found));
                }
            }
            Some(have) => all.extend(lacking(path, items, have)),
        }
        return;
    }
    let same = match (expected.as_f64(), found.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => expected == found,
    };
    if !same {
        all.push(Difference::at(path, expected, found));
    }
}

#[cfg(test)]
mod tests {
    use super::{differences, lacking};
    use tongban_expr::value;

    #[test]
    fn every_difference_is_told_with_its_path() {
        let expected = value!({ "a": 1, "b": { "c": "x", "d": [1, 2] }, "e": 2.0 });
        let found = value!({ "a": 2, "b": { "c": "y", "d": [1, 3] }, "e": 2, "f": true });
        let all = differences("output", &expected, &found);
        let paths: Vec<&str> = all.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["output.a", "output.b.c", "output.b.d"]);
    }

    #[test]
    fn of_a_list_the_nearest_member_is_told() {
        let wanted = [value!({ "rule": "income", "result": "fit", "limit": 5 })];
        let found = [
            value!({ "rule": "area", "result": "unfit" }),
            value!({ "rule": "income", "result": "unfit", "limit": 5 }),
        ];
        let all = lacking("trace", &wanted, &found);
        let told = all.first().map(|one| one.found.clone()).unwrap_or_default();
        assert_eq!(
            told,
            "nearest is [1] with result: \"unfit\" instead of \"fit\""
        );
        assert!(lacking("trace", &[value!({ "rule": "area" })], &found).is_empty());
    }
}
