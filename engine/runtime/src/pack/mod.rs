//! Packs: folders of workflows, forms, rules, registers, mails and tests, read from their files (who reads the disk is
//! the caller) and turned into bundles.

mod beside;
mod bundle;
mod check;
mod code_lists;
mod files;
mod library;
mod manifest;
mod reach;
mod surroundings;

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_dsl::{Definition, Diagnostic, codes};
use tongban_expr::Value;

pub use beside::{Beside, Files, bundle as bundle_beside, run_by};
pub use bundle::{Bundle, Manifest as BundleManifest, PACK_FACTS, digest_of};
pub use code_lists::CodeLists;
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
    /// The pack; `None` when `pack.yaml` is missing or faulty.
    pub pack: Option<Pack>,
    /// What could be understood of a pack whose `pack.yaml` is faulty: to check its other files, never to publish it.
    pub draft: Option<Pack>,
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
        let (mut manifest, sound) = reading.manifest();
        let workflows = reading.workflows();
        // What names the workflows of a pack whose head cannot be read is not told that they are missing.
        if let (true, Some(first)) = (manifest.pack.is_empty(), workflows.first()) {
            manifest
                .pack
                .clone_from(&first.definition.document.namespace.value);
        }
        let forms = reading.yaml_under("forms/");
        let registers = reading.registers(&forms);
        let parameters = files
            .contains_key("rules/parameters.yaml")
            .then(|| reading.yaml("rules/parameters.yaml"))
            .flatten()
            .unwrap_or(Value::Null);
        let diagnostics = reading.diagnostics;
        let pack = Pack {
            manifest,
            files,
            workflows,
            forms,
            registers,
            parameters,
        };
        let (pack, draft) = if sound {
            (Some(pack), None)
        } else {
            (None, Some(pack))
        };
        ReadPack {
            pack,
            draft,
            diagnostics,
        }
    }

    /// The pack's name.
    pub fn name(&self) -> &str {
        &self.manifest.pack
    }

    /// Whether nothing of its head could be read: what it declares is not known then.
    pub(crate) fn is_headless(&self) -> bool {
        let head = &self.manifest;
        head.version.is_empty() && head.roles.is_empty() && head.codes.is_empty()
    }

    /// A workflow by its name within the pack.
    pub fn workflow(&self, name: &str) -> Option<&PackWorkflow> {
        self.workflows
            .iter()
            .find(|workflow| workflow.definition.document.name.value == name)
    }

    /// The names of its workflows, those included whose documents are faulty: they are there all the same.
    pub fn workflow_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .workflows
            .iter()
            .map(|workflow| workflow.definition.document.name.value.clone())
            .collect();
        for (path, source) in &self.files {
            let read = || self.workflows.iter().any(|workflow| workflow.path == *path);
            if !in_folder(path, "workflows/", ".yaml") || read() {
                continue;
            }
            let document = tongban_dsl::read_yaml(source).0;
            let name = document
                .as_ref()
                .and_then(|value| value.get("document"))
                .and_then(|document| document.text("name"));
            let stem = || {
                path.trim_start_matches("workflows/")
                    .trim_end_matches(".yaml")
            };
            names.push(name.unwrap_or_else(stem).to_owned());
        }
        names
    }

    /// The sample records of each register, in the order of `samples`; the error names the entry.
    pub fn samples(&self) -> Result<Vec<(String, Vec<Value>)>, String> {
        let all = self.manifest.samples.iter();
        all.map(|sample| {
            self.sample(sample).map_err(|message| {
                format!(
                    "samples: `{}` of register `{}`: {message}",
                    sample.file, sample.register
                )
            })
        })
        .collect()
    }

    /// The records of one sample; the error says why there are none.
    fn sample(&self, sample: &Sample) -> Result<(String, Vec<Value>), String> {
        let source = self.files.get(&sample.file).ok_or(
            "the pack has no such file; the path begins at the pack's folder, such as `samples/x.yaml`",
        )?;
        let (value, diagnostics) = tongban_dsl::read_yaml(source);
        if let Some(fault) = diagnostics.first() {
            return Err(fault.message.clone());
        }
        let value = value.unwrap_or(Value::Null);
        let list = match &sample.at {
            Some(member) => value.get(member).cloned(),
            None => Some(value),
        };
        let records = list
            .as_ref()
            .and_then(Value::as_list)
            .ok_or("expected a list")?;
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

    /// The head, and whether all of it could be understood.
    fn manifest(&mut self) -> (Manifest, bool) {
        let Some(source) = self.files.get("pack.yaml").cloned() else {
            self.fault(
                "pack.yaml",
                check::file_fault(
                    "the pack has no `pack.yaml`",
                    "every pack begins with one: `pack: name`, `version: '1.0.0'`, `title: { zh-CN: …, en: … }`",
                ),
            );
            return (Manifest::draft(&Value::Null), false);
        };
        let placed = tongban_dsl::read_yaml_placed(&source);
        let mut faults = placed.diagnostics.clone();
        faults.extend(placed.unfit(files::schema("pack"), "pack.yaml", codes::PACK_HEAD));
        let value = placed.value.clone().unwrap_or(Value::Null);
        let read = serde_json::to_value(&value)
            .map_err(|error| (String::new(), error.to_string()))
            .and_then(|json| {
                serde_path_to_error::deserialize::<_, Manifest>(json)
                    .map_err(|error| (error.path().to_string(), error.inner().to_string()))
            });
        if let (Err((path, message)), true) = (&read, faults.is_empty()) {
            let span = placed.place(&check::pointer(path));
            faults.push(Diagnostic::error(codes::PACK_HEAD, span, message.clone()));
        }
        let sound = !faults.iter().any(Diagnostic::is_error);
        for fault in faults {
            self.fault("pack.yaml", fault);
        }
        match read {
            Ok(manifest) => (manifest, sound),
            Err(_) => (Manifest::draft(&value), false),
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

    /// Registers with the schema of a form put in its place. One whose form does not exist is there all the same, so
    /// that what names it is not told that it is missing.
    fn registers(&mut self, forms: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let read = self.yaml_under("registers/");
        let mut registers = self.unread_registers(&read);
        for (path, document) in read {
            let Some(name) = document.get("register").and_then(Value::as_str) else {
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
                        self.no_form(&path, file, forms);
                        document.clone()
                    }
                },
                _ => document.clone(),
            };
            registers.insert(name.to_string(), inlined);
        }
        registers
    }

    /// Registers whose files cannot be read, by the names that they probably have: they are there all the same.
    fn unread_registers(&self, read: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let files = self.files.iter();
        files
            .filter(|(path, _)| in_folder(path, "registers/", ".yaml") && !read.contains_key(*path))
            .map(|(path, source)| {
                let named = source
                    .lines()
                    .find_map(|line| line.strip_prefix("register:"));
                let stem = path
                    .trim_start_matches("registers/")
                    .trim_end_matches(".yaml");
                let name = named.map_or(stem, |name| name.split('#').next().unwrap_or(name).trim());
                (name.to_owned(), Value::object([("register", name)]))
            })
            .collect()
    }

    fn no_form(&mut self, path: &str, file: &str, forms: &BTreeMap<String, Value>) {
        // A form whose file is there was reported with what is wrong in it.
        if self.files.contains_key(file) {
            return;
        }
        let Some(source) = self.files.get(path) else {
            return;
        };
        let span = tongban_dsl::read_yaml_placed(source).place("/schema/$ref");
        let known = forms.keys().map(String::as_str);
        self.fault(
            path,
            Diagnostic::error(
                codes::PACK_REFERENCE,
                span,
                format!("the pack has no form `{file}`"),
            )
            .help(check::near(file, known, "forms are files under `forms/`")),
        );
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
        for mut diagnostic in diagnostics {
            if diagnostic.code == codes::EMPTY {
                diagnostic.message = "the file is empty".to_owned();
                diagnostic.help = Some("write what belongs into it, or delete the file".to_owned());
            }
            self.fault(path, diagnostic);
        }
        value
    }
}

fn in_folder(path: &str, folder: &str, ending: &str) -> bool {
    path.starts_with(folder) && path.ends_with(ending)
}
