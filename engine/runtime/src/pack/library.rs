//! The packs of a site together: what one pack names of another is found here.

use indexmap::IndexMap;
use tongban_expr::Value;
use tongban_org::RightEntry;

use super::bundle::Bundle;
use super::code_lists::CodeLists;
use super::manifest::CodeTitle;
use super::reach::{self, PackFacts};
use super::{Pack, PackWorkflow};

/// Packs by name, in the order in which they may be published: a pack comes after those that it requires.
#[derive(Clone, Default)]
pub struct Library {
    packs: IndexMap<String, Pack>,
}

/// What publishing one pack writes.
#[derive(Default)]
pub struct Publication {
    /// The pack's name.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// One bundle for each workflow.
    pub bundles: Vec<Bundle>,
    /// Register documents by name.
    pub registers: Vec<(String, Value)>,
    /// Dated parameters, as written.
    pub parameters: Value,
    /// Titles of its roles.
    pub roles: IndexMap<String, CodeTitle>,
    /// What its roles may do; workflows are named within the pack.
    pub rights: Vec<RightEntry>,
}

impl Publication {
    /// One workflow that belongs to no pack.
    pub fn of_bundle(bundle: Bundle) -> Publication {
        Publication {
            version: bundle.version.clone(),
            bundles: vec![bundle],
            ..Publication::default()
        }
    }
}

impl Library {
    /// Puts packs together; the error names a pack that is there twice or a circle of requirements.
    pub fn new(packs: Vec<Pack>) -> Result<Library, String> {
        let mut waiting: IndexMap<String, Pack> = IndexMap::new();
        for pack in packs {
            let name = pack.name().to_string();
            if waiting.insert(name.clone(), pack).is_some() {
                return Err(format!("two packs are named `{name}`"));
            }
        }
        let mut library = Library::default();
        while !waiting.is_empty() {
            let next = waiting
                .iter()
                .find(|(_, pack)| {
                    pack.manifest
                        .requires
                        .packs
                        .keys()
                        .all(|needed| !waiting.contains_key(needed))
                })
                .map(|(name, _)| name.clone());
            let Some(name) = next else {
                let names: Vec<&str> = waiting.keys().map(String::as_str).collect();
                return Err(format!(
                    "packs require each other in a circle: {}",
                    names.join(", ")
                ));
            };
            if let Some(pack) = waiting.shift_remove(&name) {
                library.packs.insert(name, pack);
            }
        }
        Ok(library)
    }

    /// The packs in the order of publishing.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.values()
    }

    /// A pack by name.
    pub fn pack(&self, name: &str) -> Option<&Pack> {
        self.packs.get(name)
    }

    /// A workflow by `namespace/name`.
    pub fn workflow(&self, reference: &str) -> Option<(&Pack, &PackWorkflow)> {
        let (namespace, name) = reference.split_once('/')?;
        let pack = self.packs.get(namespace)?;
        Some((pack, pack.workflow(name)?))
    }

    /// A register of any pack.
    pub fn register(&self, name: &str) -> Option<&Value> {
        self.packs
            .values()
            .find_map(|pack| pack.registers.get(name))
    }

    /// A code list by the name that a file of `pack` gives it: `purpose`, or `catalogue/mode`.
    pub fn code_list<'a>(
        &'a self,
        pack: &'a Pack,
        name: &str,
    ) -> Option<&'a IndexMap<String, CodeTitle>> {
        match name.split_once('/') {
            Some((other, list)) => self.packs.get(other)?.manifest.codes.get(list),
            None => pack.manifest.codes.get(name),
        }
    }

    /// Everything that publishing a pack writes.
    pub fn publication(&self, pack: &Pack) -> Publication {
        Publication {
            pack: pack.name().to_string(),
            version: pack.manifest.version.clone(),
            bundles: pack
                .workflows
                .iter()
                .map(|workflow| self.bundle(pack, workflow))
                .collect(),
            registers: pack
                .registers
                .iter()
                .map(|(name, document)| (name.clone(), with_scripts(pack, document)))
                .collect(),
            parameters: pack.parameters.clone(),
            roles: pack.manifest.roles.clone(),
            rights: pack.manifest.rights.clone(),
        }
    }

    /// The bundle of one workflow: its document, what it reaches, and the facts of `pack.yaml` that these need.
    pub fn bundle(&self, pack: &Pack, workflow: &PackWorkflow) -> Bundle {
        let files = reach::files(pack, workflow);
        let mut codes = CodeLists::default();
        for (name, list) in &pack.manifest.codes {
            codes.insert(name.clone(), list.clone());
        }
        for text in reach::texts(&files) {
            if let (Some(_), Some(list)) = (text.split_once('/'), self.code_list(pack, &text)) {
                codes.insert(text, list.clone());
            }
        }
        let rules = pack.parameters.get("rules").cloned().unwrap_or(Value::Null);
        let files = reach::with_facts(files, &PackFacts::new(&pack.manifest, codes, rules));
        let document = &workflow.definition.document;
        Bundle::new(
            &workflow.definition.reference(),
            &document.version.value,
            &workflow.path,
            files,
        )
    }
}

/// A register's document as it is published: with the pack's name and the rules that derive its fields.
fn with_scripts(pack: &Pack, document: &Value) -> Value {
    let mut texts = Vec::new();
    reach::gather(document, &mut texts);
    let scripts = texts
        .iter()
        .filter(|text| text.starts_with("rules/"))
        .filter_map(|path| {
            pack.files
                .get(path)
                .map(|source| (path.clone(), Value::from(source.to_string())))
        });
    document
        .clone()
        .with("pack", pack.name())
        .with("scripts", Value::object(scripts))
}
