//! Handing work over: claim, transfer, delegation, added signers, reminders.

use tongban_expr::value;
use tongban_org::{Function, Principal};

use crate::decide::{filled, wrong};
use crate::desk::{Desk, note};
use crate::item::{Item, Kind, Status};
use crate::seat::{Opinion, SIGNERS_MAX, Seat};
use crate::spec::Mode;
use crate::standing::{Hold, closed, waits};
use crate::{Act, AddWhen, MailKind, Out, Refusal, World};

/// How long after one reminder the next is possible.
pub const URGE_INTERVAL_MS: i64 = 3_600_000;
/// How many reminders an item takes.
pub const URGE_MAX: u32 = 10;

impl Desk {
    pub(crate) fn claim(
        &mut self,
        index: usize,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        let hold = self.hold(item, act, world)?;
        let seat = item.seat(hold.seat).ok_or(Refusal::NotFound)?;
        if seat.claimed.as_ref().is_some_and(|(by, _)| *by == act.who) {
            return Ok(Vec::new());
        }
        if hold.opinion || seat.people.len() + seat.agents.len() < 2 {
            return Err(Refusal::NotClaimable);
        }
        let n = item.n;
        if let Some(seat) = self.seat_mut(index, hold.seat) {
            seat.claimed = Some((act.who.clone(), world.now_ms));
        }
        Ok(vec![note(Some(n), "claimed", &act.who, world, value!({}))])
    }

    pub(crate) fn unclaim(
        &mut self,
        index: usize,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let supervises = self.has_right(&act.who, Function::Supervise, world);
        let item = self.items.get_mut(index).ok_or(Refusal::NotFound)?;
        if item.status != Status::Open {
            return Err(closed(item));
        }
        let n = item.n;
        let own = |seat: &&mut Seat| {
            seat.claimed
                .as_ref()
                .is_some_and(|(by, _)| *by == act.who || supervises)
        };
        let Some(seat) = item.seats.iter_mut().find(own) else {
            return Err(
                match item.seats.iter().find_map(|seat| seat.claimed.clone()) {
                    Some((by, at_ms)) => Refusal::ClaimedBy { by, at_ms },
                    None => Refusal::NotClaimable,
                },
            );
        };
        let by = seat.claimed.take().map(|(by, _)| by);
        Ok(vec![note(
            Some(n),
            "unclaimed",
            &act.who,
            world,
            value!({"claimer": by}),
        )])
    }

    /// 转办: somebody else decides in one's place, for good.
    pub(crate) fn transfer(
        &mut self,
        index: usize,
        act: &Act,
        to: &str,
        comment: Option<&str>,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        let hold = self.hold(item, act, world)?;
        if hold.opinion {
            return Err(Refusal::not_allowed("transfer"));
        }
        fit(item, to, world)?;
        let (n, signer) = (item.n, hold.signer);
        let Some(seat) = self.seat_mut(index, hold.seat) else {
            return Err(Refusal::NotFound);
        };
        match seat.people.iter_mut().find(|person| **person == signer) {
            Some(person) => *person = to.to_owned(),
            None => seat.people.push(to.to_owned()),
        }
        if seat.people.len() > 1 || seat.claimed.is_some() {
            seat.claimed = Some((to.to_owned(), world.now_ms));
        }
        seat.agents.retain(|(_, person)| *person != signer);
        let data = value!({"from": signer, "to": to, "comment": comment});
        let noted = note(Some(n), "transferred", &act.who, world, data);
        Ok(self.handed_to(index, to, act, noted, comment, world))
    }

    /// 委派: asks for an opinion; the owner decides afterwards.
    pub(crate) fn delegate(
        &mut self,
        index: usize,
        act: &Act,
        to: &str,
        comment: Option<&str>,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        if item.kind != Kind::Approve {
            return Err(wrong("delegate", item));
        }
        let hold = self.hold(item, act, world)?;
        fit(item, to, world)?;
        let n = item.n;
        let Some(seat) = self.seat_mut(index, hold.seat) else {
            return Err(Refusal::NotFound);
        };
        // Handed on once more, the opinion still comes back to the first owner.
        let by = seat
            .opinion
            .take()
            .map_or_else(|| act.who.clone(), |opinion| opinion.by);
        seat.opinion = Some(Opinion {
            of: to.to_owned(),
            by,
        });
        let data = value!({"to": to, "comment": comment});
        let noted = note(Some(n), "delegated", &act.who, world, data);
        Ok(self.handed_to(index, to, act, noted, comment, world))
    }

