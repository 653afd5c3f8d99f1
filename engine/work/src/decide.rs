//! The one decision function, and the decisions proper: who may, what the
//! author asks of an answer, and what follows from it.

use tongban_expr::{Value, value};

use crate::desk::{Change, Desk, decision_row, note};
use crate::field::difference;
use crate::filling::{Said, check_said, edited, fill};
use crate::item::{Decision, Item, Kind, Status};
use crate::spec::Mode;
use crate::standing::{Hold, already, round_closed};
use crate::{Act, Channel, DecisionRow, FormChange, MailKind, Out, Refusal, What, World};

impl Desk {
    /// Does what a person asks for, through whichever channel: the one
    /// function that decides. `Ok` with nothing in it means that the same was
    /// said before: the answer is the same.
    ///
    /// # Errors
    /// [`Refusal`]; the desk is then unchanged.
    pub fn act(&mut self, act: Act, world: &World<'_>) -> Result<Vec<Out>, Refusal> {
        let index = self.find(act.n).ok_or(Refusal::NotFound)?;
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        if !self.concerns(item, &act.who, world) {
            return Err(Refusal::NotFound);
        }
        if self.suspended {
            return Err(Refusal::Suspended);
        }
        if let Some(round) = act.round.filter(|round| *round != item.round) {
            return Err(round_closed(item, round));
        }
        let outs = self.done(index, &act, world)?;
        self.look_ahead(world);
        Ok(outs)
    }

    fn done(&mut self, index: usize, act: &Act, world: &World<'_>) -> Result<Vec<Out>, Refusal> {
        match &act.what {
            What::Decide { .. } => self.decide(index, act, world),
            What::Submit { .. } => self.submit(index, act, world),
            What::Resubmit { .. } => self.resubmit(index, act, world),
            What::Return { .. } => self.send_back(index, act, world),
            What::Correct { .. } => self.correct(index, act, world),
            What::Withdraw { .. } => self.withdraw(index, act, world),
            What::Claim => self.claim(index, act, world),
            What::Unclaim => self.unclaim(index, act, world),
            What::Comment { text } => {
                let item = self.items.get(index).ok_or(Refusal::NotFound)?;
                Ok(vec![said(item, act, world, "commented", text)])
            }
            What::Urge { comment } => self.urge(index, act, comment, world),
            What::Transfer { to, comment } => {
                self.transfer(index, act, to, comment.as_deref(), world)
            }
            What::Delegate { to, comment } => {
                self.delegate(index, act, to, comment.as_deref(), world)
            }
            What::AddSigner { who, when, comment } => {
                self.add_signer(index, act, who, *when, comment.as_deref(), world)
            }
            What::RemoveSigner { who } => self.remove_signer(index, act, who, world),
        }
    }

    fn decide(&mut self, index: usize, act: &Act, world: &World<'_>) -> Result<Vec<Out>, Refusal> {
        let What::Decide {
            outcome,
            comment,
            reason,
            change,
            statement,
        } = &act.what
        else {
            return Err(Refusal::NotFound);
        };
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        if item.kind != Kind::Approve {
            return Err(wrong("decide", item));
        }
        if let Some(answer) = said_before(item, act, outcome) {
            return answer;
        }
        let hold = self.hold(item, act, world)?;
        let seen = seen(item, act, world)?;
        let said = Said {
            outcome,
            comment: filled(comment),
            reason: filled(reason),
        };
        if !hold.opinion {
            check_said(item, &said, world)?;
        }
        let form = edited(item, &hold, change, outcome, statement.as_deref(), world)?;

        // Everything is checked: from here on the desk changes.
        let mut outs = Vec::new();
        let difference =
            form.map(|form| self.form_changed(index, form, act, "edited", world, &mut outs));
        let edits = difference
            .filter(|list| !list.is_empty())
            .and_then(|list| Value::of(&list).ok());
        if hold.opinion {
            self.give_opinion(index, &hold, act, &said, seen, world, &mut outs);
            return Ok(outs);
        }
        self.answer(
            index, &hold, act, &said, None, edits, seen, world, &mut outs,
        );
        Ok(outs)
    }

