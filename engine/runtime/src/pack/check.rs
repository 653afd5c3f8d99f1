//! Checks a whole pack: its workflows against what the packs have, its forms, rules, registers, parameters and templates.
//! Every fault stands at its place in its file, and all of them are told at once.

mod forms;
mod head;
mod parameters;
mod schemas;
mod templates;
mod texts;

use std::collections::HashMap;
use std::sync::Arc;

use tongban_dsl::codes::{self, Code};
use tongban_dsl::{Diagnostic, Placed, Severity, Span};
use tongban_org::Organisation;
use tongban_plugin::RegisterDefinition;

use super::library::Library;
use super::surroundings::PackSurroundings;
use super::{FileDiagnostic, Pack, files};
use crate::functions::Functions;

/// A fault of a file as a whole, placed at its beginning.
pub(super) fn file_fault(message: &str, help: &str) -> Diagnostic {
    Diagnostic::error(codes::PACK_HEAD, beginning(), message).help(help)
}

fn beginning() -> Span {
    Span {
        line: 1,
        column: 1,
        ..Span::default()
    }
}

/// `roles.keeper`, `rights[0].of` as a JSON pointer.
pub(super) fn pointer(path: &str) -> String {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.map(|part| format!("/{part}")).collect()
}

/// `did you mean …?` for a name that does not exist, or else what else to do.
pub(super) fn near<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    tongban_dsl::did_you_mean(word, known).unwrap_or_else(|| otherwise.to_owned())
}

impl Library {
    /// Everything that is wrong with one pack beside what reading it found.
    pub fn check(&self, pack: &Pack, functions: &Functions) -> Vec<FileDiagnostic> {
        self.check_for(pack, functions, None)
    }

    /// The same for a site whose units, posts, groups and people are known.
    pub fn check_for(
        &self,
        pack: &Pack,
        functions: &Functions,
        organisation: Option<&Organisation>,
    ) -> Vec<FileDiagnostic> {
        let mut checking = Checking {
            library: self,
            pack,
            organisation,
            found: Vec::new(),
            placed: HashMap::new(),
        };
        checking.head();
        checking.titles();
        checking.forms();
        checking.rules();
        checking.registers();
        checking.parameters();
        checking.templates();
        checking.workflows(functions);
        checking.found
    }
}

struct Checking<'a> {
    library: &'a Library,
    pack: &'a Pack,
    organisation: Option<&'a Organisation>,
    found: Vec<FileDiagnostic>,
    /// The files that have faults, read with their places.
    placed: HashMap<String, Placed>,
}

