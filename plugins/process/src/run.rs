//! From a started process to the result of its task.

use std::time::Duration;

use tongban_expr::{Value, value};
use tongban_plugin::{ActCall, Failure};

use crate::arguments::{Arguments, Returned};
use crate::child::{Ended, Program, Stopped};
use crate::settings::Limits;

/// How much of what a failed process said is told.
const WORDS_MAX: usize = 2_000;

/// What every process of an act is told about it.
pub(crate) fn circumstances(call: &ActCall<'_>) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("TONGBAN_IDEMPOTENCY_KEY", call.key),
        pair("TONGBAN_ATTEMPT", &call.attempt.to_string()),
        pair("TONGBAN_WORKFLOW", call.workflow),
        pair("TONGBAN_INSTANCE", call.instance),
        pair("TONGBAN_TASK", call.run_id),
    ]
}

/// The time that a process has: its site's, or what is left of its task's when that is less.
pub(crate) fn limit(limits: &Limits, call: &ActCall<'_>) -> Duration {
    let most = Duration::from_secs(limits.seconds);
    let left = call
        .deadline_ms
        .map(|deadline| u64::try_from(deadline - call.now_ms).unwrap_or(0).max(1));
    left.map_or(most, |left| most.min(Duration::from_millis(left)))
}

/// Runs a process to its end, or only starts it when its task does not wait. `after` is told whether it ended by itself.
pub(crate) async fn run(
    program: Program,
    arguments: &Arguments,
    limits: &Limits,
    call: &ActCall<'_>,
    after: impl FnOnce(bool) + Send + 'static,
) -> Result<Value, Failure> {
    let limit = limit(limits, call);
    let bytes = limits.output_bytes;
    let mut running = program.start()?;
    if !arguments.awaited {
        let task = format!("{} of {}", call.run_id, call.instance);
        tokio::spawn(async move {
            let outcome = running.end(limit, bytes).await;
            after(outcome.is_ok());
            match outcome {
                Ok(ended) if ended.code == 0 => {}
                Ok(ended) => {
                    tracing::warn!(
                        task,
                        code = ended.code,
                        "a process that nobody waits for failed"
                    );
                }
                Err(why) => {
                    tracing::warn!(task, ?why, "a process that nobody waits for was killed")
                }
            }
        });
        return Ok(Value::Null);
    }
    let ended = running.end(limit, bytes).await;
    after(ended.is_ok());
    result(ended, arguments.returned, limits, limit)
}

fn result(
    ended: Result<Ended, Stopped>,
    returned: Returned,
    limits: &Limits,
    limit: Duration,
) -> Result<Value, Failure> {
    let ended = ended.map_err(|stopped| match stopped {
        Stopped::Time => Failure::timeout(format!(
            "the process did not end within {} ms and was killed",
            limit.as_millis()
        )),
        Stopped::Output(what) => Failure::runtime(format!(
            "the process wrote more than {} bytes as its {what} and was killed; write less, or to a file",
            limits.output_bytes
        )),
        Stopped::System(why) => Failure::runtime(format!("the process could not be followed: {why}")),
    })?;
    let failed = ended.code != 0 && matches!(returned, Returned::Stdout | Returned::None);
    if failed {
        let stderr: String = ended.stderr.chars().take(WORDS_MAX).collect();
        return Err(Failure::runtime(format!(
            "the process ended with the code {}; `return: all` gives code and output instead of an error",
            ended.code
        ))
        .with_extra(value!({ "code": (ended.code), "stderr": (stderr) })));
    }
    Ok(match returned {
        Returned::Stdout => Value::from(ended.stdout),
        Returned::Stderr => Value::from(ended.stderr),
        Returned::Code => Value::from(ended.code),
        Returned::All => value!({
            "code": (ended.code), "stdout": (ended.stdout), "stderr": (ended.stderr)
        }),
        Returned::None => Value::Null,
    })
}
