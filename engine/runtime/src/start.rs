//! Starting an instance: one activation, one change, with the keys that make it the only one.

use std::sync::Arc;

use tongban_core::Status;
use tongban_expr::{Value, value};
use tongban_plugin::Starter;
use tongban_store::{Base, KeyRow, Lost, Outcome};

use crate::activation::{Activation, Barred};
use crate::begin::business_scope;
use crate::bundles::Ready;
use crate::change::Before;
use crate::error::RuntimeError;
use crate::inputs::status_word;
use crate::lane::Class;
use crate::node::Node;
use crate::out::Handed;
use crate::request::{Caller, Started};
use crate::state::{CaseHead, CaseLink, State};

/// How often a start is tried against others' changes.
const ROUNDS: usize = 8;

/// Everything about a start but the workflow.
pub(crate) struct Beginning {
    pub input: Value,
    pub caller: Caller,
    /// Keys besides the business key.
    pub keys: Vec<KeyRow>,
    pub link: Option<CaseLink>,
    pub schedule: Option<String>,
    pub class: Class,
}

impl Node {
    /// Starts an instance; durable when this returns.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        ready: Arc<Ready>,
        beginning: Beginning,
    ) -> Result<Started, RuntimeError> {
        let (started, handed) = self.begin_quietly(ready, beginning).await?;
        self.hand(handed);
        Ok(started)
    }

    /// Starts an instance, and leaves it to the caller to call this node's jobs once the answer is given.
    pub(crate) async fn begin_quietly(
        self: &Arc<Self>,
        ready: Arc<Ready>,
        beginning: Beginning,
    ) -> Result<(Started, Vec<Handed>), RuntimeError> {
        let mut barred: Vec<Barred> = Vec::new();
        for round in 0..ROUNDS {
            let now_ms = self.clock.now_ms();
            let id = self.ids.uuid(now_ms);
            let mut activation = Activation::new(
                self,
                Arc::clone(&ready),
                self.unborn(&id, &ready, &beginning, now_ms),
                Base::New,
                &barred,
            );
            activation.actor =
                (beginning.caller != Caller::system()).then(|| beginning.caller.name());
            activation.channel = Some(beginning.caller.channel.word());
            Activation::begin(&mut activation, beginning.input.clone()).await?;
            take_keys(&mut activation, &beginning.keys);
            let started = started(&activation.state, &id);
            let handover = activation.into_handover(&Before::nothing());
            let next = handover.next;
            match self.commit_here(beginning.class, handover.change).await? {
                Outcome::Committed { version } => {
                    if let Some(state) = next {
                        self.keep(&id, version, state, handover.bytes);
                    }
                    return Ok((started, handover.handed));
                }
                Outcome::KeyTaken { holder } => {
                    let started = self.taken(&ready, &beginning, holder).await?;
                    return Ok((started, Vec::new()));
                }
                Outcome::Lost(Lost::Record { register, id, .. }) if round + 2 >= ROUNDS => {
                    barred.push(Barred::Record { register, id })
                }
                Outcome::RecordKeyTaken {
                    register,
                    name,
                    value,
                    ..
                } => barred.push(Barred::Key {
                    register,
                    name,
                    value,
                }),
                Outcome::Refused(refusal) => {
                    tracing::error!(
                        log_id = refusal.log_id,
                        code = refusal.code,
                        cause = refusal.cause,
                        "a start was refused by the database"
                    );
                    return Err(RuntimeError::Internal(format!(
                        "the start was refused (log {}): {}",
                        refusal.log_id, refusal.cause
                    )));
                }
                Outcome::Lost(_) | Outcome::Locked | Outcome::InputGone { .. } => {}
            }
        }
        Err(RuntimeError::Busy { retry_after_s: 1 })
    }

    fn unborn(&self, id: &str, ready: &Ready, beginning: &Beginning, now_ms: i64) -> State {
        let head = CaseHead {
            workflow: ready.workflow.clone(),
            version: ready.bundle.version.clone(),
            bundle: ready.digest.clone(),
            starter: self.starter(&beginning.caller),
            link: beginning.link.clone().map(Box::new),
            started_ms: now_ms,
            nonce: ready
                .uses_secrets
                .then(|| crate::link::nonce_text(self.ids.nonce())),
            schedule: beginning.schedule.clone(),
            ..CaseHead::default()
        };
        State::new(id, head)
    }

    fn starter(&self, caller: &Caller) -> Starter {
        let organisation = self.organisation();
        let person = caller
            .person
            .as_deref()
            .and_then(|id| organisation.person(id));
        Starter {
            user: caller.person.clone().unwrap_or_default(),
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            unit: caller
                .unit
                .clone()
                .or_else(|| person.and_then(|person| person.unit.clone())),
            identity: person.and_then(|person| person.identity.clone()),
            // Roles are looked up anew in each activation.
            roles: Vec::new(),
        }
    }

    /// A key is held: the same request gets the former answer, another one is told why not.
    async fn taken(
        &self,
        ready: &Ready,
        beginning: &Beginning,
        holder: KeyRow,
    ) -> Result<Started, RuntimeError> {
        // A request that comes again finds its business key held by its own first coming: what its
        // idempotency key says goes before.
        let mut holder = holder;
        for key in beginning
            .keys
            .iter()
            .filter(|key| key.scope.starts_with("idempotency:"))
        {
            if let Some(known) = self.store.key_holder(&key.scope, &key.value).await? {
                holder = known;
            }
        }
        let own = beginning
            .keys
            .iter()
            .find(|key| key.scope == holder.scope && key.value == holder.value);
        if let Some(own) = own.filter(|key| key.scope.starts_with("idempotency:")) {
            return self.replayed(own, holder).await;
        }
        debug_assert!(own.is_some() || holder.scope == business_scope(&ready.bundle.workflow));
        Err(RuntimeError::Conflict {
            key: holder.value,
            instance: holder.instance_id.unwrap_or_default(),
        })
    }

    /// The answer that was given to the same request before.
    pub(crate) async fn replayed(
        &self,
        own: &KeyRow,
        holder: KeyRow,
    ) -> Result<Started, RuntimeError> {
        if own.digest != holder.digest {
            return Err(RuntimeError::KeyReused);
        }
        let id = holder.instance_id.unwrap_or_default();
        let head = self.store.instance_head(&id).await?;
        let head = head.ok_or_else(|| RuntimeError::not_found("instance", id.clone()))?;
        Ok(Started {
            id,
            output: self.output_of(&head).await?,
            number: head.number.unwrap_or_default(),
            status: head.status,
            replayed: true,
        })
    }
}

/// The keys of the request, with the answer that whoever comes again is given.
fn take_keys(activation: &mut Activation<'_>, keys: &[KeyRow]) {
    for key in keys {
        let answer = value!({ "number": (activation.state.head.number.as_str()) }).to_json();
        activation.out.keys.push(KeyRow {
            instance_id: Some(activation.id().to_owned()),
            answer: Some(answer),
            ..key.clone()
        });
    }
}

fn started(state: &State, id: &str) -> Started {
    let flow = &state.flow;
    let output = match flow.status() {
        Status::Completed => flow.output().clone(),
        Status::Faulted => flow
            .error()
            .map_or(Value::Null, tongban_core::Error::to_value),
        _ => Value::Null,
    };
    Started {
        id: id.to_owned(),
        number: state.head.number.clone(),
        status: status_word(flow.status()).to_owned(),
        output,
        replayed: false,
    }
}