impl Checking<'_> {
    fn push(&mut self, file: &str, diagnostic: Diagnostic) {
        let source = self
            .pack
            .files
            .get(file)
            .cloned()
            .unwrap_or_else(|| Arc::from(""));
        self.found.push(FileDiagnostic {
            file: file.to_string(),
            source,
            diagnostic,
        });
    }

    /// The YAML file with its places.
    fn placed(&mut self, file: &str) -> &Placed {
        self.placed.entry(file.to_owned()).or_insert_with(|| {
            let source = self.pack.files.get(file).map_or("", |source| source);
            tongban_dsl::read_yaml_placed(source)
        })
    }

    /// A fault at a JSON pointer of a YAML file.
    fn at(&mut self, file: &str, pointer: &str, code: Code, message: String, help: String) {
        let placed = self.placed(file);
        let span = placed.place(pointer);
        let help = placed.behind_comma(pointer).unwrap_or(help);
        self.push(file, Diagnostic::error(code, span, message).help(help));
    }

    /// Something at a JSON pointer that is probably not meant.
    fn doubt(&mut self, file: &str, pointer: &str, code: Code, message: String, help: String) {
        let placed = self.placed(file);
        let span = placed.place(pointer);
        let help = placed.behind_comma(pointer).unwrap_or(help);
        let diagnostic = Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, span, message).help(help)
        };
        self.push(file, diagnostic);
    }

    /// Everything in which a file does not fit its schema; tells whether it fits.
    fn fits(&mut self, file: &str, schema: &str, code: Code) -> bool {
        let short = file.rsplit('/').next().unwrap_or(file).to_owned();
        let faults = self.placed(file).unfit(files::schema(schema), &short, code);
        let fits = faults.is_empty();
        for fault in faults {
            self.push(file, fault);
        }
        fits
    }

    /// Texts for people that YAML cut short at ` #`.
    fn titles(&mut self) {
        let files: Vec<(String, Arc<str>)> = self.files_with(".yaml");
        for (file, source) in files {
            let titled = ["forms/", "registers/", "rules/"]
                .iter()
                .any(|folder| file.starts_with(folder));
            if titled || file == "pack.yaml" {
                for fault in self.placed(&file).cut_titles(&source) {
                    self.push(&file, fault);
                }
            }
        }
    }

    fn registers(&mut self) {
        let paths: Vec<String> = self
            .pack
            .files
            .keys()
            .filter(|path| path.starts_with("registers/") && path.ends_with(".yaml"))
            .cloned()
            .collect();
        for file in paths {
            if self.placed(&file).value.is_none()
                || !self.fits(&file, "register", codes::PACK_REGISTER)
            {
                continue;
            }
            let name = self.placed(&file).value.as_ref();
            let name = name
                .and_then(|value| value.text("register"))
                .unwrap_or("")
                .to_owned();
            let Some(document) = self.pack.registers.get(&name) else {
                continue;
            };
            // A schema that leads to a form which is not there was reported; its fields are not known.
            let elsewhere = document
                .get("schema")
                .and_then(|schema| schema.text("$ref"));
            if elsewhere.is_some_and(|form| !form.starts_with('#')) {
                continue;
            }
            let own = self
                .placed(&file)
                .value
                .as_ref()
                .and_then(|value| value.get("schema"));
            if let Some(own) = own.filter(|own| own.get("$ref").is_none()).cloned() {
                self.faulty_schema(&file, "/schema", &own, codes::PACK_REGISTER, Vec::new());
            }
            match document.to::<RegisterDefinition>() {
                Ok(definition) => {
                    for error in definition.faults() {
                        self.at(
                            &file,
                            &error.pointer,
                            codes::PACK_REGISTER,
                            error.message,
                            error.help,
                        );
                    }
                }
                Err(error) => {
                    let help = "look at the members of a register in the manual, “Packs”";
                    self.at(
                        &file,
                        "",
                        codes::PACK_REGISTER,
                        error.to_string(),
                        help.to_owned(),
                    );
                }
            }
        }
    }

    fn workflows(&mut self, functions: &Functions) {
        let surroundings = PackSurroundings {
            library: self.library,
            pack: self.pack,
            functions,
            organisation: self.organisation,
        };
        for workflow in &self.pack.workflows {
            let namespace = &workflow.definition.document.namespace;
            if namespace.value != self.pack.name() && !self.pack.name().is_empty() {
                let message = format!(
                    "the namespace is the pack's name `{}`, found `{}`",
                    self.pack.name(),
                    namespace.value
                );
                self.push(
                    &workflow.path,
                    Diagnostic::error(codes::PACK_REFERENCE, namespace.span, message)
                        .help(format!("write `namespace: {}`", self.pack.name())),
                );
            }
            for diagnostic in tongban_dsl::check(&workflow.definition, &surroundings) {
                self.push(&workflow.path, diagnostic);
            }
        }
        self.drafts(&surroundings);
    }

    /// Workflows that could be read in part: what else is wrong with them beside what reading told.
    fn drafts(&mut self, surroundings: &PackSurroundings<'_>) {
        let read = |path: &str| {
            let mut workflows = self.pack.workflows.iter();
            workflows.any(|workflow| workflow.path == path)
        };
        let broken: Vec<(String, Arc<str>)> = self
            .pack
            .files
            .iter()
            .filter(|(path, _)| {
                path.starts_with("workflows/") && path.ends_with(".yaml") && !read(path)
            })
            .map(|(path, source)| (path.clone(), source.clone()))
            .collect();
        for (path, source) in broken {
            let told = tongban_dsl::parse(&source).diagnostics;
            let all = tongban_dsl::inspect(&source, surroundings).diagnostics;
            for diagnostic in all.into_iter().filter(|found| !told.contains(found)) {
                self.push(&path, diagnostic);
            }
        }
    }
}
