//! Events as they stand in a case file.

use tongban_core::{
    ContextChange, Error, ErrorKind, Event, Jump, JumpInput, Mode, Right, Siblings, Signing, Target,
};
use tongban_expr::Value;

fn text(value: &Value, key: &str) -> String {
    value.text(key).unwrap_or_default().to_owned()
}

fn part(value: &Value, key: &str) -> Value {
    value.get(key).cloned().unwrap_or_default()
}

/// Reads one event: an object with one key.
pub fn event(value: &Value) -> Event {
    if let Some(word) = value.as_str() {
        return match word {
            "due" => Event::Due,
            "continue" => Event::Continue,
            "resume" => Event::Resume,
            "suspend" => Event::Suspend {
                reason: "a reason".into(),
            },
            "cancel" => Event::Cancel {
                reason: "a reason".into(),
            },
            other => unreachable!("no event {other}"),
        };
    }
    let (kind, body) = value.entries().next().expect("an event has a kind");
    match kind.as_str() {
        "start" => Event::Start {
            input: body.clone(),
        },
        "returned" => Event::Returned {
            run_id: text(body, "run"),
            output: part(body, "output"),
        },
        "failed" => Event::Failed {
            run_id: text(body, "run"),
            error: error(&part(body, "error")),
        },
        "heard" => {
            let n = body.get("n").and_then(Value::as_i64).unwrap_or(0);
            let mut event = tongban_expr::value!({"specversion": "1.0", "id": "e", "source": "test", "type": "t"});
            for (key, value) in body.get("event").expect("an event").entries() {
                event.set(key, value.clone());
            }
            Event::Heard {
                run_id: text(body, "run"),
                n: u32::try_from(n).expect("a small number"),
                event,
            }
        }
        "form" => Event::Form { form: body.clone() },
        "suspend" => Event::Suspend {
            reason: body.as_str().unwrap_or_default().to_owned(),
        },
        "cancel" => Event::Cancel {
            reason: body.as_str().unwrap_or_default().to_owned(),
        },
        "jump" => Event::jump(jump(body, Right::Operator)),
        "return" => Event::jump(jump(body, Right::Return)),
        "withdraw" => Event::jump(jump(body, Right::Withdrawal)),
        "revive" => Event::jump(jump(body, Right::Revive)),
        other => unreachable!("no event {other}"),
    }
}

fn error(value: &Value) -> Error {
    match value.as_str() {
        Some(word) => {
            let kind = match word {
                "timeout" => ErrorKind::Timeout,
                "communication" => ErrorKind::Communication,
                _ => ErrorKind::Runtime,
            };
            Error::new(kind, "it failed")
        }
        None => Error::from_value(value),
    }
}

/// A jump as a case writes it.
pub fn jump(value: &Value, right: Right) -> Jump {
    let word = |key: &str| value.text(key).unwrap_or_default();
    let to = match (word("to"), value.text("after")) {
        (_, Some(after)) => Target::After(after.to_owned()),
        ("applicant", _) => Target::Applicant,
        ("previous", _) => Target::Previous,
        (task, _) => Target::Task(task.to_owned()),
    };
    let fields = value.get("fields").into_iter().flat_map(Value::entries);
    Jump {
        from: value.text("from").map(str::to_owned),
        to,
        input: match value.get("input") {
            None => JumpInput::Checkpoint,
            Some(Value::Str(word)) if word.as_str() == "last" => JumpInput::LastOutput,
            Some(given) => JumpInput::Given(given.clone()),
        },
        mode: if word("mode") == "direct" {
            Mode::Direct
        } else {
            Mode::Rerun
        },
        siblings: if word("siblings") == "keep" {
            Siblings::Keep
        } else {
            Siblings::Cancel
        },
        signing: match word("signing") {
            "returner" => Signing::Returner,
            "open" => Signing::Open,
            _ => Signing::All,
        },
        context: match value.get("context") {
            None => ContextChange::Keep,
            Some(Value::Str(word)) if word.as_str() == "restore" => ContextChange::Restore,
            Some(given) => ContextChange::Given(given.clone()),
        },
        fields: fields
            .map(|(path, reason)| {
                (
                    path.to_string(),
                    reason.as_str().unwrap_or_default().to_owned(),
                )
            })
            .collect(),
        comment: word("comment").to_owned(),
        reason: word("reason").to_owned(),
        by: value.text("by").unwrap_or("somebody").to_owned(),
        right,
        limit: value
            .get("limit")
            .and_then(Value::as_i64)
            .and_then(|limit| u32::try_from(limit).ok()),
    }
}
