//! The circumstances of a call: which case, whose, when, with which ports.

use serde::{Deserialize, Serialize};

use crate::{Ports, RecordWrite, Secrets};

/// Who started the case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starter {
    /// The person's id; empty when the system started the case.
    pub user: String,
    /// The person's name.
    pub name: String,
    /// The unit that the person acts for.
    pub unit: Option<String>,
    /// The identity (resident number) of a citizen.
    pub identity: Option<String>,
    /// The roles that the person holds, as of the activation.
    pub roles: Vec<String>,
}

/// What a read or a write knows about its case.
pub struct Call<'a> {
    /// The function that is called.
    pub function: &'a str,
    /// The instance's id.
    pub instance: &'a str,
    /// The task's run id.
    pub run_id: &'a str,
    /// `namespace/name` of the workflow.
    pub workflow: &'a str,
    /// The case's number, or empty.
    pub number: &'a str,
    /// Who started the case.
    pub starter: &'a Starter,
    /// The unit that owns the workflow (the department whose connectors and rights count).
    pub unit: Option<&'a str>,
    /// The activation's time.
    pub now_ms: i64,
    /// The site's local date of `now_ms`, `2026-03-02`.
    pub today: &'a str,
    /// The seed of this call: the same course has the same seed. Ids are derived from it.
    pub seed: u64,
    /// What the function may reach.
    pub ports: &'a Ports,
    /// Records that earlier writes of the same activation prepared, in order.
    pub pending: &'a [RecordWrite],
}

impl Call<'_> {
    /// The record that an earlier write of this activation prepared, if any: the latest wins.
    #[must_use]
    pub fn pending(&self, register: &str, id: &str) -> Option<&RecordWrite> {
        self.pending
            .iter()
            .rev()
            .find(|write| write.register == register && write.id == id)
    }
}

/// What an act knows about its intent.
pub struct ActCall<'a> {
    /// The function that is called.
    pub function: &'a str,
    /// The instance's id.
    pub instance: &'a str,
    /// The task's run id.
    pub run_id: &'a str,
    /// `namespace/name` of the workflow.
    pub workflow: &'a str,
    /// The unit that owns the workflow: its connectors and secrets count.
    pub unit: Option<&'a str>,
    /// The idempotency key: the same for every attempt.
    pub key: &'a str,
    /// 0 for the first attempt of ours, then 1 and so on after crashes and lost leases.
    pub attempt: u32,
    /// When the task's time is over.
    pub deadline_ms: Option<i64>,
    /// Now.
    pub now_ms: i64,
    /// The instance's nonce: only secret markers that were made with it stand for secrets.
    pub nonce: &'a str,
    /// Gives the values of secrets at the moment of sending.
    pub secrets: &'a dyn Secrets,
    /// What the function may reach.
    pub ports: &'a Ports,
}
