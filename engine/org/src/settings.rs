//! The shape of `config/organisation.yaml`: what a site writes down.

use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OrganisationFile {
    /// The site's time zone (IANA name); the calendar's zone when absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// The calendar of units that name none.
    #[serde(default)]
    pub calendar: Option<String>,
    /// Levels from the top downwards.
    #[serde(default)]
    pub levels: Vec<LevelEntry>,
    /// The units; a parent may stand after its children.
    #[serde(default)]
    pub units: Vec<UnitEntry>,
    /// Posts that units have.
    #[serde(default)]
    pub posts: Vec<PostEntry>,
    /// Groups across units.
    #[serde(default)]
    pub groups: Vec<GroupEntry>,
    /// The people.
    #[serde(default)]
    pub people: Vec<PersonEntry>,
    /// Rights beyond those that packs bring.
    #[serde(default)]
    pub rights: Vec<RightEntry>,
    /// Absences with their agents.
    #[serde(default)]
    pub absences: Vec<AbsenceEntry>,
}

/// One level of the unit tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelEntry {
    /// The id used by processes.
    pub id: String,
    /// The title.
    pub title: String,
}

/// One unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitEntry {
    /// The id used by processes.
    pub id: String,
    /// The Chinese name.
    pub name: String,
    /// The English name.
    #[serde(default)]
    pub en: Option<String>,
    /// The level.
    pub level: String,
    /// The unit above.
    #[serde(default)]
    pub parent: Option<String>,
    /// The calendar, when it differs from the parent's.
    #[serde(default)]
    pub calendar: Option<String>,
}

/// One post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostEntry {
    /// The id.
    pub id: String,
    /// The title.
    pub title: String,
}

/// A named group of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupEntry {
    /// The id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The members in order.
    pub members: Vec<String>,
}

/// A role or post: the bare id means in the person's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MembershipEntry {
    /// In the person's own unit.
    Own(String),
    /// In another unit, as a role.
    Role {
        /// The role.
        role: String,
        /// The unit.
        unit: String,
    },
    /// In another unit, as a post.
    Post {
        /// The post.
        post: String,
        /// The unit.
        unit: String,
    },
}

/// One unit or a list of units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeadsEntry {
    /// One unit.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// One person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonEntry {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The language.
    #[serde(default)]
    pub language: crate::Language,
    /// The unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Posts.
    #[serde(default)]
    pub posts: Vec<MembershipEntry>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<MembershipEntry>,
    /// Units headed.
    #[serde(default)]
    pub heads: Option<HeadsEntry>,
    /// The identity number.
    #[serde(default)]
    pub identity: Option<String>,
    /// The date of leaving (`2026-06-30`, the last day).
    #[serde(default)]
    pub left: Option<String>,
}

/// A right as a pack or a site writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightEntry {
    /// A role …
    #[serde(default)]
    pub role: Option<String>,
    /// … or a post …
    #[serde(default)]
    pub post: Option<String>,
    /// … or a person.
    #[serde(default)]
    pub person: Option<String>,
    /// What they may do.
    pub may: Vec<String>,
    /// In which processes; a pack's names are its own.
    pub of: Vec<String>,
    /// Over which units: `own`, `own-unit`, `own-subtree`, `all` or a unit's id (its subtree).
    pub over: String,
    /// `own-level`: only once the case has reached the level of the holder.
    #[serde(default)]
    pub from: Option<String>,
}

/// An absence as a site writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceEntry {
    /// Who is away.
    pub person: String,
    /// Who acts.
    #[serde(default)]
    pub agent: Option<String>,
    /// The first day, local.
    pub from: String,
    /// The last day, local; absent means until revoked.
    #[serde(default)]
    pub to: Option<String>,
    /// Processes covered; empty means all.
    #[serde(default)]
    pub of: Vec<String>,
}
