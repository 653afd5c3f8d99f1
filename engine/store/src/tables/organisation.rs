//! The organisation. Rows are closed by dates, never deleted; days are ISO texts, `None` is open.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `unit`.
    UnitRow: Upsert "unit" key(id) {
        /// The unit.
        id: String,
        /// The unit above it.
        parent_id: Option<String>,
        /// Its name.
        name: String,
        /// Its level, such as `district`.
        level: String,
        /// Further properties, JSON.
        body: String,
        /// First day.
        from_day: Option<String>,
        /// Last day.
        until_day: Option<String>,
    }
    /// A row of `unit_ancestor`; every unit is its own ancestor at distance 0.
    UnitAncestorRow: Upsert "unit_ancestor" key(unit_id, ancestor_id) {
        /// The unit.
        unit_id: String,
        /// The unit at or above it.
        ancestor_id: String,
        /// Steps between them.
        distance: i64,
    }
    /// The ancestors of a unit that moved.
    UnitAncestorsGone: Delete "unit_ancestor" key(unit_id) {
        /// The unit.
        unit_id: String,
    }
    /// A row of `person`.
    PersonRow: Upsert "person" key(id) {
        /// The person.
        id: String,
        /// Their name.
        name: String,
        /// The sign-in name.
        login: Option<String>,
        /// Their mail address.
        mail: Option<String>,
        /// `zh` or `en`.
        language: Option<String>,
        /// Further properties, JSON.
        body: String,
        /// First day.
        from_day: Option<String>,
        /// Last day.
        until_day: Option<String>,
    }
    /// A row of `post`.
    PostRow: Upsert "post" key(id) {
        /// The post.
        id: String,
        /// The unit.
        unit_id: String,
        /// Its name.
        name: String,
        /// 1 for the head of the unit.
        head: i64,
        /// Further properties, JSON.
        body: String,
    }
    /// A row of `membership`: a person at a unit, on a post, in a role.
    MembershipRow: Upsert "membership" key(id) {
        /// The membership.
        id: String,
        /// The person.
        person_id: String,
        /// The unit.
        unit_id: String,
        /// The post.
        post_id: Option<String>,
        /// The role.
        role: Option<String>,
        /// 1 for the person's main unit.
        main: i64,
        /// Further properties, JSON.
        body: String,
        /// First day.
        from_day: Option<String>,
        /// Last day.
        until_day: Option<String>,
    }
    /// A membership that was entered by mistake.
    MembershipGone: Delete "membership" key(id) {
        /// The membership.
        id: String,
    }
    /// A row of `role`.
    RoleRow: Upsert "role" key(id) {
        /// The role.
        id: String,
        /// Its name.
        name: String,
        /// Further properties, JSON.
        body: String,
    }
    /// A row of `absence`.
    AbsenceRow: Upsert "absence" key(id) {
        /// The absence.
        id: String,
        /// The person who is away.
        person_id: String,
        /// From when.
        from_ms: i64,
        /// Until when.
        until_ms: Option<i64>,
        /// Who stands in.
        substitute_id: Option<String>,
        /// For what, JSON.
        body: String,
    }
    /// An absence that was called off.
    AbsenceGone: Delete "absence" key(id) {
        /// The absence.
        id: String,
    }
    /// A row of `calendar_day`.
    CalendarDayRow: Upsert "calendar_day" key(calendar, day) {
        /// The calendar.
        calendar: String,
        /// The day, ISO.
        day: String,
        /// `off`, `work` and so on.
        kind: String,
        /// What it is called.
        name: Option<String>,
        /// Working hours other than usual, JSON.
        hours: Option<String>,
    }
    /// A row of `right_rule`.
    RightRuleRow: Upsert "right_rule" key(id) {
        /// The rule.
        id: String,
        /// A person, a post, a role.
        principal: String,
        /// What may be done.
        function: String,
        /// In which subtree.
        unit_id: Option<String>,
        /// With which workflow or form.
        form: Option<String>,
        /// Further limits, JSON.
        scope: String,
    }
    /// A rule that no longer holds.
    RightRuleGone: Delete "right_rule" key(id) {
        /// The rule.
        id: String,
    }
}

