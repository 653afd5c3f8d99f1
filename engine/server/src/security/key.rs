//! API keys: `tb_PREFIX_SECRET`, shown once, stored as a hash, scoped to a unit and to functions.

use std::collections::BTreeSet;

use super::secret::{random_token, token_hash};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Start cases.
    Start,
    /// Read cases.
    View,
    /// Act on work items in the name of the key's person.
    Work,
    /// Send events.
    Events,
    /// Read registers.
    Registers,
    /// Check and publish workflows.
    Publish,
    /// Cancel, suspend, resume and jump.
    Intervene,
}

impl Scope {
    /// All scopes with their names.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("start", Self::Start),
        ("view", Self::View),
        ("work", Self::Work),
        ("events", Self::Events),
        ("registers", Self::Registers),
        ("publish", Self::Publish),
        ("intervene", Self::Intervene),
    ];

    /// The scope of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, scope)| *scope)
    }

    /// The scope's name.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, scope)| *scope == self)
            .map_or("view", |(name, _)| *name)
    }
}

/// A new key: the text to hand over once, and what is stored.
#[derive(Debug)]
pub struct NewKey {
    /// The whole key.
    pub text: String,
    /// What lists show of it.
    pub prefix: String,
    /// The hash to store.
    pub hash: String,
}

/// Makes a key.
pub fn new_key() -> NewKey {
    let prefix: String = random_token()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let text = format!("tb_{prefix}_{}", random_token());
    NewKey {
        hash: token_hash(&text),
        prefix,
        text,
    }
}

/// The key of an `Authorization` header, when it has the shape of one.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with("tb_") && key.len() <= 128)
        .then_some(key)
}

/// Reads the stored list of scopes; an unknown name gives nothing.
pub fn scopes_of(json: &str) -> BTreeSet<Scope> {
    serde_json::from_str::<Vec<String>>(json)
        .unwrap_or_default()
        .iter()
        .filter_map(|name| Scope::from_name(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stored_only_as_its_hash() {
        let key = new_key();
        assert!(key.text.starts_with(&format!("tb_{}_", key.prefix)));
        assert_eq!(key.hash, token_hash(&key.text));
        assert!(!key.hash.contains(&key.prefix) && key.text.len() > 50);
    }

    #[test]
    fn only_bearer_keys_of_our_shape_are_looked_up() {
        assert_eq!(bearer("Bearer tb_a_b"), Some("tb_a_b"));
        assert_eq!(bearer("bearer  tb_a_b"), Some("tb_a_b"));
        assert_eq!(bearer("Basic tb_a_b"), None);
        assert_eq!(bearer("Bearer xyz"), None);
        assert_eq!(bearer(&format!("Bearer tb_{}", "x".repeat(200))), None);
    }

    #[test]
    fn scopes_are_read_by_name_and_strangers_give_nothing() {
        let scopes = scopes_of(r#"["start","view","root"]"#);
        assert_eq!(
            scopes.into_iter().collect::<Vec<_>>(),
            [Scope::Start, Scope::View]
        );
        assert!(scopes_of("oops").is_empty());
        assert!(
            Scope::NAMES.iter().all(
                |(name, scope)| Scope::from_name(name) == Some(*scope) && scope.name() == *name
            )
        );
    }
}
