//! What `pack.yaml` names must exist.

use std::collections::BTreeSet;

use tongban_dsl::{Diagnostic, codes};
use tongban_expr::Value;

use super::{Checking, near};
use crate::form::{Form, NoCodes};
use crate::pack::Sample;

impl Checking<'_> {
    pub(super) fn head(&mut self) {
        let manifest = self.pack.manifest.clone();
        let packs: Vec<String> = self
            .library
            .packs()
            .map(|pack| pack.name().to_string())
            .collect();
        for name in manifest
            .requires
            .packs
            .keys()
            .filter(|name| !packs.contains(name))
        {
            self.missing(
                &format!("/requires/packs/{name}"),
                &format!("there is no pack `{name}`"),
                near(
                    name,
                    packs
                        .iter()
                        .map(String::as_str)
                        .filter(|other| *other != manifest.pack),
                    "packs are folders beside this one",
                ),
            );
        }
        let workflows: Vec<String> = self.pack.workflow_names();
        for (at, right) in manifest.rights.iter().enumerate() {
            let undeclared = right.role.iter();
            for role in
                undeclared.filter(|role| *role != "*" && !manifest.roles.contains_key(*role))
            {
                self.missing(
                    &format!("/rights/{at}/role"),
                    &format!("the pack declares no role `{role}`"),
                    near(
                        role,
                        manifest.roles.keys().map(String::as_str),
                        "list it under `roles`",
                    ),
                );
            }
            for (index, name) in right.of.iter().enumerate() {
                if name != "*" && !workflows.contains(name) {
                    self.missing(
                        &format!("/rights/{at}/of/{index}"),
                        &format!("the pack has no workflow `{name}`"),
                        near(
                            name,
                            workflows.iter().map(String::as_str),
                            "name a workflow of this pack, or `*`",
                        ),
                    );
                }
            }
        }
        self.samples();
    }

    fn samples(&mut self) {
        let samples = self.pack.manifest.samples.clone();
        let broken = self.unread_samples();
        for (at, sample) in samples.iter().enumerate() {
            if self.library.register(&sample.register).is_none() {
                let known: Vec<String> = self
                    .library
                    .packs()
                    .flat_map(|pack| pack.registers.keys().cloned())
                    .collect();
                self.missing(
                    &format!("/samples/{at}/register"),
                    &format!("there is no register `{}`", sample.register),
                    near(
                        &sample.register,
                        known.iter().map(String::as_str),
                        "registers are files under `registers/`",
                    ),
                );
            }
            match self.pack.sample(sample) {
                Ok((_, records)) => self.records(sample, &records),
                // What is wrong with its text is told in the file itself.
                Err(_) if broken.contains(&sample.file) => {}
                Err(message) => self.no_sample(at, sample, &message),
            }
        }
    }

    /// Files of samples whose text cannot be read: told once, each fault at its place.
    fn unread_samples(&mut self) -> BTreeSet<String> {
        let named = self.pack.manifest.samples.iter();
        let files: BTreeSet<String> = named.map(|sample| sample.file.clone()).collect();
        let mut broken = BTreeSet::new();
        for file in files {
            if !self.pack.files.contains_key(&file) {
                continue;
            }
            let faults = self.placed(&file).diagnostics.clone();
            if faults.iter().any(Diagnostic::is_error) {
                broken.insert(file.clone());
            }
            for fault in faults {
                self.push(&file, fault);
            }
        }
        broken
    }

    fn no_sample(&mut self, at: usize, sample: &Sample, message: &str) {
        let help = if self.pack.files.contains_key(&sample.file) {
            "write a list of records, or name the member that holds it with `at: MEMBER`".to_owned()
        } else {
            let files = self.pack.files.keys().map(String::as_str);
            near(
                &sample.file,
                files.filter(|path| path.starts_with("samples/")),
                "put the file into the folder `samples/` of the pack",
            )
        };
        self.missing(
            &format!("/samples/{at}/file"),
            &format!("`{}`: {message}", sample.file),
            help,
        );
    }

    /// Records that do not fit the schema of their register.
    fn records(&mut self, sample: &Sample, records: &[Value]) {
        /// So many faults show what is wrong with a file.
        const TOLD_MAX: usize = 20;
        let register = self.library.register(&sample.register);
        let schema = register.and_then(|register| register.get("schema"));
        let Some(form) = schema.and_then(|schema| Form::compile(schema).ok()) else {
            return;
        };
        let list = sample
            .at
            .as_ref()
            .map_or_else(String::new, |member| format!("/{member}"));
        let mut told = 0;
        for (at, record) in records.iter().enumerate() {
            for fault in form.faults(record, &NoCodes) {
                // Numbers and defaults are filled in when the record is written.
                if fault.warning || fault.keyword == "required" || told == TOLD_MAX {
                    continue;
                }
                told += 1;
                let field = super::pointer(&fault.field);
                let place = format!("{list}/{at}{field}");
                let register = &sample.register;
                let message = if fault.field.is_empty() {
                    format!(
                        "this is no record of the register `{register}`: {}",
                        fault.en
                    )
                } else {
                    format!(
                        "`{}` does not fit the register `{register}`: {}",
                        fault.field, fault.en
                    )
                };
                let figure = record
                    .at(&fault.field)
                    .filter(|found| found.as_f64().is_some());
                let help = match figure.filter(|_| fault.en.ends_with("type string")) {
                    Some(figure) => format!("put it into quotes: '{}'", figure.to_json()),
                    None => format!(
                        "the schema of `{register}` under `registers/` says what a record holds"
                    ),
                };
                self.doubt(&sample.file, &place, codes::PACK_REGISTER, message, help);
            }
        }
    }

    fn missing(&mut self, pointer: &str, message: &str, help: String) {
        self.at(
            "pack.yaml",
            pointer,
            codes::PACK_REFERENCE,
            message.to_owned(),
            help,
        );
    }
}
