//! One activation: inputs go in one after the other, one change comes out.
//!
//! The machine's side (core) and the people's side (work) are fed to each other here, in order, and
//! reads are answered at once; nothing leaves the node. A refused input leaves no trace.

use std::collections::VecDeque;
use std::sync::Arc;

use tongban_core::{Env, Event, Instance};
use tongban_expr::{Value, value};
use tongban_org::Organisation;
use tongban_plugin::Starter;
use tongban_store::Base;
use tongban_work::{CaseFacts, Desk, World};

use crate::bundles::Ready;
use crate::error::RuntimeError;
use crate::forms::{CaseForms, Deciders};
use crate::lane::{Reply, What};
use crate::node::Node;
use crate::out::Out;
use crate::state::{CaseHead, State};

/// Something that a write may not touch in this run, because it lost it too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// A record that others change all the time.
    Record {
        /// Its register.
        register: String,
        /// Its id.
        id: String,
    },
    /// A unique value that another record has.
    Key {
        /// The register.
        register: String,
        /// The key.
        name: String,
        /// The value.
        value: String,
    },
    /// A business key that another instance holds.
    Business {
        /// The key.
        key: String,
        /// Who holds it.
        instance: String,
    },
}

/// An activation being run.
pub struct Activation<'n> {
    pub(crate) node: &'n Node,
    pub(crate) ready: Arc<Ready>,
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) state: State,
    pub(crate) base: Base,
    pub(crate) now_ms: i64,
    pub(crate) env: Env,
    pub(crate) out: Out,
    pub(crate) queue: VecDeque<Event>,
    pub(crate) barred: &'n [Barred],
    pub(crate) actor: Option<String>,
    pub(crate) channel: Option<&'static str>,
    /// The wake's row was claimed for this activation, so that it says a later time than it should.
    pub(crate) woken: bool,
    /// Units that a clock of a batch found late: place, level, card.
    pub(crate) late: Vec<(String, String, Option<&'static str>)>,
    /// Who decided steps of other cases, for the step being opened.
    pub(crate) deciders: Deciders,
    seeds: u64,
}

