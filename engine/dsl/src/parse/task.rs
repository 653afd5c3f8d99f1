//! Tasks: what all of them share, their kind, and the kinds that hold other tasks.

use std::collections::HashMap;

use super::foreign::foreign;
use super::keywords::{KEYWORDS, KINDS, SHARED};
use super::reader::{Reader, first_line};
use crate::codes;
use crate::definition::{Flow, Task, TaskKind, Template, TemplateKind, Then};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::span::{Span, Spanned};
use crate::suggest;

impl Reader {
    /// A list of tasks.
    pub fn tasks(&mut self, node: &Node, what: &str) -> Vec<Task> {
        let NodeKind::List(items) = &node.kind else {
            self.not_a_task_list(node, what);
            return Vec::new();
        };
        if items.is_empty() {
            self.report(
                Diagnostic::warning(codes::EMPTY_LIST, node.span, format!("{what} has no task"))
                    .help("write `- name: { … }`, or take the block out"),
            );
        }
        let mut tasks: Vec<Task> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        for item in items {
            for field in self.item(item, "task", KEYWORDS) {
                let task = self.named_task(&field);
                let first = seen.get(&task.name.value).copied();
                seen.entry(task.name.value.clone())
                    .or_insert(task.name.span);
                if let Some(first) = first {
                    let message = format!("the task `{}` stands twice in {what}", task.name.value);
                    self.diagnostics.push(
                        Diagnostic::error(codes::DUPLICATE_TASK, task.name.span, message)
                            .help("rename one; people see `metadata.title`")
                            .label(first, "first given here"),
                    );
                }
                tasks.push(task);
            }
        }
        tasks
    }

    /// A task under its name.
    pub fn named_task(&mut self, field: &Field) -> Task {
        let name = Spanned::new(field.key.to_string(), field.key_span);
        self.task_name(&name);
        self.task(name, &field.value)
    }

    /// The task that a file of a catalogue holds.
    pub fn function(&mut self, root: &Node, name: &str) -> Task {
        let span = first_line(root.span);
        self.task(Spanned::new(name.to_owned(), span), root)
    }

    fn task_name(&mut self, name: &Spanned<String>) {
        let text = &name.value;
        let unfit = text.is_empty()
            || text.len() > 128
            || text.contains(['/', '#', '[', ']', ':'])
            || text
                .chars()
                .any(|letter| letter.is_control() || crate::diagnostic::is_invisible(letter));
        if unfit {
            self.report(
                Diagnostic::error(
                    codes::TASK_NAME,
                    name.span,
                    "a task's name has 1 to 128 visible characters and none of / # [ ] :",
                )
                .help("use camelCase; people see `metadata.title`"),
            );
        }
    }

    fn task(&mut self, name: Spanned<String>, node: &Node) -> Task {
        let what = format!("the task `{}`", name.value);
        let kind = match &node.kind {
            NodeKind::Map(_) => self.kind(node, &what),
            _ => {
                self.no_kind(node, name.span, &what);
                None
            }
        };
        let metadata = node
            .get("metadata")
            .map(|metadata| self.task_metadata(metadata))
            .unwrap_or_default();
        Task {
            span: node.span,
            if_: node
                .get("if")
                .and_then(|condition| self.condition(condition, "`if`")),
            input: node
                .get("input")
                .and_then(|input| self.input(input, "`input`")),
            output: node
                .get("output")
                .and_then(|output| self.output(output, "`output`")),
            export: node.get("export").and_then(|export| self.export(export)),
            timeout: node
                .get("timeout")
                .and_then(|timeout| self.timeout(timeout, "`timeout`")),
            then: node.get("then").and_then(|then| self.then(then)),
            metadata,
            // A task whose body is faulty still holds its name, so that others may refer to it.
            kind: kind.unwrap_or_else(|| {
                TaskKind::Set(Template {
                    span: node.span,
                    kind: TemplateKind::Object(Vec::new()),
                })
            }),
            name,
        }
    }

    fn no_kind(&mut self, node: &Node, name: Span, what: &str) {
        let fault = Diagnostic::error(
            codes::NO_KIND,
            name,
            format!("{what} does nothing: it has none of the keywords of a task"),
        );
        let help = match &node.kind {
            NodeKind::Null => {
                "indent its body under the name, for example `call: …` or `set: …`".to_owned()
            }
            NodeKind::List(_) => "put `do:` between the name and the list".to_owned(),
            NodeKind::Text(text) => super::foreign::help(text).unwrap_or_else(|| {
                "its body is `key: value` pairs, for example `call: approve` and `with: { … }`"
                    .to_owned()
            }),
            _ => {
                let near = node.fields().iter().find_map(|field| {
                    suggest::nearest(&field.key, KEYWORDS.iter().copied())
                        .map(|near| (&field.key, near))
                });
                let calls = node.get("with").is_some();
                match near {
                    _ if calls => {
                        "`with` holds the arguments of a call: add `call: FUNCTION`".to_owned()
                    }
                    Some((found, near)) => format!("did you mean `{near}` instead of `{found}`?"),
                    None => format!("give it one of {}", suggest::list(KEYWORDS)),
                }
            }
        };
        self.report(fault.help(help));
    }

