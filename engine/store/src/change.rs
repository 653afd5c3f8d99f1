//! A `Change` is what one activation, or one administrative act, hands over to be committed whole or not at all.

use std::collections::BTreeMap;

pub use crate::bounds::{BLOB_BYTES_MAX, CHANGE_BYTES_MAX};
use crate::error::ChangeError;
use crate::tables::key::KeyRow;
use crate::tables::record::RecordKeyRow;
use crate::write::{Cell, Rows, Write};

/// The table of large values.
const BLOB: &str = "blob";

/// The version on which a change of an instance rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The instance does not exist; its first version is 1.
    New,
    /// The running instance has this version; the next one is one more.
    Running(i64),
    /// The instance ended at this version and is revived.
    Ended(i64),
}

impl Base {
    /// The version that the change makes.
    pub fn next(self) -> i64 {
        match self {
            Base::New => 1,
            Base::Running(version) | Base::Ended(version) => version.saturating_add(1),
        }
    }
}

/// What the instance is after the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It goes on with this state.
    Running {
        /// The format of `body`.
        format: i64,
        /// The state, opaque to the store.
        body: String,
    },
    /// It ended: no row of `instance_state` remains, or is ever made.
    Ended,
}

/// The guarded part of a change: one instance, one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceChange {
    /// The instance.
    pub id: String,
    /// The version that was read.
    pub base: Base,
    /// What comes after.
    pub next: Next,
}

/// A child instance that is born with its parent's change, at version 1.
///
/// Its `InstanceRow`, `HistoryRow` (version 1) and other rows are added to the parent's change like any other rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The fresh id.
    pub id: String,
    /// The format of `body`.
    pub format: i64,
    /// The first state.
    pub body: String,
}

/// What becomes of a guarded record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordNext {
    /// Only the guard: the change holds if the record still has the version that was read.
    Keep,
    /// A new version of the record.
    Put {
        /// The unit to which the record belongs.
        unit_id: Option<String>,
        /// The record's data, JSON.
        body: String,
        /// Where each field came from, JSON.
        provenance: String,
        /// A mark such as `disputed`.
        mark: Option<String>,
        /// All lookup values of the record; former ones are removed.
        keys: Vec<RecordKey>,
    },
    /// The record is removed with its history.
    Gone,
}

/// One value by which a record is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKey {
    /// The declared key or indexed field.
    pub name: String,
    /// Its value as text.
    pub value: String,
    /// Whether no other record of the register may have the same value.
    pub unique: bool,
}

/// A guarded record and what is written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWrite {
    /// The register.
    pub register: String,
    /// The record.
    pub id: String,
    /// The version that was read; 0 when there was no record.
    pub base: i64,
    /// What comes after.
    pub next: RecordNext,
    /// Whether the new version is kept in the record's history.
    pub history: bool,
    /// The instance by which it is written, for that history.
    pub by_instance: Option<String>,
}

impl RecordWrite {
    pub(crate) fn key_rows(&self) -> impl Iterator<Item = RecordKeyRow> + '_ {
        let keys: &[RecordKey] = match &self.next {
            RecordNext::Put { keys, .. } => keys,
            RecordNext::Keep | RecordNext::Gone => &[],
        };
        keys.iter().map(|key| RecordKeyRow {
            register: self.register.clone(),
            name: key.name.clone(),
            value: key.value.clone(),
            slot: if key.unique {
                String::new()
            } else {
                self.id.clone()
            },
            id: self.id.clone(),
        })
    }
}

/// An audit row before it enters the chain of the connection that commits it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at_ms: i64,
    /// Who did it: a person, an API key or `system`.
    pub who: String,
    /// What was done, such as `instance.cancel`.
    pub act: String,
    /// To what: an instance, a unit, a register.
    pub object: String,
    /// Details, JSON.
    pub body: String,
}

/// Everything that one activation or one administrative act wants committed.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The time of the activation; decides which key holders have expired.
    pub at_ms: i64,
    /// The instance, or `None` for a change of the organisation, a session, an import.
    pub instance: Option<InstanceChange>,
    /// Instances born with this change.
    pub children: Vec<Child>,
    /// Keys to take; missing one loses the change.
    pub keys: Vec<KeyRow>,
    /// Guarded records.
    pub records: Vec<RecordWrite>,
    /// Ids of inbox rows of this instance that the change consumed.
    pub inbox_taken: Vec<String>,
    /// Audit rows.
    pub audit: Vec<AuditEntry>,
    /// All other rows.
    pub rows: Rows,
}

impl Change {
    /// Begins a change of an instance.
    pub fn of_instance(id: impl Into<String>, base: Base, next: Next, at_ms: i64) -> Self {
        let instance = Some(InstanceChange {
            id: id.into(),
            base,
            next,
        });
        Self {
            at_ms,
            instance,
            ..Self::default()
        }
    }

    /// Begins a change without an instance.
    pub fn without_instance(at_ms: i64) -> Self {
        Self {
            at_ms,
            ..Self::default()
        }
    }

    /// Adds one row: what it does to its table is said by its type.
    pub fn add<W: Write>(&mut self, row: W) {
        self.rows.add(row);
    }

