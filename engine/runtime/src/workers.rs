//! Acts performed by workers outside: the same leases and the same rules as for this node's own.

use tongban_expr::Value;

use crate::error::RuntimeError;
use crate::facade::Runtime;
use crate::lane::{Answer, What};

impl Runtime {
    /// An external worker takes acts of its functions, for as long as a lease lasts.
    pub async fn acts_claim(
        &self,
        functions: &[&str],
        limit: i64,
    ) -> Result<Vec<tongban_store::ActRow>, RuntimeError> {
        let now_ms = self.node.clock.now_ms();
        let token = self.node.ids.uuid(now_ms);
        Ok(self
            .node
            .store
            .act_claim(
                functions,
                &token,
                now_ms,
                now_ms + self.node.settings.lease_ms,
                limit,
            )
            .await?)
    }

    /// An external worker goes on with an act; false when it is not its any more.
    pub async fn act_renew(
        &self,
        instance: &str,
        run_id: &str,
        token: &str,
    ) -> Result<bool, RuntimeError> {
        let until_ms = self.node.clock.now_ms() + self.node.settings.lease_ms;
        Ok(self
            .node
            .store
            .act_renew(instance, run_id, token, until_ms)
            .await?)
    }

    /// An external worker tells what came out.
    pub async fn act_answer(
        &self,
        instance: &str,
        run_id: &str,
        token: &str,
        result: Result<Value, tongban_core::Error>,
    ) -> Result<(), RuntimeError> {
        let answer = Answer {
            run_id: run_id.to_owned(),
            token: Some(token.to_owned()),
            result,
        };
        self.ask(instance, What::Answer(answer)).await.map(|_| ())
    }

    /// Lets the acts of a connector wait, or go again.
    pub fn connector_pause(&self, connector: &str, paused: bool) {
        let mut connectors = self.node.paused_connectors.lock();
        if paused {
            connectors.insert(connector.to_owned());
        } else {
            connectors.remove(connector);
        }
    }
}
