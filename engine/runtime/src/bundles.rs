//! Published workflows, ready to run: compiled once, kept by digest.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tongban_core::Program;
use tongban_dsl::Definition;
use tongban_dsl::definition::{Input, SchemaSource};
use tongban_expr::Value;
use tongban_expr::sandbox::Evaluator;
use tongban_store::{BundleRow, WorkflowRow};

use crate::error::RuntimeError;
use crate::form::Form;
use crate::forms::BundleForms;
use crate::functions::Functions;
use crate::gate::{Gate, gates};
use crate::pack::{Bundle, BundleFiles};

/// How long the pointer to a current version is believed before it is read again.
const POINTER_MS: i64 = 1_000;

/// What follows the name and the digest of a workflow in those of the hidden one that starts it on events.
pub const COLLECTOR: &str = "@on";

/// How a bundle came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From a folder of this site: its scripts are evaluated in this process.
    Site,
    /// Through the API: its scripts are evaluated in a process of their own.
    Api,
}

impl Origin {
    /// The word for it in the database.
    pub fn word(self) -> &'static str {
        match self {
            Origin::Site => "site",
            Origin::Api => "api",
        }
    }

    pub(crate) fn of(row: &BundleRow) -> Origin {
        if row.origin == "site" {
            Origin::Site
        } else {
            Origin::Api
        }
    }
}

/// What a node makes bundles ready with.
pub(crate) struct Means<'n> {
    /// What `call` may name.
    pub functions: &'n Functions,
    /// Who evaluates scripts that came through the API.
    pub sandbox: Option<Arc<dyn Evaluator>>,
}

/// A bundle with everything that running it needs.
pub struct Ready {
    /// `namespace/name`, as its instances say it.
    pub workflow: String,
    /// The digest under which its instances find it again.
    pub digest: String,
    /// The workflow and its files.
    pub bundle: Arc<Bundle>,
    /// The workflow as written.
    pub definition: Arc<Definition>,
    /// The workflow compiled.
    pub program: Arc<Program>,
    /// Its forms and code lists.
    pub forms: BundleForms,
    /// How it came here.
    pub origin: Origin,
    /// The unit that owns it.
    pub owner_unit: Option<String>,
    /// The pack that it came in.
    pub pack: String,
    /// The start form: a path or a schema.
    pub form_reference: Option<Value>,
    /// How long its events are kept, when it says so.
    pub event_ttl_ms: Option<i64>,
    /// Whether it declares secrets.
    pub uses_secrets: bool,
    /// Its steps that open only when all cases of a batch have arrived.
    pub(crate) gates: Vec<Gate>,
}

impl Ready {
    pub(crate) fn of(
        bundle: Bundle,
        owner_unit: Option<String>,
        means: Means<'_>,
        hidden: bool,
        origin: Origin,
    ) -> Result<Ready, RuntimeError> {
        let broken = |what: String| {
            RuntimeError::Internal(format!("the bundle of `{}` {what}", bundle.workflow))
        };
        let parsed = tongban_dsl::parse(bundle.document());
        let mut definition = parsed
            .definition
            .ok_or_else(|| broken("has no readable document".to_owned()))?;
        if hidden {
            definition = tongban_core::collector(&definition)
                .ok_or_else(|| broken("starts on no event".to_owned()))?;
        }
        let evaluator = match origin {
            Origin::Site => None,
            Origin::Api => means.sandbox,
        };
        let files = BundleFiles {
            bundle: &bundle,
            functions: means.functions,
            evaluator: evaluator.clone(),
        };
        let program = tongban_core::compile(&definition, &files).map_err(|diagnostics| {
            let first = diagnostics
                .first()
                .map(|diagnostic| diagnostic.message.clone())
                .unwrap_or_default();
            broken(format!("does not compile: {first}"))
        })?;
        let (workflow, digest) = if hidden {
            (
                format!("{}{COLLECTOR}", bundle.workflow),
                format!("{}{COLLECTOR}", bundle.digest),
            )
        } else {
            (bundle.workflow.clone(), bundle.digest.clone())
        };
        let metadata = &definition.document.metadata;
        let event_ttl_ms = metadata.event_ttl.as_ref().and_then(fixed_ms);
        let bundle = Arc::new(bundle);
        Ok(Ready {
            workflow,
            digest,
            forms: BundleForms::new(Arc::clone(&bundle), evaluator),
            origin,
            owner_unit,
            pack: definition.document.namespace.value.clone(),
            form_reference: definition.input.as_ref().and_then(start_form),
            event_ttl_ms,
            uses_secrets: !definition.reusables.secrets.is_empty(),
            gates: gates(&definition),
            program: Arc::new(program),
            definition: Arc::new(definition),
            bundle,
        })
    }

