//! Who may do what with each field of a form at one step: read, edit, hide, require.

use std::collections::BTreeSet;

/// What a person may do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldAccess {
    /// The field is not shown and not accepted.
    Hide,
    /// The field is shown and not accepted.
    Read,
    /// The field is asked.
    Edit,
}

/// The rights on the fields of one form: a default and exceptions by schema path.
#[derive(Debug, Clone)]
pub struct Access {
    everything: FieldAccess,
    read: BTreeSet<String>,
    edit: BTreeSet<String>,
    hide: BTreeSet<String>,
    require: BTreeSet<String>,
    masked: bool,
}

impl Access {
    /// Every field is asked: a form that a person fills in for himself.
    pub fn edit_all() -> Self {
        Self::new(FieldAccess::Edit, false)
    }

    /// Every field is shown, with masks: a form that somebody looks at.
    pub fn read_all() -> Self {
        Self::new(FieldAccess::Read, true)
    }

    fn new(everything: FieldAccess, masked: bool) -> Self {
        Self {
            everything,
            read: BTreeSet::new(),
            edit: BTreeSet::new(),
            hide: BTreeSet::new(),
            require: BTreeSet::new(),
            masked,
        }
    }

    /// Adds the lists of a step's `fields`; rows may be written `members[].name` or `members.name`.
    #[must_use]
    pub fn with(
        mut self,
        read: &[String],
        edit: &[String],
        hide: &[String],
        require: &[String],
    ) -> Self {
        let normal = |list: &[String]| {
            list.iter()
                .map(|path| schema_path(path))
                .collect::<Vec<_>>()
        };
        self.read.extend(normal(read));
        self.edit.extend(normal(edit));
        self.hide.extend(normal(hide));
        self.require.extend(normal(require));
        self
    }

    /// Shows values in full: the reader is the applicant, or asked to see them.
    #[must_use]
    pub fn unmasked(mut self) -> Self {
        self.masked = false;
        self
    }

    /// Whether values that are only read are masked.
    pub fn masks(&self) -> bool {
        self.masked
    }

    /// What may be done with the field at a schema path. The nearest mark wins; of two at the same
    /// place `hide` wins over `edit`, and `edit` over `read`.
    pub fn of(&self, path: &str) -> FieldAccess {
        let mut at = path;
        loop {
            if self.hide.contains(at) {
                return FieldAccess::Hide;
            }
            if self.edit.contains(at) || (at == path && self.require.contains(at)) {
                return FieldAccess::Edit;
            }
            if self.read.contains(at) {
                return FieldAccess::Read;
            }
            match at.rsplit_once('.') {
                Some((parent, _)) => at = parent,
                None => return self.everything,
            }
        }
    }

    /// Whether a step demands an answer that the schema leaves optional.
    pub fn requires(&self, path: &str) -> bool {
        self.require.contains(path)
    }

    /// Whether anything at or below a path is asked.
    pub fn edits_within(&self, path: &str) -> bool {
        if self.of(path) == FieldAccess::Edit {
            return true;
        }
        self.of(path) != FieldAccess::Hide
            && self.edit.iter().chain(&self.require).any(|marked| {
                marked
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('.'))
                    && self.of(marked) == FieldAccess::Edit
            })
    }

    /// Whether anything at all is asked.
    pub fn edits_anything(&self) -> bool {
        self.everything == FieldAccess::Edit || !self.edit.is_empty() || !self.require.is_empty()
    }
}

/// A path without row numbers: `members[0].name` and `members[].name` become `members.name`.
pub fn schema_path(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut inside = false;
    for character in path.chars() {
        match character {
            '[' => inside = true,
            ']' => inside = false,
            other if !inside => plain.push(other),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn the_nearest_mark_decides_and_hiding_wins() {
        let access = Access::read_all().with(
            &list(&["scope.rows"]),
            &list(&["scope", "members[].name"]),
            &list(&["members.id", "secret"]),
            &[],
        );
        assert_eq!(access.of("scope.items"), FieldAccess::Edit);
        assert_eq!(access.of("scope.rows"), FieldAccess::Read);
        assert_eq!(access.of("members.id"), FieldAccess::Hide);
        assert_eq!(access.of("members.name"), FieldAccess::Edit);
        assert_eq!(access.of("members"), FieldAccess::Read);
        assert_eq!(access.of("secret.inner"), FieldAccess::Hide);
        assert!(access.edits_within("members") && !access.edits_within("purpose"));
    }

    #[test]
    fn a_required_field_is_asked_even_where_the_rest_is_read() {
        let access = Access::read_all().with(&[], &[], &[], &list(&["classification"]));
        assert_eq!(access.of("classification"), FieldAccess::Edit);
        assert!(access.requires("classification"));
        assert_eq!(access.of("name"), FieldAccess::Read);
    }
}
