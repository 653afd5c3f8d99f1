//! Who stands where: whether a person has anything to do with an item, and which
//! seat he answers from.

use tongban_org::{Function, Object};

use crate::desk::Desk;
use crate::item::{Decision, Item, Status};
use crate::seat::Seat;
use crate::spec::Mode;
use crate::{Act, Refusal, World};

/// A seat that a person may answer from.
pub(crate) struct Hold {
    pub seat: u32,
    /// In whose name the answer counts.
    pub signer: String,
    /// Asked for an opinion only.
    pub opinion: bool,
}

impl Desk {
    /// Whether a person has anything to do with an item; all others are told
    /// that there is no such item.
    pub(crate) fn concerns(&self, item: &Item, who: &str, world: &World<'_>) -> bool {
        world.case.starter.as_deref() == Some(who) || self.is_inside(item, who, world)
    }

    /// Whether a person takes part in an item or may read the case: he sees
    /// what is shown to the signers and what they said to one another.
    pub(crate) fn is_inside(&self, item: &Item, who: &str, world: &World<'_>) -> bool {
        let sits = |seat: &Seat| {
            let asked = seat
                .opinion
                .as_ref()
                .is_some_and(|opinion| opinion.of == who);
            asked || seat.people.iter().any(|person| person == who)
        };
        let said = |said: &Decision| said.person == who || said.signer == who;
        item.seats.iter().any(sits)
            || item.decisions.iter().chain(&item.former).any(said)
            || item
                .seats
                .iter()
                .any(|seat| acts_for(&seat.people, who, world).is_some())
            || self.may_view(who, world)
    }

    pub(crate) fn may_view(&self, who: &str, world: &World<'_>) -> bool {
        self.has_right(who, Function::View, world)
    }

    pub(crate) fn has_right(&self, who: &str, function: Function, world: &World<'_>) -> bool {
        let object = Object {
            workflow: Some(&world.case.workflow),
            unit: world.case.unit.as_deref(),
            starter: world.case.starter.as_deref(),
            reached: None,
        };
        world.org.may(who, function, &object).allowed
    }

    /// The seat that a person answers from now.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn hold(&self, item: &Item, act: &Act, world: &World<'_>) -> Result<Hold, Refusal> {
        let hold = self.seated(item, act, world)?;
        if hold.opinion {
            return Ok(hold);
        }
        let seat = item.seat(hold.seat).ok_or(Refusal::NotFound)?;
        let first = seat
            .waits_for
            .iter()
            .filter_map(|id| item.seat(*id))
            .find(|other| !item.is_done(other));
        if let Some(other) = first {
            return Err(waits("signer", other.people.first()));
        }
        if let Some(turn) = item
            .turn()
            .filter(|turn| item.spec.mode == Mode::Sequence && turn.id != hold.seat)
        {
            return Err(waits("turn", turn.people.first()));
        }
        let vote = matches!(item.spec.mode, Mode::Share | Mode::Count | Mode::Weight);
        let voted = |decision: &&Decision| decision.person == act.who || decision.signer == act.who;
        if vote && item.decisions.iter().any(|decision| voted(&decision)) {
            // INVARIANT (I5): a quorum counts distinct persons, so an agent
            // who has signed himself signs for nobody else.
            return Err(Refusal::OnePersonOneVote);
        }
        Ok(hold)
    }

    /// The seat of a person who owes an answer, though others may have to answer before him.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn seated(
        &self,
        item: &Item,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Hold, Refusal> {
        self.is_open(item, world)?;
        let hold = self.find_seat(item, act, world)?;
        let seat = item.seat(hold.seat).ok_or(Refusal::NotFound)?;
        let starter = world.case.starter.as_deref();
        if item.bars_applicant()
            && [act.who.as_str(), hold.signer.as_str()]
                .iter()
                .any(|one| starter == Some(*one))
        {
            return Err(Refusal::SelfApproval);
        }
        if hold.opinion {
            return Ok(hold);
        }
        if let Some(opinion) = &seat.opinion {
            return Err(waits("opinion", Some(&opinion.of)));
        }
        if let Some((by, at_ms)) = seat
            .claimed
            .as_ref()
            .filter(|(by, _)| *by != hold.signer && *by != act.who)
            // A claim of an agent ends with his time.
            .filter(|(by, _)| {
                seat.people.contains(by) || acts_for(&seat.people, by, world).is_some()
            })
        {
            return Err(Refusal::ClaimedBy {
                by: by.clone(),
                at_ms: *at_ms,
            });
        }
        Ok(hold)
    }

    fn is_open(&self, item: &Item, world: &World<'_>) -> Result<(), Refusal> {
        match item.status {
            Status::Open => Ok(()),
            Status::Held => Err(waits("batch", None)),
            Status::Correcting => Err(waits("correction", world.case.starter.as_ref())),
            Status::Returned => {
                let end = item.rounds.last();
                Err(Refusal::Closed {
                    why: end.map_or_else(|| "returned".to_owned(), |end| end.why.clone()),
                    by: end.and_then(|end| end.by.clone()),
                    at_ms: end.map_or(item.opened_ms, |end| end.at_ms),
                })
            }
            Status::Decided | Status::Closed => Err(closed(item)),
        }
    }

    fn find_seat(&self, item: &Item, act: &Act, world: &World<'_>) -> Result<Hold, Refusal> {
        let who = act.who.as_str();
        let asked = item.seats.iter().find(|seat| {
            seat.opinion
                .as_ref()
                .is_some_and(|opinion| opinion.of == who)
        });
        if let Some(seat) = asked {
            return Ok(Hold {
                seat: seat.id,
                signer: who.to_owned(),
                opinion: true,
            });
        }
        let whom = act.for_whom.as_deref().filter(|whom| *whom != who);
        let mut done: Option<u32> = None;
        let mut found: Option<Hold> = None;
        for seat in &item.seats {
            let own = whom.is_none() && seat.people.iter().any(|person| person == who);
            let signer = if own {
                Some(who.to_owned())
            } else {
                stands_for(seat, who, whom, world)?
            };
            let Some(signer) = signer else { continue };
            let answered = item
                .decisions
                .iter()
                .any(|decision| decision.signer == signer && decision.seat == seat.id);
            if answered || item.is_done(seat) {
                done.get_or_insert(seat.id);
                continue;
            }
            let hold = Hold {
                seat: seat.id,
                signer,
                opinion: false,
            };
            // A seat of one's own goes before one that is held for another.
            if own {
                return Ok(hold);
            }
            found.get_or_insert(hold);
        }
        if let Some(hold) = found {
            return Ok(hold);
        }
        let by_seat = |decision: &&Decision| Some(decision.seat) == done;
        let applicant = world.case.starter.as_deref() == Some(who);
        Err(match item.decisions.iter().find(by_seat) {
            Some(decision) => already(decision),
            None if item.bars_applicant() && applicant => Refusal::SelfApproval,
            None if applicant || self.may_view(who, world) => Refusal::not_allowed(act.what.word()),
            None => Refusal::NotFound,
        })
    }
}

