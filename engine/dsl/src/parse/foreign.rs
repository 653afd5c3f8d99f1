//! Words for kinds of tasks that authors bring from other languages.

use crate::node::{Field, Node};

/// A key that is a kind of task in another language, or a function of ours that is called by `call`.
pub(super) fn foreign(node: &Node) -> Option<(&Field, String)> {
    node.fields()
        .iter()
        .find_map(|field| Some((field, help(&field.key)?)))
        .or_else(|| named_kind(node))
}

/// What to write for a key that is a kind of task elsewhere.
pub(super) fn help(key: &str) -> Option<String> {
    let lower = key.to_lowercase();
    let word = lower.rsplit(':').next().unwrap_or(&lower);
    if matches!(
        word,
        "approve" | "collect" | "notify" | "notice" | "batch" | "http" | "openapi"
    ) {
        return Some(format!(
            "write `call: {word}` and its arguments under `with:`"
        ));
    }
    let help = match word {
        "parallel" | "split" | "concurrent" | "parallelgateway" | "并行" | "并行网关" => {
            "write `fork: { branches: [ … ] }`"
        }
        "foreach" | "loop" | "repeat" | "each" | "循环" => {
            "write `for: { each: item, in: LIST }` and `do: [ … ]` beside it"
        }
        "sleep"
        | "delay"
        | "pause"
        | "timer"
        | "intermediatecatchevent"
        | "timerevent"
        | "等待" => "write `wait: { minutes: 5 }`",
        "throw" | "fail" | "errorevent" => "write `raise: { error: { type: …, status: … } }`",
        "assign" | "let" | "var" | "variables" | "赋值" => "write `set: { name: value }`",
        "choice" | "condition" | "case" | "decision" | "gateway" | "exclusivegateway"
        | "inclusivegateway" | "分支" | "判断" | "条件" | "网关" => {
            "write `switch: [{ name: { when: …, then: TASK } }]`"
        }
        "subprocess" | "subflow" | "callactivity" | "子流程" => {
            "write `run: { workflow: { namespace: …, name: …, version: latest } }`"
        }
        "sequence" | "block" => "write `do: [ … ]`",
        "usertask" | "审批" | "审核" | "会签" | "审批人" => {
            "people decide in `call: approve` with `with: { to: [{ role: …, unit: … }] }`"
        }
        "填报" | "填写" | "表单" | "manualtask" => {
            "people fill in a form in `call: collect` with `with: { to: [ … ], form: forms/NAME.yaml }`"
        }
        "通知" | "抄送" | "sendtask" | "mail" | "email" => {
            "letters are sent by `call: notify` with `with: { to: [ … ], template: mails/NAME }`"
        }
        "公示" => {
            "公示 is `call: notice` with `with: { template: notices/NAME, due: { workingDays: 5 } }`"
        }
        "servicetask" | "调用" | "rest" | "request" => {
            "services are reached by `call: http` with `with: { method: get, endpoint: https://… }`"
        }
        "scripttask" | "businessruletask" | "规则" => {
            "rules are run by `run: { script: { language: rhai, source: { endpoint: 'pack://rules/NAME.rhai' } } }`"
        }
        "receivetask" | "eventbasedgateway" | "监听" => {
            "write `listen: { to: { one: { with: { type: … } } } }`"
        }
        "startevent" | "开始" => "take it out: a workflow begins with the first task of its list",
        "endevent" | "结束" => "take it out: write `then: end` at the task before it",
        "sequenceflow" | "连线" => {
            "take it out: tasks run in the order of their list; `then: TASK` leads elsewhere"
        }
        _ => return None,
    };
    Some(help.to_owned())
}

/// Properties by which other tools say what a task does.
pub(super) fn is_kind(key: &str) -> bool {
    matches!(key, "type" | "uses" | "action" | "kind" | "类型")
}

/// `type: approve`, `uses: approve`, `action: userTask`.
fn named_kind(node: &Node) -> Option<(&Field, String)> {
    let field = node.fields().iter().find(|field| is_kind(&field.key))?;
    let value = field.value.as_str()?;
    let word = value.split(['@', '/']).next().unwrap_or(value);
    let word = word.rsplit('.').next().unwrap_or(word);
    let help = help(word).unwrap_or_else(|| {
        format!(
            "a task says what it does by its keyword: write `call: {word}`, or one of {}",
            crate::suggest::list(super::keywords::KEYWORDS)
        )
    });
    Some((field, help))
}
