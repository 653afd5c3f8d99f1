//! The two languages.

/// The language of an expression.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// jq, the default of the DSL.
    #[default]
    Jq,
    /// rhai, expressions only.
    Rhai,
}
