//! The words that a picture adds to the author's titles, and the widths of texts.

use super::measure::short;
use super::{Mark, Reading, Tongue};
use crate::definition::{
    Consumption, Definition, Document, Duration, DurationKind, Entry, EventFilter, Run, RunKind,
    Task, TaskKind, Template, TemplateKind, TextPart,
};
use tongban_expr::Value;

/// One of two languages.
pub(super) fn say(tongue: Tongue, chinese: &'static str, english: &'static str) -> &'static str {
    match tongue {
        Tongue::Chinese => chinese,
        Tongue::English => english,
    }
}

/// What a mark says in words.
pub(super) fn mark_word(mark: Mark, reading: Reading, tongue: Tongue) -> &'static str {
    match (reading, mark) {
        (Reading::Run, Mark::Done) => say(tongue, "已办", "done"),
        (Reading::Run, Mark::Doing) => say(tongue, "办理中", "in progress"),
        (Reading::Run, Mark::Failed) => say(tongue, "失败", "failed"),
        (Reading::Run, Mark::Skipped) => say(tongue, "跳过", "skipped"),
        (Reading::Run, Mark::Cancelled) => say(tongue, "已终止", "cancelled"),
        (Reading::Run, Mark::NotReached) => say(tongue, "未到达", "not reached"),
        (Reading::Coverage, Mark::Done) => say(tongue, "已测到", "covered"),
        (Reading::Coverage, Mark::Doing) => say(tongue, "部分测到", "covered in part"),
        (Reading::Coverage, Mark::Skipped) => say(tongue, "只被跳过", "only ever skipped"),
        (Reading::Coverage, _) => say(tongue, "未测到", "never entered"),
    }
}

/// The task's title for people, or its name.
pub(super) fn title(task: &Task, tongue: Tongue) -> String {
    let metadata = &task.metadata;
    let title = english(&metadata.extra, tongue).or(metadata.title.as_ref());
    title.map_or_else(|| task.name.value.clone(), plain)
}

/// The title of the whole document; `None` when it has none.
pub(super) fn document_title(document: &Document, tongue: Tongue) -> Option<String> {
    let titled = english(&document.metadata.extra, tongue).map(plain);
    titled.or_else(|| document.title.as_ref().map(|title| title.value.clone()))
}

/// What stands under `x-en` for readers of English.
fn english(extra: &[Entry], tongue: Tongue) -> Option<&Template> {
    let wanted = (tongue == Tongue::English).then_some("x-en")?;
    let entry = extra.iter().find(|entry| &*entry.key == wanted);
    entry.map(|entry| &entry.value)
}

/// The names of the extensions that run before and after a task: `⊕ audit`.
pub(super) fn extensions(definition: &Definition, task: &Task, tongue: Tongue) -> Option<String> {
    let all = definition.reusables.extensions.iter();
    let names: Vec<&str> = all
        .filter(|extension| extension.extends(&task.kind))
        .map(|extension| extension.name.value.as_str())
        .collect();
    (!names.is_empty()).then(|| format!("{EXTENDED} {}", names.join(comma(tongue))))
}

/// What stands between the words of a list.
pub(super) fn comma(tongue: Tongue) -> &'static str {
    say(tongue, "、", ", ")
}

/// The sign of what extensions add to a task.
pub(super) const EXTENDED: &str = "⊕";

/// A template as people read it: expressions shortened to what they name.
pub(super) fn plain(template: &Template) -> String {
    match &template.kind {
        TemplateKind::Literal(Value::Str(text)) => text.to_string(),
        TemplateKind::Literal(value) => value.to_json(),
        TemplateKind::Expression(source) => format!("‹{}›", short(&source.text, 18)),
        TemplateKind::Text(parts) => parts
            .iter()
            .map(|part| match part {
                TextPart::Literal(text) => text.to_string(),
                TextPart::Expression(source) => format!("‹{}›", short(&source.text, 12)),
            })
            .collect(),
        TemplateKind::List(_) | TemplateKind::Object(_) => String::from("…"),
    }
}