    /// 加签: before oneself, after oneself, or beside all.
    pub(crate) fn add_signer(
        &mut self,
        index: usize,
        act: &Act,
        who: &str,
        when: AddWhen,
        comment: Option<&str>,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        let hold = self.adds(item, act, world)?;
        fit(item, who, world)?;
        let signers: usize = item.seats.iter().map(|seat| seat.people.len()).sum();
        if signers >= SIGNERS_MAX {
            return Err(Refusal::TooManySigners { max: SIGNERS_MAX });
        }
        one_side(item, &act.who, when)?;
        let n = item.n;
        self.place_signer(index, hold.seat, act, who, when);
        let data = value!({"who": who, "comment": comment, "when": when.word()});
        let noted = note(Some(n), "signerAdded", &act.who, world, data);
        match when {
            // He is told when it is his turn.
            AddWhen::After => Ok(vec![noted, party(who)]),
            AddWhen::Before | AddWhen::Beside => {
                Ok(self.handed_to(index, who, act, noted, comment, world))
            }
        }
    }

    /// From which seat a person adds signers. Whoever waits for those that he added before himself may add more.
    ///
    /// # Errors
    /// Why he may not.
    pub(crate) fn adds(&self, item: &Item, act: &Act, world: &World<'_>) -> Result<Hold, Refusal> {
        takes_signers(item)?;
        let hold = self.seated(item, act, world)?;
        if hold.opinion {
            return Err(Refusal::not_allowed("addSigner"));
        }
        let seat = item.seat(hold.seat).ok_or(Refusal::NotFound)?;
        let others = item.turn().filter(|turn| {
            let own = turn.id == seat.id || seat.waits_for.contains(&turn.id);
            item.spec.mode == Mode::Sequence && !own
        });
        match others {
            Some(turn) => Err(waits("turn", turn.people.first())),
            None => Ok(hold),
        }
    }

    fn place_signer(&mut self, index: usize, own: u32, act: &Act, who: &str, when: AddWhen) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        let id = item
            .seats
            .iter()
            .map(|seat| seat.id)
            .max()
            .map_or(0, |id| id + 1);
        let at = item
            .seats
            .iter()
            .position(|seat| seat.id == own)
            .unwrap_or(item.seats.len());
        let waits_for = if when == AddWhen::After {
            vec![own]
        } else {
            Vec::new()
        };
        let seat = Seat {
            id,
            people: vec![who.to_owned()],
            weight: 1,
            added_by: Some(act.who.clone()),
            waits_for,
            ..Seat::default()
        };
        match when {
            AddWhen::Before => {
                if let Some(own) = item.seats.get_mut(at) {
                    own.waits_for.push(id);
                }
                item.seats.insert(at, seat);
            }
            AddWhen::After | AddWhen::Beside => {
                item.seats.insert((at + 1).min(item.seats.len()), seat)
            }
        }
    }

    /// 减签: an added signer leaves before he acted. When nothing is owed any
    /// more the item completes instead of hanging.
    pub(crate) fn remove_signer(
        &mut self,
        index: usize,
        act: &Act,
        who: &str,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let item = self.items.get_mut(index).ok_or(Refusal::NotFound)?;
        if item.status != Status::Open {
            return Err(closed(item));
        }
        let added = |seat: &&Seat| {
            seat.added_by.is_some() && seat.people.iter().any(|person| person == who)
        };
        let seat = item
            .seats
            .iter()
            .find(added)
            .ok_or_else(|| unfit(who, "was not added here"))?;
        if seat.added_by.as_ref() != Some(&act.who) {
            return Err(Refusal::not_allowed("removeSigner"));
        }
        if item.is_done(seat) {
            return Err(Refusal::TooLate {
                why: "he has decided".to_owned(),
            });
        }
        let (n, id) = (item.n, seat.id);
        item.seats.retain(|seat| seat.id != id);
        for seat in &mut item.seats {
            seat.waits_for.retain(|other| *other != id);
        }
        let mut outs = vec![note(
            Some(n),
            "signerRemoved",
            &act.who,
            world,
            value!({"who": who}),
        )];
        self.settle(index, world, &mut outs);
        Ok(outs)
    }

    /// 催办: the applicant or a supervisor reminds whoever holds it up.
    pub(crate) fn urge(
        &mut self,
        index: usize,
        act: &Act,
        comment: &Option<String>,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let starter = world.case.starter.as_deref() == Some(act.who.as_str());
        if !starter && !self.has_right(&act.who, Function::Supervise, world) {
            return Err(Refusal::not_allowed("urge"));
        }
        let item = self.items.get_mut(index).ok_or(Refusal::NotFound)?;
        match item.status {
            Status::Open => {}
            Status::Held => return Err(waits("batch", None)),
            Status::Correcting => return Err(waits("correction", world.case.starter.as_ref())),
            _ => return Err(closed(item)),
        }
        if item.current().iter().all(|(person, _)| *person == act.who) {
            // Whoever has to act himself reminds nobody.
            return Err(Refusal::not_allowed("urge"));
        }
        let (count, last_ms) = item.urged.unwrap_or((0, i64::MIN / 2));
        if count >= URGE_MAX {
            return Err(Refusal::UrgedAlready { again_at_ms: None });
        }
        if world.now_ms - last_ms < URGE_INTERVAL_MS {
            return Err(Refusal::UrgedAlready {
                again_at_ms: Some(last_ms + URGE_INTERVAL_MS),
            });
        }
        item.urged = Some((count + 1, world.now_ms));
        let mut outs = Vec::new();
        let comment = filled(comment);
        let data =
            value!({"title": item.title.clone(), "comment": comment, "by": act.who.as_str()});
        for (person, _) in item.current() {
            let (to, kind) = (person.to_owned(), MailKind::Urge);
            let data = data.clone();
            outs.push(Out::mail(to, kind, item.n, item.round, data));
        }
        outs.push(note(
            Some(item.n),
            "urged",
            &act.who,
            world,
            value!({"comment": comment, "count": count + 1}),
        ));
        Ok(outs)
    }

    fn seat_mut(&mut self, index: usize, id: u32) -> Option<&mut Seat> {
        self.items
            .get_mut(index)?
            .seats
            .iter_mut()
            .find(|seat| seat.id == id)
    }

    /// What follows when somebody has a part in an item from now on: it is noted, he sees the case and is told.
    fn handed_to(
        &self,
        index: usize,
        to: &str,
        act: &Act,
        noted: Out,
        comment: Option<&str>,
        world: &World<'_>,
    ) -> Vec<Out> {
        let Some(item) = self.items.get(index) else {
            return vec![noted];
        };
        let by = world
            .org
            .person(&act.who)
            .map_or_else(|| act.who.clone(), |person| person.name.clone());
        let data = value!({"title": item.title.clone(), "by": by, "comment": comment, "kind": act.what.word()});
        let told = Out::mail(to.to_owned(), MailKind::Handed, item.n, item.round, data);
        vec![noted, party(to), told]
    }
}

