//! The items of a list of tasks, cases or extensions: one name each. What authors write instead is told as what it is.

use super::keywords::{KEYWORDS, SHARED};
use super::reader::{Reader, first_line};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::suggest;
use crate::width;

/// What stands under a task's name beside what all tasks share; in the place of a second name it was not indented far
/// enough.
const BESIDE_KINDS: &[&str] = &["with", "catch", "while", "foreach"];
/// Properties by which other tools name a step.
const NAMES: &[&str] = &["name", "id", "step", "task", "名称", "步骤", "环节", "任务"];

fn belongs(key: &str) -> bool {
    SHARED.contains(&key) || BESIDE_KINDS.contains(&key)
}

impl Reader {
    /// Tasks that are given as something else than a list.
    pub(super) fn not_a_task_list(&mut self, node: &Node, what: &str) {
        let fault = Diagnostic::error(
            codes::NOT_A_TASK_LIST,
            first_line(node.span),
            format!("{what} must be a list of tasks, found {}", node.kind_name()),
        );
        let Some(field) = node.fields().first() else {
            self.report(fault.help("write `- name: { … }`"));
            return;
        };
        let first = &*field.key;
        let wide = width::made_plain(first).filter(|plain| plain.starts_with("- "));
        if let Some(plain) = wide {
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
        if let Some(name) = first.strip_prefix('-') {
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
        let listed = matches!(field.value.kind, NodeKind::List(_));
        self.report(if first == "do" && listed && node.fields().len() == 1 {
            fault.help("`do` stands twice: take the inner one away")
        } else if KEYWORDS.contains(&first) {
            fault.help(format!(
                "give the task a name: `- name:` and below it, indented, `{first}: …`"
            ))
        } else {
            fault.help(format!("begin each task with a hyphen: `- {first}: …`"))
        });
    }

    /// The one entry of a list item; several are reported, and all of them are read.
    pub(super) fn item(&mut self, item: &Node, noun: &str, keywords: &[&str]) -> Vec<Field> {
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
            [only] => self.lone(only, noun, keywords),
            [first, ..] if keywords.contains(&&*first.key) => {
                self.nameless(first, noun);
                Vec::new()
            }
            [first, ..] => match self.named_by_property(item, noun, keywords) {
                Some(task) => vec![task],
                None => self.several(first, fields, noun, keywords),
            },
        }
    }

    /// An item with one key, which should be a name.
    fn lone(&mut self, only: &Field, noun: &str, keywords: &[&str]) -> Vec<Field> {
        let is_body = keywords.iter().any(|key| only.value.get(key).is_some());
        if !is_body && keywords.contains(&&*only.key) {
            self.nameless(only, noun);
            return Vec::new();
        }
        if !is_body && noun == "task" && belongs(&only.key) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    only.key_span,
                    format!("`{}` is no task: it belongs to one", only.key),
                )
                .help(format!(
                    "take the hyphen away and indent `{}` as far as what stands below the name of its task",
                    only.key
                )),
            );
            return Vec::new();
        }
        vec![only.clone()]
    }

    fn nameless(&mut self, first: &Field, noun: &str) {
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                first.key_span,
                format!("this {noun} has no name"),
            )
            .help(format!(
                "put a name before it and indent the rest: `- name:` then `{}: …`",
                first.key
            )),
        );
    }

    /// `- name: office` with the task beside it, as other tools write it: told once, and read as it is meant.
    fn named_by_property(&mut self, item: &Node, noun: &str, keywords: &[&str]) -> Option<Field> {
        let fields = item.fields();
        let named = fields
            .iter()
            .find(|field| NAMES.contains(&&*field.key) && field.value.as_str().is_some())?;
        let name = named.value.as_str()?;
        let rest: Vec<Field> = fields
            .iter()
            .filter(|field| field.key != named.key)
            .cloned()
            .collect();
        let is_body = |key: &str| keywords.contains(&key) || belongs(key) || foreign_kind(key);
        rest.iter().find(|field| is_body(&field.key))?;
        let keys: Vec<&str> = rest.iter().map(|field| &*field.key).collect();
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                named.key_span,
                format!("the name of a {noun} is its key, no property"),
            )
            .help(format!(
                "write `- {name}:` and below it, indented, {}",
                suggest::and(&keys)
            )),
        );
        Some(Field {
            key: name.into(),
            key_span: named.value.span,
            value: item.with_fields(rest),
        })
    }

    /// Two and more keys in one item.
    fn several(
        &mut self,
        first: &Field,
        fields: &[Field],
        noun: &str,
        keywords: &[&str],
    ) -> Vec<Field> {
        let Some(second) = fields.get(1) else {
            return Vec::new();
        };
        let under_indented =
            matches!(first.value.kind, NodeKind::Null) && keywords.contains(&&*second.key);
        let inside = |key: &str| belongs(key) || keywords.contains(&key);
        let help = if under_indented {
            format!("indent what belongs to `{}`", first.key)
        } else if inside(&second.key) {
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
            .filter(|(at, field)| *at == 0 || !inside(&field.key))
            .map(|(_, field)| field.clone())
            .collect()
    }
}

/// The keys by which other tools say what a step does.
fn foreign_kind(key: &str) -> bool {
    matches!(
        key,
        "uses" | "type" | "action" | "assignee" | "调用" | "审批人"
    )
}