    fn kind(&mut self, node: &Node, what: &str) -> Option<TaskKind> {
        let found = KINDS
            .iter()
            .find(|(keyword, _)| node.get(keyword).is_some());
        let Some((keyword, beside)) = found else {
            if let Some((field, help)) = foreign(node) {
                let key = &field.key;
                let message = if super::foreign::is_kind(key) {
                    format!("what a task does is said by its keyword, not by `{key}`")
                } else {
                    format!("there is no task of the kind `{key}`")
                };
                self.report(Diagnostic::error(codes::NO_KIND, field.key_span, message).help(help));
                return None;
            }
            let misplaced = node
                .fields()
                .iter()
                .find(|field| matches!(&*field.key, "script" | "workflow" | "shell" | "container"));
            if let Some(field) = misplaced {
                self.report(
                    Diagnostic::error(
                        codes::WRONG_WRAPPER,
                        field.key_span,
                        format!("`{}` stands under `run`", field.key),
                    )
                    .help(format!("write `run: {{ {}: {{ … }} }}`", field.key)),
                );
            } else {
                self.no_kind(node, first_line(node.span), what);
            }
            return None;
        };
        let mut known: Vec<&str> = vec![keyword];
        known.extend_from_slice(beside);
        known.extend_from_slice(SHARED);
        self.strays(node, keyword, what, &known);
        self.body(keyword, node, what)
    }

    fn body(&mut self, keyword: &str, node: &Node, what: &str) -> Option<TaskKind> {
        let body = node.get(keyword)?;
        match keyword {
            "call" => self.call(node, body).map(TaskKind::Call),
            "do" => Some(TaskKind::Do(self.tasks(body, &format!("`do` of {what}")))),
            "emit" => self.emit(body).map(TaskKind::Emit),
            "for" => self.for_task(node, body, what).map(TaskKind::For),
            "fork" => self.fork(body, what).map(TaskKind::Fork),
            "listen" => self
                .listen(node, body)
                .map(|listen| TaskKind::Listen(Box::new(listen))),
            "raise" => self.raise(body).map(TaskKind::Raise),
            "run" => self.run(body).map(TaskKind::Run),
            "set" => self.set(body).map(TaskKind::Set),
            "switch" => self.switch(body).map(TaskKind::Switch),
            "try" => self
                .try_task(node, body, what)
                .map(|body| TaskKind::Try(Box::new(body))),
            _ => self.duration(body, "`wait`").map(TaskKind::Wait),
        }
    }

    /// A flow directive.
    pub fn then(&mut self, node: &Node) -> Option<Then> {
        if self.chosen_then(node) {
            return None;
        }
        let text = self.text(node, "`then`")?;
        let flow = match text.value.as_str() {
            "continue" => Flow::Continue,
            "exit" => Flow::Exit,
            "end" => Flow::End,
            _ => Flow::Task(text.value),
        };
        Some(Spanned::new(flow, node.span))
    }

    /// `then` with a list or with ways by outcome. Tells whether that was found.
    fn chosen_then(&mut self, node: &Node) -> bool {
        let help = match &node.kind {
            NodeKind::List(items) => match items.as_slice() {
                [only] if only.as_str().is_some() => {
                    format!("write `then: {}`", only.as_str().unwrap_or_default())
                }
                _ => "one task stands here; what runs at the same time is `fork: { branches: [ … ] }`, a choice is `switch: [ … ]`".to_owned(),
            },
            NodeKind::Map(fields) => {
                let ways: Vec<String> = fields
                    .iter()
                    .filter_map(|field| {
                        let to = field.value.as_str()?;
                        let key = &field.key;
                        Some(format!("{{ {key}: {{ when: …, then: {to} }} }}"))
                    })
                    .collect();
                if ways.is_empty() {
                    return false;
                }
                format!(
                    "`then` leads to one task; choose in a task behind it: `- choose: {{ switch: [{}] }}`",
                    ways.join(", ")
                )
            }
            _ => return false,
        };
        let message = format!("`then` must be a text, found {}", node.kind_name());
        self.report(
            Diagnostic::error(codes::WRONG_TYPE, first_line(node.span), message).help(help),
        );
        true
    }
}

/// Whether a text can name a variable in both languages.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
