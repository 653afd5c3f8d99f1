//! What `pack.yaml` names must exist.

use tongban_dsl::codes;

use super::{Checking, near};

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
            if let Err(message) = self.pack.sample(sample) {
                let help = if self.pack.files.contains_key(&sample.file) {
                    "write a list of records, or name the member that holds it with `at: MEMBER`"
                        .to_owned()
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