    /// The instance's id.
    pub fn instance_id(&self) -> Option<&str> {
        self.instance.as_ref().map(|instance| instance.id.as_str())
    }

    /// The bytes of text that the change carries.
    pub fn bytes(&self) -> usize {
        let mut bytes = 0;
        self.each_text(&mut |_, text| bytes += text.len());
        bytes
    }

    /// Checks what the databases would refuse, so that a bad change never meets its neighbours.
    ///
    /// # Errors
    /// Every variant of `ChangeError`.
    pub fn check(&self) -> Result<usize, ChangeError> {
        let (mut bytes, mut blobs, mut nul) = (0, 0, None);
        self.each_text(&mut |place, text| {
            if place == BLOB {
                blobs += text.len();
            } else {
                bytes += text.len();
            }
            if text.as_bytes().contains(&0) {
                nul = Some(place);
            }
        });
        if let Some(place) = nul {
            return Err(ChangeError::Nul(place));
        }
        if bytes > CHANGE_BYTES_MAX {
            return Err(self.too_large(bytes));
        }
        if blobs > BLOB_BYTES_MAX {
            return Err(ChangeError::BlobsTooLarge(blobs));
        }
        let mut records: Vec<(&str, &str)> = self
            .records
            .iter()
            .map(|record| (record.register.as_str(), record.id.as_str()))
            .collect();
        records.sort_unstable();
        let twice = records
            .iter()
            .zip(records.iter().skip(1))
            .find(|(left, right)| left == right);
        if let Some(((_, id), _)) = twice {
            return Err(ChangeError::RecordTwice((*id).to_owned()));
        }
        self.check_ownership()?;
        // A large value fills a batch of its own, and no more of the queue than that.
        Ok(bytes + blobs.min(CHANGE_BYTES_MAX))
    }

    fn too_large(&self, found: usize) -> ChangeError {
        let mut tables: BTreeMap<&'static str, usize> = BTreeMap::new();
        self.each_text(&mut |table, text| *tables.entry(table).or_default() += text.len());
        tables.remove(BLOB);
        let heaviest = tables.into_iter().max_by_key(|(_, bytes)| *bytes);
        let (table, most) = heaviest.unwrap_or_default();
        ChangeError::TooLarge { found, table, most }
    }

    /// Whether rows are left that anyone may claim at once: nobody here was given them by a lease.
    pub(crate) fn leaves_due_rows(&self) -> bool {
        self.rows.batches().iter().any(|batch| {
            let due = batch
                .operation
                .columns
                .iter()
                .position(|(name, _)| *name == "ready_at_ms");
            due.is_some_and(|place| {
                batch.rows().any(
                    |row| matches!(row.get(place), Some(Cell::Int(Some(at))) if *at <= self.at_ms),
                )
            })
        })
    }

    fn check_ownership(&self) -> Result<(), ChangeError> {
        let Some(instance) = &self.instance else {
            return Ok(());
        };
        let own = |id: &str| id == instance.id || self.children.iter().any(|child| child.id == id);
        for batch in self.rows.batches() {
            let Some(place) = crate::tables::order::instance_column(batch.operation) else {
                continue;
            };
            let foreign = batch.rows().any(|row| match row.get(place) {
                Some(Cell::Text(Some(id))) => !own(id),
                _ => false,
            });
            if foreign {
                return Err(ChangeError::Foreign(batch.operation.table));
            }
        }
        let heads = self.rows.of::<crate::tables::instance::InstanceRow>().len();
        let born = self.children.len() + usize::from(instance.base == Base::New);
        if heads < born {
            Err(ChangeError::HeadMissing)
        } else {
            Ok(())
        }
    }

    fn each_text<'a>(&'a self, visit: &mut dyn FnMut(&'static str, &'a str)) {
        if let Some(instance) = &self.instance {
            visit("instance_state", &instance.id);
            if let Next::Running { body, .. } = &instance.next {
                visit("instance_state", body);
            }
        }
        for child in &self.children {
            visit("instance_state", &child.id);
            visit("instance_state", &child.body);
        }
        for key in &self.keys {
            visit("key", &key.scope);
            visit("key", &key.value);
            visit("key", &key.digest);
            key.answer
                .as_deref()
                .into_iter()
                .for_each(|answer| visit("key", answer));
        }
        for record in &self.records {
            visit("record", &record.id);
            if let RecordNext::Put {
                body,
                provenance,
                keys,
                ..
            } = &record.next
            {
                visit("record", body);
                visit("record", provenance);
                keys.iter().for_each(|key| visit("record_key", &key.value));
            }
        }
        for entry in &self.audit {
            [&entry.who, &entry.act, &entry.object, &entry.body]
                .into_iter()
                .for_each(|text| visit("audit", text));
        }
        self.inbox_taken.iter().for_each(|id| visit("inbox", id));
        for batch in self.rows.batches() {
            for cell in &batch.cells {
                if let Cell::Text(Some(text)) = cell {
                    visit(batch.operation.table, text);
                }
            }
        }
    }
}
