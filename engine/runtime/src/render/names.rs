//! What a template names, with the places: the variables that it reads and the filters that it applies.

use std::ops::Range;

use minijinja::{Environment, ErrorKind};

/// A name in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its place in the text.
    pub at: Range<usize>,
    /// `data.grant.id`, `date`.
    pub name: String,
}

/// What minijinja itself has beside the variables of a letter.
const GLOBALS: [&str; 4] = ["range", "dict", "namespace", "debug"];

/// The variables that a text reads and does not set itself, as dotted paths, in the order of the text.
pub(super) fn variables(environment: &Environment<'_>, text: &str) -> Vec<Named> {
    let Ok(template) = environment.template_from_str(text) else {
        return Vec::new();
    };
    let code = code(text);
    let paths = template.undeclared_variables(true);
    let mut found: Vec<Named> = paths
        .iter()
        .filter(|path| !GLOBALS.contains(&path.as_str()))
        .flat_map(|path| places(&code, path))
        .collect();
    // Of `data` and `data.grant` at one place the longer one speaks.
    found.sort_by_key(|named| (named.at.start, std::cmp::Reverse(named.at.end)));
    found.dedup_by_key(|named| named.at.start);
    found
}

/// The filters that a text applies and that do not exist.
pub(super) fn unknown_filters(environment: &Environment<'_>, text: &str) -> Vec<Named> {
    let code = code(text);
    let mut found = Vec::new();
    for (bar, _) in code.match_indices('|') {
        let Some(rest) = code.get(bar + 1..) else {
            continue;
        };
        let start = bar + 1 + rest.len() - rest.trim_start().len();
        let name: String = code
            .get(start..)
            .unwrap_or("")
            .chars()
            .take_while(|letter| is_word(*letter))
            .collect();
        if !name.is_empty() && !exists(environment, &name) {
            found.push(Named {
                at: start..start + name.len(),
                name,
            });
        }
    }
    found
}

/// Whether there is a filter: one that is not there is told before it is applied.
fn exists(environment: &Environment<'_>, filter: &str) -> bool {
    let applied = environment.render_str(&format!("{{{{ none | {filter} }}}}"), ());
    applied.map_or_else(|error| error.kind() != ErrorKind::UnknownFilter, |_| true)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The text with everything blank that is no code: what stands outside of tags, comments, and texts in quotes. Every
/// byte keeps its place.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut closing: Option<&str> = None;
    let mut quote: Option<char> = None;
    let mut skip = 0;
    for (at, letter) in text.char_indices() {
        let rest = text.get(at..).unwrap_or("");
        let mut kept = false;
        if skip > 0 {
            skip -= 1;
        } else if let Some(end) = closing {
            match quote {
                Some(open) if letter == open => quote = None,
                Some(_) => {}
                None if rest.starts_with(end) => {
                    closing = None;
                    skip = 1;
                }
                None if end != "#}" && matches!(letter, '"' | '\'') => quote = Some(letter),
                None => kept = end != "#}",
            }
        } else if rest.starts_with("{{") {
            (closing, skip) = (Some("}}"), 1);
        } else if rest.starts_with("{%") {
            (closing, skip) = (Some("%}"), 1);
        } else if rest.starts_with("{#") {
            (closing, skip) = (Some("#}"), 1);
        }
        if kept {
            out.push(letter);
        } else {
            out.push_str(&" ".repeat(letter.len_utf8()));
        }
    }
    out
}

/// Where a path stands as a whole name.
fn places(code: &str, path: &str) -> Vec<Named> {
    let whole = |at: usize| {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        let after = code
            .get(at + path.len()..)
            .and_then(|after| after.chars().next());
        before.is_none_or(|letter| !is_word(letter) && letter != '.')
            && after.is_none_or(|letter| !is_word(letter))
    };
    code.match_indices(path)
        .filter(|(at, _)| whole(*at))
        .map(|(at, _)| Named {
            at: at..at + path.len(),
            name: path.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_they_are_written() {
        let text = "您好 {{ to.nmae }}：{% for t in data.trace %}{{ t.value | vedict }}{% endfor %}{# {{ no }} #} {{ \"a | b\" | upper }}";
        let environment = Environment::new();
        let named = variables(&environment, text);
        let names: Vec<&str> = named.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(names, ["to.nmae", "data.trace"]);
        for named in named.iter().chain(&unknown_filters(&environment, text)) {
            assert_eq!(text.get(named.at.clone()), Some(named.name.as_str()));
        }
        let filters = unknown_filters(&environment, text);
        let filters: Vec<&str> = filters.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(filters, ["vedict"]);
    }
}
