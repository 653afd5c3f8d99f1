//! Which parts of rule files the scenarios reach.
//!
//! The packs are published as if they came from outside: their scripts are then handed to an evaluator, which is this
//! one. It runs the real script, whose result counts, and beside it the one that tells what it reached.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tongban_expr::sandbox::{Evaluator, Program, Source};
use tongban_expr::{Budget, EvalError, Measured, RulePlace, Scope, Script, SyntaxError, Value};
use tongban_runtime::pack::Library;

/// How often each place of each rule file was reached, by `pack/rules/x.rhai`.
pub type Reached = BTreeMap<String, Vec<u64>>;

/// The rule files of the packs.
#[derive(Default)]
pub struct RuleFiles {
    by_text: HashMap<Arc<str>, RuleText>,
}

struct RuleText {
    /// The files that have this text.
    files: Vec<String>,
    script: Script,
    /// The same, as tasks run it: with what it prints.
    process: Script,
    measured: Measured,
}

impl RuleText {
    fn of(source: &str, path: &str) -> Result<RuleText, SyntaxError> {
        Ok(RuleText {
            files: Vec::new(),
            script: Script::compile(source, path)?,
            process: Script::compile_process(None, source, path)?,
            measured: Measured::compile(source)?,
        })
    }
}

impl RuleFiles {
    /// Compiles the rule files of all packs; what does not compile is told elsewhere.
    pub fn of(library: &Library) -> RuleFiles {
        let mut by_text: HashMap<Arc<str>, RuleText> = HashMap::new();
        for pack in library.packs() {
            for (path, source) in pack
                .files
                .iter()
                .filter(|(path, _)| path.ends_with(".rhai"))
            {
                let file = format!("{}/{path}", pack.name());
                if let Some(known) = by_text.get_mut(source) {
                    known.files.push(file);
                    continue;
                }
                if let Ok(mut text) = RuleText::of(source, path) {
                    text.files.push(file);
                    by_text.insert(source.clone(), text);
                }
            }
        }
        RuleFiles { by_text }
    }

    /// The places of a file, by its text.
    pub fn places(&self, source: &str) -> Option<&[RulePlace]> {
        self.by_text.get(source).map(|text| text.measured.places())
    }

    /// What a run of a file on this input reaches.
    pub fn reach(
        &self,
        source: &str,
        input: Value,
        scope: &Scope,
        budget: &Budget,
        reached: &mut Reached,
    ) {
        let Some(text) = self.by_text.get(source) else {
            return;
        };
        let counts = text.measured.reached(input, scope, budget);
        for file in &text.files {
            let known = reached.entry(file.clone()).or_default();
            known.resize(counts.len(), 0);
            for (known, count) in known.iter_mut().zip(&counts) {
                *known += count;
            }
        }
    }
}

/// Runs the rule files of one scenario and notes what they reach.
pub struct Watcher {
    rules: Arc<RuleFiles>,
    reached: Mutex<Reached>,
}

impl Watcher {
    /// Nothing was reached yet.
    pub fn new(rules: Arc<RuleFiles>) -> Watcher {
        Watcher {
            rules,
            reached: Mutex::default(),
        }
    }

    /// What was reached so far.
    pub fn reached(&self) -> Reached {
        self.reached.lock().clone()
    }
}

impl Evaluator for Watcher {
    fn takes(&self, source: &Source) -> bool {
        matches!(source, Source::Script { text, .. } if self.rules.by_text.contains_key(text.as_str()))
    }

    fn evaluate(
        &self,
        program: &Program,
        scope: &Scope,
        budget: &Budget,
    ) -> Result<Value, EvalError> {
        let (text, is_process) = match &program.source {
            Source::Script {
                text, is_process, ..
            } => (text.as_str(), *is_process),
            Source::Expression { .. } => ("", false),
        };
        let Some(rule) = self.rules.by_text.get(text) else {
            return Err(EvalError {
                message: "no rule file has this text".to_string(),
                at: None,
                limit: None,
            });
        };
        self.rules.reach(
            text,
            scope.input.clone(),
            scope,
            budget,
            &mut self.reached.lock(),
        );
        let script = if is_process {
            &rule.process
        } else {
            &rule.script
        };
        script.run(scope.input.clone(), scope, budget)
    }
}