statements! {
    UNITS = same("SELECT id, parent_id, name, level, body, from_day, until_day FROM unit ORDER BY id");
    PEOPLE = same("SELECT id, name, login, mail, language, body, from_day, until_day FROM person ORDER BY id");
    POSTS = same("SELECT id, unit_id, name, head, body FROM post ORDER BY id");
    MEMBERSHIPS = same(
        "SELECT id, person_id, unit_id, post_id, role, main, body, from_day, until_day FROM membership ORDER BY id");
    ROLES = same("SELECT id, name, body FROM role ORDER BY id");
    ABSENCES = same("SELECT id, person_id, from_ms, until_ms, substitute_id, body FROM absence ORDER BY id");
    DAYS = same("SELECT calendar, day, kind, name, hours FROM calendar_day ORDER BY calendar, day");
    RIGHT_RULES = same("SELECT id, principal, function, unit_id, form, scope FROM right_rule ORDER BY id");
    PERSON_BY_LOGIN = same(
        "SELECT id, name, login, mail, language, body, from_day, until_day FROM person WHERE login = $1");
}

/// The whole organisation as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationRows {
    /// Units.
    pub units: Vec<UnitRow>,
    /// People.
    pub people: Vec<PersonRow>,
    /// Posts.
    pub posts: Vec<PostRow>,
    /// Memberships.
    pub memberships: Vec<MembershipRow>,
    /// Roles.
    pub roles: Vec<RoleRow>,
    /// Absences.
    pub absences: Vec<AbsenceRow>,
    /// Days of the calendars.
    pub days: Vec<CalendarDayRow>,
    /// Rights.
    pub rights: Vec<RightRuleRow>,
}

impl OrganisationRows {
    /// Adds every row to a change, units with their ancestors.
    pub fn add_to(self, change: &mut crate::change::Change) {
        for row in unit_ancestors(&self.units) {
            change.add(row);
        }
        self.units.into_iter().for_each(|row| change.add(row));
        self.people.into_iter().for_each(|row| change.add(row));
        self.posts.into_iter().for_each(|row| change.add(row));
        self.memberships.into_iter().for_each(|row| change.add(row));
        self.roles.into_iter().for_each(|row| change.add(row));
        self.absences.into_iter().for_each(|row| change.add(row));
        self.days.into_iter().for_each(|row| change.add(row));
        self.rights.into_iter().for_each(|row| change.add(row));
    }
}

/// Every pair of a unit and a unit at or above it. A circle ends where it closes.
pub fn unit_ancestors(units: &[UnitRow]) -> Vec<UnitAncestorRow> {
    let parents: std::collections::BTreeMap<&str, Option<&str>> = units
        .iter()
        .map(|unit| (unit.id.as_str(), unit.parent_id.as_deref()))
        .collect();
    let mut rows = Vec::new();
    for unit in units {
        let (mut at, mut distance) = (Some(unit.id.as_str()), 0);
        let most = i64::try_from(units.len()).unwrap_or(i64::MAX);
        while let Some(ancestor) = at.filter(|_| distance < most) {
            rows.push(UnitAncestorRow {
                unit_id: unit.id.clone(),
                ancestor_id: ancestor.to_owned(),
                distance,
            });
            at = parents.get(ancestor).copied().flatten();
            distance += 1;
        }
    }
    rows
}

impl Store {
    /// Loads the organisation. Compare `sequence(ORGANISATION)` to know whether it changed.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn organisation(&self) -> Result<OrganisationRows, StoreError> {
        Ok(OrganisationRows {
            units: self.inner.fetch(|| UNITS.call()).await?,
            people: self.inner.fetch(|| PEOPLE.call()).await?,
            posts: self.inner.fetch(|| POSTS.call()).await?,
            memberships: self.inner.fetch(|| MEMBERSHIPS.call()).await?,
            roles: self.inner.fetch(|| ROLES.call()).await?,
            absences: self.inner.fetch(|| ABSENCES.call()).await?,
            days: self.inner.fetch(|| DAYS.call()).await?,
            rights: self.inner.fetch(|| RIGHT_RULES.call()).await?,
        })
    }

    /// Finds a person by their sign-in name.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn person_by_login(&self, login: &str) -> Result<Option<PersonRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| PERSON_BY_LOGIN.call().text(login))
            .await?
            .pop())
    }
}

/// The sequence that counts changes of the organisation (`Store::sequence_take` after each).
pub const ORGANISATION: &str = "organisation";