    fn submit(&mut self, index: usize, act: &Act, world: &World<'_>) -> Result<Vec<Out>, Refusal> {
        let What::Submit {
            outcome,
            data,
            change,
            comment,
            reason,
            statement,
        } = &act.what
        else {
            return Err(Refusal::NotFound);
        };
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        if item.kind != Kind::Collect {
            return Err(wrong("submit", item));
        }
        let outcome = outcome
            .clone()
            .unwrap_or_else(|| item.spec.first().to_owned());
        if let Some(answer) = said_before(item, act, &outcome) {
            return answer;
        }
        let hold = self.hold(item, act, world)?;
        let seen = seen(item, act, world)?;
        let said = Said {
            outcome: &outcome,
            comment: filled(comment),
            reason: filled(reason),
        };
        check_said(item, &said, world)?;
        let given = data.as_ref().is_some_and(|data| !data.is_null()) || !change.is_empty();
        let filled_in = match outcome == item.spec.first() || given {
            true => Some(fill(
                item,
                data.as_ref(),
                change,
                statement.as_deref(),
                world,
            )?),
            false => None,
        };
        if let Some(filled) = &filled_in {
            self.leaves_figures(item, &hold, filled, world)?;
        }

        let mut outs = Vec::new();
        let grouped = item.spec.mode != Mode::Any;
        let again = item.round > 1;
        let (n, old) = (item.n, item.data.clone());
        let row = filled_in.clone();
        if let Some(new) = filled_in.as_ref().filter(|_| again) {
            let difference = difference(&old, new);
            self.remember(Change {
                n,
                at_ms: world.now_ms,
                by: act.who.clone(),
                difference,
            });
        }
        if let Some(item) = self.items.get_mut(index).filter(|_| !grouped) {
            item.data = filled_in.clone().unwrap_or_default();
        }
        let data = filled_in.filter(|_| grouped);
        self.answer(index, &hold, act, &said, data, row, seen, world, &mut outs);
        Ok(outs)
    }

