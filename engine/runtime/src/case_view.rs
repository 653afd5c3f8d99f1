//! One case as the faces of the product see it.

use std::sync::Arc;

use tongban_core::{Instance, Program};
use tongban_dsl::definition::Definition;
use tongban_expr::Value;
use tongban_org::Organisation;
use tongban_work::{ClockView, Desk, ItemView, World};

use crate::activation::case_facts;
use crate::bundles::Ready;
use crate::pack::Bundle;
use crate::state::CaseHead;

/// Everything about one case, running or ended.
#[derive(Clone)]
pub struct CaseView {
    /// Number, title, starter, when.
    pub head: CaseHead,
    /// The version of the state.
    pub version: i64,
    /// The word for its status: `running`, `suspended`, `completed`, `faulted`, `cancelled`.
    pub status: String,
    /// The machine's side.
    pub instance: Instance,
    /// The people's side.
    pub desk: Desk,
    /// The compiled workflow.
    pub program: Arc<Program>,
    /// The workflow as written.
    pub definition: Arc<Definition>,
    /// The workflow's files.
    pub bundle: Arc<Bundle>,
    pub(crate) url: String,
    pub(crate) now_ms: i64,
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) ready: Arc<Ready>,
}

impl CaseView {
    /// What one person sees of a work item; `None` when it is not theirs to see.
    pub fn item(&self, n: u32, person: &str) -> Option<ItemView> {
        self.with_world(|world| self.desk.view_for(person, n, world))
    }

    /// Whether a person hears what the signers of an item say to one another.
    pub fn hears(&self, n: u32, person: &str) -> bool {
        self.with_world(|world| self.desk.hears(person, n, world))
    }

    /// The case's clocks with their ledgers, as of now.
    pub fn clocks(&self) -> Vec<ClockView> {
        self.with_world(|world| self.desk.clock_views(world))
    }

    /// The schema of the case's start form; none when it took anything.
    pub fn start_form_schema(&self) -> Option<Value> {
        self.ready.start_form().map(|form| form.schema().clone())
    }

    /// The schema of one of the case's forms, as the case's own bundle has it.
    pub fn form_schema(&self, form: &Value) -> Option<Value> {
        self.ready
            .forms
            .form(form)
            .map(|form| form.schema().clone())
    }

    /// The titles of a code list, as the case's own bundle has it.
    pub fn codes(&self, list: &str, language: &str) -> Option<Vec<(String, String)>> {
        let codes = self.ready.forms.facts()?.codes.list(list)?;
        Some(
            codes
                .iter()
                .map(|(code, title)| (code.clone(), title.text(language).to_owned()))
                .collect(),
        )
    }

    /// The public word for the state that the case is in.
    pub fn state_word(&self) -> Option<&str> {
        self.desk
            .state_word()
            .or_else(|| self.instance.state_word())
    }

    pub(crate) fn with_world<T>(&self, look: impl FnOnce(&World<'_>) -> T) -> T {
        let facts = case_facts(&self.head, &self.instance, &self.ready, self.url.clone());
        let world = World {
            now_ms: self.now_ms,
            org: &self.organisation,
            case: &facts,
            forms: &self.ready.forms,
        };
        look(&world)
    }
}
