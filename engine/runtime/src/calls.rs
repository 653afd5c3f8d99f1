//! Reads and writes: performed inside the activation, on what is committed.

use futures_util::future::{Either, select};
use tongban_core::{Call, Error};
use tongban_expr::Value;
use tongban_plugin::{AccessEntry, Answer, Failure, Prepared, RecordWrite, Starter};
use tongban_store::{AccessRow, GrantRow};

use crate::activation::{Activation, Barred, roles_of};
use crate::error::RuntimeError;
use crate::inputs::returned;

/// A read ends after this long, or at its task's timeout when that is earlier.
const READ_MS: i64 = 1_000;

/// The heaviest result of a read or a write.
const RESULT_BYTES: u64 = 1024 * 1024;

impl Activation<'_> {
    /// Performs a read and feeds its result.
    pub(crate) async fn read(&mut self, call: Call) -> Result<(), RuntimeError> {
        let left_ms = call
            .timeout_at_ms
            .map_or(READ_MS, |at| (at - self.now_ms).clamp(1, READ_MS));
        let sleep = self.node.clock.sleep(u64::try_from(left_ms).unwrap_or(1));
        let seed = self.seed();
        let read = Box::pin(self.perform_read(&call, seed));
        let result = match select(read, sleep).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(Failure::timeout(format!(
                "`{}` did not answer within {left_ms} ms",
                call.function
            ))),
        };
        let result = result.and_then(|answer| {
            self.log_access(answer.access);
            bounded(&call.function, answer.value)
        });
        self.queue.push_back(returned(
            &call.run_id,
            result.map_err(|failure| problem(&failure)),
        ));
        Ok(())
    }

    async fn perform_read(&self, call: &Call, seed: u64) -> Result<Answer, Failure> {
        match call.function.as_str() {
            "case.get" => return self.case_get(&call.args).await.map(Answer::from),
            "unit.find" => return self.unit_find(&call.args).map(Answer::from),
            _ => {}
        }
        let function = self
            .node
            .functions
            .read(&call.function)
            .ok_or_else(|| unknown(&call.function))?;
        let ports = self.node.ports(&self.ready);
        let starter = self.starter_now();
        let today = self.node.local_date(self.now_ms);
        function
            .read(
                &call.args,
                &self.circumstances(call, &starter, &today, seed, &ports),
            )
            .await
    }

    /// Prepares a write; its rows ride in this change.
    pub(crate) async fn write(&mut self, call: Call) -> Result<(), RuntimeError> {
        let result = match call.function.as_str() {
            "notify" => self.notify(&call),
            "case.reopen" => self.case_reopen(&call).await,
            _ => self.prepare(&call).await,
        };
        self.answered(&call.run_id, result.map_err(|failure| problem(&failure)));
        Ok(())
    }

    async fn prepare(&mut self, call: &Call) -> Result<Value, Failure> {
        let function = self
            .node
            .functions
            .write(&call.function)
            .ok_or_else(|| unknown(&call.function))?;
        let ports = self.node.ports(&self.ready);
        let starter = self.starter_now();
        let today = self.node.local_date(self.now_ms);
        let seed = self.seed();
        let prepared = function
            .prepare(
                &call.args,
                &self.circumstances(call, &starter, &today, seed, &ports),
            )
            .await?;
        let Prepared {
            value,
            records,
            grants,
            access,
        } = prepared;
        let value = bounded(&call.function, value)?;
        if let Some(lost) = records.iter().find_map(|record| self.lost(record)) {
            return Err(lost);
        }
        self.log_access(access);
        self.out.writes.extend(records);
        let id = self.id().to_owned();
        self.out.grants.extend(grants.into_iter().map(|grant| {
            GrantRow {
                id: grant.id,
                resource: grant.resource,
                unit_id: grant.unit,
                fields: Value::from(
                    grant
                        .fields
                        .into_iter()
                        .map(Value::from)
                        .collect::<Vec<_>>(),
                )
                .to_json(),
                row_filter: (!grant.rows.is_null()).then(|| grant.rows.to_json()),
                mode: grant.mode,
                purpose: grant.purpose,
                quota: grant.quota.map(|calls| calls.to_string()),
                ends_at_ms: grant.ends_at_ms,
                status: match grant.status {
                    tongban_plugin::GrantStatus::Active => "active",
                    tongban_plugin::GrantStatus::Expired => "ended",
                    tongban_plugin::GrantStatus::Revoked => "revoked",
                }
                .to_owned(),
                instance_id: Some(id.clone()),
            }
        }));
        Ok(value)
    }

    /// Why this record cannot be written in this run, if it was lost too often before.
    fn lost(&self, record: &RecordWrite) -> Option<Failure> {
        self.barred.iter().find_map(|barred| match barred {
            Barred::Record { register, id } if *register == record.register && *id == record.id => Some(Failure::conflict(
                format!("the record `{id}` of `{register}` is being changed by others all the time; try again"),
            )),
            Barred::Key { register, name, value } if *register == record.register => {
                let taken = record.keys.iter().any(|(key, text)| key == name && text == value);
                let said = || format!("another record of `{register}` has the same `{name}`");
                taken.then(|| Failure::conflict(said()).with_retryable(false))
            }
            _ => None,
        })
    }

    fn circumstances<'a>(
        &'a self,
        call: &'a Call,
        starter: &'a Starter,
        today: &'a str,
        seed: u64,
        ports: &'a tongban_plugin::Ports,
    ) -> tongban_plugin::Call<'a> {
        tongban_plugin::Call {
            function: &call.function,
            instance: self.id(),
            run_id: &call.run_id,
            workflow: &self.state.head.workflow,
            number: &self.state.head.number,
            starter,
            unit: self.ready.owner_unit.as_deref(),
            now_ms: self.now_ms,
            today,
            seed,
            ports,
            pending: &self.out.writes,
        }
    }

    fn starter_now(&self) -> Starter {
        let starter = &self.state.head.starter;
        Starter {
            roles: roles_of(&self.organisation, &starter.user),
            ..starter.clone()
        }
    }

    fn log_access(&mut self, entries: Vec<AccessEntry>) {
        for entry in entries {
            let id = self.node.ids.uuid(self.now_ms);
            self.out.access.push(access_row(id, entry));
        }
    }
}

/// The access log's row of one look at personal records.
pub fn access_row(id: String, entry: AccessEntry) -> AccessRow {
    AccessRow {
        id,
        register: entry.register,
        record_id: (!entry.record_id.is_empty()).then_some(entry.record_id),
        who: entry.who,
        why: entry.why,
        fields: Value::from(
            entry
                .fields
                .into_iter()
                .map(Value::from)
                .collect::<Vec<_>>(),
        )
        .to_json(),
        count: i64::from(entry.count),
        at_ms: entry.at_ms,
    }
}

/// A failure as the error of a task.
pub(crate) fn problem(failure: &Failure) -> Error {
    Error {
        type_uri: failure.type_uri(),
        title: failure.title.clone(),
        status: i64::from(failure.status),
        detail: Some(failure.detail.clone()),
        instance: None,
        extra: failure.extra.clone(),
    }
}

fn bounded(function: &str, value: Value) -> Result<Value, Failure> {
    if value.weight() > RESULT_BYTES {
        let found = value.weight();
        return Err(Failure::communication(format!(
            "expected at most {RESULT_BYTES} bytes from `{function}`, found {found}"
        )));
    }
    Ok(value)
}

fn unknown(function: &str) -> Failure {
    Failure::configuration(format!(
        "there is no function `{function}` here; is its plugin installed?"
    ))
}
