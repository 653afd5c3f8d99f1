//! Functions of catalogues, read before anything is compiled: a function may call others.

use std::collections::HashMap;

use tongban_dsl::definition::{Cataloged, Definition, Task, TaskKind};
use tongban_expr::Value;

use crate::surroundings::Surroundings;

/// A function of a catalogue.
pub(super) struct CatalogFunction {
    /// Its name without version and catalogue.
    pub(super) name: String,
    /// What it does.
    pub(super) task: Task,
    /// Its file as data, for `$task.definition`.
    pub(super) document: Value,
    /// Where it stands, for errors: `/use/catalogs/CATALOGUE/NAME:VERSION`.
    pub(super) pointer: String,
}

/// The functions of catalogues that a definition reaches, by what calls name.
pub(super) fn reached(
    definition: &Definition,
    surroundings: &dyn Surroundings,
) -> HashMap<String, CatalogFunction> {
    let mut waiting: Vec<String> = Vec::new();
    definition
        .roots()
        .for_each(|task| called(task, &mut waiting));
    let mut found: HashMap<String, CatalogFunction> = HashMap::new();
    while let Some(name) = waiting.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let Some(function) = read(definition, surroundings, &name) else {
            continue;
        };
        called(&function.task, &mut waiting);
        found.insert(name, function);
    }
    found
}

fn read(
    definition: &Definition,
    surroundings: &dyn Surroundings,
    call: &str,
) -> Option<CatalogFunction> {
    let path = definition.function_file(call)?;
    let source = surroundings.file(&path)?;
    let cataloged = Cataloged::read(call);
    let name = cataloged.map_or("function", |cataloged| cataloged.name);
    let task = tongban_dsl::parse_function(&source, name).task?;
    let pointer = match cataloged {
        Some(found) => format!(
            "/use/catalogs/{}/{}:{}",
            super::escaped(found.catalog),
            super::escaped(found.name),
            super::escaped(found.version)
        ),
        None => format!("/{}", super::escaped(&path)),
    };
    Some(CatalogFunction {
        name: name.to_owned(),
        task,
        document: tongban_dsl::read_yaml(&source).0.unwrap_or_default(),
        pointer,
    })
}

fn called(task: &Task, names: &mut Vec<String>) {
    if let TaskKind::Call(call) = &task.kind {
        names.push(call.function.value.clone());
    }
    for (_, tasks) in task.scopes() {
        tasks.iter().for_each(|inner| called(inner, names));
    }
}
