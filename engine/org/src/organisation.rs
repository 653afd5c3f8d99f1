//! The snapshot: built once from the site's settings, then only read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use tongban_expr::Units;

use crate::settings::{HeadsEntry, MembershipEntry};
use crate::{
    Absence, AbsenceEntry, Calendar, CalendarFile, Level, Membership, OrganisationError,
    OrganisationFile, Person, PersonEntry, Post, RightEntry, RightRule, Unit, UnitEntry,
};

/// The role whose holders get what nobody else can take.
pub const ADMINISTRATOR: &str = "administrator";
/// How many agents may follow one another.
const AGENTS_MAX: usize = 8;

/// Holders of a role or post by its name: (unit, person).
type Holders = HashMap<String, Vec<(Option<String>, String)>>;

/// Units, people, posts, roles, absences, rights and calendars of a site.
#[derive(Clone, Debug, Default)]
pub struct Organisation {
    levels: Vec<Level>,
    units: IndexMap<String, Unit>,
    people: IndexMap<String, Person>,
    posts: IndexMap<String, Post>,
    groups: IndexMap<String, Vec<String>>,
    role_holders: Holders,
    post_holders: Holders,
    heads: HashMap<String, Vec<String>>,
    members: HashMap<String, Vec<String>>,
    identities: HashMap<String, String>,
    absences: HashMap<String, Vec<Absence>>,
    rules: Vec<RightRule>,
    calendars: IndexMap<String, Arc<Calendar>>,
    default_calendar: Option<Arc<Calendar>>,
}

impl Organisation {
    /// Builds the snapshot from the site's settings.
    ///
    /// # Errors
    /// Every fault of all files at once.
    pub fn build(
        file: &OrganisationFile,
        calendars: &[CalendarFile],
    ) -> Result<Self, Vec<OrganisationError>> {
        let mut organisation = Self::default();
        let mut faults = Vec::new();
        organisation.take_calendars(file, calendars, &mut faults);
        organisation.levels = file
            .levels
            .iter()
            .map(|level| Level {
                id: level.id.clone(),
                title: level.title.clone(),
            })
            .collect();
        organisation.take_units(&file.units, &mut faults);
        for post in &file.posts {
            let entry = Post {
                id: post.id.clone(),
                title: post.title.clone(),
            };
            insert(
                &mut organisation.posts,
                "post",
                post.id.clone(),
                entry,
                &mut faults,
            );
        }
        for person in &file.people {
            organisation.take_person(person, &mut faults);
        }
        for group in &file.groups {
            let place = || format!("group `{}`", group.id);
            for id in group
                .members
                .iter()
                .filter(|id| !organisation.people.contains_key(*id))
            {
                faults.push(OrganisationError::Unknown {
                    place: place(),
                    kind: "person",
                    id: id.clone(),
                });
            }
            insert(
                &mut organisation.groups,
                "group",
                group.id.clone(),
                group.members.clone(),
                &mut faults,
            );
        }
        for entry in &file.absences {
            organisation.take_absence(entry, &mut faults);
        }
        organisation.take_rights(None, &file.rights, &mut faults);
        if faults.is_empty() {
            Ok(organisation)
        } else {
            Err(faults)
        }
    }

