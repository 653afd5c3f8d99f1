//! What a definition finds around it: the bundle when it is compiled, the pack and its library when it is checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_core::{FunctionInfo, Surroundings};
use tongban_dsl::Reference;
use tongban_dsl::signatures::{self, Kind, Signature};
use tongban_expr::Value;
use tongban_expr::sandbox::Evaluator;

use super::Pack;
use super::bundle::Bundle;
use super::library::Library;
use crate::functions::Functions;

/// A bundle's files and a node's functions, for the compiler.
pub struct BundleFiles<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// The functions.
    pub functions: &'a Functions,
    /// Who evaluates its expressions and scripts, when that is not done here.
    pub evaluator: Option<Arc<dyn Evaluator>>,
}

impl Surroundings for BundleFiles<'_> {
    fn evaluator(&self) -> Option<Arc<dyn Evaluator>> {
        self.evaluator.clone()
    }

    fn function(&self, name: &str) -> Option<FunctionInfo> {
        self.functions.info(name)
    }

    fn file(&self, path: &str) -> Option<Arc<str>> {
        self.bundle.files.get(path).cloned()
    }

    fn steps_read_elsewhere(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        for (path, text) in &self.bundle.files {
            if path.ends_with(".md") || path.starts_with("forms/") {
                names.extend(step_names(text));
            }
        }
        names.into_iter().collect()
    }
}

/// The names behind `steps.` in a text.
fn step_names(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split("steps.").skip(1).map(|rest| {
        rest.chars()
            .take_while(|character| character.is_alphanumeric() || *character == '_')
            .collect::<String>()
    })
}

/// A pack, its library and the functions, for the checker.
pub(super) struct PackSurroundings<'a> {
    pub library: &'a Library,
    pub pack: &'a Pack,
    pub functions: &'a Functions,
}

impl tongban_dsl::Surroundings for PackSurroundings<'_> {
    fn function(&self, name: &str) -> Option<Signature> {
        signature(self.functions, name)
    }

    fn function_names(&self) -> Vec<String> {
        function_names(self.functions)
    }

    fn names(&self, kind: Reference) -> Option<Vec<String>> {
        let of_every_pack = |names: &dyn Fn(&Pack) -> Vec<String>| {
            let mut all = names(self.pack);
            for pack in self
                .library
                .packs()
                .filter(|pack| pack.name() != self.pack.name())
            {
                all.extend(
                    names(pack)
                        .into_iter()
                        .map(|name| format!("{}/{name}", pack.name())),
                );
            }
            all
        };
        let files = |pack: &Pack, folder: &str| -> Vec<String> {
            pack.files
                .keys()
                .filter(|path| path.starts_with(folder))
                .cloned()
                .collect()
        };
        Some(match kind {
            // A form whose file cannot be read is there all the same.
            Reference::Form => of_every_pack(&|pack| files(pack, "forms/")),
            Reference::Register => self
                .library
                .packs()
                .flat_map(|pack| pack.registers.keys().cloned())
                .collect(),
            Reference::Role => self
                .library
                .packs()
                .flat_map(|pack| pack.manifest.roles.keys().cloned())
                .collect(),
            Reference::Rule => of_every_pack(&|pack| files(pack, "rules/")),
            Reference::Template => of_every_pack(&|pack| {
                let all = files(pack, "mails/")
                    .into_iter()
                    .chain(files(pack, "notices/"));
                let mut names: Vec<String> = all.filter_map(|path| template_name(&path)).collect();
                names.dedup();
                names
            }),
            Reference::Workflow => self
                .library
                .packs()
                .flat_map(|pack| {
                    let names = pack.workflow_names().into_iter();
                    names.map(|name| format!("{}/{name}", pack.name()))
                })
                .collect(),
            Reference::Parameter => self
                .pack
                .parameters
                .get("parameters")
                .into_iter()
                .flat_map(Value::entries)
                .map(|(name, _)| name.to_string())
                .collect(),
            Reference::Code => of_every_pack(&|pack| pack.manifest.codes.keys().cloned().collect()),
            // A pack that names no levels takes those of the site.
            Reference::Level if self.pack.manifest.levels.is_empty() => return None,
            Reference::Level => self
                .library
                .packs()
                .flat_map(|pack| pack.manifest.levels.iter().cloned())
                .collect(),
        })
    }

    fn file(&self, path: &str) -> Option<Arc<str>> {
        self.pack.files.get(path).cloned()
    }

    fn files_under(&self, folder: &str) -> Vec<String> {
        let files = self.pack.files.keys();
        files
            .filter(|path| path.starts_with(folder))
            .cloned()
            .collect()
    }

    fn form(&self, path: &str) -> Option<Value> {
        if let Some(form) = self.pack.forms.get(path) {
            return Some(form.clone());
        }
        let (pack, inside) = path.split_once('/')?;
        self.library.pack(pack)?.forms.get(inside).cloned()
    }
}

/// `mails/granted.zh-CN.md` → `mails/granted`.
fn template_name(path: &str) -> Option<String> {
    let stem = path.strip_suffix(".md")?;
    stem.rsplit_once('.').map(|(name, _)| name.to_string())
}

/// A document in no pack: every function is known, and nothing else is.
#[derive(Clone, Copy)]
pub struct Alone<'a> {
    /// The functions.
    pub functions: &'a Functions,
}

impl tongban_dsl::Surroundings for Alone<'_> {
    fn function(&self, name: &str) -> Option<Signature> {
        signature(self.functions, name)
    }

    fn function_names(&self) -> Vec<String> {
        function_names(self.functions)
    }

    fn names(&self, _: Reference) -> Option<Vec<String>> {
        None
    }
}

fn signature(functions: &Functions, name: &str) -> Option<Signature> {
    if let Some(own) = signatures::engine().iter().find(|own| own.name == name) {
        return Some(own.clone());
    }
    let plugin = functions
        .signatures()
        .into_iter()
        .find(|signature| signature.name == name)?;
    if let Some(language) = signatures::language(name) {
        return Some(language);
    }
    Some(Signature {
        name: plugin.name.clone(),
        kind: match plugin.kind {
            tongban_plugin::Kind::Read => Kind::Read,
            tongban_plugin::Kind::Write => Kind::Write,
            tongban_plugin::Kind::Act => Kind::Act,
        },
        arguments: plugin.arguments.clone(),
        result: plugin.result.clone(),
        late: plugin.late.clone(),
    })
}

fn function_names(functions: &Functions) -> Vec<String> {
    let own = signatures::engine().iter().map(|own| own.name.clone());
    own.chain(
        functions
            .signatures()
            .into_iter()
            .map(|signature| signature.name.clone()),
    )
    .collect()
}
