//! What a definition finds around it: the bundle when it is compiled, the pack and its library when it is checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_core::{FunctionInfo, Surroundings};
use tongban_dsl::Reference;
use tongban_dsl::signatures::{self, Kind, Signature};
use tongban_expr::Value;
use tongban_expr::sandbox::Evaluator;
use tongban_org::Organisation;

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
    /// The organisation of the site, when it is known.
    pub organisation: Option<&'a Organisation>,
}

impl PackSurroundings<'_> {
    /// What every pack has: its own under their names, those of the others as `pack/name`.
    fn of_every_pack(&self, names: &dyn Fn(&Pack) -> Vec<String>) -> Vec<String> {
        let mut all = names(self.pack);
        for pack in self.others() {
            let theirs = names(pack).into_iter();
            all.extend(theirs.map(|name| format!("{}/{name}", pack.name())));
        }
        all
    }

    fn others(&self) -> impl Iterator<Item = &Pack> {
        let packs = self.library.packs();
        packs.filter(|pack| pack.name() != self.pack.name())
    }

    /// What one list of every pack holds.
    fn anywhere<'p>(&'p self, names: impl Fn(&'p Pack) -> Vec<String>) -> Vec<String> {
        self.library.packs().flat_map(names).collect()
    }

    fn parameters(&self) -> Vec<String> {
        let parameters = self.pack.parameters.get("parameters").into_iter();
        parameters
            .flat_map(Value::entries)
            .map(|(name, _)| name.to_string())
            .collect()
    }
}

/// The paths of a pack's files in a folder.
fn files(pack: &Pack, folder: &str) -> Vec<String> {
    let paths = pack.files.keys();
    paths
        .filter(|path| path.starts_with(folder))
        .cloned()
        .collect()
}

/// The templates of a pack, without language and ending.
fn templates(pack: &Pack) -> Vec<String> {
    let all = files(pack, "mails/")
        .into_iter()
        .chain(files(pack, "notices/"));
    let mut names: Vec<String> = all.filter_map(|path| template_name(&path)).collect();
    names.dedup();
    names
}

/// The workflows of a pack as `namespace/name`.
fn workflows(pack: &Pack) -> Vec<String> {
    let names = pack.workflow_names().into_iter();
    names
        .map(|name| format!("{}/{name}", pack.name()))
        .collect()
}

/// The ids of one kind of members of an organisation.
fn members(organisation: &Organisation, kind: Reference) -> Vec<String> {
    match kind {
        Reference::Unit => organisation.units().map(|unit| unit.id.clone()).collect(),
        Reference::Post => organisation.posts().map(|post| post.id.clone()).collect(),
        Reference::Group => organisation.groups().map(str::to_owned).collect(),
        _ => organisation
            .people()
            .map(|person| person.id.clone())
            .collect(),
    }
}

impl tongban_dsl::Surroundings for PackSurroundings<'_> {
    fn function(&self, name: &str) -> Option<Signature> {
        signature(self.functions, name)
    }

    fn function_names(&self) -> Vec<String> {
        function_names(self.functions)
    }

    fn names(&self, kind: Reference) -> Option<Vec<String>> {
        let keys = |pack: &Pack| pack.registers.keys().cloned().collect();
        if self.pack.is_headless()
            && matches!(kind, Reference::Role | Reference::Code | Reference::Level)
        {
            return None;
        }
        Some(match kind {
            // A form whose file cannot be read is there all the same.
            Reference::Form => self.of_every_pack(&|pack| files(pack, "forms/")),
            Reference::Rule => self.of_every_pack(&|pack| files(pack, "rules/")),
            Reference::Template => self.of_every_pack(&templates),
            Reference::Code => {
                self.of_every_pack(&|pack| pack.manifest.codes.keys().cloned().collect())
            }
            Reference::File => files(self.pack, ""),
            Reference::Register => self.anywhere(keys),
            Reference::Role => self.anywhere(|pack| pack.manifest.roles.keys().cloned().collect()),
            Reference::Workflow => self.anywhere(workflows),
            Reference::Parameter => self.parameters(),
            // A pack that names no levels takes those of the site.
            Reference::Level if self.pack.manifest.levels.is_empty() => return None,
            Reference::Level => self.anywhere(|pack| pack.manifest.levels.clone()),
            Reference::Unit | Reference::Post | Reference::Group | Reference::Person => {
                members(self.organisation?, kind)
            }
        })
    }

    fn titled(&self, kind: Reference, title: &str) -> Option<String> {
        if kind == Reference::Role {
            let mut roles = self.pack.manifest.roles.iter();
            return roles
                .find_map(|(role, name)| (name.text("zh-CN") == title).then(|| role.clone()));
        }
        let organisation = self.organisation?;
        match kind {
            Reference::Unit => {
                let mut units = organisation.units();
                units.find_map(|unit| (unit.name == title).then(|| unit.id.clone()))
            }
            Reference::Post => {
                let mut posts = organisation.posts();
                posts.find_map(|post| (post.title == title).then(|| post.id.clone()))
            }
            Reference::Person => {
                let mut people = organisation.people();
                people.find_map(|person| (person.name == title).then(|| person.id.clone()))
            }
            _ => None,
        }
    }

    fn is_numbered(&self, workflow: &str) -> Option<bool> {
        let (_, found) = self.library.workflow(workflow)?;
        let case = found.definition.document.metadata.case.as_ref();
        let number = case.and_then(|case| case.number.as_ref());
        Some(number.is_some_and(|number| number.value != "none"))
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

    fn record(&self, register: &str) -> Option<Value> {
        let document = self.pack.registers.get(register)?;
        let schema = document.get("schema")?;
        let properties = schema.get("properties")?;
        match document.get("adds") {
            Some(adds) => Some(
                schema
                    .clone()
                    .with("properties", properties.clone().merged(adds)),
            ),
            None => Some(schema.clone()),
        }
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
