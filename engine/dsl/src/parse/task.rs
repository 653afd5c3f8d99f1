//! Tasks: what all of them share, their kind, and the kinds that hold other tasks.

use super::reader::{Reader, first_line};
use crate::codes;
use crate::definition::{
    Catch, Emit, ErrorFilter, Flow, For, Fork, Raise, SwitchCase, Task, TaskKind, Template,
    TemplateKind, Then, Try,
};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::span::{Span, Spanned};
use crate::suggest;

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
            self.report(Diagnostic::warning(
                codes::EMPTY_LIST,
                node.span,
                format!("{what} has no task"),
            ));
        }
        let mut tasks: Vec<Task> = Vec::new();
        for item in items {
            for field in self.item(item, "task", KEYWORDS) {
                let task = self.named_task(&field);
                if let Some(first) = tasks
                    .iter()
                    .find(|first| first.name.value == task.name.value)
                {
                    let message = format!("the task `{}` stands twice in {what}", task.name.value);
                    self.diagnostics.push(
                        Diagnostic::error(codes::DUPLICATE_TASK, task.name.span, message)
                            .help("rename one; people see `metadata.title`")
                            .label(first.name.span, "first given here"),
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
        self.report(match first {
            Some(first) if KEYWORDS.contains(&first.as_str()) => {
                fault.help("give the task a name: `- name: { … }`")
            }
            Some(first) => fault.help(format!("begin each task with a hyphen: `- {first}: …`")),
            None => fault.help("write `- name: { … }`"),
        });
    }

    /// The one entry of a list item; several are reported, and all of them are read.
    fn item(&mut self, item: &Node, noun: &str, keywords: &[&str]) -> Vec<Field> {
        let Some(fields) = self.object(item, &format!("each item of a {noun} list")) else {
            return Vec::new();
        };
        match fields {
            [] => {
                let message = format!("a {noun} needs a name: `- name: {{ … }}`");
                self.report(Diagnostic::error(codes::NO_KIND, item.span, message));
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
                let help = if under_indented {
                    format!("indent what belongs to `{}`", first.key)
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
                    Vec::new()
                } else {
                    fields.to_vec()
                }
            }
        }
    }

    /// A task under its name.
    pub fn named_task(&mut self, field: &Field) -> Task {
        let name = Spanned::new(field.key.to_string(), field.key_span);
        self.task_name(&name);
        self.task(name, &field.value)
    }

    fn task_name(&mut self, name: &Spanned<String>) {
        let text = &name.value;
        let unfit = text.is_empty()
            || text.len() > 128
            || text.contains(['/', '#', '[', ']', ':'])
            || text.chars().any(char::is_control);
        if unfit {
            self.report(
                Diagnostic::error(
                    codes::TASK_NAME,
                    name.span,
                    "a task's name has 1 to 128 characters and none of / # [ ] :",
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
                if !matches!(template.kind, TemplateKind::Expression(_)) {
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

    fn switch(&mut self, node: &Node) -> Option<Vec<SwitchCase>> {
        let NodeKind::List(items) = &node.kind else {
            let first = node.fields().first().map_or("name", |field| &field.key);
            let help =
                format!("begin each case with a hyphen: `- {first}: {{ when: …, then: … }}`");
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    first_line(node.span),
                    format!(
                        "`switch` must be a list of cases, found {}",
                        node.kind_name()
                    ),
                )
                .help(help),
            );
            return None;
        };
        if items.is_empty() {
            self.report(Diagnostic::error(
                codes::EMPTY_LIST,
                node.span,
                "`switch` has no case",
            ));
        }
        let mut cases: Vec<SwitchCase> = Vec::new();
        for item in items {
            for field in self.item(item, "case", &["when", "then"]) {
                if let Some(case) = self.case(&field) {
                    self.second_default(&cases, &case);
                    cases.push(case);
                }
            }
        }
        Some(cases)
    }

    fn case(&mut self, field: &Field) -> Option<SwitchCase> {
        let what = format!("the case `{}`", field.key);
        if let Some(text) = field.value.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    field.value.span,
                    format!("{what} must be an object, found a text"),
                )
                .help(format!("write `{}: {{ then: {text} }}`", field.key)),
            );
            return None;
        }
        self.closed(&field.value, &what, &["when", "then"])?;
        let when = match field.value.get("when") {
            Some(when) => Some(self.condition(when, "`when`")?),
            None => None,
        };
        let then = self
            .required(&field.value, &what, "then")
            .and_then(|then| self.then(then))?;
        Some(SwitchCase {
            name: Spanned::new(field.key.to_string(), field.key_span),
            when,
            then,
        })
    }

    fn second_default(&mut self, cases: &[SwitchCase], case: &SwitchCase) {
        if case.when.is_some() {
            return;
        }
        if let Some(first) = cases.iter().find(|case| case.when.is_none()) {
            self.report(
                Diagnostic::error(
                    codes::MANY_DEFAULTS,
                    case.name.span,
                    "a switch has one case without `when`",
                )
                .help("give this case a condition")
                .label(first.name.span, "this one is the default already"),
            );
        }
    }

    fn for_task(&mut self, node: &Node, body: &Node, what: &str) -> Option<For> {
        self.closed(body, "`for`", &["each", "in", "at"])?;
        let in_ = self.required(body, "`for`", "in");
        let in_ = in_.and_then(|list| self.condition(list, "`in`"));
        let each = self.variable(body, "each", "item");
        let at = self.variable(body, "at", "index");
        let while_ = node
            .get("while")
            .and_then(|condition| self.condition(condition, "`while`"));
        let tasks = match self.required(node, what, "do") {
            Some(tasks) => self.tasks(tasks, &format!("`do` of {what}")),
            None => Vec::new(),
        };
        Some(For {
            each,
            in_: in_?,
            at,
            while_,
            tasks,
        })
    }

    /// The name of a variable, or its default.
    pub fn variable(&mut self, node: &Node, property: &str, default: &str) -> Spanned<String> {
        let fallback = || Spanned::new(default.to_owned(), first_line(node.span));
        let Some(found) = node.get(property) else {
            return fallback();
        };
        let Some(name) = self.text(found, &format!("`{property}`")) else {
            return fallback();
        };
        let plain = name.strip_prefix('$').unwrap_or(&name);
        if !is_identifier(plain) {
            self.report(
                Diagnostic::error(
                    codes::BAD_VALUE,
                    name.span,
                    format!(
                        "`{property}` is the name of a variable, found `{}`",
                        name.value
                    ),
                )
                .help("letters, digits and `_`, beginning with a letter"),
            );
        } else if plain != name.value {
            self.report(
                Diagnostic::error(
                    codes::BAD_VALUE,
                    name.span,
                    format!("`{property}` is a name without `$`"),
                )
                .help(format!(
                    "write `{property}: {plain}`; expressions say `${plain}`"
                )),
            );
        }
        Spanned::new(plain.to_owned(), name.span)
    }

    fn fork(&mut self, node: &Node, what: &str) -> Option<Fork> {
        if matches!(node.kind, NodeKind::List(_)) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    first_line(node.span),
                    "the branches of a fork stand under `branches`",
                )
                .help("write `fork: { branches: [ … ] }`"),
            );
            return None;
        }
        self.closed(node, "`fork`", &["branches", "compete"])?;
        let compete = node
            .get("compete")
            .and_then(|compete| self.boolean(compete, "`compete`"))
            .unwrap_or(false);
        let branches = self.required(node, "`fork`", "branches")?;
        Some(Fork {
            branches: self.tasks(branches, &format!("`branches` of {what}")),
            compete,
        })
    }

    fn try_task(&mut self, node: &Node, body: &Node, what: &str) -> Option<Try> {
        let tasks = self.tasks(body, &format!("`try` of {what}"));
        let catch = self
            .required(node, what, "catch")
            .and_then(|catch| self.catch(catch, what))?;
        Some(Try { tasks, catch })
    }

    fn catch(&mut self, node: &Node, what: &str) -> Option<Catch> {
        self.closed(
            node,
            "`catch`",
            &["errors", "as", "when", "exceptWhen", "retry", "do", "then"],
        )?;
        let errors = node.get("errors").and_then(|errors| self.caught(errors));
        let as_ = self.variable(node, "as", "error");
        let when = node
            .get("when")
            .and_then(|when| self.condition(when, "`when`"));
        let except_when = node
            .get("exceptWhen")
            .and_then(|when| self.condition(when, "`exceptWhen`"));
        let retry = node.get("retry").and_then(|retry| self.retry(retry));
        let tasks = node
            .get("do")
            .map(|tasks| self.tasks(tasks, &format!("`catch.do` of {what}")))
            .unwrap_or_default();
        let then = node.get("then").and_then(|then| self.then(then));
        Some(Catch {
            span: node.span,
            errors,
            as_,
            when,
            except_when,
            retry,
            tasks,
            then,
        })
    }

    fn caught(&mut self, node: &Node) -> Option<ErrorFilter> {
        let fields = self.object(node, "`errors`")?;
        let direct = ["type", "status", "instance", "title", "detail", "details"];
        if let Some(field) = fields.iter().find(|field| direct.contains(&&*field.key)) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` of a caught error stands under `with`", field.key),
                )
                .help(format!(
                    "write `errors: {{ with: {{ {}: … }} }}`",
                    field.key
                )),
            );
            return None;
        }
        self.only(fields, "`errors`", &["with"]);
        let with = node.get("with")?;
        let fields = self.closed(
            with,
            "`errors.with`",
            &["type", "status", "instance", "title", "details", "detail"],
        )?;
        if fields.is_empty() {
            self.report(
                Diagnostic::error(
                    codes::MISSING_PROPERTY,
                    with.span,
                    "`errors.with` filters by nothing",
                )
                .help("give `type` or `status`, or leave `errors` out to catch all"),
            );
        }
        let mut text = |name: &str| {
            with.get(name)
                .and_then(|node| self.text(node, &format!("`{name}`")))
        };
        let (type_uri, instance, title) = (text("type"), text("instance"), text("title"));
        let detail = text("details").or_else(|| text("detail"));
        let status = with.get("status").and_then(|node| {
            self.integer(node, "`status`")
                .map(|status| Spanned::new(status, node.span))
        });
        Some(ErrorFilter {
            type_uri,
            status,
            instance,
            title,
            detail,
        })
    }

    fn emit(&mut self, node: &Node) -> Option<Emit> {
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
        Some(Emit {
            span: with.span,
            with: self.entries(with),
        })
    }

    fn raise(&mut self, node: &Node) -> Option<Raise> {
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
