//! The desk: the people's side of one case, and what it can say of itself. What people and
//! tasks do at it stands in files of its own: entering, deciding, returning, handing, timing …

use serde::{Deserialize, Serialize};
use tongban_expr::{Value, value};

use crate::clock::Clock;
use crate::item::{Decision, Item, Kind, Status};
use crate::{DecisionRow, Difference, Note, Out, Resume, World};

/// The people's side of one case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Desk {
    pub(crate) items: Vec<Item>,
    pub(crate) clocks: Vec<Clock>,
    pub(crate) grounds: Vec<Ground>,
    pub(crate) returns: Vec<ActiveReturn>,
    pub(crate) return_count: u32,
    pub(crate) changes: Vec<Change>,
    pub(crate) suspended: bool,
    /// When an absence of somebody who is asked begins or ends next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agents_change_ms: Option<i64>,
}

/// Something on which clocks stand still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ground {
    /// What holds it: `item/n`, `at/PLACE`.
    pub owner: String,
    /// The place; clocks over it are concerned.
    pub place: String,
    /// The word that clocks list in `stops`.
    pub ground: String,
    /// The legal basis.
    pub basis: Option<String>,
    /// Since when.
    pub since_ms: i64,
}

/// A return whose item has not been entered again yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActiveReturn {
    pub from_n: u32,
    pub resume: Resume,
}

/// A change of the form, for whoever reviews it afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The item in which it was made.
    pub n: u32,
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub by: String,
    /// What.
    pub difference: Vec<Difference>,
}

/// Changes that are kept for comparison.
const CHANGES_MAX: usize = 20;

impl Desk {
    /// Decisions are refused and nothing comes due until [`Desk::resume`].
    pub fn suspend(&mut self) {
        self.suspended = true;
    }

    /// Goes on; what came due meanwhile fires at the next [`Desk::due`].
    pub fn resume(&mut self) {
        self.suspended = false;
    }

    /// All items, by number.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// One item.
    pub fn item(&self, n: u32) -> Option<&Item> {
        self.find(n).and_then(|index| self.items.get(index))
    }

    /// Items that wait for somebody.
    pub fn open_items(&self) -> impl Iterator<Item = &Item> {
        self.items
            .iter()
            .filter(|item| item.status == Status::Open && item.kind != Kind::Notice)
    }

    /// All clocks, closed ones too.
    pub fn clocks(&self) -> &[Clock] {
        &self.clocks
    }

    /// How often the case was returned.
    pub fn return_count(&self) -> u32 {
        self.return_count
    }

    /// 补正中 while the applicant has the case back; it goes before the state
    /// that tasks declare.
    pub fn state_word(&self) -> Option<&'static str> {
        let with_applicant = |item: &Item| {
            item.status == Status::Open && matches!(item.kind, Kind::Resubmit | Kind::Correct)
        };
        self.items.iter().any(with_applicant).then_some("补正中")
    }

    /// Whether the applicant has the whole case back, before its first task.
    pub fn is_sent_back(&self) -> bool {
        let back = |item: &Item| item.status == Status::Open && item.kind == Kind::Resubmit;
        self.items.iter().any(back)
    }

    pub(crate) fn find(&self, n: u32) -> Option<usize> {
        self.items.binary_search_by_key(&n, |item| item.n).ok()
    }

    pub(crate) fn item_mut(&mut self, n: u32) -> Option<&mut Item> {
        self.find(n).and_then(|index| self.items.get_mut(index))
    }

    pub(crate) fn next_n(&self) -> u32 {
        self.items.last().map_or(1, |item| item.n + 1)
    }

    /// Who decided a step of this case, for `except: [{ decided: step }]` and
    /// for other cases.
    pub fn deciders(&self, step: &str) -> Vec<String> {
        let of_step = |item: &&Item| item.path == step || item.path.ends_with(&format!("/{step}"));
        let mut people = Vec::new();
        for decision in self
            .items
            .iter()
            .filter(of_step)
            .flat_map(|item| &item.decisions)
        {
            people.push(decision.signer.clone());
            people.push(decision.person.clone());
        }
        people.sort();
        people.dedup();
        people
    }

    pub(crate) fn remember(&mut self, change: Change) {
        if self.changes.len() >= CHANGES_MAX {
            self.changes.remove(0);
        }
        self.changes.push(change);
    }
}

pub(crate) fn note(n: Option<u32>, kind: &str, by: &str, world: &World<'_>, data: Value) -> Out {
    Out::Note(Note {
        n,
        kind: kind.to_owned(),
        by: by.to_owned(),
        at_ms: world.now_ms,
        data,
    })
}

/// A selector, or a rung, named somebody who cannot be found.
pub(crate) fn unresolved(n: u32, fault: String, world: &World<'_>) -> Out {
    note(
        Some(n),
        "unresolved",
        "system",
        world,
        value!({"fault": fault}),
    )
}

pub(crate) fn decision_row(
    item: &Item,
    decision: &Decision,
    form: Option<Value>,
    seen: Option<String>,
) -> DecisionRow {
    DecisionRow {
        n: item.n,
        round: item.round,
        signer_id: decision.signer.clone(),
        person_id: decision.person.clone(),
        for_id: decision.for_id().map(str::to_owned),
        act: decision.outcome.clone(),
        comment: decision.comment.clone(),
        reason: decision.reason.clone(),
        form: form.or_else(|| decision.data.clone()),
        seen_digest: seen,
        channel: decision.channel.clone(),
        at_ms: decision.at_ms,
        kept_from: decision.kept_from,
    }
}
