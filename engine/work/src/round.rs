//! The rounds of an item: how one begins, and what it keeps of the one before.

use std::sync::Arc;

use tongban_expr::{Value, value};

use crate::clock::Clock;
use crate::desk::{Desk, decision_row, note};
use crate::item::{Decision, Item, Kind, RoundEnd, Status};
use crate::rung::{Does, Rung};
use crate::seat::{Automatic, Seat};
use crate::spec::{Mode, RepeatRule, Spec};
use crate::timing::{CORRECTION, owner_of};
use crate::{Channel, MailKind, Opening, Out, Resume, Signing, WorkError, World};

impl Desk {
    /// Starts a round: rules that answer by themselves, the clock, mails.
    pub(crate) fn begin(
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
        let direct = self
            .returns
            .iter()
            .any(|given| given.from_n == n && given.resume == Resume::Direct);
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

    /// A parallel branch is entered again: the item goes on as it was.
    pub(crate) fn keep_open(
        &mut self,
        index: usize,
        opening: Opening,
        world: &World<'_>,
    ) -> Vec<Out> {
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

    pub(crate) fn own_clock(
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
                Some(name) => Err(crate::arguments::argument(
                    name,
                    "wants a `due` beside it, found none".into(),
                )),
                None => Ok(None),
            };
        }
        let mut clock = Clock::read(self.clock_id(n), &opening.place, Some(n), args, None, world)?;
        let hands_on = |rung: &Rung| !rung.transfer.is_empty();
        if !spec.mode.hands_on() && clock.rungs.iter().any(hands_on) {
            let why = "`transfer`: who votes is fixed when the vote opens; remind or escalate";
            return Err(crate::arguments::argument("escalate", why.into()));
        }
        clock.title.clone_from(&opening.title);
        clock.basis = None;
        clock.stops = vec![CORRECTION.to_owned()];
        if let Some(outcome) = &spec.timeout {
            clock
                .rungs
                .push(Rung::at_end("timeout", Does::Timeout(outcome.clone())));
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
pub(crate) fn next_round(item: &mut Item, old: &mut Item, signing: Signing) {
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
