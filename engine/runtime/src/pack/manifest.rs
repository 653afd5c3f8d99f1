//! `pack.yaml`: what a pack says about itself.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::RightEntry;
use tongban_plugin::Title;

/// The head of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The pack's name; its workflows' namespace.
    pub pack: String,
    /// Semantic version.
    pub version: String,
    /// Its title.
    pub title: Title,
    /// One sentence for the list of packs.
    #[serde(default)]
    pub summary: String,
    /// What must be there first.
    #[serde(default)]
    pub requires: Requires,
    /// The languages of its forms and mails.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Levels of the unit tree that it needs, top first.
    #[serde(default)]
    pub levels: Vec<String>,
    /// Roles and their titles, in Chinese or in both languages; the site binds them to people or posts.
    #[serde(default)]
    pub roles: IndexMap<String, CodeTitle>,
    /// What each role may do with its workflows.
    #[serde(default)]
    pub rights: Vec<RightEntry>,
    /// Code lists that forms and templates point at.
    #[serde(default)]
    pub codes: IndexMap<String, IndexMap<String, CodeTitle>>,
    /// Sample data for tests and the demo.
    #[serde(default)]
    pub samples: Vec<Sample>,
}

impl Manifest {
    /// What can be understood of a faulty head: each member that can be read.
    pub(super) fn draft(value: &Value) -> Manifest {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        fn member<T: Default + DeserializeOwned>(value: &Value, name: &str) -> T {
            let found = value.get(name).and_then(|found| found.to::<T>().ok());
            found.unwrap_or_default()
        }
        // One title that cannot be read takes no other role away.
        fn named(roles: Option<&Value>) -> IndexMap<String, CodeTitle> {
            let roles = roles.into_iter().flat_map(Value::entries);
            roles
                .map(|(role, title)| {
                    let title = title.to::<CodeTitle>().ok();
                    let title = title.unwrap_or_else(|| CodeTitle::One(role.to_string()));
                    (role.to_string(), title)
                })
                .collect()
        }
        Manifest {
            pack: text("pack").to_owned(),
            version: text("version").to_owned(),
            title: member(value, "title"),
            summary: text("summary").to_owned(),
            requires: member(value, "requires"),
            languages: member(value, "languages"),
            levels: member(value, "levels"),
            roles: named(value.get("roles")),
            rights: member(value, "rights"),
            codes: member(value, "codes"),
            samples: member(value, "samples"),
        }
    }
}

/// What a pack needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// Other packs with a range of versions.
    #[serde(default)]
    pub packs: IndexMap<String, String>,
    /// Plugins.
    #[serde(default)]
    pub plugins: Vec<String>,
}

/// The title of a code or of a role: Chinese alone, or both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CodeTitle {
    /// Chinese, also shown to readers of English.
    One(String),
    /// Both.
    Both(Title),
}

impl CodeTitle {
    /// As it is written.
    pub fn to_value(&self) -> Value {
        match self {
            CodeTitle::One(text) => Value::from(text.as_str()),
            CodeTitle::Both(title) => Value::object([
                ("zh-CN", Value::from(title.zh.as_str())),
                ("en", Value::from(title.en.as_str())),
            ]),
        }
    }

    /// The title in a language.
    pub fn text(&self, language: &str) -> &str {
        match self {
            CodeTitle::One(text) => text,
            CodeTitle::Both(title) if language.starts_with("zh") || title.en.is_empty() => {
                &title.zh
            }
            CodeTitle::Both(title) => &title.en,
        }
    }
}

/// Sample records of one register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The register, of this pack or of one that it requires.
    pub register: String,
    /// The file, relative to the pack.
    pub file: String,
    /// The member of the file that holds the list; the whole file when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}
