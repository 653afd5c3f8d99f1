//! Which steps open only when all cases of a batch have arrived (`batch: { by, opens: complete }`).

use tongban_dsl::definition::{Definition, Task, TaskKind};

/// A gated step: its path and the search fields that the cases of a batch share.
pub(crate) struct Gate {
    pub path: String,
    pub by: Vec<String>,
}

/// The gated steps of a definition.
pub(crate) fn gates(definition: &Definition) -> Vec<Gate> {
    let mut found = Vec::new();
    gather(&definition.tasks, "", &mut found);
    found
}

fn gather(tasks: &[Task], above: &str, found: &mut Vec<Gate>) {
    for task in tasks {
        let path = if above.is_empty() {
            task.name.value.clone()
        } else {
            format!("{above}/{}", task.name.value)
        };
        if let TaskKind::Call(call) = &task.kind
            && let Some(batch) = call.with.as_ref().and_then(|with| with.get("batch"))
            && batch.get("opens").and_then(|opens| opens.as_str()) == Some("complete")
        {
            let by = batch.get("by").map(|by| by.items()).unwrap_or_default();
            let by = by
                .iter()
                .filter_map(|field| field.as_str().map(str::to_owned))
                .collect();
            found.push(Gate {
                path: path.clone(),
                by,
            });
        }
        for (_, inner) in task.scopes() {
            gather(inner, &path, found);
        }
    }
}
