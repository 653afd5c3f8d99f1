//! The desk: the people's side of one case. Opening and closing of items
//! stands here; deciding, sending back, handing over and timing in their own files.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongban_expr::{Value, value};
use tongban_org::{Principal, ResolveCase, Selector};

use crate::clock::Clock;
use crate::item::{Closed, Decision, Item, Kind, RoundEnd, Status};
use crate::seat::{Automatic, Seat, Seating, SeatingCase, agents};
use crate::spec::{Mode, RepeatRule, Spec};
use crate::tally::tally;
use crate::timing::{CORRECTION, owner_of};
use crate::{
    AskApplicant, Channel, DecisionRow, Difference, MailKind, MailRequest, Note, Opening, Out,
    Reopen, Resume, Signing, WorkError, World,
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
/// What a closed item may keep on show; larger values stand with their steps.
const SHOWN_MAX: u64 = 4_096;

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
                return Err(crate::spec::argument("call", reason));
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

    fn own_clock(
        &self,
        n: u32,
        spec: &Spec,
        opening: &Opening,
        world: &World<'_>,
    ) -> Result<Option<Clock>, WorkError> {
        let args = &opening.args;
        let has = |name: &str| args.get(name).is_some_and(|given| !given.is_null());
        if !has("due") {
            let wanting = ["remind", "escalate", "timeout"]
                .into_iter()
                .find(|name| has(name));
            return match wanting {
                Some(name) => Err(crate::spec::argument(
                    name,
                    "wants a `due` beside it, found none".into(),
                )),
                None => Ok(None),
            };
        }
        let mut clock = Clock::read(self.clock_id(n), &opening.place, Some(n), args, None, world)?;
        clock.title.clone_from(&opening.title);
        clock.basis = None;
        clock.stops = vec![CORRECTION.to_owned()];
        if let Some(outcome) = &spec.timeout {
            clock.rungs.push(at_end(
                "timeout",
                crate::clock::Does::Timeout(outcome.clone()),
            ));
        }
        Ok(Some(clock))
    }

    pub(crate) fn clock_id(&self, n: u32) -> String {
        match self
            .clocks
            .iter()
            .filter(|clock| clock.item == Some(n))
            .count()
        {
            0 => owner_of(n),
            used => format!("{}#{}", owner_of(n), used + 1),
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

    /// Starts a round: rules that answer by themselves, the clock, mails.
    fn begin(
        &mut self,
        n: u32,
        automatic: Vec<Automatic>,
        clock: Option<Clock>,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(index) = self.find(n) else { return };
        for automatic in automatic {
            self.answer_by_rule(index, automatic, world, outs);
        }
        self.answer_repeats(index, world, outs);
        self.start_own_clock(n, clock, world, outs);
        self.returns.retain(|given| given.from_n != n);
        if let Some(item) = self.items.get(index) {
            for kept in item
                .decisions
                .iter()
                .filter(|decision| decision.kept_from.is_some())
            {
                outs.push(Out::Decision(decision_row(item, kept, None, None)));
            }
        }
        if self.settle(index, world, outs) {
            return;
        }
        let held = self
            .items
            .get(index)
            .and_then(|item| item.spec.batch.as_ref().map(|batch| (batch, &item.place)));
        let held = held.is_some_and(|(batch, place)| {
            batch.complete && !world.forms.batch_complete(place, &batch.by)
        });
        if held {
            if let Some(item) = self.items.get_mut(index) {
                item.status = Status::Held;
            }
            for clock in self
                .clocks
                .iter_mut()
                .filter(|clock| clock.item == Some(n) && clock.closed_ms.is_none())
            {
                clock.hold("batch", "batch", world.now_ms);
            }
            outs.push(note(Some(n), "held", "system", world, Value::Null));
            return;
        }
        self.announce(n, MailKind::Task, world, outs);
    }

    fn start_own_clock(
        &mut self,
        n: u32,
        clock: Option<Clock>,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(mut clock) = clock else { return };
        // The returner's own clock goes on with what was left when the way back
        // was the direct one, else it starts anew.
        let direct = self.returns.iter().any(|given| given.from_n == n && given.resume == Resume::Direct);
        let former = self.clocks.iter().rposition(|clock| clock.item == Some(n));
        if let Some(index) = former.filter(|_| direct) {
            self.clock_go_on(index, world, outs);
            return;
        }
        clock.unit = self
            .item(n)
            .and_then(Item::unit)
            .or(world.case.unit.as_deref())
            .map(str::to_owned);
        clock.calendar = world.org.calendar(clock.unit.as_deref()).id().to_owned();
        self.clock_start(clock, world, outs);
    }

    fn answer_by_rule(
        &mut self,
        index: usize,
        automatic: Automatic,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get(index) else {
            return;
        };
        let outcome = match automatic.passes {
            true => item.spec.first().to_owned(),
            false => item
                .spec
                .outcomes
                .last()
                .map_or_else(String::new, |outcome| outcome.name.clone()),
        };
        let text = match automatic.rule {
            "self" => "审批人即申请人,按规则跳过",
            "repeat" => "此前已同意,按规则不再重复",
            _ => "无人可办,按规则处理",
        };
        let person = if automatic.rule == "empty" {
            "system".to_owned()
        } else {
            automatic.signer.clone()
        };
        let unit = item.seat(automatic.seat).and_then(|seat| seat.unit.clone());
        let decision = Decision {
            seat: automatic.seat,
            signer: automatic.signer,
            person,
            unit,
            outcome,
            comment: Some(text.to_owned()),
            reason: None,
            data: None,
            at_ms: world.now_ms,
            channel: Channel::System.word().to_owned(),
            kept_from: None,
        };
        outs.push(Out::Decision(decision_row(item, &decision, None, None)));
        let data = value!({"rule": automatic.rule, "signer": decision.signer.clone(), "outcome": decision.outcome.clone()});
        outs.push(note(Some(item.n), "automatic", "system", world, data));
        if let Some(item) = self.items.get_mut(index) {
            item.decisions.push(decision);
        }
    }

    /// 自动去重: whoever approved before is not asked again, where the author says so.
    fn answer_repeats(&mut self, index: usize, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(item) = self.items.get(index) else {
            return;
        };
        if item.spec.repeat == RepeatRule::Ask || item.by_return || item.kind != Kind::Approve {
            return;
        }
        let earlier = self.items.iter().take(index).rev();
        let decided =
            earlier.filter(|other| other.kind == Kind::Approve && other.status == Status::Decided);
        let looked_at = if item.spec.repeat == RepeatRule::Adjacent {
            1
        } else {
            usize::MAX
        };
        let mut approved: Vec<String> = Vec::new();
        for other in decided.take(looked_at) {
            let said = other
                .decisions
                .iter()
                .filter(|decision| decision.outcome == other.spec.first());
            approved.extend(said.map(|decision| decision.signer.clone()));
        }
        let repeats: Vec<Automatic> = item
            .seats
            .iter()
            .filter(|seat| !item.is_done(seat))
            .filter_map(|seat| match seat.people.as_slice() {
                [only] if approved.contains(only) => Some(Automatic {
                    seat: seat.id,
                    signer: only.clone(),
                    passes: true,
                    rule: "repeat",
                }),
                _ => None,
            })
            .collect();
        for repeat in repeats {
            self.answer_by_rule(index, repeat, world, outs);
        }
    }

    /// Completes the item when its answers amount to an outcome.
    pub(crate) fn settle(&mut self, index: usize, world: &World<'_>, outs: &mut Vec<Out>) -> bool {
        let Some(item) = self.items.get(index) else {
            return false;
        };
        let Some(outcome) = tally(item) else {
            return false;
        };
        let deciding = item
            .decisions
            .iter()
            .rev()
            .find(|decision| decision.outcome == outcome);
        let by = deciding.map(|decision| decision.person.clone());
        let output = crate::result::output(item, &outcome, deciding, world);
        self.complete(index, &outcome, by, "decided", output, world, outs);
        true
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one ending")]
    pub(crate) fn complete(
        &mut self,
        index: usize,
        outcome: &str,
        by: Option<String>,
        why: &str,
        output: Value,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        item.status = Status::Decided;
        let (n, run_id) = (item.n, item.run_id.clone());
        item.closed = Some(Closed {
            at_ms: world.now_ms,
            why: why.to_owned(),
            by,
            outcome: Some(outcome.to_owned()),
        });
        slim(item);
        self.end_of_item(n, world, outs);
        outs.push(Out::Completed { run_id, output });
    }

    /// What ends with an item: its clock, its grounds, corrections inside it.
    pub(crate) fn end_of_item(&mut self, n: u32, world: &World<'_>, outs: &mut Vec<Out>) {
        for index in 0..self.clocks.len() {
            if self
                .clocks
                .get(index)
                .is_some_and(|clock| clock.item == Some(n))
            {
                self.clock_end(index, world, outs);
            }
        }
        self.ground_end(&owner_of(n), world, outs);
        let inside: Vec<u32> = self
            .items
            .iter()
            .filter(|item| item.parent == Some(n) && item.status.is_live())
            .map(|item| item.n)
            .collect();
        for child in inside {
            self.shut(child, "closed", None, world, outs);
        }
    }

    /// Closes a live item without an outcome.
    pub(crate) fn shut(
        &mut self,
        n: u32,
        why: &str,
        by: Option<String>,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.item_mut(n) else { return };
        if !item.status.is_live() {
            return;
        }
        item.status = Status::Closed;
        item.closed = Some(Closed {
            at_ms: world.now_ms,
            why: why.to_owned(),
            by: by.clone(),
            outcome: None,
        });
        slim(item);
        self.end_of_item(n, world, outs);
        let by = by.unwrap_or_else(|| "system".to_owned());
        outs.push(note(Some(n), "closed", &by, world, value!({"why": why})));
    }

    /// A parallel branch is entered again: the item goes on as it was.
    fn keep_open(&mut self, index: usize, opening: Opening, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        let Some(item) = self.items.get_mut(index) else {
            return outs;
        };
        item.run_id = opening.run_id;
        item.closed = None;
        item.status = Status::Open;
        let n = item.n;
        let place = item.place.clone();
        if let Some(clock) = self
            .clocks
            .iter()
            .rposition(|clock| clock.item == Some(n) && clock.place == place)
        {
            self.clock_go_on(clock, world, &mut outs);
        }
        outs.push(note(Some(n), "kept", "system", world, Value::Null));
        if !self.settle(index, world, &mut outs) {
            self.announce(n, MailKind::Task, world, &mut outs);
        }
        outs
    }

    /// Tells whoever may act now and makes them parties of the case.
    pub(crate) fn announce(&self, n: u32, kind: MailKind, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(item) = self.item(n) else { return };
        let calendar = world
            .org
            .calendar(item.unit().or(world.case.unit.as_deref()));
        let due = self.nearest_due(item);
        let data = value!({
            "title": item.title.clone(),
            "due": due.map(|(at_ms, _)| calendar.date_of(at_ms).to_string()),
            "dueAt": due.map(|(at_ms, _)| calendar.iso(at_ms)),
            "comment": item.words.clone(),
            "fields": item.asked.iter().map(|(field, text)| value!({"field": field.clone(), "text": text.clone()})).collect::<Vec<_>>(),
        });
        for (person, stands_for) in item.current() {
            let why = if stands_for.is_some() {
                "agent"
            } else {
                "signer"
            };
            outs.push(Out::Party {
                principal: Principal::Person(person.to_owned()),
                why: why.to_owned(),
            });
            let data = match stands_for {
                Some(whom) => data.clone().with("forWhom", whom),
                None => data.clone(),
            };
            let to = person.to_owned();
            outs.push(Out::Mail(MailRequest {
                to,
                kind,
                n: Some(n),
                round: item.round,
                link: true,
                data,
            }));
        }
        outs.push(note(
            Some(n),
            "opened",
            "system",
            world,
            value!({"round": item.round}),
        ));
    }

    /// The nearest deadline over an item: its own, its stages', the case's.
    pub(crate) fn nearest_due(&self, item: &Item) -> Option<(i64, bool)> {
        let open = self.clocks.iter().filter(|clock| clock.closed_ms.is_none());
        let over = open.filter(|clock| {
            clock
                .item
                .map_or_else(|| clock.is_over(&item.place), |n| n == item.n)
        });
        over.map(|clock| (clock.due_ms, clock.provisional)).min()
    }

    pub(crate) fn find_agents_again(&mut self, world: &World<'_>, outs: &mut Vec<Out>) {
        let starter = world.case.starter.as_deref();
        for item in self.items.iter_mut().filter(|item| item.status.is_live()) {
            let barred = item.bars_applicant();
            for seat in &mut item.seats {
                let mut found = agents(&seat.people, world);
                found.retain(|(agent, _)| !(barred && starter == Some(agent.as_str())));
                for (agent, person) in found.iter().filter(|pair| !seat.agents.contains(pair)) {
                    outs.push(Out::Party {
                        principal: Principal::Person(agent.clone()),
                        why: "agent".to_owned(),
                    });
                    let data = value!({"title": item.title.clone(), "forWhom": person.clone()});
                    let (to, kind) = (agent.clone(), MailKind::Task);
                    outs.push(Out::Mail(MailRequest {
                        to,
                        kind,
                        n: Some(item.n),
                        round: item.round,
                        link: true,
                        data,
                    }));
                }
                seat.agents = found;
            }
        }
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

pub(crate) fn at_end(id: &str, does: crate::clock::Does) -> crate::clock::Rung {
    crate::clock::Rung {
        id: id.to_owned(),
        at: tongban_org::Moment::Percent(100),
        does,
        card: None,
        to: Vec::new(),
        due_ms: None,
        fired_ms: None,
    }
}

pub(crate) fn new_item(
    n: u32,
    kind: Kind,
    spec: Spec,
    opening: &Opening,
    world: &World<'_>,
) -> Item {
    let own_title = opening.args.text("title").map(str::to_owned);
    Item {
        n,
        run_id: opening.run_id.clone(),
        path: opening.path.clone(),
        place: opening.place.clone(),
        kind,
        title: own_title
            .or_else(|| opening.title.clone())
            .unwrap_or_else(|| opening.path.clone()),
        spec: Arc::new(spec),
        round: 1,
        status: Status::Open,
        seats: Vec::new(),
        decisions: Vec::new(),
        former: Vec::new(),
        rounds: Vec::new(),
        opened_ms: world.now_ms,
        closed: None,
        data: Value::Null,
        asked: Vec::new(),
        words: None,
        parent: None,
        corrections: 0,
        urged: None,
        objections: Vec::new(),
        by_return: false,
    }
}

/// Carries over what the next round keeps: numbers, the last submission, and
/// the answers that stand by the way of signing.
fn next_round(item: &mut Item, old: &mut Item, signing: Signing) {
    item.round = old.round + 1;
    item.rounds = std::mem::take(&mut old.rounds);
    if item.rounds.iter().all(|end| end.round != old.round) {
        let (at_ms, why, by) = match &old.closed {
            Some(closed) => (closed.at_ms, closed.why.clone(), closed.by.clone()),
            None => (item.opened_ms, "entered again".to_owned(), None),
        };
        item.rounds.push(RoundEnd {
            round: old.round,
            why,
            by,
            at_ms,
        });
    }
    item.corrections = old.corrections;
    if item.kind == Kind::Collect && !old.data.is_null() {
        item.data = std::mem::take(&mut old.data);
    }
    item.former = std::mem::take(&mut old.decisions);
    let returner = item.round_end(old.round).and_then(|end| end.by.clone());
    if signing == Signing::All || item.kind != Kind::Approve {
        return;
    }
    if item.spec.mode == Mode::Any {
        if let (Signing::Returner, Some(returner)) = (signing, returner) {
            narrow(&mut item.seats, &returner);
        }
        return;
    }
    let first = item.spec.first().to_owned();
    for decision in &item.former {
        let stands = match signing {
            Signing::Returner => {
                Some(&decision.person) != returner.as_ref()
                    && Some(&decision.signer) != returner.as_ref()
            }
            _ => decision.outcome == first,
        };
        let seat = item
            .seats
            .iter()
            .find(|seat| seat.people.contains(&decision.signer));
        if let Some(seat) = seat.filter(|_| stands) {
            let kept_from = Some(decision.kept_from.unwrap_or(old.round));
            item.decisions.push(Decision {
                seat: seat.id,
                kept_from,
                ..decision.clone()
            });
        }
    }
}

fn narrow(seats: &mut [Seat], to: &str) {
    for seat in seats {
        let agent = seat.agents.iter().any(|(agent, _)| agent == to);
        if seat.people.iter().any(|person| person == to) || agent {
            seat.people.retain(|person| person == to || agent);
        }
    }
}

/// A closed item keeps what a reader needs, not copies of what other steps hold.
fn slim(item: &mut Item) {
    if item.spec.show.weight() > SHOWN_MAX {
        let mut spec = (*item.spec).clone();
        spec.show = Value::Null;
        item.spec = Arc::new(spec);
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