/// In whose name an agent answers at a seat, when he does.
fn stands_for(
    seat: &Seat,
    who: &str,
    whom: Option<&str>,
    world: &World<'_>,
) -> Result<Option<String>, Refusal> {
    let Some(whom) = whom else {
        return Ok(acts_for(&seat.people, who, world));
    };
    if !seat.people.iter().any(|person| person == whom) {
        return Ok(None);
    }
    let agent = world.org.agent_of(whom, &world.case.workflow, world.now_ms);
    match agent.as_deref() == Some(who) {
        true => Ok(Some(whom.to_owned())),
        false => Err(Refusal::NotAgent {
            who: who.to_owned(),
            for_whom: whom.to_owned(),
        }),
    }
}

/// For whom among these people somebody acts now.
pub(crate) fn acts_for(people: &[String], who: &str, world: &World<'_>) -> Option<String> {
    let agent = |person: &&String| {
        world
            .org
            .agent_of(person, &world.case.workflow, world.now_ms)
            .as_deref()
            == Some(who)
    };
    people.iter().find(agent).cloned()
}

pub(crate) fn already(decision: &Decision) -> Refusal {
    Refusal::AlreadyDecided {
        by: decision.person.clone(),
        at_ms: decision.at_ms,
        outcome: decision.outcome.clone(),
    }
}

pub(crate) fn closed(item: &Item) -> Refusal {
    let Some(closed) = &item.closed else {
        return Refusal::NotFound;
    };
    match (&closed.by, &closed.outcome) {
        (Some(by), Some(outcome)) => Refusal::AlreadyDecided {
            by: by.clone(),
            at_ms: closed.at_ms,
            outcome: outcome.clone(),
        },
        (by, _) => Refusal::Closed {
            why: closed.why.clone(),
            by: by.clone(),
            at_ms: closed.at_ms,
        },
    }
}

pub(crate) fn round_closed(item: &Item, round: u32) -> Refusal {
    let end = item.round_end(round);
    Refusal::RoundClosed {
        round,
        current: item.round,
        why: end.map_or_else(|| "unknown".to_owned(), |end| end.why.clone()),
        by: end.and_then(|end| end.by.clone()),
        at_ms: end.map_or(item.opened_ms, |end| end.at_ms),
    }
}

pub(crate) fn waits(what: &str, who: Option<&String>) -> Refusal {
    Refusal::Waiting {
        what: what.to_owned(),
        who: who.cloned(),
    }
}
