//! From selectors to people: done when a task is entered, and stored with it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Organisation, Person, Selector};

/// What the resolution of selectors may look at.
#[derive(Clone, Copy, Debug)]
pub struct ResolveCase<'a> {
    /// Whoever started the case; none for the system.
    pub applicant: Option<&'a str>,
    /// The unit on whose behalf it was started.
    pub applicant_unit: Option<&'a str>,
    /// Whom the applicant (or a step) chose for this task.
    pub chosen: &'a [String],
    /// The instant of the resolution.
    pub now_ms: i64,
}

/// Who a selector speaks of, as a name that can be stored and searched.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Principal {
    /// One person.
    Person(String),
    /// A role, in a unit or anywhere.
    Role {
        /// The role.
        role: String,
        /// The unit.
        unit: Option<String>,
    },
    /// A post in a unit.
    Post {
        /// The post.
        post: String,
        /// The unit.
        unit: String,
    },
    /// The heads of a unit.
    Head(String),
    /// The members of a unit.
    Unit(String),
    /// A group.
    Group(String),
}

impl fmt::Display for Principal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(to, "person:{id}"),
            Self::Role {
                role,
                unit: Some(unit),
            } => write!(to, "role:{role}@{unit}"),
            Self::Role { role, unit: None } => write!(to, "role:{role}"),
            Self::Post { post, unit } => write!(to, "post:{post}@{unit}"),
            Self::Head(unit) => write!(to, "head:{unit}"),
            Self::Unit(unit) => write!(to, "unit:{unit}"),
            Self::Group(group) => write!(to, "group:{group}"),
        }
    }
}

/// The people that one selector (for one unit) gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Whom the selector named.
    pub principal: Principal,
    /// The unit that answers through these people.
    pub unit: Option<String>,
    /// The people, in the organisation's order, without repetition.
    pub people: Vec<String>,
    /// The weight of each.
    pub weight: u32,
}

/// What a list of selectors came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// One entry for each selector and unit; its people may be none.
    pub candidates: Vec<Candidate>,
    /// Names that do not exist, in words; such selectors give nobody.
    pub faults: Vec<String>,
}

impl Resolution {
    /// All people, each once, in order.
    pub fn people(&self) -> Vec<String> {
        let mut people: Vec<String> = Vec::new();
        for person in self
            .candidates
            .iter()
            .flat_map(|candidate| &candidate.people)
        {
            if !people.contains(person) {
                people.push(person.clone());
            }
        }
        people
    }
}

impl Organisation {
    /// Everything that a person answers to, as the tables `work_candidate` and
    /// `party` store it: himself, his roles, posts, units headed, unit, groups.
    pub fn principals(&self, person: &str) -> Vec<Principal> {
        let mut principals = vec![Principal::Person(person.to_owned())];
        let Some(found) = self.person(person) else {
            return principals;
        };
        for held in &found.roles {
            principals.push(Principal::Role {
                role: held.name.clone(),
                unit: held.unit.clone(),
            });
            principals.push(Principal::Role {
                role: held.name.clone(),
                unit: None,
            });
        }
        for held in &found.posts {
            if let Some(unit) = &held.unit {
                principals.push(Principal::Post {
                    post: held.name.clone(),
                    unit: unit.clone(),
                });
            }
        }
        principals.extend(found.heads.iter().cloned().map(Principal::Head));
        principals.extend(found.unit.iter().cloned().map(Principal::Unit));
        principals.extend(self.groups_of(person).into_iter().map(Principal::Group));
        principals
    }

    /// Turns selectors into people as of the given instant. People who left
    /// are passed over.
    pub fn resolve(&self, selectors: &[Selector], case: &ResolveCase<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for selector in selectors {
            let (selector, weight) = selector.weighed();
            self.resolve_one(selector, weight, case, &mut resolution);
        }
        resolution
    }

    fn resolve_one(
        &self,
        selector: &Selector,
        weight: u32,
        case: &ResolveCase<'_>,
        into: &mut Resolution,
    ) {
        match selector {
            Selector::Chain { from, until, role } => {
                return self.resolve_chain(from, until, role, weight, case, into);
            }
            Selector::ChosenBy { among, .. } => {
                return self.resolve_chosen(among, weight, case, into);
            }
            Selector::Weighted { weight, selector } => {
                return self.resolve_one(selector, *weight, case, into);
            }
            Selector::Decided { .. } | Selector::Late(_) => return,
            _ => {}
        }
        match self.named(selector, case) {
            Ok((principal, unit, mut people)) => {
                self.note_unit(unit.as_deref(), into);
                people.retain(|id| self.is_here(id, case.now_ms));
                into.candidates.push(Candidate {
                    principal,
                    unit,
                    people,
                    weight,
                });
            }
            Err(Some(fault)) => into.faults.push(fault),
            Err(None) => {}
        }
    }

