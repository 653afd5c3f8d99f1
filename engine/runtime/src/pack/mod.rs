//! Packs: folders of workflows, forms, rules, registers, mails and tests, read from their files (who reads the disk is
//! the caller) and turned into bundles.

mod bundle;
mod check;
mod codes;
mod library;
mod manifest;
mod reach;
mod surroundings;

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_dsl::{Definition, Diagnostic};
use tongban_expr::Value;

pub use bundle::{Bundle, Manifest as BundleManifest, PACK_FACTS, digest_of};
pub use codes::CodeLists;
pub use library::{Library, Publication};
pub use manifest::{CodeTitle, Manifest, Requires, Sample};
pub use reach::PackFacts;
pub use surroundings::{Alone, BundleFiles};

/// One pack, parsed.
#[derive(Clone)]
pub struct Pack {
    /// `pack.yaml`.
    pub manifest: Manifest,
    /// Every file by path relative to the pack, tests and samples included.
    pub files: BTreeMap<String, Arc<str>>,
    /// The workflows.
    pub workflows: Vec<PackWorkflow>,
    /// Forms by path (`forms/item.yaml`).
    pub forms: BTreeMap<String, Value>,
    /// Register documents by name, with the schema of a form file put in place.
    pub registers: BTreeMap<String, Value>,
    /// `rules/parameters.yaml`: `parameters` and titles of `rules`; null when the pack has none.
    pub parameters: Value,
}

/// A workflow of a pack.
#[derive(Clone)]
pub struct PackWorkflow {
    /// The file.
    pub path: String,
    /// What it says.
    pub definition: Arc<Definition>,
}

/// A diagnostic and the file that it speaks of.
#[derive(Clone, Debug)]
pub struct FileDiagnostic {
    /// Path relative to the pack.
    pub file: String,
    /// The file's text, to show the line.
    pub source: Arc<str>,
    /// What is wrong there.
    pub diagnostic: Diagnostic,
}

/// What reading a pack gave: the pack, when its head could be read at all, and everything that is wrong.
pub struct ReadPack {
    /// The pack; `None` when `pack.yaml` is missing or unreadable.
    pub pack: Option<Pack>,
    /// The faults of all its files.
    pub diagnostics: Vec<FileDiagnostic>,
}

impl Pack {
    /// Reads a pack from its files.
    pub fn read(files: BTreeMap<String, Arc<str>>) -> ReadPack {
        let mut reading = Reading {
            files: &files,
            diagnostics: Vec::new(),
        };
        let manifest = reading.manifest();
        let workflows = reading.workflows();
        let forms = reading.yaml_under("forms/");
        let registers = reading.registers(&forms);
        let parameters = files
            .contains_key("rules/parameters.yaml")
            .then(|| reading.yaml("rules/parameters.yaml"))
            .flatten()
            .unwrap_or(Value::Null);
        let diagnostics = reading.diagnostics;
        let pack = manifest.map(|manifest| Pack {
            manifest,
            files,
            workflows,
            forms,
            registers,
            parameters,
        });
        ReadPack { pack, diagnostics }
    }

    /// The pack's name.
    pub fn name(&self) -> &str {
        &self.manifest.pack
    }

    /// A workflow by its name within the pack.
    pub fn workflow(&self, name: &str) -> Option<&PackWorkflow> {
        self.workflows
            .iter()
            .find(|workflow| workflow.definition.document.name.value == name)
    }

    /// The sample records of each register, in the order of `samples`; the error names the entry.
    pub fn samples(&self) -> Result<Vec<(String, Vec<Value>)>, String> {
        self.manifest
            .samples
            .iter()
            .map(|sample| self.sample(sample))
            .collect()
    }

    fn sample(&self, sample: &Sample) -> Result<(String, Vec<Value>), String> {
        let place = || {
            format!(
                "samples: `{}` of register `{}`",
                sample.file, sample.register
            )
        };
        let source = self
            .files
            .get(&sample.file)
            .ok_or_else(|| format!("{}: the pack has no such file; the path begins at the pack's folder, such as `samples/x.yaml`", place()))?;
        let (value, diagnostics) = tongban_dsl::read_yaml(source);
        if let Some(fault) = diagnostics.first() {
            return Err(format!("{}: {}", place(), fault.message));
        }
        let value = value.unwrap_or(Value::Null);
        let list = match &sample.at {
            Some(member) => value.get(member).cloned(),
            None => Some(value),
        };
        let records = list
            .as_ref()
            .and_then(Value::as_list)
            .ok_or_else(|| format!("{}: expected a list", place()))?;
        Ok((sample.register.clone(), records.to_vec()))
    }
}

