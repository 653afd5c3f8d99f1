//! The forms, rules and code lists of a bundle, as the desk asks for them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tongban_expr::sandbox::Evaluator;
use tongban_expr::{Budget, Scope, Script, Value};
use tongban_work::{CaseFacts, FormFault, Forms};

use crate::form::{FieldFault, Form};
use crate::pack::{Bundle, PACK_FACTS, PackFacts};

/// Schemas given as values that are kept compiled; a bundle's own forms are few.
const KEPT_MAX: usize = 256;

/// The forms of one bundle, compiled when they are first asked for.
pub struct BundleForms {
    bundle: Arc<Bundle>,
    /// Who runs its scripts, when that is not done here.
    evaluator: Option<Arc<dyn Evaluator>>,
    facts: Option<PackFacts>,
    compiled: Mutex<HashMap<String, Option<Form>>>,
    scripts: Mutex<HashMap<String, Option<Arc<Script>>>>,
}

impl BundleForms {
    /// The forms of a bundle.
    pub fn new(bundle: Arc<Bundle>, evaluator: Option<Arc<dyn Evaluator>>) -> BundleForms {
        let facts = bundle
            .files
            .get(PACK_FACTS)
            .and_then(|text| serde_json::from_str(text).ok());
        BundleForms {
            bundle,
            evaluator,
            facts,
            compiled: Mutex::default(),
            scripts: Mutex::default(),
        }
    }

    /// What the bundle keeps of its pack.
    pub fn facts(&self) -> Option<&PackFacts> {
        self.facts.as_ref()
    }

    /// A form by its path in the bundle, or of a schema.
    pub fn form(&self, reference: &Value) -> Option<Form> {
        if reference.is_null() {
            return None;
        }
        let key = match reference.as_str() {
            Some(path) => path.trim_start_matches("pack://").to_owned(),
            None => reference.digest(),
        };
        let mut compiled = self.compiled.lock();
        if let Some(known) = compiled.get(&key) {
            return known.clone();
        }
        let schema = match reference.as_str() {
            Some(_) => self
                .bundle
                .files
                .get(&key)
                .and_then(|source| tongban_dsl::read_yaml(source).0),
            None => Some(reference.clone()),
        };
        let form = schema.and_then(|schema| match Form::compile(&schema) {
            Ok(form) => Some(form),
            Err(error) => {
                tracing::warn!(
                    workflow = self.bundle.workflow,
                    form = key,
                    error,
                    "a form does not compile"
                );
                None
            }
        });
        if compiled.len() >= KEPT_MAX {
            compiled.clear();
        }
        compiled.insert(key, form.clone());
        form
    }

    /// Everything that is wrong with `data`: the schema, code lists, check digits, and the rules that the form names.
    pub fn all_faults(
        &self,
        reference: &Value,
        check: Option<&str>,
        data: &Value,
    ) -> Vec<FieldFault> {
        let Some(form) = self.form(reference) else {
            return vec![unreadable("the form cannot be read", "表单无法读取")];
        };
        let mut faults = match &self.facts {
            Some(facts) => form.faults(data, &facts.codes),
            None => form.faults(data, &crate::form::NoCodes),
        };
        let own = form
            .schema()
            .get("x-check")
            .and_then(Value::as_str)
            .filter(|path| path.ends_with(".rhai"));
        for path in own.into_iter().chain(check) {
            faults.extend(self.findings(path, &form.completed(data)));
        }
        faults.sort_by_key(|fault| fault.warning);
        faults
    }

    fn findings(&self, path: &str, data: &Value) -> Vec<FieldFault> {
        let Some(script) = self.script(path) else {
            return vec![unreadable(
                &format!("the rule `{path}` cannot be read"),
                &format!("规则“{path}”无法读取"),
            )];
        };
        match script.run(data.clone(), &Scope::default(), &Budget::default()) {
            Ok(findings) => findings
                .as_list()
                .into_iter()
                .flatten()
                .map(finding)
                .collect(),
            Err(error) => vec![unreadable(
                &format!("the rule `{path}` failed: {}", error.message),
                &format!("规则“{path}”出错"),
            )],
        }
    }

