//! What the exports of a document leave in the context.

use std::collections::BTreeSet;

use crate::definition::{Definition, Task, TaskKind, Template, TemplateKind};

/// The keys of all exports, when each of them is an object that replaces the context; `None` when one may carry it on
/// or give anything.
pub(super) fn keys(definition: &Definition) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for task in definition.roots() {
        gather(task, &mut found)?;
    }
    Some(found)
}

fn gather(task: &Task, found: &mut BTreeSet<String>) -> Option<()> {
    let own = task.export.as_ref().and_then(|export| export.as_.as_ref());
    let each = match &task.kind {
        TaskKind::Listen(listen) => listen.foreach.as_ref(),
        _ => None,
    };
    let each = each
        .and_then(|each| each.export.as_ref())
        .and_then(|export| export.as_.as_ref());
    for template in [own, each].into_iter().flatten() {
        given(template, found)?;
    }
    for (_, tasks) in task.scopes() {
        for inner in tasks {
            gather(inner, found)?;
        }
    }
    Some(())
}

fn given(template: &Template, found: &mut BTreeSet<String>) -> Option<()> {
    match &template.kind {
        TemplateKind::Object(entries) => {
            found.extend(entries.iter().map(|entry| entry.key.to_string()));
            Some(())
        }
        TemplateKind::Expression(source) => {
            found.extend(literal_keys(&source.text)?);
            Some(())
        }
        _ => None,
    }
}

/// The keys of `{ a: …, b: … }` or `#{ … }` when the expression is nothing else.
fn literal_keys(text: &str) -> Option<Vec<String>> {
    let inner = text
        .trim()
        .trim_start_matches('#')
        .strip_prefix('{')?
        .strip_suffix('}')?;
    let mut keys = Vec::new();
    let (mut depth, mut quoted, mut from) = (0_i32, false, 0);
    let mut parts = Vec::new();
    for (at, letter) in inner.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(inner.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    parts.push(inner.get(from..)?);
    for part in parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
    {
        let key = part.split(':').next()?.trim();
        // `{ $name }` and `{ name }` of jq give their own name.
        let key = key.trim_start_matches(['$', '.']).trim_matches('"');
        let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !plain {
            return None;
        }
        keys.push(key.to_owned());
    }
    Some(keys)
}
