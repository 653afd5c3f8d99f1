//! The organisation. Rows are closed by dates, never deleted; days are ISO texts, `None` is open.

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