impl<'n> Activation<'n> {
    /// Begins an activation on a state; its time is fixed here.
    pub fn new(
        node: &'n Node,
        ready: Arc<Ready>,
        state: State,
        base: Base,
        barred: &'n [Barred],
    ) -> Activation<'n> {
        let organisation = node.organisation();
        let env = environment(node, &ready, &organisation, &state);
        Activation {
            node,
            ready,
            organisation,
            state,
            base,
            now_ms: node.clock.now_ms(),
            env,
            out: Out::default(),
            queue: VecDeque::new(),
            barred,
            actor: None,
            channel: None,
            woken: false,
            late: Vec::new(),
            deciders: Vec::new(),
            seeds: 0,
        }
    }

    /// Applies one input whole or not at all. The only input of an activation needs no way back: who refuses it
    /// throws the whole activation away.
    pub async fn apply(&mut self, what: &What, only: bool) -> Result<Reply, RuntimeError> {
        let saved = (!only).then(|| (self.state.clone(), self.out.clone()));
        let applied = self.take(what).await;
        if applied.is_err() {
            self.queue.clear();
            if let Some((state, out)) = saved {
                self.state = state;
                self.out = out;
            }
        }
        applied
    }

    /// Feeds events until the instance waits, ends or has to go on after a commit.
    pub(crate) async fn run(&mut self) -> Result<(), RuntimeError> {
        while let Some(event) = self.queue.pop_front() {
            self.step(event).await?;
        }
        for (place, level, card) in std::mem::take(&mut self.late) {
            self.tell_late(&place, &level, card).await?;
        }
        Ok(())
    }

    async fn step(&mut self, event: Event) -> Result<bool, RuntimeError> {
        let stilled = crate::wanted::stilled(&event, &self.state.flow);
        let instance = std::mem::replace(&mut self.state.flow, Instance::new(""));
        match tongban_core::step(&self.ready.program, instance, event, &self.env, self.now_ms) {
            Ok(step) => {
                self.state.flow = step.instance;
                self.announce(&step.records, &stilled);
                self.out.records.extend(step.records);
                self.state.memory.more |= step.more;
                for effect in step.effects {
                    self.effect(effect).await?;
                }
                Ok(step.consumed)
            }
            Err(refused) => {
                self.state.flow = *refused.instance;
                Err(RuntimeError::from(refused.refusal))
            }
        }
    }

    /// Feeds an event that the instance may turn out not to want; says whether it was taken.
    pub(crate) async fn offer(&mut self, event: Event) -> Result<bool, RuntimeError> {
        let taken = self.step(event).await?;
        self.run().await?;
        Ok(taken)
    }

    /// Calls the desk with the world as it is now.
    pub(crate) fn at_desk<T>(&mut self, ask: impl FnOnce(&mut Desk, &World<'_>) -> T) -> T {
        let facts = self.facts();
        let world = World {
            now_ms: self.now_ms,
            org: &self.organisation,
            case: &facts,
            forms: &CaseForms {
                bundle: &self.ready.forms,
                deciders: &self.deciders,
            },
        };
        ask(&mut self.state.desk, &world)
    }

    /// The facts of the case that people's work depends on.
    pub(crate) fn facts(&self) -> CaseFacts {
        let flow = &self.state.flow;
        case_facts(
            &self.state.head,
            flow,
            &self.ready,
            self.node.case_url(flow.id()),
        )
    }

    /// The instance's id.
    pub(crate) fn id(&self) -> &str {
        self.state.flow.id()
    }

    /// The next seed: the same activation of the same instance gives the same ones.
    pub(crate) fn seed(&mut self) -> u64 {
        self.seeds += 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.id().as_bytes());
        hasher.update(&self.base.next().to_be_bytes());
        hasher.update(&self.seeds.to_be_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Puts the case's number and title where expressions see them.
    pub(crate) fn refresh_environment(&mut self) {
        self.env = environment(self.node, &self.ready, &self.organisation, &self.state);
    }
}

/// The facts of a case that people's work depends on.
pub(crate) fn case_facts(
    head: &CaseHead,
    flow: &Instance,
    ready: &Ready,
    url: String,
) -> CaseFacts {
    CaseFacts {
        id: flow.id().to_owned(),
        number: head.number.clone(),
        title: head.title.clone(),
        workflow: head.workflow.clone(),
        url,
        starter: (!head.starter.user.is_empty()).then(|| head.starter.user.clone()),
        unit: head.starter.unit.clone(),
        form: flow.form().clone(),
        form_ref: ready.form_reference.clone(),
        chosen: Default::default(),
    }
}

/// The starter's roles, as of now.
pub(crate) fn roles_of(organisation: &Organisation, person: &str) -> Vec<String> {
    let held = organisation
        .person(person)
        .map(|person| person.roles.as_slice())
        .unwrap_or_default();
    held.iter()
        .map(|membership| membership.name.clone())
        .collect()
}

fn environment(node: &Node, ready: &Ready, organisation: &Arc<Organisation>, state: &State) -> Env {
    let head = &state.head;
    let link = head.link.as_ref().map_or(Value::Null, |link| {
        value!({
            "number": (link.number.as_str()), "workflow": (link.workflow.as_str()), "outcome": (link.outcome.clone())
        })
    });
    let started_ms = if head.started_ms == 0 {
        node.clock.now_ms()
    } else {
        head.started_ms
    };
    let parameters = node.parameters_of(&ready.pack, &node.local_date(started_ms));
    Env {
        workflow: value!({
            "number": (head.number.as_str()),
            "title": (head.title.as_str()),
            "url": (node.case_url(state.flow.id())),
            "starter": (starter(&head.starter))
        }),
        runtime: node.descriptor.clone(),
        params: parameters.values,
        link,
        units: Arc::clone(organisation) as Arc<dyn tongban_expr::Units>,
        parameters: parameters.all,
        sources_none: node.sources_none(),
        secret_nonce: head.nonce.clone().unwrap_or_default(),
        absent_secrets: absent_secrets(node, ready),
        zone: node.settings.zone.clone(),
        budget: node.settings.budget.clone(),
    }
}

fn absent_secrets(node: &Node, ready: &Ready) -> Vec<String> {
    let named = ready.definition.reusables.secrets.iter();
    named
        .map(|name| &name.value)
        .filter(|name| node.secrets.reveal(name).is_none())
        .cloned()
        .collect()
}

fn starter(starter: &Starter) -> Value {
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    value!({
        "user": (starter.user.as_str()), "name": (starter.name.as_str()),
        "unit": (text(&starter.unit)), "identity": (text(&starter.identity))
    })
}
