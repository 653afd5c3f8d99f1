//! Building the snapshot from the settings of a site. Nothing is half built:
//! either all of it is sound, or every fault is reported.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::organisation::Holders;
use crate::settings::{HeadsEntry, MembershipEntry};
use crate::{
    Absence, AbsenceEntry, Calendar, CalendarFile, Level, Membership, Organisation,
    OrganisationError, OrganisationFile, Person, PersonEntry, Post, RightEntry, RightRule, Unit,
    UnitEntry,
};

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
            .filter_map(|held| held.unit.as_deref());
        self.check_person(&place(), named.chain(held).collect(), &posts, faults);
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

    fn check_person(
        &self,
        place: &str,
        units: BTreeSet<&str>,
        posts: &[Membership],
        faults: &mut Vec<OrganisationError>,
    ) {
        let mut unknown = |kind: &'static str, id: &str| {
            faults.push(OrganisationError::Unknown {
                place: place.to_owned(),
                kind,
                id: id.to_owned(),
            });
        };
        for unit in units
            .into_iter()
            .filter(|unit| !self.units.contains_key(*unit))
        {
            unknown("unit", unit);
        }
        // A site that lists no posts may name them freely.
        let known =
            |post: &&Membership| !self.posts.is_empty() && !self.posts.contains_key(&post.name);
        for post in posts.iter().filter(known) {
            unknown("post", &post.name);
        }
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