/// What kind of step it is, with what matters most about it.
pub(super) fn detail(task: &Task, tongue: Tongue) -> String {
    match &task.kind {
        TaskKind::Call(call) => {
            let name = call.function.value.as_str();
            let word = match name {
                "approve" => say(tongue, "审批", "approval"),
                "collect" => say(tongue, "填报", "form"),
                "notice" => say(tongue, "公示", "public notice"),
                "notify" => say(tongue, "通知", "notification"),
                "batch" => say(tongue, "逐项办理", "one case each"),
                other => other,
            };
            let due = call
                .with
                .as_ref()
                .and_then(|with| with.get("due"))
                .and_then(|due| limit(due, tongue))
                .or_else(|| clock(task, tongue));
            let place = call
                .with
                .as_ref()
                .and_then(|with| with.get("register").or_else(|| with.get("workflow")))
                .and_then(Template::as_str);
            [Some(word.to_owned()), place.map(str::to_owned), due]
                .into_iter()
                .flatten()
                .collect::<Vec<String>>()
                .join(" · ")
        }
        TaskKind::Wait(duration) => format!(
            "{} {}",
            say(tongue, "等待", "wait"),
            length(duration, tongue)
        ),
        TaskKind::Listen(listen) => format!("✉ {}", events(&listen.to, tongue)),
        TaskKind::Emit(emit) => {
            let kind = emit
                .with
                .iter()
                .find(|entry| &*entry.key == "type")
                .and_then(|entry| entry.value.as_str())
                .unwrap_or("");
            format!("{} {}", say(tongue, "发事件", "event"), short(kind, 24))
        }
        TaskKind::Set(_) => say(tongue, "赋值", "set").to_owned(),
        TaskKind::Switch(_) => say(tongue, "分支", "choice").to_owned(),
        TaskKind::Raise(_) => say(tongue, "报错", "error").to_owned(),
        TaskKind::Run(run) => process(run, tongue),
        TaskKind::Do(_) => {
            let word = say(tongue, "阶段", "stage").to_owned();
            [Some(word), clock(task, tongue)]
                .into_iter()
                .flatten()
                .collect::<Vec<String>>()
                .join(" · ")
        }
        TaskKind::For(body) => format!("↻ {} {}", say(tongue, "逐一", "for each"), body.each.value),
        TaskKind::Fork(fork) if fork.compete => {
            say(tongue, "并行,先到者定", "parallel, first wins").to_owned()
        }
        TaskKind::Fork(_) => say(tongue, "并行", "parallel").to_owned(),
        TaskKind::Try(_) => say(tongue, "容错", "try").to_owned(),
    }
}

fn process(run: &Run, tongue: Tongue) -> String {
    match &run.kind {
        RunKind::Script { .. } => say(tongue, "规则脚本", "script").to_owned(),
        RunKind::Workflow {
            namespace, name, ..
        } => {
            format!(
                "{} {}/{}",
                say(tongue, "子流程", "workflow"),
                namespace.value,
                name.value
            )
        }
        RunKind::Shell(_) => "shell".to_owned(),
        RunKind::Container(_) => "container".to_owned(),
    }
}

fn events(consumption: &Consumption, tongue: Tongue) -> String {
    let (word, filters): (&str, &[EventFilter]) = match consumption {
        Consumption::One(filter) => ("", std::slice::from_ref(&**filter)),
        Consumption::All(filters) => (say(tongue, "全部:", "all: "), filters),
        Consumption::Any { filters, .. } => (say(tongue, "任一:", "any: "), filters),
    };
    let types = filters.iter().filter_map(|filter| {
        filter
            .with
            .iter()
            .find(|pattern| pattern.attribute.value == "type")
    });
    let names: Vec<&str> = types.filter_map(|pattern| pattern.value.as_str()).collect();
    let joined = if names.is_empty() {
        say(tongue, "事件", "events").to_owned()
    } else {
        names.join(", ")
    };
    short(&format!("{word}{joined}"), 30)
}

/// The limit of the task's own clock.
fn clock(task: &Task, tongue: Tongue) -> Option<String> {
    limit(task.metadata.clock.as_ref()?.due.as_ref()?, tongue)
}

/// `{ workingDays: 5 }` in words.
fn limit(due: &Template, tongue: Tongue) -> Option<String> {
    let entry = due.entries().first()?;
    let unit = match &*entry.key {
        "workingDays" => say(tongue, "个工作日", "working days"),
        "workingHours" => say(tongue, "个工作小时", "working hours"),
        "days" => say(tongue, "天", "days"),
        "hours" => say(tongue, "小时", "hours"),
        "minutes" => say(tongue, "分钟", "minutes"),
        _ => return None,
    };
    let count = entry.value.constant()?.as_i64()?;
    Some(format!("{count} {unit}"))
}

/// A duration in words.
pub(super) fn length(duration: &Duration, tongue: Tongue) -> String {
    let DurationKind::Fixed(period) = &duration.kind else {
        return say(tongue, "按表达式", "by expression").to_owned();
    };
    let units = [
        (86_400_000, say(tongue, "天", "d")),
        (3_600_000, say(tongue, "小时", "h")),
        (60_000, say(tongue, "分", "min")),
        (1_000, say(tongue, "秒", "s")),
        (1, say(tongue, "毫秒", "ms")),
    ];
    let mut rest = period.milliseconds;
    let mut parts = Vec::new();
    if period.months > 0 {
        parts.push(format!(
            "{} {}",
            period.months,
            say(tongue, "个月", "months")
        ));
    }
    for (factor, unit) in units {
        if rest >= factor {
            parts.push(format!("{} {unit}", rest / factor));
            rest %= factor;
        }
    }
    if parts.is_empty() {
        "0".to_owned()
    } else {
        parts.join(" ")
    }
}
