//! A small pack that the documents of `mistakes/` belong to.

use std::path::{Path, PathBuf};

use tongban_dsl::signatures::{self, Kind, Signature};
use tongban_dsl::{Reference, Surroundings};
use tongban_expr::{Value, value};

/// A small pack.
pub struct Pack;

impl Surroundings for Pack {
    fn function(&self, name: &str) -> Option<Signature> {
        if name.starts_with("register.") && self.function_names().iter().any(|known| known == name)
        {
            let arguments = value!({
                "type": "object",
                "properties": { "register": { "type": "string", "x-reference": "register" }, "key": {} },
            });
            return Some(Signature {
                name: name.to_owned(),
                kind: Kind::Read,
                arguments,
                result: Value::Null,
                late: Vec::new(),
            });
        }
        signatures::engine()
            .iter()
            .find(|signature| signature.name == name)
            .cloned()
            .or_else(|| signatures::language(name))
    }

    fn function_names(&self) -> Vec<String> {
        let engine = signatures::engine()
            .iter()
            .map(|signature| signature.name.clone());
        engine
            .chain(
                [
                    "http",
                    "openapi",
                    "register.get",
                    "register.put",
                    "register.amend",
                ]
                .map(str::to_owned),
            )
            .collect()
    }

    fn names(&self, kind: Reference) -> Option<Vec<String>> {
        let names: &[&str] = match kind {
            Reference::Form => &[
                "forms/application.yaml",
                "forms/sheet.yaml",
                "forms/visit.yaml",
            ],
            Reference::Register => &["catalogue", "residents"],
            Reference::Role => &["data-office", "data-leader"],
            Reference::Rule => &["rules/eligibility.rhai"],
            Reference::Template => &["mails/granted", "mails/refused"],
            Reference::Workflow => &["sharing/apply", "sharing/dispute"],
            Reference::Parameter => &["answerDays"],
            Reference::Code => &["refusal"],
            Reference::Level => &["city", "district", "street"],
            Reference::File => &["apis/houses.yaml", "forms/application.yaml"],
            Reference::Unit => &["city", "housing-bureau", "police", "bureau", "x"],
            Reference::Post => &["director", "clerk"],
            Reference::Group => &["experts"],
            Reference::Person => &["li-na", "wang-lei"],
        };
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn titled(&self, kind: Reference, title: &str) -> Option<String> {
        let unit = kind == Reference::Unit && title == "市住房保障中心";
        unit.then(|| "housing-bureau".to_owned())
    }

    fn is_numbered(&self, workflow: &str) -> Option<bool> {
        Some(workflow != "sharing/dispute")
    }

    fn record(&self, register: &str) -> Option<Value> {
        let schema = self.form("forms/application.yaml")?;
        (register == "catalogue").then_some(schema)
    }

    fn form(&self, path: &str) -> Option<Value> {
        match path {
            "forms/application.yaml" => Some(value!({
                "type": "object",
                "properties": { "resource": { "type": "string" }, "purpose": { "type": "string" } },
            })),
            "forms/sheet.yaml" => {
                Some(value!({ "x-figures": true, "properties": { "rows": { "type": "array" } } }))
            }
            "forms/visit.yaml" => Some(value!({
                "allOf": [{ "type": "object" }],
                "properties": { "opened": { "type": "string", "title": "打开" } },
            })),
            _ => None,
        }
    }
}

pub fn documents() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the repository has this folder")
        .map(|entry| entry.expect("the repository has this folder").path())
        .collect();
    found.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    found.sort();
    found
}
