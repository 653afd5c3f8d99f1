//! The one decision function, and the decisions proper: who may, what the
//! author asks of an answer, and what follows from it.

use tongban_expr::{Value, value};
use tongban_org::{Function, Object};

use crate::desk::{Change, Desk, decision_row, note};
use crate::field::{changed, difference, says};
use crate::item::{Decision, Item, Kind, Status};
use crate::spec::Mode;
use crate::{
    Act, Channel, DecisionRow, FormChange, FormFault, MailKind, MailRequest, Out, Refusal, What,
    World,
};

/// A seat that a person may answer from.
pub(crate) struct Hold {
    pub seat: u32,
    /// In whose name the answer counts.
    pub signer: String,
    /// Asked for an opinion only.
    pub opinion: bool,
}

/// What an answer says, apart from data.
pub(crate) struct Said<'a> {
    pub outcome: &'a str,
    pub comment: Option<&'a str>,
    pub reason: Option<&'a str>,
}

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
        match &act.what {
            What::Decide { .. } => self.decide(index, &act, world),
            What::Submit { .. } => self.submit(index, &act, world),
            What::Resubmit { .. } => self.resubmit(index, &act, world),
            What::Return { .. } => self.send_back(index, &act, world),
            What::Correct { .. } => self.correct(index, &act, world),
            What::Withdraw { .. } => self.withdraw(index, &act, world),
            What::Claim => self.claim(index, &act, world),
            What::Unclaim => self.unclaim(index, &act, world),
            What::Comment { text } => Ok(vec![said(item, &act, world, "commented", text)]),
            What::Urge { comment } => self.urge(index, &act, comment, world),
            What::Transfer { to, comment } => {
                self.transfer(index, &act, to, comment.as_deref(), world)
            }
            What::Delegate { to, comment } => {
                self.delegate(index, &act, to, comment.as_deref(), world)
            }
            What::AddSigner { who, when, comment } => {
                self.add_signer(index, &act, who, *when, comment.as_deref(), world)
            }
            What::RemoveSigner { who } => self.remove_signer(index, &act, who, world),
        }
    }

    fn decide(&mut self, index: usize, act: &Act, world: &World<'_>) -> Result<Vec<Out>, Refusal> {
        let What::Decide {
            outcome,
            comment,
            reason,
            change,
            statement,
            signature,
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
        let signed = signature.clone();
        self.answer(
            index, &hold, act, &said, None, edits, seen, signed, world, &mut outs,
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
        self.answer(
            index, &hold, act, &said, data, row, seen, None, world, &mut outs,
        );
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
        signature: Option<String>,
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
            "signature": signature,
            "round": item.round,
        });
        outs.push(note(Some(item.n), "decided", &act.who, world, data));
        let before: Vec<String> = match item.spec.mode {
            Mode::Sequence => item
                .current()
                .into_iter()
                .map(|(person, _)| person.to_owned())
                .collect(),
            _ => Vec::new(),
        };
        let waited = item
            .seats
            .iter()
            .any(|seat| seat.waits_for.contains(&hold.seat));
        item.decisions.push(decision);
        let n = item.n;
        if self.settle(index, world, outs) {
            return;
        }
        let Some(item) = self.items.get(index) else {
            return;
        };
        let next = item.spec.mode == Mode::Sequence
            && item
                .current()
                .iter()
                .any(|(person, _)| !before.iter().any(|seen| seen == person));
        if next || waited {
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
        outs.push(Out::Decision(DecisionRow {
            n,
            round,
            signer_id: act.who.clone(),
            person_id: act.who.clone(),
            for_id: None,
            act: "opinion".to_owned(),
            comment: said.comment.map(str::to_owned),
            reason: None,
            form: None,
            seen_digest: Some(seen),
            channel: act.channel.word().to_owned(),
            at_ms: world.now_ms,
            kept_from: None,
        }));
        let data = value!({"outcome": said.outcome, "comment": said.comment});
        outs.push(note(Some(n), "opinion", &act.who, world, data.clone()));
        let data = data.with("title", title).with("by", act.who.as_str());
        outs.push(Out::Mail(MailRequest {
            to: owner,
            kind: MailKind::Handed,
            n: Some(n),
            round,
            link: true,
            data,
        }));
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

    /// Whether a person has anything to do with an item; all others are told
    /// that there is no such item.
    pub(crate) fn concerns(&self, item: &Item, who: &str, world: &World<'_>) -> bool {
        let sits = |people: &[String]| people.iter().any(|person| person == who);
        item.seats.iter().any(|seat| {
            sits(&seat.people)
                || seat.agents.iter().any(|(agent, _)| agent == who)
                || seat
                    .opinion
                    .as_ref()
                    .is_some_and(|opinion| opinion.of == who)
        }) || item
            .decisions
            .iter()
            .chain(&item.former)
            .any(|said| said.person == who || said.signer == who)
            || world.case.starter.as_deref() == Some(who)
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
        {
            return Err(Refusal::ClaimedBy {
                by: by.clone(),
                at_ms: *at_ms,
            });
        }
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
            let signer = match (own, whom) {
                (true, _) => Some(who.to_owned()),
                (false, Some(whom)) if seat.people.iter().any(|person| person == whom) => {
                    match world.org.agent_of(whom, &world.case.workflow, world.now_ms) {
                        Some(agent) if agent == who => Some(whom.to_owned()),
                        _ => {
                            return Err(Refusal::NotAgent {
                                who: who.to_owned(),
                                for_whom: whom.to_owned(),
                            });
                        }
                    }
                }
                (false, Some(_)) => None,
                (false, None) => acts_for(&seat.people, who, world),
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
        match item.decisions.iter().find(by_seat) {
            Some(decision) => Err(already(decision)),
            None if item.bars_applicant() && world.case.starter.as_deref() == Some(who) => {
                Err(Refusal::SelfApproval)
            }
            None if world.case.starter.as_deref() == Some(who) || self.may_view(who, world) => {
                Err(Refusal::NotAllowed {
                    act: act.what.word().to_owned(),
                })
            }
            None => Err(Refusal::NotFound),
        }
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

/// What the form looks like after the edits of an approver, when there are any.
fn edited(
    item: &Item,
    hold: &Hold,
    change: &Value,
    outcome: &str,
    statement: Option<&str>,
    world: &World<'_>,
) -> Result<Option<Value>, Refusal> {
    let form_ref = world.case.form_ref.as_ref();
    let schema = form_ref
        .and_then(|form| world.forms.schema(form))
        .unwrap_or_default();
    let respondent = world.case.starter.as_deref() == Some(hold.signer.as_str());
    let form = changed(&world.case.form, change, |path| {
        if !respondent && says(&schema, path, "x-figures") {
            return Err(Refusal::Figures {
                field: path.to_owned(),
            });
        }
        match item.spec.fields.may_edit(path) && !hold.opinion {
            true => Ok(()),
            false => Err(Refusal::FieldNotEditable {
                field: path.to_owned(),
            }),
        }
    })?;
    if outcome == item.spec.first() && !hold.opinion {
        let faults = item.spec.fields.missing(&form);
        if !faults.is_empty() {
            return Err(Refusal::FormFaults { faults });
        }
    }
    if form == world.case.form {
        return Ok(None);
    }
    if let Some(form_ref) = form_ref {
        // Faults that the form had before are not this person's to mend.
        let known = world
            .forms
            .faults(form_ref, None, &world.case.form, world.case);
        let found = world.forms.faults(form_ref, None, &form, world.case);
        check_faults(
            found
                .into_iter()
                .filter(|fault| !known.contains(fault))
                .collect(),
            statement,
        )?;
    }
    Ok(Some(form))
}

/// The form as a respondent filled it in, checked.
fn fill(
    item: &Item,
    data: Option<&Value>,
    change: &Value,
    statement: Option<&str>,
    world: &World<'_>,
) -> Result<Value, Refusal> {
    let form = item.spec.form.as_ref();
    let schema = form
        .and_then(|form| world.forms.schema(form))
        .unwrap_or_default();
    let rights = &item.spec.fields;
    let filled = filled_form(&item.data, data, change, |path| {
        rights.may_fill(path) && !says(&schema, path, "readOnly")
    })?;
    let mut faults = rights.missing(&filled);
    if let Some(form) = form {
        faults.extend(
            world
                .forms
                .faults(form, item.spec.check.as_deref(), &filled, world.case),
        );
    }
    check_faults(faults, statement)?;
    Ok(filled)
}

/// Lays what was sent over what was there. What a step locks or hides may be
/// left out or sent unchanged; anything else is refused.
pub(crate) fn filled_form(
    base: &Value,
    data: Option<&Value>,
    change: &Value,
    may: impl Fn(&str) -> bool,
) -> Result<Value, Refusal> {
    let data = data.filter(|data| !data.is_null());
    if let Some(data) = data.filter(|data| data.as_object().is_none()) {
        let reason = format!("`data` is an object, found {}", data.kind_name());
        return Err(Refusal::BadChange { reason });
    }
    let sent = data.map_or_else(|| base.clone(), |data| base.clone().merged(data));
    let filled = changed(&sent, change, |_| Ok(()))?;
    match difference(base, &filled)
        .into_iter()
        .find(|one| !may(&one.field))
    {
        Some(locked) => Err(Refusal::FieldNotEditable {
            field: locked.field,
        }),
        None => Ok(filled),
    }
}

/// Errors stop; warnings want a statement.
pub(crate) fn check_faults(found: Vec<FormFault>, statement: Option<&str>) -> Result<(), Refusal> {
    let (warnings, faults): (Vec<_>, Vec<_>) = found.into_iter().partition(|fault| fault.warning);
    if !faults.is_empty() {
        return Err(Refusal::FormFaults { faults });
    }
    let stated = statement.is_some_and(|statement| !statement.trim().is_empty());
    if !warnings.is_empty() && !stated {
        return Err(Refusal::StatementRequired { warnings });
    }
    Ok(())
}

fn check_said(item: &Item, said: &Said<'_>, world: &World<'_>) -> Result<(), Refusal> {
    let outcome = said.outcome.to_owned();
    if item.spec.outcome(said.outcome).is_none() {
        return Err(Refusal::UnknownOutcome {
            outcome,
            expected: item.spec.outcome_names(),
        });
    }
    if let Some(list) = item.spec.reasons.get(said.outcome) {
        let codes = world.forms.codes(list).unwrap_or_default();
        let expected: Vec<String> = codes.into_iter().map(|(code, _)| code).collect();
        match said.reason {
            None => return Err(Refusal::ReasonRequired { outcome, expected }),
            Some(reason) if !expected.is_empty() && !expected.iter().any(|code| code == reason) => {
                return Err(Refusal::UnknownReason {
                    reason: reason.to_owned(),
                    expected,
                });
            }
            Some(_) => {}
        }
    }
    if item
        .spec
        .comment
        .iter()
        .any(|wanted| wanted == said.outcome)
        && said.comment.is_none()
    {
        return Err(Refusal::CommentRequired { outcome });
    }
    Ok(())
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

fn already(decision: &Decision) -> Refusal {
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

fn round_closed(item: &Item, round: u32) -> Refusal {
    let end = item.round_end(round);
    Refusal::RoundClosed {
        round,
        current: item.round,
        why: end.map_or_else(|| "unknown".to_owned(), |end| end.why.clone()),
        by: end.and_then(|end| end.by.clone()),
        at_ms: end.map_or(item.opened_ms, |end| end.at_ms),
    }
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

pub(crate) fn waits(what: &str, who: Option<&String>) -> Refusal {
    Refusal::Waiting {
        what: what.to_owned(),
        who: who.cloned(),
    }
}

pub(crate) fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

pub(crate) fn said(item: &Item, act: &Act, world: &World<'_>, kind: &str, text: &str) -> Out {
    note(Some(item.n), kind, &act.who, world, value!({"text": text}))
}
