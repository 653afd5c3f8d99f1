//! Code lists: of a pack, and of the packs that it points at (`catalogue/mode`).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::manifest::CodeTitle;
use crate::form::Codes;

/// All code lists that one workflow can name: its own by name, others by `pack/name`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodeLists {
    lists: IndexMap<String, IndexMap<String, CodeTitle>>,
}

impl CodeLists {
    /// Adds a list under the name by which forms point at it.
    pub fn insert(&mut self, name: String, list: IndexMap<String, CodeTitle>) {
        self.lists.insert(name, list);
    }

    /// The codes of a list with their titles, in declared order.
    pub fn list(&self, name: &str) -> Option<&IndexMap<String, CodeTitle>> {
        self.lists.get(name)
    }

    /// The title of one code in a language.
    pub fn title(&self, list: &str, code: &str, language: &str) -> Option<&str> {
        Some(self.lists.get(list)?.get(code)?.text(language))
    }

    /// The names of all lists.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }
}

impl Codes for CodeLists {
    fn has(&self, list: &str, code: &str) -> Option<bool> {
        self.lists.get(list).map(|codes| codes.contains_key(code))
    }
}