/// Reads the files of one pack and gathers what is wrong with them.
struct Reading<'a> {
    files: &'a BTreeMap<String, Arc<str>>,
    diagnostics: Vec<FileDiagnostic>,
}

impl Reading<'_> {
    fn fault(&mut self, file: &str, diagnostic: Diagnostic) {
        let source = self
            .files
            .get(file)
            .cloned()
            .unwrap_or_else(|| Arc::from(""));
        self.diagnostics.push(FileDiagnostic {
            file: file.to_string(),
            source,
            diagnostic,
        });
    }

    fn manifest(&mut self) -> Option<Manifest> {
        let value = if self.files.contains_key("pack.yaml") {
            self.yaml("pack.yaml")?
        } else {
            self.fault(
                "pack.yaml",
                check::file_fault(
                    "the pack has no `pack.yaml`",
                    Some("every pack begins with one: see the manual, “Files of a pack”"),
                ),
            );
            return None;
        };
        let json = serde_json::to_value(&value).expect("a value that was read is JSON");
        match serde_path_to_error::deserialize::<_, Manifest>(json) {
            Ok(manifest) => Some(manifest),
            Err(error) => {
                self.fault(
                    "pack.yaml",
                    check::file_fault(&format!("`{}`: {}", error.path(), error.inner()), None),
                );
                None
            }
        }
    }

    fn workflows(&mut self) -> Vec<PackWorkflow> {
        let paths: Vec<String> = self
            .files
            .keys()
            .filter(|path| in_folder(path, "workflows/", ".yaml"))
            .cloned()
            .collect();
        let mut workflows = Vec::new();
        for path in paths {
            let Some(source) = self.files.get(&path) else {
                continue;
            };
            let parsed = tongban_dsl::parse(source);
            for diagnostic in parsed.diagnostics {
                self.fault(&path, diagnostic);
            }
            workflows.extend(parsed.definition.map(|definition| PackWorkflow {
                path,
                definition: Arc::new(definition),
            }));
        }
        workflows
    }

    fn registers(&mut self, forms: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let mut registers = BTreeMap::new();
        for (path, document) in self.yaml_under("registers/") {
            let Some(name) = document.get("register").and_then(Value::as_str) else {
                self.fault(
                    &path,
                    check::file_fault("expected `register: NAME` at the top", None),
                );
                continue;
            };
            let reference = document
                .get("schema")
                .and_then(|schema| schema.get("$ref"))
                .and_then(Value::as_str);
            let inlined = match reference {
                Some(file) if !file.starts_with('#') => match forms.get(file) {
                    Some(schema) => document.clone().with("schema", schema.clone()),
                    None => {
                        self.fault(
                            &path,
                            check::file_fault(
                                &format!("`schema.$ref`: the pack has no form `{file}`"),
                                None,
                            ),
                        );
                        continue;
                    }
                },
                _ => document.clone(),
            };
            registers.insert(name.to_string(), inlined);
        }
        registers
    }

    fn yaml_under(&mut self, folder: &str) -> BTreeMap<String, Value> {
        let paths: Vec<String> = self
            .files
            .keys()
            .filter(|path| in_folder(path, folder, ".yaml"))
            .cloned()
            .collect();
        paths
            .into_iter()
            .filter_map(|path| self.yaml(&path).map(|value| (path, value)))
            .collect()
    }

    fn yaml(&mut self, path: &str) -> Option<Value> {
        let (value, diagnostics) = tongban_dsl::read_yaml(self.files.get(path)?);
        for diagnostic in diagnostics {
            self.fault(path, diagnostic);
        }
        value
    }
}

fn in_folder(path: &str, folder: &str, ending: &str) -> bool {
    path.starts_with(folder) && path.ends_with(ending)
}
