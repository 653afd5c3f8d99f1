//! Telling people: whoever may act is told once and becomes a party of the case.

use tongban_expr::value;
use tongban_org::Principal;

use crate::clock::Clock;
use crate::decide::listed;
use crate::desk::{Desk, note};
use crate::item::{Item, Kind};
use crate::seat::agents;
use crate::{MailKind, Out, World};

impl Desk {
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
            "fields": listed(&item.asked),
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
            outs.push(Out::mail(to, kind, n, item.round, data));
        }
        outs.push(note(
            Some(n),
            "opened",
            "system",
            world,
            value!({"round": item.round}),
        ));
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
                    outs.push(Out::mail(to, kind, item.n, item.round, data));
                }
                seat.agents = found;
                let gone = |by: &String| {
                    !seat.people.contains(by) && !seat.agents.iter().any(|(agent, _)| agent == by)
                };
                if seat.claimed.as_ref().is_some_and(|(by, _)| gone(by)) {
                    seat.claimed = None;
                }
            }
        }
    }

    /// Notes when somebody who is asked goes away or comes back next, so that
    /// his agent has the work when it begins and not at the next act.
    pub(crate) fn look_ahead(&mut self, world: &World<'_>) {
        let workflow = &world.case.workflow;
        let live = self.items.iter().filter(|item| item.status.is_live());
        self.agents_change_ms = live
            .flat_map(|item| item.seats.iter().filter(|seat| !item.is_done(seat)))
            .flat_map(|seat| &seat.people)
            .filter_map(|person| world.org.next_absence_ms(person, workflow, world.now_ms))
            .min();
    }

    /// The nearest deadline over an item: its own, its stages', the case's.
    /// While any of them runs, one that stands still does not press. A notice
    /// ends with its own time, whatever else runs meanwhile.
    pub(crate) fn nearest_due(&self, item: &Item) -> Option<(i64, bool)> {
        let over = |clock: &&Clock| {
            clock.closed_ms.is_none()
                && clock.item.map_or_else(
                    || item.kind != Kind::Notice && clock.is_over(&item.place),
                    |n| n == item.n,
                )
        };
        let due = |clock: &Clock| (clock.due_ms, clock.provisional);
        let open = || self.clocks.iter().filter(over);
        let running = open().filter(|clock| clock.is_running()).map(due).min();
        running.or_else(|| open().map(due).min())
    }
}