    /// Records an answer and completes the item when it settles it.
    #[expect(clippy::too_many_arguments, reason = "the columns of one decision")]
    fn answer(
        &mut self,
        index: usize,
        hold: &Hold,
        act: &Act,
        said: &Said<'_>,
        data: Option<Value>,
        form: Option<Value>,
        seen: String,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        let unit = item.seat(hold.seat).and_then(|seat| seat.unit.clone());
        let own_unit = || {
            world
                .org
                .person(&hold.signer)
                .and_then(|person| person.unit.clone())
        };
        let decision = Decision {
            seat: hold.seat,
            signer: hold.signer.clone(),
            person: act.who.clone(),
            unit: unit.or_else(own_unit),
            outcome: said.outcome.to_owned(),
            comment: said.comment.map(str::to_owned),
            reason: said.reason.map(str::to_owned),
            data,
            at_ms: world.now_ms,
            channel: act.channel.word().to_owned(),
            kept_from: None,
        };
        outs.push(Out::Decision(decision_row(
            item,
            &decision,
            form,
            Some(seen),
        )));
        let data = value!({
            "outcome": said.outcome,
            "comment": said.comment,
            "reason": said.reason,
            "for": decision.for_id(),
            "round": item.round,
        });
        outs.push(note(Some(item.n), "decided", &act.who, world, data));
        let waited = item
            .seats
            .iter()
            .any(|seat| seat.waits_for.contains(&hold.seat));
        let in_turn = item.spec.mode == Mode::Sequence;
        item.decisions.push(decision);
        let n = item.n;
        let settled = self.settle(index, world, outs);
        let next = in_turn
            && self
                .item(n)
                .is_some_and(|item| item.is_done_seat(hold.seat));
        if !settled && (next || waited) {
            self.announce(n, MailKind::Task, world, outs);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one opinion")]
    fn give_opinion(
        &mut self,
        index: usize,
        hold: &Hold,
        act: &Act,
        said: &Said<'_>,
        seen: String,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        let (n, round, title) = (item.n, item.round, item.title.clone());
        let Some(seat) = item.seats.iter_mut().find(|seat| seat.id == hold.seat) else {
            return;
        };
        let owner = seat
            .opinion
            .take()
            .map(|opinion| opinion.by)
            .unwrap_or_default();
        let row = DecisionRow {
            comment: said.comment.map(str::to_owned),
            ..act_row((n, round), &act.who, act, "opinion", seen, world)
        };
        outs.push(Out::Decision(row));
        let data = value!({"outcome": said.outcome, "comment": said.comment});
        outs.push(note(Some(n), "opinion", &act.who, world, data.clone()));
        let data = data.with("title", title).with("by", act.who.as_str());
        outs.push(Out::mail(owner, MailKind::Handed, n, round, data));
    }

    /// A deadline passed, and the author wrote what that means.
    pub(crate) fn time_out(
        &mut self,
        n: u32,
        outcome: &str,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(index) = self.find(n) else { return };
        let Some(item) = self
            .items
            .get(index)
            .filter(|item| item.status == Status::Open)
        else {
            return;
        };
        if item.kind == Kind::Correct {
            return self.correction_over(index, outcome, world, outs);
        }
        let row = DecisionRow {
            n,
            round: item.round,
            signer_id: "system".to_owned(),
            person_id: "system".to_owned(),
            for_id: None,
            act: outcome.to_owned(),
            comment: None,
            reason: None,
            form: None,
            seen_digest: None,
            channel: Channel::Timer.word().to_owned(),
            at_ms: world.now_ms,
            kept_from: None,
        };
        outs.push(Out::Decision(row));
        outs.push(note(
            Some(n),
            "timeout",
            "system",
            world,
            value!({"outcome": outcome}),
        ));
        let output = crate::result::output(item, outcome, None, world).with("by", "system");
        self.complete(
            index,
            outcome,
            Some("system".to_owned()),
            "timeout",
            output,
            world,
            outs,
        );
    }

    /// Records a new version of the form and hands it out.
    pub(crate) fn form_changed(
        &mut self,
        index: usize,
        form: Value,
        act: &Act,
        why: &str,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) -> Vec<crate::Difference> {
        let difference = difference(&world.case.form, &form);
        let n = self.items.get(index).map_or(act.n, |item| item.n);
        if difference.is_empty() && why == "edited" {
            return difference;
        }
        let by = act.who.clone();
        self.remember(Change {
            n,
            at_ms: world.now_ms,
            by: by.clone(),
            difference: difference.clone(),
        });
        outs.push(Out::Form(FormChange {
            form,
            difference: difference.clone(),
            by,
            n,
            why: why.to_owned(),
        }));
        difference
    }
}

/// The same again gives the same answer; something else is a conflict.
fn said_before(item: &Item, act: &Act, outcome: &str) -> Option<Result<Vec<Out>, Refusal>> {
    let whom = act.for_whom.as_deref().unwrap_or(&act.who);
    let own = |decision: &&Decision| {
        decision.kept_from.is_none()
            && (decision.signer == whom || (act.for_whom.is_none() && decision.person == act.who))
    };
    let decision = item.decisions.iter().find(own)?;
    let same = decision.outcome == outcome && decision.person == act.who;
    Some(if same {
        Ok(Vec::new())
    } else {
        Err(already(decision))
    })
}

/// The digest of what the person saw; when one is given it must still be true.
pub(crate) fn seen(item: &Item, act: &Act, world: &World<'_>) -> Result<String, Refusal> {
    let digest = item.digest(world);
    match &act.seen_digest {
        Some(seen) if *seen != digest => Err(Refusal::Changed { digest }),
        _ => Ok(digest),
    }
}

pub(crate) fn wrong(act: &str, item: &Item) -> Refusal {
    Refusal::WrongAct {
        act: act.to_owned(),
        function: item.kind.word().to_owned(),
    }
}

/// Fields with their reasons, as notes and mails carry them.
pub(crate) fn listed(fields: &[(String, String)]) -> Vec<Value> {
    let one =
        |(field, text): &(String, String)| value!({"field": field.clone(), "text": text.clone()});
    fields.iter().map(one).collect()
}

pub(crate) fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

pub(crate) fn said(item: &Item, act: &Act, world: &World<'_>, kind: &str, text: &str) -> Out {
    note(Some(item.n), kind, &act.who, world, value!({"text": text}))
}

/// The row of an act that is no answer: a return, a correction, an opinion.
pub(crate) fn act_row(
    (n, round): (u32, u32),
    signer: &str,
    act: &Act,
    word: &str,
    seen: String,
    world: &World<'_>,
) -> DecisionRow {
    DecisionRow {
        n,
        round,
        signer_id: signer.to_owned(),
        person_id: act.who.clone(),
        for_id: (signer != act.who).then(|| signer.to_owned()),
        act: word.to_owned(),
        comment: None,
        reason: None,
        form: None,
        seen_digest: Some(seen),
        channel: act.channel.word().to_owned(),
        at_ms: world.now_ms,
        kept_from: None,
    }
}
