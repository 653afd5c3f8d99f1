//! The snapshot: built once from the site's settings, then only read.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use tongban_expr::Units;

use crate::{Absence, Calendar, Level, Person, Post, RightRule, Unit};

/// The role whose holders get what nobody else can take.
const ADMINISTRATOR: &str = "administrator";
/// How many agents may follow one another.
const AGENTS_MAX: usize = 8;

/// Holders of a role or post by its name: (unit, person).
pub(crate) type Holders = HashMap<String, Vec<(Option<String>, String)>>;

/// Units, people, posts, roles, absences, rights and calendars of a site.
#[derive(Clone, Debug, Default)]
pub struct Organisation {
    pub(crate) levels: Vec<Level>,
    pub(crate) units: IndexMap<String, Unit>,
    pub(crate) people: IndexMap<String, Person>,
    pub(crate) posts: IndexMap<String, Post>,
    pub(crate) groups: IndexMap<String, Vec<String>>,
    pub(crate) role_holders: Holders,
    pub(crate) post_holders: Holders,
    pub(crate) heads: HashMap<String, Vec<String>>,
    pub(crate) members: HashMap<String, Vec<String>>,
    pub(crate) identities: HashMap<String, String>,
    pub(crate) absences: HashMap<String, Vec<Absence>>,
    pub(crate) rules: Vec<RightRule>,
    pub(crate) calendars: IndexMap<String, Arc<Calendar>>,
    pub(crate) default_calendar: Option<Arc<Calendar>>,
}

impl Organisation {
    /// Adds an absence; those already there stay.
    pub fn add_absence(&mut self, absence: Absence) {
        self.absences
            .entry(absence.person.clone())
            .or_default()
            .push(absence);
    }

    /// Ends every absence of a person at an instant.
    pub fn revoke_absences(&mut self, person: &str, at_ms: i64) {
        for absence in self.absences.get_mut(person).into_iter().flatten() {
            absence.to_ms = Some(absence.to_ms.map_or(at_ms, |to| to.min(at_ms)));
        }
    }

    /// Levels from the top downwards.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The place of a level from the top; 0 is the top.
    pub(crate) fn level_rank(&self, level: &str) -> Option<usize> {
        self.levels.iter().position(|known| known.id == level)
    }

    /// All units in the order of the settings.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// One unit.
    pub fn unit(&self, id: &str) -> Option<&Unit> {
        self.units.get(id)
    }

    /// Whether a unit is `root` or lies under it.
    pub fn is_under(&self, unit: &str, root: &str) -> bool {
        unit == root
            || self
                .unit(unit)
                .is_some_and(|unit| unit.ancestors.iter().any(|above| above == root))
    }

    /// Units of a level under a unit, itself included.
    pub fn units_under(&self, root: &str, level: Option<&str>) -> Vec<&Unit> {
        let fits = |unit: &&Unit| level.is_none_or(|level| unit.level == level);
        self.units
            .values()
            .filter(|unit| self.is_under(&unit.id, root))
            .filter(fits)
            .collect()
    }

