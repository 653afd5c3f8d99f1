//! A COMMIT without an answer: the token says whether it happened.

use std::time::Duration;

use super::keys::{KEY_TAKE, TOKEN_SCOPE};
use crate::db::{Bulk, DbError, Value};
use crate::error::StoreError;
use crate::inner::Inner;

/// How long the database may be away before callers are told that nobody knows.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the batch with this token was committed. When it was not, it cannot be any more: its token is taken.
pub(super) async fn settle(store: &Inner, token: &str) -> Result<bool, StoreError> {
    let tries = async {
        loop {
            match ask(store, token).await {
                Ok(committed) => return committed,
                Err(error) => tracing::debug!(
                    error = error.text,
                    "an unclear commit cannot be settled yet"
                ),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(SETTLE_LIMIT, tries)
        .await
        .map_err(|_| StoreError::Unclear)
}

/// The old transaction, should it still be open, holds its token: the insert waits for its end and then knows.
async fn ask(store: &Inner, token: &str) -> Result<bool, DbError> {
    let mut lease = store.committers.lease().await?;
    let mut bulk = Bulk::new(KEY_TAKE.columns());
    let none = Value::Text(None);
    bulk.push(&[
        Value::from(TOKEN_SCOPE),
        Value::from(token),
        Value::from(""),
        none,
        none,
        Value::Int(Some(0)),
    ]);
    lease.begin().await?;
    let taken: Result<Vec<(String, String)>, DbError> =
        lease.fetch(KEY_TAKE.call().rows(&bulk)).await;
    match taken {
        Ok(rows) => {
            lease.commit().await?;
            Ok(rows.is_empty())
        }
        Err(error) => {
            // The lease is dropped either way; a broken session is replaced.
            let _ = lease.rollback().await;
            Err(error)
        }
    }
}
