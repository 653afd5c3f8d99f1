//! Rights: principal × function × units × processes. Every answer says which
//! rule gave it, so that a refusal can be explained too.

use serde::{Deserialize, Serialize};

use crate::absence::covers;
use crate::{Membership, Organisation, OrganisationError, Person, RightEntry};

/// What a right allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Start a case.
    Start,
    /// Read a case.
    View,
    /// Read, remind and see the figures of a case.
    Supervise,
    /// End a case with a reason.
    Terminate,
    /// Jump, retry, skip, revive, resolve incidents.
    Intervene,
    /// Change people, units and settings.
    Administer,
    /// Publish and roll back processes.
    Publish,
    /// Read the audit.
    Audit,
    /// Take data out.
    Export,
}

impl Function {
    /// All functions with the names that authors write.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("start", Self::Start),
        ("view", Self::View),
        ("supervise", Self::Supervise),
        ("terminate", Self::Terminate),
        ("intervene", Self::Intervene),
        ("administer", Self::Administer),
        ("publish", Self::Publish),
        ("audit", Self::Audit),
        ("export", Self::Export),
    ];

    /// The function of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, function)| *function)
    }

    /// The name that authors write.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, function)| *function == self)
            .map_or("view", |(name, _)| name)
    }

    /// Whether a right to `self` includes one to `other`: supervising includes reading.
    fn includes(self, other: Self) -> bool {
        self == other
            || (other == Self::View
                && matches!(self, Self::Supervise | Self::Intervene | Self::Terminate))
    }
}

/// Over what a right reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// Cases that the holder started himself.
    Own,
    /// Cases of the unit in which the right is held.
    OwnUnit,
    /// Cases of that unit and of all below it.
    OwnSubtree,
    /// Every case.
    All,
    /// A unit and all below it.
    Unit(String),
}

/// Who holds a right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// Everybody with a role; everybody whatsoever when it is `*`.
    Role(String),
    /// Everybody with a post.
    Post(String),
    /// One person.
    Person(String),
}

/// One rule, names of processes in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightRule {
    /// Who holds it.
    pub holder: Holder,
    /// What it allows.
    pub may: Vec<Function>,
    /// In which processes (`sharing/*`).
    pub of: Vec<String>,
    /// Over what.
    pub over: Over,
    /// Only once the case reached the holder's level.
    pub from_own_level: bool,
    /// The pack that brought it; none for the site's own.
    pub pack: Option<String>,
}

/// What a question of rights is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Object<'a> {
    /// The process in full (`sharing/apply`); none asks about the site itself.
    pub workflow: Option<&'a str>,
    /// The unit that the case belongs to.
    pub unit: Option<&'a str>,
    /// Whoever started it.
    pub starter: Option<&'a str>,
    /// The highest level that the case has reached, for `from: own-level`.
    pub reached: Option<&'a str>,
}

/// An answer with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why, in English words for the audit and the administrator.
    pub because: String,
}

/// The reach of one right of one person, for filtering lists in SQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Processes, as patterns.
    pub of: Vec<String>,
    /// Units.
    pub over: ScopeOver,
    /// The holder's level, when the case must have reached it.
    pub from_level: Option<String>,
}

/// Units of a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeOver {
    /// Cases started by the person.
    Own,
    /// One unit.
    Unit(String),
    /// A unit and all below it.
    Subtree(String),
    /// Everything.
    All,
}

