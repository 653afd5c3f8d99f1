//! Extensions, expanded around every task of their kind.

use std::sync::Arc;

use tongban_dsl::definition::{Extension, Task as Source};

use super::{Compiler, Place, number, task};
use crate::program::{Body, EXTENSION, ScopeId, Task};

impl<'a> Compiler<'a> {
    /// The lists of extensions before and after a task. Those of an extension are extended by what says
    /// `extend: extension`, and the tasks of these by nothing.
    pub(super) fn extensions(
        &mut self,
        source: &'a Source,
        place: &Place,
    ) -> (Option<ScopeId>, Option<ScopeId>) {
        if self.extending > 1 {
            return (None, None);
        }
        let inside_extension = self.extending == 1;
        let definition = self.definition;
        let found: Vec<(usize, &'a Extension)> = definition
            .reusables
            .extensions
            .iter()
            .enumerate()
            .filter(|(_, extension)| match inside_extension {
                true => extension.extends_extensions(),
                false => extension.extends(&source.kind),
            })
            .collect();
        if found.is_empty() {
            return (None, None);
        }
        self.extending += 1;
        // A function that an extension calls does not call itself when its own tasks are extended.
        let calling = std::mem::take(&mut self.calling);
        let before = self.around("before", &found, |extension| &extension.before, place);
        let after = self.around("after", &found, |extension| &extension.after, place);
        self.calling = calling;
        self.extending -= 1;
        (before, after)
    }

    /// One side of a task: a list with one entry for each extension that has tasks there.
    fn around(
        &mut self,
        side: &str,
        extensions: &[(usize, &'a Extension)],
        tasks: fn(&Extension) -> &[Source],
        place: &Place,
    ) -> Option<ScopeId> {
        let present: Vec<(usize, &'a Extension)> = extensions
            .iter()
            .copied()
            .filter(|(_, extension)| !tasks(extension).is_empty())
            .collect();
        if present.is_empty() {
            return None;
        }
        let labels: Vec<Arc<str>> = present
            .iter()
            .map(|(_, extension)| format!("{side}:{}", extension.name.value).into())
            .collect();
        let scope = self.open_scope(&labels, None);
        for (position, ((at, extension), label)) in present.into_iter().zip(labels).enumerate() {
            let name = &extension.name.value;
            // An extension sees nothing of where it is applied but what its arguments say.
            let inside = Place {
                scopes: Vec::new(),
                locals: Vec::new(),
                pointer: format!("/use/extensions/{at}/{}", super::escaped(name)),
                path: format!("{}/{label}", place.path),
            };
            let id = number(self.program.tasks.len());
            self.program.tasks.push(task::blank(
                label.clone(),
                label,
                inside.clone(),
                self.piece(&inside.pointer),
            ));
            if let Some(scope) = self.program.scopes.get_mut(scope as usize) {
                scope.tasks.push(id);
            }
            let if_ = self.code_if(extension.when.as_ref(), "when", &inside);
            let list = self.list(tasks(extension), side, &inside);
            if let Some(task) = self.program.tasks.get_mut(id as usize) {
                *task = Task {
                    keyword: EXTENSION,
                    home: scope,
                    position: number(position),
                    if_,
                    body: Body::Extension(list),
                    ..std::mem::replace(
                        task,
                        task::blank(
                            "".into(),
                            "".into(),
                            Place::default(),
                            tongban_expr::Value::Null,
                        ),
                    )
                };
            }
        }
        Some(scope)
    }
}
