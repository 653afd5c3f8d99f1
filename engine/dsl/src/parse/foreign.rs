//! Words for kinds of tasks that authors bring from other languages.

use crate::node::{Field, Node};

/// A key that is a kind of task in another language, or a function of ours that is called by `call`.
pub(super) fn foreign(node: &Node) -> Option<(&Field, String)> {
    node.fields().iter().find_map(|field| {
        let lower = field.key.to_lowercase();
        let help = match lower.as_str() {
            "parallel" | "split" | "concurrent" => "write `fork: { branches: [ … ] }`",
            "foreach" | "loop" | "repeat" | "each" => {
                "write `for: { each: item, in: LIST }` and `do: [ … ]` beside it"
            }
            "sleep" | "delay" | "pause" | "timer" => "write `wait: { minutes: 5 }`",
            "throw" | "fail" => "write `raise: { error: { type: …, status: … } }`",
            "assign" | "let" | "var" | "variables" => "write `set: { name: value }`",
            "choice" | "condition" | "case" | "decision" | "gateway" => {
                "write `switch: [{ name: { when: …, then: TASK } }]`"
            }
            "subprocess" | "subflow" => {
                "write `run: { workflow: { namespace: …, name: …, version: latest } }`"
            }
            "sequence" | "block" => "write `do: [ … ]`",
            "approve" | "collect" | "notify" | "notice" | "batch" | "http" | "openapi" => {
                return Some((
                    field,
                    format!("write `call: {lower}` and its arguments under `with:`"),
                ));
            }
            _ => return None,
        };
        Some((field, help.to_owned()))
    })
}