fn party(who: &str) -> Out {
    Out::Party {
        principal: Principal::Person(who.to_owned()),
        why: "signer".to_owned(),
    }
}

/// Whether signers may be added to an item: not where the electorate is fixed when it opens.
fn takes_signers(item: &Item) -> Result<(), Refusal> {
    if item.kind != Kind::Approve {
        return Err(wrong("addSigner", item));
    }
    match item.spec.mode {
        Mode::Any | Mode::All | Mode::Sequence => Ok(()),
        Mode::Share | Mode::Count | Mode::Weight | Mode::Group => Err(Refusal::NotSupported {
            what: "an added signer in a vote".to_owned(),
            help: "who votes is fixed when the vote opens, or one voter could fill it with friends: ask for an opinion".to_owned(),
        }),
    }
}

/// One person adds signers before himself or after himself, not both.
fn one_side(item: &Item, by: &str, when: AddWhen) -> Result<(), Refusal> {
    let mut added = item
        .seats
        .iter()
        .filter(|seat| seat.added_by.as_deref() == Some(by));
    let waited_for = |id: u32| item.seats.iter().any(|seat| seat.waits_for.contains(&id));
    let both = match when {
        AddWhen::Before => added.any(|seat| !seat.waits_for.is_empty()),
        AddWhen::After => added.any(|seat| waited_for(seat.id)),
        AddWhen::Beside => false,
    };
    if !both {
        return Ok(());
    }
    Err(Refusal::NotSupported {
        what: "signers before and after at once".to_owned(),
        help: "add all of them on one side".to_owned(),
    })
}

/// Whether somebody may take a part in an item that he has none in yet.
fn fit(item: &Item, who: &str, world: &World<'_>) -> Result<(), Refusal> {
    if !world.org.is_here(who, world.now_ms) {
        return Err(unfit(who, "is not a person here"));
    }
    if item.bars_applicant() && world.case.starter.as_deref() == Some(who) {
        return Err(unfit(who, "is the applicant"));
    }
    let sits = |seat: &Seat| seat.people.iter().any(|person| person == who);
    if item.seats.iter().any(sits) {
        return Err(unfit(who, "has a part in it already"));
    }
    if item.decisions.iter().any(|decision| decision.person == who) {
        return Err(unfit(who, "has decided already"));
    }
    Ok(())
}

fn unfit(who: &str, why: &str) -> Refusal {
    Refusal::UnfitPerson {
        who: who.to_owned(),
        why: why.to_owned(),
    }
}
