//! The sentences that cases cite, held against the language's own text and our manual.

use std::collections::BTreeMap;
use std::path::PathBuf;

use libtest_mimic::{Failed, Trial};

use crate::case::{Citation, File};

/// One test for each file of cases.
pub(crate) fn trials(files: &[File]) -> Vec<Trial> {
    files
        .iter()
        .map(|file| {
            let cited: Vec<(String, Citation)> = file
                .cases
                .iter()
                .map(|case| (case.case.clone(), case.cites.clone()))
                .collect();
            Trial::test(format!("cites: {}", file.group), move || stand(&cited))
        })
        .collect()
}

fn stand(cited: &[(String, Citation)]) -> Result<(), Failed> {
    let mut texts: BTreeMap<String, Vec<Section>> = BTreeMap::new();
    let mut missing = Vec::new();
    for (case, citation) in cited {
        let (file, heading) = citation
            .from
            .split_once('#')
            .ok_or_else(|| format!("`{case}`: expected FILE#SECTION, found `{}`", citation.from))?;
        if !texts.contains_key(file) {
            let path = page(file);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("`{case}` cites {}: {error}", path.display()))?;
            texts.insert(file.to_owned(), sections(&text));
        }
        let wanted = plain(&citation.text);
        let stands = texts.get(file).into_iter().flatten().any(|section| {
            section.heading.eq_ignore_ascii_case(heading) && section.text.contains(&wanted)
        });
        if !stands {
            missing.push(format!(
                "`{case}`: {} does not say: {wanted}",
                citation.from
            ));
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(missing.join("\n").into())
    }
}

/// Where a page lies: the language's own, or one of our manual.
fn page(file: &str) -> PathBuf {
    let root = tongban_tests::root();
    if file.starts_with("docs/") {
        root.join(file)
    } else {
        root.join("tests/conformance/serverless-workflow")
            .join(file)
    }
}

/// A heading and all that stands under it, up to the next heading of its level.
struct Section {
    heading: String,
    text: String,
}

fn sections(text: &str) -> Vec<Section> {
    let mut in_example = false;
    let lines: Vec<(&str, Option<usize>)> = text
        .lines()
        .map(|line| {
            in_example ^= line.trim_start().starts_with("```");
            // What begins with `#` in an example is a remark.
            let level = line
                .find(|c| c != '#')
                .filter(|level| *level > 0 && !in_example);
            (line, level)
        })
        .collect();
    let mut sections = Vec::new();
    for (at, (line, level)) in lines.iter().enumerate() {
        let Some(depth) = level else { continue };
        let body: Vec<&str> = lines
            .iter()
            .skip(at + 1)
            .take_while(|(_, level)| level.is_none_or(|other| other > *depth))
            .map(|(line, _)| *line)
            .collect();
        sections.push(Section {
            heading: line.trim_start_matches('#').trim().to_owned(),
            text: plain(&body.join("\n")),
        });
    }
    sections
}

/// A text without the marks of Markdown, its white space folded.
pub(crate) fn plain(text: &str) -> String {
    let text = text
        .replace("<br>", " ")
        .replace("<u>", "")
        .replace("</u>", "");
    let mut bare = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('[') {
        let (before, link) = rest.split_at(open);
        bare.push_str(before);
        let inner = link.find("](").and_then(|middle| {
            let close = link.get(middle..)?.find(')')? + middle;
            Some((link.get(1..middle)?, close))
        });
        match inner.filter(|(label, _)| !label.contains(['[', '\n'])) {
            Some((label, close)) => {
                bare.push_str(label);
                rest = link.get(close + 1..).unwrap_or_default();
            }
            None => {
                bare.push('[');
                rest = link.get(1..).unwrap_or_default();
            }
        }
    }
    bare.push_str(rest);
    let bare: String = bare.chars().filter(|c| !matches!(c, '`' | '*')).collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}
