//! `schedule.on`: a hidden workflow that listens and starts, again and again.

use tongban_dsl::definition::{
    Definition, ExpressionSource, Flow, Language, Listen, Mode, Read, Run, RunKind, Task, TaskKind,
    TaskMetadata, Template, TemplateKind,
};
use tongban_dsl::{Span, Spanned};

/// The workflow that starts `definition` on its events, if its schedule has any: one instance of it
/// runs as long as the definition is current. The events, whole, are the input of what it starts.
#[must_use]
pub fn collector(definition: &Definition) -> Option<Definition> {
    let to = definition.schedule.as_ref()?.on.clone()?;
    let document = &definition.document;
    let events = Listen {
        to,
        read: Read::Envelope,
        foreach: None,
    };
    let start = Run {
        await_: false,
        returns: None,
        kind: RunKind::Workflow {
            namespace: document.namespace.clone(),
            name: document.name.clone(),
            version: document.version.clone(),
            input: Some(argument(document.span)),
        },
    };
    let tasks = vec![
        task("events", TaskKind::Listen(Box::new(events)), Flow::Continue),
        task(
            "start",
            TaskKind::Run(start),
            Flow::Task("events".to_owned()),
        ),
    ];
    let mut hidden = Definition {
        tasks,
        schedule: None,
        input: None,
        output: None,
        timeout: None,
        ..definition.clone()
    };
    // What extends the tasks of the workflow has nothing to do with how it is started.
    hidden.reusables.extensions.clear();
    hidden.document.metadata = tongban_dsl::definition::DocumentMetadata::default();
    Some(hidden)
}

/// The value that the task is given.
fn argument(span: Span) -> Template {
    let source = ExpressionSource {
        text: ".".into(),
        scalar: ".".into(),
        language: Language::Jq,
        mode: Mode::Strict,
        span,
        offset: 0,
    };
    Template {
        span,
        kind: TemplateKind::Expression(source),
    }
}

fn task(name: &str, kind: TaskKind, then: Flow) -> Task {
    Task {
        name: Spanned::new(name.to_owned(), Span::default()),
        span: Span::default(),
        if_: None,
        input: None,
        output: None,
        export: None,
        timeout: None,
        then: Some(Spanned::new(then, Span::default())),
        metadata: TaskMetadata::default(),
        kind,
    }
}