    /// The title of the workflow.
    pub fn title(&self) -> Option<String> {
        self.definition
            .document
            .title
            .as_ref()
            .map(|title| title.value.clone())
    }

    /// The title in English (`metadata.x-en`).
    pub fn title_en(&self) -> Option<String> {
        self.noted("x-en")
    }

    /// What the workflow is for, in English (`metadata.x-en-summary`).
    pub fn summary_en(&self) -> Option<String> {
        self.noted("x-en-summary")
    }

    /// A text that the author noted about the whole document.
    fn noted(&self, key: &str) -> Option<String> {
        let extra = &self.definition.document.metadata.extra;
        let entry = extra.iter().find(|entry| &*entry.key == key)?;
        entry.value.as_str().map(str::to_owned)
    }

    /// What the workflow is for.
    pub fn summary(&self) -> Option<String> {
        let summary = self.definition.document.summary.as_ref()?;
        Some(summary.value.clone())
    }

    /// Whether the author says nothing about the case, so that nothing of it is evaluated.
    pub fn has_no_case(&self) -> bool {
        self.definition.document.metadata.case.is_none()
    }

    /// Whether the business key is held for ever.
    pub fn keeps_key(&self) -> bool {
        self.definition.document.metadata.business_key_unique
    }

    /// The pattern of case numbers, unless there is none.
    pub fn number_pattern(&self) -> Option<&str> {
        let case = self.definition.document.metadata.case.as_ref()?;
        case.number
            .as_ref()
            .map(|number| number.value.as_str())
            .filter(|pattern| *pattern != "none")
    }

    /// The start form, compiled.
    pub fn start_form(&self) -> Option<Form> {
        self.form_reference
            .as_ref()
            .and_then(|reference| self.forms.form(reference))
    }

    /// Whether the bundle has a mail template in any language.
    pub fn has_template(&self, template: &str) -> bool {
        let begins = format!("{template}.");
        self.bundle
            .files
            .keys()
            .any(|path| path.starts_with(&begins) && path.ends_with(".md"))
    }
}

/// The length of a duration that is written as a literal.
pub fn fixed_ms(duration: &tongban_dsl::definition::Duration) -> Option<i64> {
    match &duration.kind {
        tongban_dsl::definition::DurationKind::Fixed(period) => Some(period.approximate_ms()),
        tongban_dsl::definition::DurationKind::Expression(_) => None,
    }
}

fn start_form(input: &Input) -> Option<Value> {
    match &input.schema.as_ref()?.source {
        SchemaSource::Form(path) => Some(Value::from(path.value.as_str())),
        SchemaSource::Document(schema) => Some(schema.value.clone()),
        SchemaSource::Resource(resource) => resource.pack_path().map(Value::from),
    }
}

/// The pointer to a current version, and when it was read.
#[derive(Clone)]
struct Pointer {
    row: WorkflowRow,
    read_at_ms: i64,
}

/// What a node has read of what is published.
#[derive(Default)]
pub struct Bundles {
    ready: RwLock<HashMap<String, Arc<Ready>>>,
    pointers: RwLock<HashMap<String, Pointer>>,
}

impl Bundles {
    /// The bundle of a digest, when it was read before.
    pub(crate) fn known(&self, digest: &str) -> Option<Arc<Ready>> {
        self.ready.read().get(digest).cloned()
    }

    /// Keeps a bundle that was read.
    pub(crate) fn keep(&self, digest: &str, ready: &Arc<Ready>) {
        let mut all = self.ready.write();
        all.insert(digest.to_owned(), Arc::clone(ready));
    }

    /// A workflow's row as it was read a moment ago.
    pub(crate) fn pointed(&self, workflow: &str, now_ms: i64) -> Option<WorkflowRow> {
        let pointers = self.pointers.read();
        let pointer = pointers.get(workflow)?;
        (now_ms - pointer.read_at_ms < POINTER_MS).then(|| pointer.row.clone())
    }

    /// Notes a workflow's row, or that there is none.
    pub(crate) fn point(&self, workflow: &str, row: Option<&WorkflowRow>, now_ms: i64) {
        let mut pointers = self.pointers.write();
        match row {
            Some(row) => {
                let pointer = Pointer {
                    row: row.clone(),
                    read_at_ms: now_ms,
                };
                pointers.insert(workflow.to_owned(), pointer);
            }
            None => {
                pointers.remove(workflow);
            }
        }
    }

    /// A bundle came another way as well: what was compiled of it is compiled anew.
    pub fn forget(&self, digest: &str) {
        let mut ready = self.ready.write();
        ready.retain(|known, _| known.strip_suffix(COLLECTOR).unwrap_or(known) != digest);
    }

    /// Something was published or rolled back.
    pub fn forget_pointers(&self) {
        self.pointers.write().clear();
    }
}
