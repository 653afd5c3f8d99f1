//! The desk: the people's side of one case. Opening and closing of items
//! stands here; deciding, sending back, handing over and timing in their own files.

use serde::{Deserialize, Serialize};
use tongban_expr::{Value, value};
use tongban_org::{ResolveCase, Selector};

use crate::clock::Clock;
use crate::item::{Decision, Item, Kind, Status};
use crate::round::{new_item, next_round};
use crate::seat::{Seating, SeatingCase};
use crate::spec::Spec;
use crate::{
    AskApplicant, DecisionRow, Difference, MailKind, Note, Opening, Out, Reopen, Resume, Signing,
    WorkError, World,
};

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
    /// Opens the work of a task, or the next round of it.
    ///
    /// # Errors
    /// [`WorkError`]: the task faults, and the desk is unchanged.
    pub fn open(&mut self, opening: Opening, world: &World<'_>) -> Result<Vec<Out>, WorkError> {
        let kind = match opening.function.as_str() {
            "approve" => Kind::Approve,
            "collect" => Kind::Collect,
            "notice" => return self.open_notice(opening, world),
            other => {
                let reason = format!("expected approve, collect or notice, found `{other}`");
                return Err(crate::arguments::argument("call", reason));
            }
        };
        let spec = Spec::parse(&opening.function, &opening.args)?;
        self.keep_figures(kind, &spec, world)?;
        let former = match opening.reopen {
            Reopen::Fresh => None,
            _ => self
                .items
                .iter()
                .rposition(|item| item.place == opening.place && item.kind == kind),
        };
        if let (Reopen::Keep, Some(index)) = (opening.reopen, former) {
            return Ok(self.keep_open(index, opening, world));
        }
        let by_return = former.is_some();
        let seating = self.seat(&spec, &opening.path, by_return, world)?;
        let n = former
            .and_then(|index| self.items.get(index))
            .map_or_else(|| self.next_n(), |item| item.n);
        let clock = self.own_clock(n, &spec, &opening, world)?;
        let mut outs = Vec::new();
        let mut item = new_item(n, kind, spec, &opening, world);
        item.by_return = by_return;
        let fill = world.forms.completed(
            item.spec.form.as_ref().unwrap_or(&Value::Null),
            opening.args.get("data").unwrap_or(&Value::Null),
        );
        item.data = if kind == Kind::Collect {
            fill
        } else {
            Value::Null
        };
        item.seats = seating.seats;
        match former {
            Some(index) => {
                let signing = match opening.reopen {
                    Reopen::Round { signing } => signing,
                    _ => Signing::All,
                };
                // Entered again while it was live: its clock and grounds end with the old round.
                self.end_of_item(n, world, &mut outs);
                if let Some(old) = self.items.get_mut(index) {
                    next_round(&mut item, old, signing);
                    *old = item;
                }
            }
            None => self.items.push(item),
        }
        for fault in seating.faults {
            outs.push(note(
                Some(n),
                "unresolved",
                "system",
                world,
                value!({"fault": fault}),
            ));
        }
        self.begin(n, seating.automatic, clock, world, &mut outs);
        self.look_ahead(world);
        Ok(outs)
    }

    /// The applicant gets the case back: opens the form of the start, filled
    /// with the current one, with the fields and reasons that were marked.
    ///
    /// # Errors
    /// [`WorkError::Nobody`] when the case has no applicant.
    pub fn ask_applicant(
        &mut self,
        ask: AskApplicant,
        world: &World<'_>,
    ) -> Result<Vec<Out>, WorkError> {
        let mut outs = Vec::new();
        let n = self.applicant_item(&ask.run_id, String::new(), None, world)?;
        if let Some(item) = self.items.last_mut() {
            item.kind = Kind::Resubmit;
            item.asked = ask.fields;
            item.words = Some(ask.comment);
        }
        self.announce(n, MailKind::Correction, world, &mut outs);
        self.look_ahead(world);
        Ok(outs)
    }

    /// Closes the work of a run id because its task ended otherwise. What is
    /// closed already stays as it is.
    pub fn close(&mut self, run_id: &str, why: &str, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        let concerned: Vec<u32> = self
            .items
            .iter()
            .filter(|item| item.run_id == run_id)
            .map(|item| item.n)
            .collect();
        for n in concerned {
            self.shut(n, why, None, world, &mut outs);
        }
        outs
    }

    /// A held item opens: the cases of its batch have arrived.
    pub fn release(&mut self, n: u32, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        let Some(item) = self.item_mut(n).filter(|item| item.status == Status::Held) else {
            return outs;
        };
        item.status = Status::Open;
        item.opened_ms = world.now_ms;
        let calendar_unit = item
            .unit()
            .or(world.case.unit.as_deref())
            .map(str::to_owned);
        // The clock of a held item was read when it was entered; it starts now.
        if let Some(clock) = self
            .clocks
            .iter_mut()
            .find(|clock| clock.item == Some(n) && clock.closed_ms.is_none())
        {
            clock.unit = calendar_unit;
            clock.started_ms = world.now_ms;
            clock.pauses.clear();
            clock.held_by.clear();
            clock.reckon(world);
        }
        self.announce(n, MailKind::Task, world, &mut outs);
        outs
    }

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

    fn seat(
        &self,
        spec: &Spec,
        path: &str,
        by_return: bool,
        world: &World<'_>,
    ) -> Result<Seating, WorkError> {
        let mut barred = Vec::new();
        let mut plain = Vec::new();
        for selector in &spec.except {
            match selector {
                Selector::Decided { step, of: None } => barred.extend(self.deciders(step)),
                Selector::Decided { step, of: Some(of) } => {
                    barred.extend(world.forms.decided(step, of))
                }
                other => plain.push(other.clone()),
            }
        }
        let case = ResolveCase {
            applicant: world.case.starter.as_deref(),
            applicant_unit: world.case.unit.as_deref(),
            chosen: &[],
            now_ms: world.now_ms,
        };
        barred.extend(world.org.resolve(&plain, &case).people());
        SeatingCase {
            spec,
            path,
            by_return,
            barred,
        }
        .seat(world)
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

    /// Only the respondent edits his figures.
    fn keep_figures(&self, kind: Kind, spec: &Spec, world: &World<'_>) -> Result<(), WorkError> {
        if kind != Kind::Approve || spec.fields.edit.is_empty() || spec.to == [Selector::Applicant]
        {
            return Ok(());
        }
        let schema = world
            .case
            .form_ref
            .as_ref()
            .and_then(|form| world.forms.schema(form));
        let Some(schema) = schema else { return Ok(()) };
        match spec
            .fields
            .edit
            .iter()
            .find(|field| crate::field::says(&schema, field, "x-figures"))
        {
            Some(field) => Err(WorkError::Forbidden(format!(
                "`fields.edit` names `{field}`, a respondent's figures: a reviewer returns the form, he never edits it"
            ))),
            None => Ok(()),
        }
    }

    /// Opens an item for the applicant: the whole case (return) or a
    /// correction inside another item (补正).
    pub(crate) fn applicant_item(
        &mut self,
        run_id: &str,
        place: String,
        parent: Option<u32>,
        world: &World<'_>,
    ) -> Result<u32, WorkError> {
        let spec = Spec {
            to: vec![Selector::Applicant],
            self_rule: crate::spec::SelfRule::Allow,
            ..Spec::default()
        };
        let seating = SeatingCase {
            spec: &spec,
            path: "applicant",
            by_return: true,
            barred: Vec::new(),
        }
        .seat(world)?;
        let n = self.next_n();
        let opening = Opening {
            run_id: run_id.to_owned(),
            path: "applicant".to_owned(),
            place,
            function: "applicant".to_owned(),
            args: Value::Null,
            title: Some("补正".to_owned()),
            reopen: Reopen::Fresh,
        };
        let mut item = new_item(n, Kind::Correct, spec, &opening, world);
        item.seats = seating.seats;
        item.parent = parent;
        self.items.push(item);
        Ok(n)
    }

    pub(crate) fn remember(&mut self, change: Change) {
        if self.changes.len() >= CHANGES_MAX {
            self.changes.remove(0);
        }
        self.changes.push(change);
    }
}

impl Item {
    /// The unit that answers, when all seats are of one unit.
    pub fn unit(&self) -> Option<&str> {
        let first = self.seats.first()?.unit.as_deref()?;
        self.seats
            .iter()
            .all(|seat| seat.unit.as_deref() == Some(first))
            .then_some(first)
    }

    /// Whether the applicant is barred from deciding here.
    pub(crate) fn bars_applicant(&self) -> bool {
        let case = SeatingCase {
            spec: &self.spec,
            path: &self.path,
            by_return: self.by_return,
            barred: Vec::new(),
        };
        self.kind == Kind::Approve && case.bars_applicant()
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
