//! What a task says of its process, with its secrets in place.

use tongban_expr::{Value, secret};
use tongban_plugin::{ActCall, Failure};

/// Which of what a process gave becomes the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    Stdout,
    Stderr,
    Code,
    All,
    None,
}

/// What shells and containers have in common.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) stdin: Option<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) returned: Returned,
    pub(crate) awaited: bool,
}

/// The arguments with their markers replaced, as far as the site lets these processes have the secrets.
pub(crate) fn revealed(
    args: &Value,
    call: &ActCall<'_>,
    secrets: &[String],
) -> Result<Value, Failure> {
    for name in secret::names_in(args) {
        if !secrets.contains(&name) {
            return Err(Failure::authorization(format!(
                "the site does not let processes have the secret `{name}`; list it under `secrets` if they may"
            )));
        }
    }
    secret::reveal(args, call.nonce, &|name| {
        call.secrets.reveal(name).map(|value| match value {
            Value::Str(text) => text.to_string(),
            other => other.to_json(),
        })
    })
    .map_err(|missing| Failure::authorization(missing.to_string()))
}

impl Arguments {
    pub(crate) fn of(args: &Value) -> Result<Self, Failure> {
        let returned = match args.text("return") {
            None | Some("stdout") => Returned::Stdout,
            Some("stderr") => Returned::Stderr,
            Some("code") => Returned::Code,
            Some("all") => Returned::All,
            Some("none") => Returned::None,
            Some(other) => {
                return Err(Failure::configuration(format!(
                    "`return` is stdout, stderr, code, all or none, found `{other}`"
                )));
            }
        };
        let arguments = match args.get("arguments") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Arr(list)) => list.iter().map(text).collect::<Result<_, _>>()?,
            Some(other) => return Err(unfit("arguments", "a list of texts", other)),
        };
        let environment = match args.get("environment") {
            None | Some(Value::Null) => Vec::new(),
            Some(object @ Value::Obj(_)) => object
                .entries()
                .map(|(name, value)| Ok((variable(name)?, text(value)?)))
                .collect::<Result<_, Failure>>()?,
            Some(other) => return Err(unfit("environment", "an object of texts", other)),
        };
        let stdin = match args.get("stdin") {
            None | Some(Value::Null) => None,
            Some(value) => Some(text(value)?),
        };
        Ok(Self {
            stdin,
            arguments,
            environment,
            returned,
            awaited: args.get("await").and_then(Value::as_bool).unwrap_or(true),
        })
    }
}

/// A required text.
pub(crate) fn needed(args: &Value, name: &str) -> Result<String, Failure> {
    match args.get(name) {
        None | Some(Value::Null) => Err(Failure::configuration(format!(
            "the process needs `{name}`, found none"
        ))),
        Some(value) => text(value),
    }
}

/// Texts as they are, everything else as its JSON; nothing that a process cannot be given.
pub(crate) fn text(value: &Value) -> Result<String, Failure> {
    let text = match value {
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    };
    if text.contains('\0') {
        return Err(Failure::configuration(
            "a process cannot be given a text with the character NUL",
        ));
    }
    Ok(text)
}

/// A name of a variable that changes neither which program runs nor what it loads.
fn variable(name: &str) -> Result<String, Failure> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty();
    if !plain {
        return Err(Failure::configuration(format!(
            "a variable has a name of letters, digits and `_`, found `{name}`"
        )));
    }
    let capital = name.to_ascii_uppercase();
    let ours = [
        "PATH",
        "ENV",
        "BASH_ENV",
        "IFS",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
    ];
    let loading = ["LD_", "DYLD_", "GLIBC_", "TONGBAN_", "DOCKER_", "CONTAINER"];
    if ours.contains(&capital.as_str()) || loading.iter().any(|start| capital.starts_with(start)) {
        return Err(Failure::configuration(format!(
            "the variable `{name}` belongs to the system and cannot be set"
        )));
    }
    Ok(name.to_owned())
}

pub(crate) fn unfit(name: &str, expected: &str, found: &Value) -> Failure {
    Failure::configuration(format!(
        "`{name}` expects {expected}, found {}",
        found.kind_name()
    ))
}

#[cfg(test)]
mod tests {
    use tongban_expr::value;

    use super::*;

    #[test]
    fn arguments_are_read() {
        let read = Arguments::of(&value!({
            "stdin": { "a": 1 }, "arguments": ["x", 2], "environment": { "A_1": true },
            "return": "all", "await": false,
        }))
        .expect("good arguments");
        assert_eq!(read.stdin.as_deref(), Some("{\"a\":1}"));
        assert_eq!(read.arguments, ["x", "2"]);
        assert_eq!(read.environment, [("A_1".to_owned(), "true".to_owned())]);
        assert_eq!((read.returned, read.awaited), (Returned::All, false));
    }

    #[test]
    fn what_cannot_be_given_is_refused() {
        for args in [
            value!({ "return": "everything" }),
            value!({ "arguments": "x" }),
            value!({ "environment": ["x"] }),
            value!({ "environment": { "LD_PRELOAD": "x" } }),
            value!({ "environment": { "path": "x" } }),
            value!({ "environment": { "1A": "x" } }),
            value!({ "environment": { "A=B": "x" } }),
            value!({ "environment": { "TONGBAN_IDEMPOTENCY_KEY": "x" } }),
            value!({ "arguments": ["a\u{0}b"] }),
        ] {
            Arguments::of(&args).expect_err(&args.to_json());
        }
    }
}