    fn script(&self, path: &str) -> Option<Arc<Script>> {
        let path = path.trim_start_matches("pack://");
        let mut scripts = self.scripts.lock();
        if let Some(known) = scripts.get(path) {
            return known.clone();
        }
        let source = self.bundle.files.get(path);
        let script = source
            .and_then(|source| {
                let compiled = match &self.evaluator {
                    Some(evaluator) => Script::compile_for(evaluator, source, path),
                    None => Script::compile(source, path),
                };
                compiled.ok()
            })
            .map(Arc::new);
        scripts.insert(path.to_owned(), script.clone());
        script
    }
}

impl Forms for BundleForms {
    fn schema(&self, form: &Value) -> Option<Value> {
        self.form(form).map(|form| form.schema().clone())
    }

    fn faults(
        &self,
        form: &Value,
        check: Option<&str>,
        data: &Value,
        _case: &CaseFacts,
    ) -> Vec<FormFault> {
        let faults = self.all_faults(form, check, data).into_iter();
        faults
            .map(|fault| FormFault {
                field: fault.field,
                keyword: fault.keyword,
                zh: fault.zh,
                en: fault.en,
                warning: fault.warning,
            })
            .collect()
    }

    fn completed(&self, form: &Value, data: &Value) -> Value {
        self.form(form)
            .map_or_else(|| data.clone(), |form| form.completed(data))
    }

    /// An item of a gated step is held first; the gate opens it (`gate.rs`).
    fn batch_complete(&self, _place: &str, _by: &[String]) -> bool {
        false
    }

    fn codes(&self, list: &str) -> Option<Vec<(String, String)>> {
        let codes = self.facts.as_ref()?.codes.list(list)?;
        Some(
            codes
                .iter()
                .map(|(code, title)| (code.clone(), title.text("zh-CN").to_owned()))
                .collect(),
        )
    }
}

/// Who decided a step of another case: the step, the case's number, the people.
pub(crate) type Deciders = Vec<(String, String, Vec<String>)>;

/// The forms of a bundle, with what was looked up of other cases beforehand: the desk itself reads no database.
pub(crate) struct CaseForms<'a> {
    pub bundle: &'a BundleForms,
    pub deciders: &'a Deciders,
}

impl Forms for CaseForms<'_> {
    fn schema(&self, form: &Value) -> Option<Value> {
        self.bundle.schema(form)
    }

    fn faults(
        &self,
        form: &Value,
        check: Option<&str>,
        data: &Value,
        case: &CaseFacts,
    ) -> Vec<FormFault> {
        self.bundle.faults(form, check, data, case)
    }

    fn completed(&self, form: &Value, data: &Value) -> Value {
        Forms::completed(self.bundle, form, data)
    }

    fn batch_complete(&self, place: &str, by: &[String]) -> bool {
        self.bundle.batch_complete(place, by)
    }

    fn codes(&self, list: &str) -> Option<Vec<(String, String)>> {
        self.bundle.codes(list)
    }

    fn decided(&self, step: &str, of: &str) -> Vec<String> {
        let known = self
            .deciders
            .iter()
            .find(|(path, number, _)| path == step && number == of);
        known
            .map(|(_, _, people)| people.clone())
            .unwrap_or_default()
    }
}

fn finding(found: &Value) -> FieldFault {
    let text = |key: &str| {
        found
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    FieldFault {
        field: text("field"),
        keyword: "x-check".to_owned(),
        zh: text("text"),
        en: text("text"),
        warning: text("level") == "warn",
    }
}

fn unreadable(en: &str, zh: &str) -> FieldFault {
    FieldFault {
        field: String::new(),
        keyword: "form".to_owned(),
        zh: zh.to_owned(),
        en: en.to_owned(),
        warning: false,
    }
}
