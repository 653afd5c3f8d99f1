//! Outcomes that come from outside the node's own performers: scenarios play late answers with them.

use tongban_expr::Value;

use crate::calls::problem;
use crate::error::RuntimeError;
use crate::facade::Runtime;
use crate::lane::{Answer, What};

impl Runtime {
    /// An act's outcome comes as from a call in flight: it is late when the instance no longer waits for it.
    pub async fn answered(
        &self,
        instance: &str,
        run_id: &str,
        result: Result<Value, tongban_plugin::Failure>,
    ) -> Result<(), RuntimeError> {
        let answer = Answer {
            run_id: run_id.to_owned(),
            token: None,
            result: result.map_err(|failure| problem(&failure)),
        };
        self.ask(instance, What::Answer(answer)).await.map(|_| ())
    }
}
