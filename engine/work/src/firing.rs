//! Rungs that come due: who is told, and what is handed on when nobody answered.

use tongban_expr::value;
use tongban_org::{Principal, ResolveCase, Selector};

use crate::clock::{Clock, lies_under};
use crate::desk::{Desk, note, unresolved};
use crate::item::{Item, Kind, Status};
use crate::rung::{Does, Rung};
use crate::seat::{Seat, agents};
use crate::{Card, MailKind, MailRequest, Out, World};

impl Desk {
    /// Fires everything that is due, in the order in which it was due.
    pub fn due(&mut self, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        if self.suspended {
            return outs;
        }
        if self
            .agents_change_ms
            .is_some_and(|at_ms| at_ms <= world.now_ms)
        {
            self.find_agents_again(world, &mut outs);
        }
        while let Some((clock, rung)) = self.first_due(world.now_ms) {
            self.fire(clock, rung, world, &mut outs);
        }
        self.look_ahead(world);
        outs
    }

    fn first_due(&self, now_ms: i64) -> Option<(usize, usize)> {
        let mut first: Option<(i64, usize, usize)> = None;
        for (at, clock) in self
            .clocks
            .iter()
            .enumerate()
            .filter(|(_, clock)| clock.is_running())
        {
            for (index, rung) in clock.rungs.iter().enumerate() {
                let due = rung
                    .due_ms
                    .filter(|due| rung.fired_ms.is_none() && *due <= now_ms);
                if let Some(due) =
                    due.filter(|due| first.is_none_or(|(earliest, ..)| *due < earliest))
                {
                    first = Some((due, at, index));
                }
            }
        }
        first.map(|(_, clock, rung)| (clock, rung))
    }

    fn fire(&mut self, clock: usize, index: usize, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(found) = self.clocks.get_mut(clock) else {
            return;
        };
        let Some(rung) = found.rungs.get_mut(index) else {
            return;
        };
        rung.fired_ms = Some(world.now_ms);
        let rung = rung.clone();
        found.card = found.card.max(rung.card);
        let item = found.item;
        if let Some(next) = rung.next(world.now_ms) {
            found.rungs.push(next);
            found.reckon(world);
        }
        let card = rung
            .card
            .map(|card| card.word().to_owned())
            .unwrap_or_default();
        self.entry(
            clock,
            "rung",
            Some(rung.id.clone()),
            card,
            "system",
            world,
            outs,
        );
        match (&rung.does, item) {
            (Does::Remind | Does::Escalate, _) => {
                self.tell(clock, &rung, world, outs);
                self.hand_on(clock, &rung, world, outs);
            }
            (Does::Timeout(outcome), Some(n)) => self.time_out(n, outcome, world, outs),
            (Does::End, Some(n)) => self.notice_end(n, world, outs),
            (Does::Timeout(_) | Does::End, None) => {}
        }
    }

    /// Tells those whom the rung names, or whoever holds the work up.
    fn tell(&mut self, clock: usize, rung: &Rung, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(clock) = self.clocks.get(clock) else {
            return;
        };
        let (kind, word) = match rung.card {
            Some(_) => (MailKind::Card, "card"),
            None => (MailKind::Reminder, "reminded"),
        };
        let calendar = world.org.calendar(clock.unit.as_deref());
        let data = value!({
            "clock": clock.title.clone(),
            "due": calendar.date_of(clock.due_ms).to_string(),
            "dueAt": calendar.iso(clock.due_ms),
            "provisional": clock.provisional,
            "card": rung.card.map(Card::word),
            "basis": clock.basis.clone(),
        });
        let link = rung.to.is_empty();
        for (to, n, round, title) in self.told_by(clock, rung, world) {
            let data = data.clone().with("title", title);
            outs.push(Out::Mail(MailRequest {
                to,
                kind,
                template: rung.template.clone(),
                n,
                round,
                link,
                data,
            }));
        }
        for selector in &rung.to {
            if let Selector::Late(level) = selector {
                outs.push(Out::Late {
                    clock: clock.id.clone(),
                    place: clock.place.clone(),
                    level: level.clone(),
                    rung: rung.id.clone(),
                    card: rung.card,
                });
            }
        }
        let data = value!({"clock": clock.id.clone(), "rung": rung.id.clone(), "card": rung.card.map(Card::word)});
        outs.push(note(clock.item, word, "system", world, data));
    }

