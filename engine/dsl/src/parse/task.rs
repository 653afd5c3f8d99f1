//! Tasks: what all of them share, their kind, and the kinds that hold other tasks.

use std::collections::HashMap;

use super::foreign::foreign;
use super::reader::{Reader, first_line};
use crate::codes;
use crate::definition::{Emit, Flow, Raise, Task, TaskKind, Template, TemplateKind, Then};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::span::{Span, Spanned};
use crate::suggest;
use crate::width;

/// The keywords of tasks, each with the properties that stand beside it.
/// `do` comes last: beside `for` it is a property.
const KINDS: &[(&str, &[&str])] = &[
    ("call", &["with"]),
    ("emit", &[]),
    ("for", &["while", "do"]),
    ("fork", &[]),
    ("listen", &["foreach"]),
    ("raise", &[]),
    ("run", &[]),
    ("set", &[]),
    ("switch", &[]),
    ("try", &["catch"]),
    ("wait", &[]),
    ("do", &[]),
];
const SHARED: &[&str] = &[
    "if", "input", "output", "export", "timeout", "then", "metadata",
];
/// What an author writes under a task's name; in the place of a second name it was not indented far enough.
const BELONGING: &[&str] = &[
    "if", "input", "output", "export", "timeout", "then", "metadata", "with", "catch", "while",
    "foreach",
];
const KEYWORDS: &[&str] = &[
    "call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait",
];

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

    fn not_a_task_list(&mut self, node: &Node, what: &str) {
        let first = node.fields().first().map(|field| field.key.to_string());
        let fault = Diagnostic::error(
            codes::NOT_A_TASK_LIST,
            first_line(node.span),
            format!("{what} must be a list of tasks, found {}", node.kind_name()),
        );
        let wide = first
            .as_deref()
            .and_then(width::made_plain)
            .filter(|plain| plain.starts_with("- "));
        if let (Some(plain), Some(field)) = (wide, node.fields().first()) {
            self.report(
                Diagnostic::error(
                    codes::FULL_WIDTH,
                    field.key_span,
                    "a full-width hyphen is a letter for YAML and begins no task",
                )
                .help(format!("write `{plain}: …`")),
            );
            return;
        }
        if let (Some(name), Some(field)) = (
            first.as_deref().and_then(|first| first.strip_prefix('-')),
            node.fields().first(),
        ) {
            self.report(
                Diagnostic::error(
                    codes::SPACING,
                    field.key_span,
                    format!("a space is missing behind the hyphen of `-{name}`"),
                )
                .help(format!("write `- {name}: …`")),
            );
            return;
        }
        self.report(match first {
            Some(first) if KEYWORDS.contains(&first.as_str()) => {
                fault.help("give the task a name: `- name: { … }`")
            }
            Some(first) => fault.help(format!("begin each task with a hyphen: `- {first}: …`")),
            None => fault.help("write `- name: { … }`"),
        });
    }

    /// The one entry of a list item; several are reported, and all of them are read.
    pub fn item(&mut self, item: &Node, noun: &str, keywords: &[&str]) -> Vec<Field> {
        let Some(fields) = self.object(item, &format!("each item of a {noun} list")) else {
            return Vec::new();
        };
        match fields {
            [] => {
                let message = format!("a {noun} needs a name: `- name: {{ … }}`");
                self.report(
                    Diagnostic::error(codes::NO_KIND, item.span, message)
                        .help(format!("name the {noun}, or take the hyphen away")),
                );
                Vec::new()
            }
            [only] => vec![only.clone()],
            [first, second, ..] => {
                let nameless = keywords.contains(&&*first.key);
                if nameless {
                    let message = format!("this {noun} has no name");
                    self.report(
                        Diagnostic::error(codes::WRONG_WRAPPER, first.key_span, message).help(
                            format!(
                                "put a name before it and indent the rest: `- name:` then `{}: …`",
                                first.key
                            ),
                        ),
                    );
                    return Vec::new();
                }
                let under_indented =
                    matches!(first.value.kind, NodeKind::Null) && keywords.contains(&&*second.key);
                let belongs = |key: &str| BELONGING.contains(&key) || keywords.contains(&key);
                let help = if under_indented {
                    format!("indent what belongs to `{}`", first.key)
                } else if belongs(&second.key) {
                    format!(
                        "`{}` belongs to `{}`: indent it as far as what stands below that name",
                        second.key, first.key
                    )
                } else {
                    format!("begin the second with a hyphen: `- {}:`", second.key)
                };
                let message = format!(
                    "one list item holds one {noun}, found `{}` and `{}`",
                    first.key, second.key
                );
                self.report(
                    Diagnostic::error(codes::MANY_TASKS, second.key_span, message)
                        .help(help)
                        .label(first.key_span, "the item begins here"),
                );
                if under_indented {
                    return Vec::new();
                }
                let tasks = fields.iter().enumerate();
                tasks
                    .filter(|(at, field)| *at == 0 || !belongs(&field.key))
                    .map(|(_, field)| field.clone())
                    .collect()
            }
        }
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
                .any(|letter| letter.is_control() || is_invisible(letter));
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
                self.report(
                    Diagnostic::error(
                        codes::NO_KIND,
                        field.key_span,
                        format!("there is no task of the kind `{}`", field.key),
                    )
                    .help(help),
                );
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
        for field in node
            .fields()
            .iter()
            .filter(|field| !known.contains(&&*field.key))
        {
            self.stray(field, keyword, what, &known);
        }
        self.body(keyword, node, what)
    }

    /// A property that a task of this kind does not have.
    fn stray(&mut self, field: &Field, keyword: &str, what: &str, known: &[&str]) {
        if KEYWORDS.contains(&&*field.key) {
            self.report(
                Diagnostic::error(
                    codes::MANY_KINDS,
                    field.key_span,
                    format!("{what} has both `{keyword}` and `{}`", field.key),
                )
                .help("make two tasks of it, or look at the indentation"),
            );
            return;
        }
        let http = [
            "method", "endpoint", "url", "uri", "headers", "body", "query", "redirect",
        ];
        let people = [
            "to", "outcomes", "form", "due", "template", "return", "comment", "register", "key",
        ];
        if keyword == "call" && (http.contains(&&*field.key) || people.contains(&&*field.key)) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("the argument `{}` stands under `with`", field.key),
                )
                .help(format!("write `with: {{ {}: … }}`", field.key)),
            );
            return;
        }
        if ["title", "state", "clock", "pauses", "returnable"].contains(&&*field.key) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` stands under `metadata`", field.key),
                )
                .help(format!("write `metadata: {{ {}: … }}`", field.key)),
            );
            return;
        }
        if matches!(&*field.key, "else" | "elif" | "elseif" | "otherwise") {
            self.report(
                Diagnostic::error(
                    codes::UNKNOWN_PROPERTY,
                    field.key_span,
                    "a task has no `else`: what is skipped hands its input on",
                )
                .help("choose with `switch: [{ yes: { when: …, then: A } }, { no: { then: B } }]`"),
            );
            return;
        }
        if keyword == "do"
            && matches!(
                field.key.to_lowercase().as_str(),
                "foreach" | "loop" | "each"
            )
        {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("a loop is `for`, found `{}`", field.key),
                )
                .help("write `for: { each: item, in: LIST }` and `do: [ … ]` beside it"),
            );
            return;
        }
        if keyword == "switch" && ["default", "when", "cases"].contains(&&*field.key) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` is a case of `switch`", field.key),
                )
                .help("write `switch: [{ name: { when: …, then: … } }, { default: { then: … } }]`"),
            );
            return;
        }
        self.unknown_property(field, &format!("a `{keyword}` task"), known);
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
        let text = self.text(node, "`then`")?;
        let flow = match text.value.as_str() {
            "continue" => Flow::Continue,
            "exit" => Flow::Exit,
            "end" => Flow::End,
            _ => Flow::Task(text.value),
        };
        Some(Spanned::new(flow, node.span))
    }

    fn set(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            NodeKind::Map(fields) if fields.is_empty() => {
                self.report(
                    Diagnostic::error(codes::EMPTY_LIST, node.span, "`set` sets nothing")
                        .help("give it at least one property"),
                );
                None
            }
            NodeKind::Map(_) => Some(self.template(node)),
            NodeKind::Text(text) => {
                let template = self.template(node);
                let joined = text.split_once(':').filter(|(key, value)| {
                    super::is_identifier(key) && !value.starts_with([' ', '/'])
                });
                if let Some((key, value)) = joined {
                    self.report(
                        Diagnostic::error(
                            codes::SPACING,
                            node.span,
                            format!("`{text}` is one text: a space is missing behind the colon"),
                        )
                        .help(format!("write `{key}: {value}`")),
                    );
                } else if !matches!(template.kind, TemplateKind::Expression(_)) {
                    let help = format!(
                        "write an object, or an expression: '${{ {} }}'",
                        text.trim()
                    );
                    self.report(
                        Diagnostic::error(
                            codes::UNMARKED,
                            node.span,
                            "`set` takes an object or one expression in `${ … }`, found a text",
                        )
                        .help(help),
                    );
                }
                Some(template)
            }
            _ => {
                self.wrong_type(node, "`set`", "an object or an expression");
                None
            }
        }
    }

    fn emit(&mut self, node: &Node) -> Option<Emit> {
        let bare = ["type", "source", "data", "with", "subject"];
        if self.unwrapped_keys(
            node,
            "emit",
            &bare,
            "event: { with: { source: …, type: … } }",
        ) {
            return None;
        }
        self.closed(node, "`emit`", &["event"])?;
        let event = self.required(node, "`emit`", "event")?;
        let fields = self.object(event, "`event`")?;
        if event.get("with").is_none()
            && let Some(field) = fields
                .iter()
                .find(|field| matches!(&*field.key, "type" | "source" | "data"))
        {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` of an event stands under `with`", field.key),
                )
                .help("write `emit: { event: { with: { source: …, type: … } } }`"),
            );
            return None;
        }
        let with = self.required(event, "`event`", "with")?;
        self.object(with, "`event.with`")?;
        for property in ["source", "type"] {
            self.required(with, "an emitted event", property);
        }
        self.event_attributes(with);
        Some(Emit {
            span: with.span,
            with: self.entries(with),
        })
    }

    /// `emit: { type: … }` where a wrapper is missing. Tells whether that was found.
    fn unwrapped_keys(&mut self, node: &Node, keyword: &str, bare: &[&str], wrapped: &str) -> bool {
        let Some(field) = node
            .fields()
            .iter()
            .find(|field| bare.contains(&&*field.key))
        else {
            return false;
        };
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                field.key_span,
                format!("`{}` does not stand under `{keyword}` itself", field.key),
            )
            .help(format!("write `{keyword}: {{ {wrapped} }}`")),
        );
        true
    }

    fn raise(&mut self, node: &Node) -> Option<Raise> {
        let bare = [
            "type", "status", "title", "detail", "instance", "message", "code",
        ];
        if self.unwrapped_keys(node, "raise", &bare, "error: { type: …, status: … }") {
            return None;
        }
        if let Some(text) = node.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    node.span,
                    "`raise` must be an object, found a text",
                )
                .help(format!(
                    "write `raise: {{ error: {text} }}` for an error of `use.errors`"
                )),
            );
            return None;
        }
        self.closed(node, "`raise`", &["error"])?;
        let error = self.required(node, "`raise`", "error")?;
        self.error_reference(error).map(|error| Raise { error })
    }
}

/// Whether a text can name a variable in both languages.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A character that nobody sees or that turns the text around: two names with it look like one.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
