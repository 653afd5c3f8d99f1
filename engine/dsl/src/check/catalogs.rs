//! Functions of catalogues: whether the catalogue, the function and its version exist, and what the function takes.

use crate::codes;
use crate::definition::{Call, Cataloged, DEFAULT_CATALOG, Task};
use crate::diagnostic::Diagnostic;
use crate::parse::parse_function;
use crate::suggest;

use super::checker::Checker;
use super::setting::{Secrets, Setting};

/// What a call of a cataloged function leads to.
pub(super) enum Found {
    /// A file of the pack.
    File(Box<Task>),
    /// A function of the site, by this name.
    Site(String),
    /// Nothing: that was reported.
    Nothing,
}

impl Checker<'_> {
    /// The cataloged function that a call names; `None` when it names another one.
    pub(super) fn cataloged(&mut self, call: &Call) -> Option<Found> {
        let text = call.function.value.as_str();
        let cataloged = Cataloged::read(text);
        if cataloged.is_none() && !text.starts_with("pack://") {
            return None;
        }
        let Some(path) = self.definition.function_file(text) else {
            if let Some(cataloged) = cataloged {
                self.unknown_catalog(call, cataloged.catalog);
            }
            return Some(Found::Nothing);
        };
        let Some(source) = self.surroundings.file(&path) else {
            let site = cataloged.filter(|cataloged| self.is_of_the_site(cataloged));
            return Some(match site {
                Some(site) => Found::Site(site.name.to_owned()),
                None => {
                    self.unknown_cataloged(call, cataloged, &path);
                    Found::Nothing
                }
            });
        };
        let name = cataloged.map_or("function", |cataloged| cataloged.name);
        let parsed = parse_function(&source, name);
        if let Some(task) = parsed.task {
            return Some(Found::File(Box::new(task)));
        }
        if let Some(fault) = parsed.diagnostics.iter().find(|fault| fault.is_error()) {
            let place = format!("{path}:{}:{}", fault.span.line, fault.span.column);
            self.faults.push(
                Diagnostic::error(
                    fault.code,
                    call.function.span,
                    format!(
                        "the function `{text}` is faulty: {} ({place})",
                        fault.message
                    ),
                )
                .help_if(fault.help.clone()),
            );
        }
        Some(Found::Nothing)
    }

    /// What the function is given.
    pub(super) fn cataloged_call(&mut self, found: &Found, call: &Call, setting: &Setting<'_>) {
        match found {
            Found::File(task) => self.reusable_call(task, call, setting),
            Found::Site(name) => {
                let Some(signature) = self.surroundings.function(name) else {
                    return;
                };
                self.arguments(call, &signature);
                if let Some(with) = &call.with {
                    self.argument_expressions(with, &signature, setting);
                }
            }
            Found::Nothing => {
                if let Some(with) = &call.with {
                    self.template(with, &setting.clone().secrets(Secrets::Allowed));
                }
            }
        }
    }

    /// A function of the engine or of a plugin: the default catalogue has each in one version.
    fn is_of_the_site(&self, cataloged: &Cataloged<'_>) -> bool {
        cataloged.catalog == DEFAULT_CATALOG
            && !self
                .definition
                .reusables
                .catalogs
                .contains_key(DEFAULT_CATALOG)
            && cataloged.version == Cataloged::SITE_VERSION
            && self.surroundings.function(cataloged.name).is_some()
    }

    fn unknown_catalog(&mut self, call: &Call, catalog: &str) {
        let declared = &self.definition.reusables.catalogs;
        if declared.contains_key(catalog) {
            // It lies outside the pack: that was reported where it is declared.
            return;
        }
        let known = declared.keys().map(String::as_str).chain([DEFAULT_CATALOG]);
        let help = suggest::nearest(catalog, known).map_or_else(
            || format!("declare it: `use: {{ catalogs: {{ {catalog}: {{ endpoint: pack://catalogs/{catalog} }} }} }}`"),
            |near| format!("did you mean `{near}`?"),
        );
        self.faults.push(
            Diagnostic::error(
                codes::UNKNOWN_REUSABLE,
                call.function.span,
                format!("there is no catalogue `{catalog}`"),
            )
            .help(help),
        );
    }

    fn unknown_cataloged(&mut self, call: &Call, cataloged: Option<Cataloged<'_>>, path: &str) {
        let Some(cataloged) = cataloged else {
            self.faults.push(
                Diagnostic::error(
                    codes::UNKNOWN_FUNCTION,
                    call.function.span,
                    format!("the pack has no file `{path}`"),
                )
                .help("the path begins at the pack's folder"),
            );
            return;
        };
        let folder = path
            .strip_suffix(&cataloged.file())
            .unwrap_or_default()
            .to_owned();
        let known: Vec<String> = self
            .surroundings
            .files_under(&folder)
            .iter()
            .filter_map(|file| named(file.strip_prefix(folder.as_str())?, cataloged.catalog))
            .collect();
        let wanted = call.function.value.as_str();
        let same: Vec<&str> = known
            .iter()
            .filter(|name| name.starts_with(&format!("{}:", cataloged.name)))
            .map(String::as_str)
            .collect();
        let help = match same.as_slice() {
            [] => suggest::nearest(wanted, known.iter().map(String::as_str))
                .map(|near| format!("did you mean `{near}`?")),
            versions => Some(format!("there is {}", suggest::list(versions))),
        };
        self.faults.push(
            Diagnostic::error(
                codes::UNKNOWN_FUNCTION,
                call.function.span,
                format!(
                    "the catalogue `{}` has no function `{}` of the version {}",
                    cataloged.catalog, cataloged.name, cataloged.version
                ),
            )
            .help(help.unwrap_or_else(|| format!("its file is `{path}`"))),
        );
    }
}

/// `functions/log/1.0.0/function.yaml` → `log:1.0.0@catalog`.
fn named(file: &str, catalog: &str) -> Option<String> {
    let inner = file
        .strip_prefix("functions/")?
        .strip_suffix("/function.yaml")?;
    let (name, version) = inner.split_once('/')?;
    Some(format!("{name}:{version}@{catalog}"))
}