    /// All people in the order of the settings.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// One person.
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.get(id)
    }

    /// The person with an identity number.
    pub(crate) fn person_by_identity(&self, identity: &str) -> Option<&Person> {
        self.identities.get(identity).and_then(|id| self.person(id))
    }

    /// Whether a person exists and has not left.
    pub fn is_here(&self, person: &str, now_ms: i64) -> bool {
        self.person(person)
            .is_some_and(|person| person.left_ms.is_none_or(|left| now_ms < left))
    }

    /// All posts.
    pub fn posts(&self) -> impl Iterator<Item = &Post> {
        self.posts.values()
    }

    /// The ids of all groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// The members of a group.
    pub fn group(&self, id: &str) -> Option<&[String]> {
        self.groups.get(id).map(Vec::as_slice)
    }

    /// The groups that a person belongs to.
    pub(crate) fn groups_of(&self, person: &str) -> Vec<String> {
        let has = |(_, members): &(&String, &Vec<String>)| members.iter().any(|id| id == person);
        self.groups
            .iter()
            .filter(has)
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The heads of a unit.
    pub fn heads(&self, unit: &str) -> &[String] {
        self.heads.get(unit).map_or(&[], Vec::as_slice)
    }

    /// Everybody who belongs to a unit.
    pub fn members(&self, unit: &str) -> &[String] {
        self.members.get(unit).map_or(&[], Vec::as_slice)
    }

    /// Holders of a role in a unit, or anywhere.
    pub fn role_holders(&self, role: &str, unit: Option<&str>) -> Vec<String> {
        holders(&self.role_holders, role, unit)
    }

    /// Holders of a post in a unit.
    pub fn post_holders(&self, post: &str, unit: &str) -> Vec<String> {
        holders(&self.post_holders, post, Some(unit))
    }

    /// The superiors of a person: the heads of his unit without himself, else
    /// those of the nearest unit above that has others.
    pub fn superiors(&self, person: &str) -> Vec<String> {
        let Some(unit) = self
            .person(person)
            .and_then(|person| person.unit.as_deref())
        else {
            return Vec::new();
        };
        self.heads_from(unit, person)
    }

    /// The heads of the nearest unit from `unit` upwards that has any besides `person`.
    pub fn heads_from(&self, unit: &str, person: &str) -> Vec<String> {
        let above = self.unit(unit).map_or(&[][..], |unit| &unit.ancestors);
        std::iter::once(unit)
            .chain(above.iter().map(String::as_str))
            .map(|unit| {
                self.heads(unit)
                    .iter()
                    .filter(|head| *head != person)
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .find(|heads| !heads.is_empty())
            .unwrap_or_default()
    }

    /// The administrators responsible for a unit: those of the nearest unit
    /// from it upwards, else all of the site.
    pub fn administrators(&self, unit: Option<&str>) -> Vec<String> {
        let above = unit
            .and_then(|unit| self.unit(unit))
            .map_or(&[][..], |unit| &unit.ancestors);
        unit.into_iter()
            .chain(above.iter().map(String::as_str))
            .map(|unit| self.role_holders(ADMINISTRATOR, Some(unit)))
            .find(|people| !people.is_empty())
            .unwrap_or_else(|| self.role_holders(ADMINISTRATOR, None))
    }

    /// Who acts for a person now, if the person is away and somebody does.
    /// Agents who are away themselves are followed; a circle gives nobody.
    pub fn agent_of(&self, person: &str, workflow: &str, now_ms: i64) -> Option<String> {
        let mut seen = vec![person];
        let mut agent = self.direct_agent(person, workflow, now_ms)?;
        while let Some(next) = self.direct_agent(agent, workflow, now_ms) {
            if seen.contains(&agent) || seen.len() > AGENTS_MAX {
                return None;
            }
            seen.push(agent);
            agent = next;
        }
        (agent != person && !seen.contains(&agent) && self.is_here(agent, now_ms))
            .then(|| agent.to_owned())
    }

    /// When the answer of [`Organisation::agent_of`] may change next: an
    /// absence of the person, or of somebody who would act for him, begins or ends.
    pub fn next_absence_ms(&self, person: &str, workflow: &str, now_ms: i64) -> Option<i64> {
        let mut seen = vec![person];
        let mut next: Option<i64> = None;
        let mut at = 0;
        while let Some(one) = seen.get(at).copied().filter(|_| at <= AGENTS_MAX) {
            let ahead = |absence: &&Absence| absence.is_ahead(workflow, now_ms);
            for absence in self.absences(one).iter().filter(ahead) {
                let bounds = [Some(absence.from_ms), absence.to_ms];
                let later = bounds.into_iter().flatten().filter(|at_ms| *at_ms > now_ms);
                next = later.chain(next).min();
                if let Some(agent) = absence.agent.as_deref().filter(|id| !seen.contains(id)) {
                    seen.push(agent);
                }
            }
            at += 1;
        }
        next
    }

    fn direct_agent(&self, person: &str, workflow: &str, now_ms: i64) -> Option<&str> {
        let absences = self.absences.get(person)?;
        absences
            .iter()
            .find(|absence| absence.holds(workflow, now_ms))?
            .agent
            .as_deref()
    }

    /// The absences of a person.
    pub fn absences(&self, person: &str) -> &[Absence] {
        self.absences.get(person).map_or(&[], Vec::as_slice)
    }

    /// The absences in which a person is named to act for somebody.
    pub fn absences_of_agent<'a>(&'a self, agent: &'a str) -> impl Iterator<Item = &'a Absence> {
        let all = self.absences.values().flatten();
        all.filter(move |absence| absence.agent.as_deref() == Some(agent))
    }

    /// All rules of rights, packs' and the site's.
    pub fn rules(&self) -> &[RightRule] {
        &self.rules
    }

    /// The calendar of a unit: its own, the nearest above, else the site's.
    pub fn calendar(&self, unit: Option<&str>) -> Arc<Calendar> {
        let own = |unit: &Unit| {
            unit.calendar
                .as_ref()
                .and_then(|id| self.calendars.get(id))
                .cloned()
        };
        let unit = unit.and_then(|unit| self.unit(unit));
        let above = unit
            .into_iter()
            .flat_map(|unit| unit.ancestors.iter().filter_map(|id| self.unit(id)));
        unit.into_iter()
            .chain(above)
            .find_map(own)
            .or_else(|| self.default_calendar.clone())
            .unwrap_or_else(|| Arc::new(Calendar::week_only("week")))
    }

    /// All calendars.
    pub fn calendars(&self) -> impl Iterator<Item = &Arc<Calendar>> {
        self.calendars.values()
    }
}

impl Units for Organisation {
    fn ancestor(&self, unit: &str, level: &str) -> Option<String> {
        let start = self.unit(unit)?;
        std::iter::once(start)
            .chain(start.ancestors.iter().filter_map(|id| self.unit(id)))
            .find(|unit| unit.level == level)
            .map(|unit| unit.id.clone())
    }

    fn name(&self, unit: &str) -> Option<String> {
        self.unit(unit).map(|unit| unit.name.clone())
    }
}

fn holders(of: &Holders, name: &str, unit: Option<&str>) -> Vec<String> {
    let mut people: Vec<String> = Vec::new();
    for (held_in, person) in of.get(name).into_iter().flatten() {
        if unit.is_none_or(|unit| held_in.as_deref() == Some(unit)) && !people.contains(person) {
            people.push(person.clone());
        }
    }
    people
}
