//! What all tasks have in common.

use std::sync::Arc;

use tongban_dsl::definition::{Export, Output, Task as Source, TaskMetadata};
use tongban_dsl::{Diagnostic, codes};
use tongban_expr::Value;

use super::{Compiler, Place, TASKS_MAX, number};
use crate::program::{Body, Next, Pauses, Results, ScopeId, Task, TaskId};

/// A task without anything.
pub(super) fn blank(name: Arc<str>, label: Arc<str>, place: Place, definition: Value) -> Task {
    Task {
        name,
        label,
        path: place.path.into(),
        pointer: place.pointer.into(),
        definition,
        keyword: "",
        home: 0,
        position: 0,
        if_: None,
        input_schema: None,
        input_from: None,
        results: Results::default(),
        timeout: None,
        then: Next::Continue,
        before: None,
        after: None,
        title: None,
        state: None,
        clock: None,
        pauses: None,
        idempotency_key: None,
        extra: Vec::new(),
        checkpoint: false,
        keep: false,
        body: Body::None,
    }
}

impl<'a> Compiler<'a> {
    /// Compiles a task of a list.
    pub(super) fn task(
        &mut self,
        source: &'a Source,
        label: Arc<str>,
        home: ScopeId,
        position: usize,
        place: &Place,
    ) {
        if self.program.tasks.len() >= TASKS_MAX {
            let message = format!(
                "expected at most {TASKS_MAX} tasks, bodies of functions counted at each call"
            );
            if !self
                .diagnostics
                .iter()
                .any(|known| known.code == codes::TOO_MANY_VALUES)
            {
                self.error(Diagnostic::error(
                    codes::TOO_MANY_VALUES,
                    source.span,
                    message,
                ));
            }
            return;
        }
        let mut place = place.clone();
        if !place.path.is_empty() {
            place.path.push('/');
        }
        place.path.push_str(&label);
        let definition = self.piece(&place.pointer);
        let id = number(self.program.tasks.len());
        self.program.tasks.push(blank(
            source.name.value.as_str().into(),
            label,
            place.clone(),
            definition,
        ));
        if let Some(scope) = self.program.scopes.get_mut(home as usize) {
            scope.tasks.push(id);
        }
        let body = self.body(source, &place);
        let (before, after) = self.extensions(source, &place);
        let common = self.common(source, id, home, &place);
        if let Some(task) = self.program.tasks.get_mut(id as usize) {
            *task = Task {
                position: number(position),
                before,
                after,
                body,
                ..common
            };
        }
    }

    /// What stands around a task's kind.
    fn common(&mut self, source: &'a Source, id: TaskId, home: ScopeId, place: &Place) -> Task {
        let task = self.program.task(id);
        let named = blank(
            task.name.clone(),
            task.label.clone(),
            place.clone(),
            task.definition.clone(),
        );
        let input = source.input.as_ref();
        let framed = Task {
            keyword: source.kind.keyword(),
            home,
            if_: self.code_if(source.if_.as_ref(), "if", place),
            input_schema: self.schema(input.and_then(|input| input.schema.as_ref())),
            input_from: self.template_if(
                input.and_then(|input| input.from.as_ref()),
                "input.from",
                place,
            ),
            results: self.results(source.output.as_ref(), source.export.as_ref(), "", place),
            timeout: self.timeout(source.timeout.as_ref(), place),
            then: self.next(source.then.as_ref(), home),
            ..named
        };
        self.with_metadata(framed, &source.metadata, place)
    }

    /// Compiles `output` and `export`; `of` is `foreach.` for those of an iterator, else nothing.
    pub(super) fn results(
        &mut self,
        output: Option<&Output>,
        export: Option<&Export>,
        of: &str,
        place: &Place,
    ) -> Results {
        Results {
            output_as: self.template_if(
                output.and_then(|output| output.as_.as_ref()),
                &format!("{of}output.as"),
                place,
            ),
            output_schema: self.schema(output.and_then(|output| output.schema.as_ref())),
            export_as: self.template_if(
                export.and_then(|export| export.as_.as_ref()),
                &format!("{of}export.as"),
                place,
            ),
            export_schema: self.schema(export.and_then(|export| export.schema.as_ref())),
        }
    }

    fn with_metadata(&mut self, task: Task, metadata: &'a TaskMetadata, place: &Place) -> Task {
        let key = metadata.idempotency_key.as_ref();
        Task {
            title: self.template_if(metadata.title.as_ref(), "metadata.title", place),
            state: self.template_if(metadata.state.as_ref(), "metadata.state", place),
            clock: metadata
                .clock
                .as_ref()
                .map(|clock| self.clock(clock, place)),
            pauses: metadata.pauses.as_ref().map(|pauses| Pauses {
                ground: pauses.ground.value.clone(),
                basis: self.template_if(pauses.basis.as_ref(), "metadata.pauses.basis", place),
            }),
            idempotency_key: self.template_if(key, "metadata.idempotencyKey", place),
            extra: self.entries(&metadata.extra, "metadata", place),
            checkpoint: metadata.returnable,
            ..task
        }
    }

    /// The part of the document, or of a cataloged function, at a JSON pointer.
    pub(super) fn piece(&self, pointer: &str) -> Value {
        let function = self
            .cataloged
            .values()
            .find_map(|function| Some((function, pointer.strip_prefix(&function.pointer)?)));
        let (mut here, pointer) = match function {
            Some((function, rest)) if rest.is_empty() || rest.starts_with('/') => {
                (&function.document, rest)
            }
            _ => (&self.program.document, pointer),
        };
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let inner = match here {
                Value::Arr(items) => part.parse::<usize>().ok().and_then(|at| items.get(at)),
                _ => here.get(&part),
            };
            match inner {
                Some(inner) => here = inner,
                None => return Value::Null,
            }
        }
        here.clone()
    }
}
