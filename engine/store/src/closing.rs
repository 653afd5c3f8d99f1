//! Closing a store in good order.

use crate::commit::audit_seal;
use crate::db::Slots;
use crate::store::Store;

impl Store {
    /// Ends all connections in good order. Later calls fail with `Unavailable`.
    pub async fn close(&self) {
        end(&self.inner.committers).await;
        if let Some(readers) = &self.inner.readers {
            end(readers).await;
        }
        if let Some(checkpoint) = &self.inner.checkpoint {
            checkpoint.stop().await;
        }
    }
}

async fn end(slots: &Slots) {
    for mut session in slots.close() {
        if let Err(error) = audit_seal(&mut session).await {
            tracing::warn!(
                error = error.text,
                "an audit chain could not be sealed; another node closes it when it opens one"
            );
        }
        session.close().await;
    }
}