impl RightRule {
    /// Reads a rule; the names of a pack's own processes become full names.
    ///
    /// # Errors
    /// What cannot be read, with its place.
    pub fn read(entry: &RightEntry, pack: Option<&str>) -> Result<Self, Vec<OrganisationError>> {
        let place = || {
            format!(
                "rights of {}",
                pack.map_or("the site".to_owned(), |pack| format!("pack `{pack}`"))
            )
        };
        let mut faults = Vec::new();
        let mut may = Vec::new();
        for name in &entry.may {
            match Function::parse(name) {
                Some(function) => may.push(function),
                None => {
                    faults.push(OrganisationError::Unknown {
                        place: place(),
                        kind: "function",
                        id: name.clone(),
                    });
                }
            }
        }
        let holder = match (&entry.role, &entry.post, &entry.person) {
            (Some(role), None, None) => Some(Holder::Role(role.clone())),
            (None, Some(post), None) => Some(Holder::Post(post.clone())),
            (None, None, Some(person)) => Some(Holder::Person(person.clone())),
            _ => None,
        };
        let over = match entry.over.as_str() {
            "own" => Over::Own,
            "own-unit" => Over::OwnUnit,
            "own-subtree" => Over::OwnSubtree,
            "all" => Over::All,
            unit => Over::Unit(unit.to_owned()),
        };
        let of = entry.of.iter().map(|name| full_name(name, pack)).collect();
        let Some(holder) = holder else {
            let expected = "exactly one of role, post, person";
            faults.push(OrganisationError::Unreadable {
                place: place(),
                expected,
                found: entry.may.join(", "),
            });
            return Err(faults);
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let from_own_level = entry.from.as_deref() == Some("own-level");
        Ok(Self {
            holder,
            may,
            of,
            over,
            from_own_level,
            pack: pack.map(str::to_owned),
        })
    }

    /// The units in which a person holds this rule; `None` inside is a holder without a unit.
    fn held_in(&self, person: &Person) -> Vec<Option<String>> {
        let of = |held: &[Membership], name: &str| -> Vec<Option<String>> {
            held.iter()
                .filter(|membership| membership.name == name)
                .map(|membership| membership.unit.clone())
                .collect()
        };
        match &self.holder {
            Holder::Role(role) if role == "*" => vec![person.unit.clone()],
            Holder::Role(role) => of(&person.roles, role),
            Holder::Post(post) => of(&person.posts, post),
            Holder::Person(id) if *id == person.id => vec![person.unit.clone()],
            Holder::Person(_) => Vec::new(),
        }
    }

    fn scope_over(&self, held_in: Option<&str>) -> Option<ScopeOver> {
        match (&self.over, held_in) {
            (Over::Own, _) => Some(ScopeOver::Own),
            (Over::All, _) => Some(ScopeOver::All),
            (Over::Unit(unit), _) => Some(ScopeOver::Subtree(unit.clone())),
            (Over::OwnUnit, Some(unit)) => Some(ScopeOver::Unit(unit.to_owned())),
            (Over::OwnSubtree, Some(unit)) => Some(ScopeOver::Subtree(unit.to_owned())),
            (Over::OwnUnit | Over::OwnSubtree, None) => None,
        }
    }

    fn describe(&self) -> String {
        let holder = match &self.holder {
            Holder::Role(role) if role == "*" => "everybody".to_owned(),
            Holder::Role(role) => format!("role `{role}`"),
            Holder::Post(post) => format!("post `{post}`"),
            Holder::Person(person) => format!("person `{person}`"),
        };
        let whose = self
            .pack
            .as_ref()
            .map_or("the site".to_owned(), |pack| format!("pack `{pack}`"));
        format!("{holder} by the rights of {whose}")
    }
}

impl Organisation {
    /// Says whether a person may do something, and by which rule.
    pub fn may(&self, person: &str, function: Function, object: &Object<'_>) -> Verdict {
        let Some(holder) = self.person(person) else {
            return Verdict {
                allowed: false,
                because: format!("person `{person}` does not exist"),
            };
        };
        for rule in self.rules() {
            let named = object
                .workflow
                .is_none_or(|name| rule.of.iter().any(|pattern| covers(pattern, name)));
            if !named || !rule.may.iter().any(|held| held.includes(function)) {
                continue;
            }
            for held_in in rule.held_in(holder) {
                let Some(over) = rule.scope_over(held_in.as_deref()) else {
                    continue;
                };
                if self.reaches(&over, person, object)
                    && self.level_reached(rule, held_in.as_deref(), object)
                {
                    return Verdict {
                        allowed: true,
                        because: format!("{} over {over:?}", rule.describe()),
                    };
                }
            }
        }
        let because = format!("no right of `{person}` gives `{}` here", function.name());
        Verdict {
            allowed: false,
            because,
        }
    }

    /// The reach of all rights of a person to a function, for lists.
    pub fn scopes(&self, person: &str, function: Function) -> Vec<Scope> {
        let Some(holder) = self.person(person) else {
            return Vec::new();
        };
        let mut scopes = Vec::new();
        for rule in self
            .rules()
            .iter()
            .filter(|rule| rule.may.iter().any(|held| held.includes(function)))
        {
            for held_in in rule.held_in(holder) {
                let Some(over) = rule.scope_over(held_in.as_deref()) else {
                    continue;
                };
                let level = held_in
                    .as_deref()
                    .and_then(|unit| self.unit(unit))
                    .map(|unit| unit.level.clone());
                let from_level = if rule.from_own_level { level } else { None };
                let scope = Scope {
                    of: rule.of.clone(),
                    over,
                    from_level,
                };
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        scopes
    }

    /// Whether a right that everybody holds (role `*`) allows this to whoever acts for a unit and is no person.
    #[must_use]
    pub fn everybody_may(&self, function: Function, workflow: &str, unit: &str) -> bool {
        self.rules().iter().any(|rule| {
            let everybody = matches!(&rule.holder, Holder::Role(role) if role == "*");
            let named = rule.of.iter().any(|pattern| covers(pattern, workflow));
            let reaches = match &rule.over {
                Over::Unit(root) => unit == root || self.is_under(unit, root),
                _ => true,
            };
            everybody
                && named
                && reaches
                && !rule.from_own_level
                && rule.may.iter().any(|held| held.includes(function))
        })
    }

    fn reaches(&self, over: &ScopeOver, person: &str, object: &Object<'_>) -> bool {
        match over {
            ScopeOver::All => true,
            ScopeOver::Own => object.starter == Some(person),
            ScopeOver::Unit(unit) => object.unit == Some(unit),
            ScopeOver::Subtree(root) => object.unit.is_some_and(|unit| self.is_under(unit, root)),
        }
    }

    fn level_reached(&self, rule: &RightRule, held_in: Option<&str>, object: &Object<'_>) -> bool {
        if !rule.from_own_level {
            return true;
        }
        let own = held_in
            .and_then(|unit| self.unit(unit))
            .and_then(|unit| self.level_rank(&unit.level));
        let reached = object.reached.and_then(|level| self.level_rank(level));
        matches!((own, reached), (Some(own), Some(reached)) if reached <= own)
    }
}

fn full_name(name: &str, pack: Option<&str>) -> String {
    match pack {
        Some(pack) if !name.contains('/') => format!("{pack}/{name}"),
        _ => name.to_owned(),
    }
}