    /// Whom a rung tells: (person, item, round, title).
    fn told_by(
        &self,
        clock: &Clock,
        rung: &Rung,
        world: &World<'_>,
    ) -> Vec<(String, Option<u32>, u32, String)> {
        let mut told: Vec<(String, Option<u32>, u32, String)> = Vec::new();
        if rung.to.is_empty() {
            let waiting = self.items.iter().filter(|item| match clock.item {
                Some(n) => item.n == n,
                None => lies_under(&item.place, &clock.place),
            });
            for item in waiting {
                for (person, _) in item.current() {
                    if !told.iter().any(|(seen, ..)| seen == person) {
                        told.push((
                            person.to_owned(),
                            Some(item.n),
                            item.round,
                            item.title.clone(),
                        ));
                    }
                }
            }
            return told;
        }
        let case = ResolveCase {
            applicant: world.case.starter.as_deref(),
            applicant_unit: world.case.unit.as_deref(),
            chosen: &[],
            now_ms: world.now_ms,
        };
        let title = clock.title.clone().unwrap_or_default();
        let people = world.org.resolve(&rung.to, &case).people();
        people
            .into_iter()
            .map(|person| (person, clock.item, 1, title.clone()))
            .collect()
    }

    /// 超时转办: whatever nobody has answered yet is the work of others from
    /// now on. What was answered stands.
    fn hand_on(&mut self, clock: usize, rung: &Rung, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(clock) = self.clocks.get(clock).filter(|_| !rung.transfer.is_empty()) else {
            return;
        };
        let concerned: Vec<usize> = (0..self.items.len())
            .filter(|index| {
                self.items.get(*index).is_some_and(|item| {
                    let under = match clock.item {
                        Some(n) => item.n == n,
                        None => lies_under(&item.place, &clock.place),
                    };
                    under && can_be_handed_on(item)
                })
            })
            .collect();
        let case = ResolveCase {
            applicant: world.case.starter.as_deref(),
            applicant_unit: world.case.unit.as_deref(),
            chosen: &[],
            now_ms: world.now_ms,
        };
        let people = world.org.resolve(&rung.transfer, &case).people();
        for index in concerned {
            self.hand_item_on(index, &people, rung, world, outs);
        }
    }

    fn hand_item_on(
        &mut self,
        index: usize,
        people: &[String],
        rung: &Rung,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get(index) else {
            return;
        };
        let people = fit_to_take_over(item, people, world);
        let (n, round, title) = (item.n, item.round, item.title.clone());
        if people.is_empty() {
            let fault = format!("rung `{}`: nobody is left to take it over", rung.id);
            outs.push(unresolved(n, fault, world));
            return;
        }
        let open: Vec<u32> = item
            .seats
            .iter()
            .filter(|seat| !item.is_done(seat))
            .map(|seat| seat.id)
            .collect();
        let mut from: Vec<String> = Vec::new();
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        for seat in item.seats.iter_mut().filter(|seat| open.contains(&seat.id)) {
            from.extend(take_over(seat, &people, world));
        }
        from.dedup();
        let told: Vec<String> = item
            .current()
            .into_iter()
            .map(|(person, _)| person.to_owned())
            .filter(|person| !from.contains(person))
            .collect();
        let listed = |people: &[String]| people.join(", ");
        let data = value!({"from": listed(&from), "to": listed(&people), "rung": rung.id.clone()});
        outs.push(note(Some(n), "transferred", "system", world, data));
        for to in told {
            outs.push(Out::Party {
                principal: Principal::Person(to.clone()),
                why: "signer".to_owned(),
            });
            let data = value!({"title": title.clone(), "kind": "transfer"});
            outs.push(Out::mail(to, MailKind::Handed, n, round, data));
        }
    }
}

/// Those who may take an item over: not the applicant where he may not decide, and nobody who has decided.
fn fit_to_take_over(item: &Item, people: &[String], world: &World<'_>) -> Vec<String> {
    let own =
        |person: &String| item.bars_applicant() && world.case.starter.as_ref() == Some(person);
    let decided = |person: &String| {
        let by =
            |decision: &crate::Decision| decision.signer == *person || decision.person == *person;
        item.decisions.iter().any(by)
    };
    people
        .iter()
        .filter(|person| !own(person) && !decided(person))
        .cloned()
        .collect()
}

/// The electorate of a vote and the units of a group are fixed when it opens.
fn can_be_handed_on(item: &Item) -> bool {
    item.status == Status::Open
        && matches!(item.kind, Kind::Approve | Kind::Collect)
        && item.spec.mode.hands_on()
}

/// Gives a seat to others; who had it comes back.
fn take_over(seat: &mut Seat, people: &[String], world: &World<'_>) -> Vec<String> {
    let before = std::mem::replace(&mut seat.people, people.to_vec());
    seat.agents = agents(&seat.people, world);
    seat.claimed = None;
    seat.opinion = None;
    before
}