    /// Whom a plain selector names, with the unit that answers through them;
    /// `Err(None)` when there is nobody and nothing is wrong.
    fn named(
        &self,
        selector: &Selector,
        case: &ResolveCase<'_>,
    ) -> Result<(Principal, Option<String>, Vec<String>), Option<String>> {
        let person = |person: Option<&Person>, fault: String| {
            let person = person.ok_or(Some(fault))?;
            let principal = Principal::Person(person.id.clone());
            Ok((principal, person.unit.clone(), vec![person.id.clone()]))
        };
        match selector {
            Selector::Applicant => {
                let applicant = case.applicant.ok_or(None)?;
                let unit = case.applicant_unit.map(str::to_owned);
                let principal = Principal::Person(applicant.to_owned());
                Ok((principal, unit, self.applicants(applicant, case)))
            }
            Selector::User(id) => person(self.person(id), format!("person `{id}` does not exist")),
            Selector::Identity(identity) => person(
                self.person_by_identity(identity),
                "nobody with this identity number has an account".to_owned(),
            ),
            Selector::Role { role, unit } => {
                let principal = Principal::Role {
                    role: role.clone(),
                    unit: unit.clone(),
                };
                Ok((
                    principal,
                    unit.clone(),
                    self.role_holders(role, unit.as_deref()),
                ))
            }
            Selector::Post { post, unit } => {
                let principal = Principal::Post {
                    post: post.clone(),
                    unit: unit.clone(),
                };
                Ok((principal, Some(unit.clone()), self.post_holders(post, unit)))
            }
            Selector::Head(unit) => Ok((
                Principal::Head(unit.clone()),
                Some(unit.clone()),
                self.heads(unit).to_vec(),
            )),
            Selector::Members(unit) => Ok((
                Principal::Unit(unit.clone()),
                Some(unit.clone()),
                self.members(unit).to_vec(),
            )),
            Selector::Group(group) => {
                let members = self.group(group);
                let members =
                    members.ok_or_else(|| Some(format!("group `{group}` does not exist")))?;
                Ok((Principal::Group(group.clone()), None, members.to_vec()))
            }
            Selector::Nobody(written) => Err(Some(format!("the unit of {written} is null"))),
            _ => Err(None),
        }
    }

    /// The applicant; when he left, those who hold his posts, else the head of his unit.
    fn applicants(&self, applicant: &str, case: &ResolveCase<'_>) -> Vec<String> {
        if self.is_here(applicant, case.now_ms) {
            return vec![applicant.to_owned()];
        }
        let Some(person) = self.person(applicant) else {
            return Vec::new();
        };
        let mut people: Vec<String> = Vec::new();
        for post in &person.posts {
            if let Some(unit) = &post.unit {
                people.extend(self.post_holders(&post.name, unit));
            }
        }
        if people.iter().all(|id| !self.is_here(id, case.now_ms)) {
            people = person
                .unit
                .as_deref()
                .map(|unit| self.heads(unit).to_vec())
                .unwrap_or_default();
        }
        people
    }

    fn resolve_chain(
        &self,
        from: &str,
        until: &Option<String>,
        role: &Option<String>,
        weight: u32,
        case: &ResolveCase<'_>,
        into: &mut Resolution,
    ) {
        self.note_unit(Some(from), into);
        let Some(start) = self.unit(from) else { return };
        let way =
            std::iter::once(start).chain(start.ancestors.iter().filter_map(|id| self.unit(id)));
        for unit in way {
            let step = match role {
                Some(role) => Selector::Role {
                    role: role.clone(),
                    unit: Some(unit.id.clone()),
                },
                None => Selector::Head(unit.id.clone()),
            };
            let before = into.candidates.len();
            self.resolve_one(&step, weight, case, into);
            // A level without a holder is passed over; it is no fault of the case.
            if into
                .candidates
                .last()
                .is_some_and(|candidate| candidate.people.is_empty())
            {
                into.candidates.truncate(before);
            }
            if until
                .as_deref()
                .is_some_and(|until| unit.id == until || unit.level == until)
            {
                break;
            }
        }
    }

    fn resolve_chosen(
        &self,
        among: &[Selector],
        weight: u32,
        case: &ResolveCase<'_>,
        into: &mut Resolution,
    ) {
        let allowed = self.resolve(among, case);
        for id in case.chosen {
            let may = among.is_empty()
                || allowed
                    .candidates
                    .iter()
                    .any(|candidate| candidate.people.contains(id));
            match self.person(id) {
                Some(person) if may => into.candidates.push(Candidate {
                    principal: Principal::Person(id.clone()),
                    unit: person.unit.clone(),
                    people: vec![id.clone()],
                    weight,
                }),
                _ => into
                    .faults
                    .push(format!("`{id}` was chosen but may not be")),
            }
        }
        if case.chosen.is_empty() {
            into.faults.push("nobody was chosen".to_owned());
        }
    }

    fn note_unit(&self, unit: Option<&str>, into: &mut Resolution) {
        if let Some(unit) = unit.filter(|unit| self.unit(unit).is_none()) {
            into.faults.push(format!("unit `{unit}` does not exist"));
        }
    }
}