    /// Adds the rights that a pack brings; its processes are named in full.
    ///
    /// # Errors
    /// The rules that cannot be read; the others are added.
    pub fn add_rights(
        &mut self,
        pack: &str,
        rights: &[RightEntry],
    ) -> Result<(), Vec<OrganisationError>> {
        let mut faults = Vec::new();
        self.take_rights(Some(pack), rights, &mut faults);
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

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
    pub fn level_rank(&self, level: &str) -> Option<usize> {
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
    pub fn person_by_identity(&self, identity: &str) -> Option<&Person> {
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

    /// The members of a group.
    pub fn group(&self, id: &str) -> Option<&[String]> {
        self.groups.get(id).map(Vec::as_slice)
    }

    /// The groups that a person belongs to.
    pub fn groups_of(&self, person: &str) -> Vec<String> {
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

    /// A calendar by its id.
    pub fn calendar_named(&self, id: &str) -> Option<Arc<Calendar>> {
        self.calendars.get(id).cloned()
    }

    /// All calendars.
    pub fn calendars(&self) -> impl Iterator<Item = &Arc<Calendar>> {
        self.calendars.values()
    }

    fn take_calendars(
        &mut self,
        file: &OrganisationFile,
        calendars: &[CalendarFile],
        faults: &mut Vec<OrganisationError>,
    ) {
        let mut by_id: IndexMap<&str, Vec<&CalendarFile>> = IndexMap::new();
        for calendar in calendars {
            by_id.entry(&calendar.calendar).or_default().push(calendar);
        }
        for (id, mut files) in by_id {
            let zone = CalendarFile {
                calendar: id.to_owned(),
                zone: file.zone.clone(),
                ..CalendarFile::default()
            };
            files.insert(0, &zone);
            match Calendar::build(id, &files) {
                Ok(calendar) => drop(self.calendars.insert(id.to_owned(), Arc::new(calendar))),
                Err(found) => faults.extend(found),
            }
        }
        self.default_calendar = match &file.calendar {
            Some(id) => {
                let found = self.calendars.get(id).cloned();
                if found.is_none() {
                    let place = "the site".to_owned();
                    faults.push(OrganisationError::Unknown {
                        place,
                        kind: "calendar",
                        id: id.clone(),
                    });
                }
                found
            }
            None => self.calendars.values().next().cloned(),
        };
    }

    fn take_units(&mut self, entries: &[UnitEntry], faults: &mut Vec<OrganisationError>) {
        let parents: HashMap<&str, Option<&str>> = entries
            .iter()
            .map(|entry| (entry.id.as_str(), entry.parent.as_deref()))
            .collect();
        for entry in entries {
            let place = || format!("unit `{}`", entry.id);
            let mut unknown = |kind: &'static str, id: &str| {
                faults.push(OrganisationError::Unknown {
                    place: place(),
                    kind,
                    id: id.to_owned(),
                });
            };
            if let Some(parent) = entry
                .parent
                .as_deref()
                .filter(|parent| !parents.contains_key(parent))
            {
                unknown("unit", parent);
            }
            if !self.levels.is_empty() && self.level_rank(&entry.level).is_none() {
                unknown("level", &entry.level);
            }
            if let Some(calendar) = entry
                .calendar
                .as_ref()
                .filter(|id| !self.calendars.contains_key(*id))
            {
                unknown("calendar", calendar);
            }
            let Some(ancestors) = ancestors(&entry.id, &parents) else {
                faults.push(OrganisationError::Cycle(entry.id.clone()));
                continue;
            };
            let unit = Unit {
                id: entry.id.clone(),
                name: entry.name.clone(),
                name_en: entry.en.clone(),
                level: entry.level.clone(),
                parent: entry.parent.clone(),
                calendar: entry.calendar.clone(),
                ancestors,
            };
            insert(&mut self.units, "unit", entry.id.clone(), unit, faults);
        }
    }

    fn take_person(&mut self, entry: &PersonEntry, faults: &mut Vec<OrganisationError>) {
        let place = || format!("person `{}`", entry.id);
        let own = entry.unit.as_deref();
        let roles = memberships(&entry.roles, own);
        let posts = memberships(&entry.posts, own);
        let heads = match &entry.heads {
            None => Vec::new(),
            Some(HeadsEntry::One(unit)) => vec![unit.clone()],
            Some(HeadsEntry::Many(units)) => units.clone(),
        };
        let named = own.into_iter().chain(heads.iter().map(String::as_str));
        let held = roles
            .iter()
            .chain(&posts)
            .filter_map(|membership| membership.unit.as_deref());
        let missing: HashSet<&str> = named
            .chain(held)
            .filter(|unit| !self.units.contains_key(*unit))
            .collect();
        for unit in missing {
            faults.push(OrganisationError::Unknown {
                place: place(),
                kind: "unit",
                id: unit.to_owned(),
            });
        }
        if !self.posts.is_empty() {
            for post in posts
                .iter()
                .filter(|post| !self.posts.contains_key(&post.name))
            {
                faults.push(OrganisationError::Unknown {
                    place: place(),
                    kind: "post",
                    id: post.name.clone(),
                });
            }
        }
        let left_ms = entry
            .left
            .as_ref()
            .and_then(|day| self.day_after(day, &place(), faults));
        for role in &roles {
            hold(&mut self.role_holders, role, &entry.id);
        }
        for post in &posts {
            hold(&mut self.post_holders, post, &entry.id);
        }
        for unit in &heads {
            self.heads
                .entry(unit.clone())
                .or_default()
                .push(entry.id.clone());
        }
        if let Some(unit) = own {
            self.members
                .entry(unit.to_owned())
                .or_default()
                .push(entry.id.clone());
        }
        if let Some(identity) = &entry.identity {
            self.identities.insert(identity.clone(), entry.id.clone());
        }
        let person = Person {
            id: entry.id.clone(),
            name: entry.name.clone(),
            email: entry.email.clone(),
            language: entry.language,
            unit: entry.unit.clone(),
            roles,
            posts,
            heads,
            identity: entry.identity.clone(),
            left_ms,
        };
        insert(&mut self.people, "person", entry.id.clone(), person, faults);
    }

    fn take_absence(&mut self, entry: &AbsenceEntry, faults: &mut Vec<OrganisationError>) {
        let place = format!("absence of `{}`", entry.person);
        for id in std::iter::once(&entry.person)
            .chain(&entry.agent)
            .filter(|id| !self.people.contains_key(*id))
        {
            faults.push(OrganisationError::Unknown {
                place: place.clone(),
                kind: "person",
                id: id.clone(),
            });
        }
        let to_ms = entry
            .to
            .as_ref()
            .and_then(|day| self.day_after(day, &place, faults));
        let Ok(from) = entry.from.parse() else {
            faults.push(unreadable_date(place, &entry.from));
            return;
        };
        let from_ms = self.calendar(None).day_start_ms(from);
        let (person, agent, of) = (entry.person.clone(), entry.agent.clone(), entry.of.clone());
        self.add_absence(Absence {
            person,
            agent,
            from_ms,
            to_ms,
            of,
        });
    }

    fn take_rights(
        &mut self,
        pack: Option<&str>,
        rights: &[RightEntry],
        faults: &mut Vec<OrganisationError>,
    ) {
        for entry in rights {
            match RightRule::read(entry, pack) {
                Ok(rule) => self.rules.push(rule),
                Err(found) => faults.extend(found),
            }
        }
    }

    /// The first instant after a local day.
    fn day_after(
        &self,
        day: &str,
        place: &str,
        faults: &mut Vec<OrganisationError>,
    ) -> Option<i64> {
        match day.parse() {
            Ok(date) => Some(self.calendar(None).day_end_ms(date) + 1),
            Err(_) => {
                faults.push(unreadable_date(place.to_owned(), day));
                None
            }
        }
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

fn unreadable_date(place: String, found: &str) -> OrganisationError {
    OrganisationError::Unreadable {
        place,
        expected: "a date such as 2026-06-30",
        found: found.to_owned(),
    }
}

fn insert<T>(
    into: &mut IndexMap<String, T>,
    kind: &'static str,
    id: String,
    entry: T,
    faults: &mut Vec<OrganisationError>,
) {
    if into.contains_key(&id) {
        faults.push(OrganisationError::Duplicate { kind, id });
    } else {
        into.insert(id, entry);
    }
}

fn memberships(entries: &[MembershipEntry], own: Option<&str>) -> Vec<Membership> {
    let membership = |entry: &MembershipEntry| match entry {
        MembershipEntry::Own(name) => Membership {
            name: name.clone(),
            unit: own.map(str::to_owned),
        },
        MembershipEntry::Role { role: name, unit } | MembershipEntry::Post { post: name, unit } => {
            Membership {
                name: name.clone(),
                unit: Some(unit.clone()),
            }
        }
    };
    entries.iter().map(membership).collect()
}

fn hold(into: &mut Holders, membership: &Membership, person: &str) {
    into.entry(membership.name.clone())
        .or_default()
        .push((membership.unit.clone(), person.to_owned()));
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

fn ancestors(unit: &str, parents: &HashMap<&str, Option<&str>>) -> Option<Vec<String>> {
    let mut above: Vec<String> = Vec::new();
    let mut at = parents.get(unit).copied().flatten();
    while let Some(parent) = at {
        if parent == unit || above.iter().any(|seen| seen == parent) {
            return None;
        }
        above.push(parent.to_owned());
        at = parents.get(parent).copied().flatten();
    }
    Some(above)
}
