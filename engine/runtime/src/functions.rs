//! What `call:` may name: the engine's own functions and those of the plugins.

use std::sync::Arc;

use indexmap::IndexMap;
use tongban_core::{FunctionInfo, Kind};
use tongban_dsl::signatures;
use tongban_plugin::{Act, Plugin, Read, Signature, Write};

/// Functions by name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Functions {
    known: Arc<IndexMap<String, FunctionInfo>>,
    reads: Arc<IndexMap<String, Arc<dyn Read>>>,
    writes: Arc<IndexMap<String, Arc<dyn Write>>>,
    acts: Arc<IndexMap<String, Arc<dyn Act>>>,
}

impl Functions {
    /// The engine's own functions and those of `plugins`; a plugin cannot take an own function's name.
    pub fn new(plugins: &[Plugin]) -> Functions {
        let mut known = IndexMap::new();
        let mut reads = IndexMap::new();
        let mut writes = IndexMap::new();
        let mut acts = IndexMap::new();
        for plugin in plugins {
            for function in &plugin.reads {
                known.insert(
                    function.signature().name.clone(),
                    info(Kind::Read, function.signature()),
                );
                reads.insert(function.signature().name.clone(), Arc::clone(function));
            }
            for function in &plugin.writes {
                known.insert(
                    function.signature().name.clone(),
                    info(Kind::Write, function.signature()),
                );
                writes.insert(function.signature().name.clone(), Arc::clone(function));
            }
            for function in &plugin.acts {
                known.insert(
                    function.signature().name.clone(),
                    info(Kind::Act, function.signature()),
                );
                acts.insert(function.signature().name.clone(), Arc::clone(function));
            }
        }
        for own in signatures::engine() {
            let kind = match own.kind {
                signatures::Kind::Read => Kind::Read,
                signatures::Kind::Write => Kind::Write,
                signatures::Kind::Act => Kind::Act,
                signatures::Kind::Work => Kind::Work,
            };
            known.insert(
                own.name.clone(),
                FunctionInfo {
                    kind,
                    late: own.late.clone(),
                },
            );
        }
        Functions {
            known: Arc::new(known),
            reads: Arc::new(reads),
            writes: Arc::new(writes),
            acts: Arc::new(acts),
        }
    }

    /// What the compiler must know of a function.
    pub fn info(&self, name: &str) -> Option<FunctionInfo> {
        self.known.get(name).cloned()
    }

    /// The signatures of the plugins' functions; those of the engine itself are `tongban_dsl::signatures::engine`.
    pub fn signatures(&self) -> Vec<&Signature> {
        let reads = self.reads.values().map(|function| function.signature());
        let writes = self.writes.values().map(|function| function.signature());
        let acts = self.acts.values().map(|function| function.signature());
        reads.chain(writes).chain(acts).collect()
    }

    /// A read.
    pub fn read(&self, name: &str) -> Option<Arc<dyn Read>> {
        self.reads.get(name).cloned()
    }

    /// A write.
    pub fn write(&self, name: &str) -> Option<Arc<dyn Write>> {
        self.writes.get(name).cloned()
    }

    /// An act.
    pub fn act(&self, name: &str) -> Option<Arc<dyn Act>> {
        self.acts.get(name).cloned()
    }

    /// The names of all acts that this node can perform.
    pub fn act_names(&self) -> Vec<String> {
        self.acts.keys().cloned().collect()
    }
}

fn info(kind: Kind, signature: &Signature) -> FunctionInfo {
    FunctionInfo {
        kind,
        late: signature.late.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_own_functions_have_their_kinds() {
        let functions = Functions::new(&[]);
        let kind = |name: &str| functions.info(name).map(|info| info.kind);
        assert_eq!(kind("approve"), Some(Kind::Work));
        assert_eq!(kind("notify"), Some(Kind::Write));
        assert_eq!(kind("case.get"), Some(Kind::Read));
        assert_eq!(kind("no.such"), None);
        assert!(
            functions
                .info("batch")
                .is_some_and(|info| info.late.contains(&"input".to_owned()))
        );
    }
}
