//! Checks a whole pack: its workflows against what the packs have, its forms, rules, registers, parameters and templates.

use std::sync::Arc;

use tongban_dsl::codes::{self, Code};
use tongban_dsl::{Diagnostic, Severity, Span};
use tongban_expr::{Parameters, Script, Value};
use tongban_plugin::RegisterDefinition;

use super::library::Library;
use super::surroundings::PackSurroundings;
use super::{FileDiagnostic, Pack};
use crate::form::Form;
use crate::functions::Functions;
use crate::render::{self, Words};

/// A fault of a file as a whole, placed at its beginning.
pub(super) fn file_fault(message: &str, help: Option<&str>) -> Diagnostic {
    fault(codes::PACK_HEAD, message).help_if(help.map(str::to_string))
}

fn fault(code: Code, message: &str) -> Diagnostic {
    Diagnostic::error(
        code,
        Span {
            line: 1,
            column: 1,
            ..Span::default()
        },
        message,
    )
}

impl Library {
    /// Everything that is wrong with one pack beside what reading it found.
    pub fn check(&self, pack: &Pack, functions: &Functions) -> Vec<FileDiagnostic> {
        let mut checking = Checking {
            library: self,
            pack,
            found: Vec::new(),
        };
        checking.head();
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
    found: Vec<FileDiagnostic>,
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

    fn head(&mut self) {
        let manifest = &self.pack.manifest;
        let mut faults = Vec::new();
        for name in manifest.requires.packs.keys() {
            if self.library.pack(name).is_none() {
                faults.push(format!("`requires.packs`: there is no pack `{name}`"));
            }
        }
        for right in &manifest.rights {
            let undeclared = right
                .role
                .iter()
                .filter(|role| *role != "*" && !manifest.roles.contains_key(*role));
            faults.extend(
                undeclared.map(|role| format!("`rights`: the pack declares no role `{role}`")),
            );
            let unknown = right
                .of
                .iter()
                .filter(|name| *name != "*" && self.pack.workflow(name).is_none());
            faults
                .extend(unknown.map(|name| format!("`rights`: the pack has no workflow `{name}`")));
        }
        for sample in &manifest.samples {
            if self.library.register(&sample.register).is_none() {
                faults.push(format!(
                    "`samples`: there is no register `{}`",
                    sample.register
                ));
            }
        }
        if let Err(message) = self.pack.samples() {
            faults.push(message);
        }
        for message in faults {
            self.push("pack.yaml", fault(codes::PACK_REFERENCE, &message));
        }
    }

    fn forms(&mut self) {
        for (path, schema) in &self.pack.forms {
            if let Err(message) = Form::compile(schema) {
                self.push(path, fault(codes::PACK_FORM, &message));
            }
            for message in layout_faults(schema) {
                let diagnostic = Diagnostic {
                    severity: Severity::Warning,
                    ..fault(codes::PACK_FORM, &message)
                };
                self.push(path, diagnostic);
            }
            let mut lists = Vec::new();
            code_lists(schema, &mut lists);
            for list in lists {
                if self.library.code_list(self.pack, &list).is_none() {
                    self.push(
                        path,
                        fault(
                            codes::PACK_FORM,
                            &format!("`x-code`: there is no code list `{list}`"),
                        ),
                    );
                }
            }
            if let Some(rule) = schema.get("x-check").and_then(Value::as_str)
                && !self.pack.files.contains_key(rule)
            {
                self.push(
                    path,
                    fault(
                        codes::PACK_FORM,
                        &format!("`x-check`: the pack has no file `{rule}`"),
                    ),
                );
            }
        }
    }

    fn rules(&mut self) {
        let rules: Vec<_> = self
            .pack
            .files
            .iter()
            .filter(|(path, _)| path.ends_with(".rhai"))
            .collect();
        for (path, source) in rules {
            if let Err(error) = Script::compile(source, path) {
                let span = place(source, &error.at);
                let diagnostic = Diagnostic::error(codes::PACK_RULE, span, error.message.clone())
                    .help_if(error.help.clone());
                self.push(path, diagnostic);
            }
        }
    }

    fn registers(&mut self) {
        for (name, document) in &self.pack.registers {
            let file = format!("registers/{name}.yaml");
            match document.to::<RegisterDefinition>() {
                Ok(definition) => {
                    for error in definition.faults() {
                        let message = format!("`{}`: {}", error.pointer, error.message);
                        self.push(
                            &file,
                            fault(codes::PACK_REGISTER, &message).help(error.help),
                        );
                    }
                }
                Err(error) => self.push(&file, fault(codes::PACK_REGISTER, &error.to_string())),
            }
        }
    }

    fn parameters(&mut self) {
        if self.pack.parameters.is_null() {
            return;
        }
        if let Err(error) = Parameters::from_value(&self.pack.parameters) {
            let message = format!("`{}`: {}", error.path, error.message);
            self.push(
                "rules/parameters.yaml",
                fault(codes::PACK_PARAMETERS, &message),
            );
        }
    }

    fn templates(&mut self) {
        let templates: Vec<_> = self
            .pack
            .files
            .iter()
            .filter(|(path, _)| path.ends_with(".md") && is_template(path))
            .collect();
        for (path, source) in templates {
            if let Err(error) = render::check(source, Arc::new(NoWords)) {
                let span = Span {
                    line: u32::try_from(error.line).unwrap_or(1),
                    column: 1,
                    ..Span::default()
                };
                self.push(
                    path,
                    Diagnostic::error(codes::PACK_TEMPLATE, span, error.message),
                );
            }
            let Some(name) = path
                .strip_suffix(".md")
                .and_then(|path| path.rsplit_once('.'))
                .map(|(name, _)| name)
            else {
                continue;
            };
            for language in &self.pack.manifest.languages {
                if !self
                    .pack
                    .files
                    .contains_key(&format!("{name}.{language}.md"))
                {
                    let message = format!("the template `{name}` does not exist in `{language}`");
                    self.push(path, fault(codes::PACK_TEMPLATE, &message));
                }
            }
        }
    }

    fn workflows(&mut self, functions: &Functions) {
        let surroundings = PackSurroundings {
            library: self.library,
            pack: self.pack,
            functions,
        };
        for workflow in &self.pack.workflows {
            let namespace = &workflow.definition.document.namespace;
            if namespace.value != self.pack.name() {
                let message = format!(
                    "expected the pack's name `{}` as namespace, found `{}`",
                    self.pack.name(),
                    namespace.value
                );
                self.push(
                    &workflow.path,
                    Diagnostic::error(codes::PACK_REFERENCE, namespace.span, message),
                );
            }
            for diagnostic in tongban_dsl::check(&workflow.definition, &surroundings) {
                self.push(&workflow.path, diagnostic);
            }
        }
    }
}

/// What a form's groups say that nothing reads, or name that the form does not have.
fn layout_faults(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let groups = schema.get("x-layout").into_iter().flat_map(Value::items);
    for (index, group) in groups.enumerate() {
        let unknown = group
            .entries()
            .filter(|(name, _)| !["group", "x-en", "en", "fields"].contains(&name.as_str()));
        faults.extend(unknown.map(|(name, _)| {
            format!("`x-layout[{index}].{name}`: a group has `group`, `x-en` and `fields`")
        }));
        let fields = group.get("fields").into_iter().flat_map(Value::items);
        let absent = fields.filter_map(Value::as_str).filter(|name| {
            schema
                .get("properties")
                .and_then(|all| all.get(name))
                .is_none()
        });
        faults.extend(
            absent
                .map(|name| format!("`x-layout[{index}].fields`: the form has no field `{name}`")),
        );
    }
    faults
}

/// The place of a range of bytes.
fn place(source: &str, at: &std::ops::Range<usize>) -> Span {
    let before = source.get(..at.start).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |text| text.chars().count())
        + 1;
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Span {
        start: number(at.start),
        end: number(at.end),
        line: number(line),
        column: number(column),
    }
}

fn is_template(path: &str) -> bool {
    path.starts_with("mails/") || path.starts_with("notices/")
}

/// Every `x-code` of a schema.
fn code_lists(schema: &Value, lists: &mut Vec<String>) {
    lists.extend(
        schema
            .get("x-code")
            .and_then(Value::as_str)
            .map(str::to_string),
    );
    for (_, member) in schema.entries() {
        code_lists(member, lists);
    }
    for item in schema.items() {
        code_lists(item, lists);
    }
}

struct NoWords;

impl Words for NoWords {
    fn language(&self) -> &str {
        "en"
    }
    fn unit(&self, _id: &str) -> Option<String> {
        None
    }
    fn code(&self, _list: &str, _code: &str) -> Option<String> {
        None
    }
    fn date(&self, _value: &Value) -> Option<String> {
        None
    }
}
