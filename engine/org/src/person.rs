//! People and the places they hold in units.

use serde::{Deserialize, Serialize};

/// A language that the product speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Simplified Chinese, the default.
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The tag used in file names and headers: `zh-CN` or `en`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// Reads a tag such as `zh-CN`, `zh-Hans` or `en-GB`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The other language, which a switch offers.
    pub fn other(self) -> Self {
        match self {
            Self::Chinese => Self::English,
            Self::English => Self::Chinese,
        }
    }

    /// The language's own name.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::Chinese => "简体中文",
            Self::English => "English",
        }
    }
}

/// A role or a post that a person holds in a unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// The role's or the post's id.
    pub name: String,
    /// The unit; none for people without a unit (citizens).
    pub unit: Option<String>,
}

/// Somebody who can start a case or decide in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The id that decisions record.
    pub id: String,
    /// The name shown to people.
    pub name: String,
    /// Where mail goes; none means the console only.
    pub email: Option<String>,
    /// The language of mails and pages.
    pub language: Language,
    /// The unit the person belongs to; none for citizens.
    pub unit: Option<String>,
    /// Roles, each in a unit.
    pub roles: Vec<Membership>,
    /// Posts, each in a unit.
    pub posts: Vec<Membership>,
    /// Units that the person heads.
    pub heads: Vec<String>,
    /// The resident identity number, when known.
    pub identity: Option<String>,
    /// When the person left; nothing new reaches one who has left.
    pub left_ms: Option<i64>,
}

/// A post: a place in a unit that people come and go from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The post's id.
    pub id: String,
    /// The title shown to people.
    pub title: String,
}
