//! Records whose time is over are removed with their history, as their register's `retention` says. A record that a
//! case has locked stays until the case lets go of it.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use tongban_expr::{Value, value};
use tongban_plugin::{Record, RegisterDefinition, Retention, index_name, index_text};
use tongban_store::{AuditEntry, Change, Outcome, RecordNext, RecordWrite};

use crate::error::RuntimeError;
use crate::facade::PACK_ROW;
use crate::lane::Class;
use crate::node::Node;
use crate::record_rows::{read_definition, read_record};

/// How many records are read, and removed, at once.
const PAGE: i64 = 500;

/// How many pages of one register are looked at before other work has its turn.
const PAGES: usize = 20;

impl Node {
    /// Removes the records that are past their time from all registers; true when one of them may have more.
    pub(crate) async fn remove_expired_records(&self) -> Result<bool, RuntimeError> {
        // A clock that jumped ahead must not cost a record its years.
        if self.clock.is_lost() {
            return Ok(false);
        }
        let today = self.date_at(self.clock.now_ms());
        let mut more = false;
        for row in self.store.registers().await? {
            if row.name.starts_with(PACK_ROW) {
                continue;
            }
            match read_definition(&row.name, &row.schema) {
                Ok(definition) => {
                    if let Some(retention) = &definition.retention {
                        more |= self.remove_from(&definition, retention, today).await?;
                    }
                }
                Err(failure) => {
                    tracing::error!(register = row.name, %failure, "its records are not removed");
                }
            }
        }
        Ok(more)
    }

    async fn remove_from(
        &self,
        definition: &RegisterDefinition,
        retention: &Retention,
        today: Date,
    ) -> Result<bool, RuntimeError> {
        let register = definition.register.as_str();
        let field = index_name(&retention.after);
        // Dates and instants begin with a digit; what begins before this day may be past its time.
        let (Some(from), Some(before)) = (indexed("0"), indexed(&earliest(retention, today)))
        else {
            return Ok(false);
        };
        let mut after = (String::new(), String::new());
        for _ in 0..PAGES {
            let page = self
                .store
                .records_between(
                    register,
                    &field,
                    (&from, &before),
                    (&after.0, &after.1),
                    PAGE,
                )
                .await?;
            let full = i64::try_from(page.len()).unwrap_or(PAGE) >= PAGE;
            let mut expired = Vec::new();
            for row in page {
                let record =
                    read_record(row).map_err(|failure| RuntimeError::Internal(failure.detail))?;
                let value = record.body.at(&retention.after).unwrap_or(&Value::Null);
                after = (index_text(value).unwrap_or_default(), record.id.clone());
                let over = self
                    .date_of(value)
                    .and_then(|date| date.checked_add(period(retention)).ok())
                    .is_some_and(|end| end < today);
                if over && record.lock.is_none() {
                    expired.push(record);
                }
            }
            self.remove(register, expired).await?;
            if !full {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes the records, unless one of them changed meanwhile: the next sweep looks at them again.
    async fn remove(&self, register: &str, expired: Vec<Record>) -> Result<(), RuntimeError> {
        if expired.is_empty() {
            return Ok(());
        }
        let count = expired.len();
        let now_ms = self.clock.now_ms();
        let mut change = Change::without_instance(now_ms);
        change.records = expired
            .into_iter()
            .map(|record| RecordWrite {
                register: record.register,
                id: record.id,
                base: record.version,
                next: RecordNext::Gone,
                history: false,
                by_instance: None,
            })
            .collect();
        change.audit.push(AuditEntry {
            at_ms: now_ms,
            who: "system".to_owned(),
            act: "record.expire".to_owned(),
            object: register.to_owned(),
            body: value!({ "count": count }).to_json(),
        });
        match self.commit(Class::Background, change).await? {
            Outcome::Committed { .. } => {
                tracing::info!(register, count, "records past their time are removed");
                Ok(())
            }
            Outcome::Lost(_) | Outcome::Locked => Ok(()),
            other => Err(RuntimeError::Internal(format!(
                "removing records of `{register}` ended with {other:?}"
            ))),
        }
    }

    /// The site's date of a date, or of an instant.
    fn date_of(&self, value: &Value) -> Option<Date> {
        let text = value.as_str()?;
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(self.date_at(at.as_millisecond()));
        }
        text.parse().ok()
    }
}

fn indexed(text: &str) -> Option<String> {
    index_text(&Value::from(text))
}

fn period(retention: &Retention) -> Span {
    Span::new()
        .try_years(retention.years)
        .and_then(|span| span.try_months(retention.months))
        .and_then(|span| span.try_days(retention.days))
        .unwrap_or_else(|_| Span::new().years(19_000))
}

/// Only what is dated before this day can be past its time; no day when the period is longer than time.
fn earliest(retention: &Retention, today: Date) -> String {
    today
        .checked_sub(period(retention))
        .map_or_else(|_| "0".to_owned(), |date| date.to_string())
}
