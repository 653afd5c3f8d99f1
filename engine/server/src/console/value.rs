//! Data of any shape as people read it: what a step shows beside the form, results, traces.

use askama::Template;
use serde_json::Value as Json;

use crate::words::Words;

/// How deep data are shown before they become text.
const DEPTH_MAX: usize = 6;

#[derive(Template)]
#[template(path = "value.html")]
struct ValueTemplate<'a> {
    words: &'static Words,
    shown: &'a Shown,
}

/// Data ready to show; what is nested is rendered already.
enum Shown {
    Text(String),
    Members(Vec<(String, String)>),
    Table {
        heads: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Items(Vec<String>),
}

/// Renders data as HTML.
pub fn render(value: &Json, words: &'static Words) -> String {
    at_depth(value, words, 0)
}

fn at_depth(value: &Json, words: &'static Words, depth: usize) -> String {
    let inner = |value: &Json| at_depth(value, words, depth + 1);
    let shown = match value {
        Json::Object(members) if depth < DEPTH_MAX => Shown::Members(
            members
                .iter()
                .map(|(name, value)| (name.clone(), inner(value)))
                .collect(),
        ),
        Json::Array(items) if depth < DEPTH_MAX => match columns(items) {
            Some(heads) => {
                let cell = |row: &Json, head: &String| inner(row.get(head).unwrap_or(&Json::Null));
                let rows = items
                    .iter()
                    .map(|row| heads.iter().map(|head| cell(row, head)).collect())
                    .collect();
                Shown::Table { heads, rows }
            }
            None => Shown::Items(items.iter().map(inner).collect()),
        },
        Json::Null => Shown::Text(String::new()),
        Json::Bool(yes) => Shown::Text((if *yes { words.yes } else { words.no }).to_owned()),
        Json::String(text) => Shown::Text(text.clone()),
        other => Shown::Text(other.to_string()),
    };
    ValueTemplate {
        words,
        shown: &shown,
    }
    .render()
    .unwrap_or_default()
}

/// The columns of a list whose entries are all objects of a few members.
fn columns(items: &[Json]) -> Option<Vec<String>> {
    let mut heads: Vec<String> = Vec::new();
    for item in items {
        for name in item.as_object()?.keys() {
            if !heads.contains(name) {
                heads.push(name.clone());
            }
        }
    }
    (!heads.is_empty() && heads.len() <= 10).then_some(heads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::CHINESE;
    use serde_json::json;

    #[test]
    fn lists_of_objects_become_tables_and_text_stays_text() {
        let html = render(
            &json!({ "结论": [{ "规则": "R1", "结果": true }, { "规则": "<b>" }] }),
            &CHINESE,
        );
        assert!(html.contains("<th scope=\"col\">规则</th>"), "{html}");
        assert!(html.contains("是") && !html.contains("<b>"), "{html}");
    }

    #[test]
    fn deep_data_end_as_text() {
        let mut deep = json!("x");
        for _ in 0..40 {
            deep = json!([deep]);
        }
        assert!(render(&deep, &CHINESE).len() < 2000);
    }
}
