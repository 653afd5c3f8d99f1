//! Sending back: return (退回), correction (补正), resubmission, and taking
//! one's own decision back (撤回). The jump itself is the core's.

use tongban_expr::{Value, value};

use crate::clock::{Clock, Does};
use crate::decide::{check_faults, closed, filled, filled_form, seen, waits, wrong};
use crate::desk::{ActiveReturn, Change, Desk, at_end, decision_row, note};
use crate::field::says;
use crate::item::{Closed, Decision, Item, Kind, RoundEnd, Status};
use crate::spec::{CorrectSpec, ReturnSpec};
use crate::timing::{CORRECTION, owner_of};
use crate::{
    Act, DecisionRow, JumpRequest, MailKind, Out, Refusal, Resume, ReturnTo, Siblings, Signing,
    What, World,
};

impl Desk {
    /// Sends the case back to the applicant or to a step that was passed.
    pub(crate) fn send_back(
        &mut self,
        index: usize,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let What::Return {
            to,
            resume,
            siblings,
            signing,
            fields,
            comment,
        } = &act.what
        else {
            return Err(Refusal::NotFound);
        };
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        if matches!(item.kind, Kind::Notice | Kind::Resubmit | Kind::Correct) {
            return Err(wrong("return", item));
        }
        let hold = self.hold(item, act, world)?;
        let seen = seen(item, act, world)?;
        let spec = item
            .spec
            .returns
            .as_ref()
            .ok_or_else(|| Refusal::NotAllowed {
                act: "return".to_owned(),
            })?;
        let comment = filled(comment);
        let jump = self.jump_of(
            item,
            spec,
            act,
            to,
            (*resume, *siblings, *signing),
            fields,
            comment,
        )?;
        if hold.opinion {
            return Err(Refusal::NotAllowed {
                act: "return".to_owned(),
            });
        }

        let mut outs = Vec::new();
        let (n, round) = (item.n, item.round);
        outs.push(Out::Decision(DecisionRow {
            n,
            round,
            signer_id: hold.signer,
            person_id: act.who.clone(),
            for_id: act.for_whom.clone(),
            act: "return".to_owned(),
            comment: comment.map(str::to_owned),
            reason: None,
            form: Value::of(fields).ok().filter(|_| !fields.is_empty()),
            seen_digest: Some(seen),
            channel: act.channel.word().to_owned(),
            at_ms: world.now_ms,
            kept_from: None,
        }));
        let data = value!({
            "to": jump.to.word(),
            "comment": comment,
            "direct": jump.resume == Resume::Direct,
            "fields": fields.iter().map(|(field, text)| value!({"field": field.clone(), "text": text.clone()})).collect::<Vec<_>>(),
        });
        outs.push(note(Some(n), "returned", &act.who, world, data));
        self.return_count += 1;
        self.returns.push(ActiveReturn { from_n: n, resume: jump.resume });
        self.end_round(index, "returned", &act.who, world, &mut outs);
        outs.push(Out::Jump(jump));
        Ok(outs)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one return")]
    fn jump_of(
        &self,
        item: &Item,
        spec: &ReturnSpec,
        act: &Act,
        to: &ReturnTo,
        chosen: (Option<Resume>, Option<Siblings>, Option<Signing>),
        fields: &[(String, String)],
        comment: Option<&str>,
    ) -> Result<JumpRequest, Refusal> {
        let named = spec
            .to
            .iter()
            .any(|target| target == to.word() || last(to.word()) == target);
        let any = spec.to.iter().any(|target| target == "any")
            && matches!(to, ReturnTo::Step(_) | ReturnTo::Previous);
        if !named && !any {
            return Err(Refusal::NotATarget {
                to: to.word().to_owned(),
                allowed: spec.to.clone(),
            });
        }
        if self.return_count >= spec.max {
            return Err(Refusal::ReturnLimit {
                count: self.return_count,
            });
        }
        if comment.is_none() && fields.is_empty() {
            return Err(Refusal::CommentRequired {
                outcome: "return".to_owned(),
            });
        }
        if !fields.is_empty() && !spec.fields {
            return Err(Refusal::ReturnFixed {
                what: "fields".to_owned(),
            });
        }
        let resume = pick("resume", spec.resume, chosen.0)?.unwrap_or(Resume::Rerun);
        let by_resume = match resume {
            Resume::Direct => Siblings::Keep,
            Resume::Rerun => Siblings::Cancel,
        };
        Ok(JumpRequest {
            from: Some(item.run_id.clone()),
            to: to.clone(),
            resume,
            siblings: pick("siblings", spec.siblings, chosen.1)?.unwrap_or(by_resume),
            signing: pick("signing", spec.signing, chosen.2)?.unwrap_or_default(),
            fields: fields.to_vec(),
            comment: comment.unwrap_or_default().to_owned(),
            by: act.who.clone(),
            withdrawal: false,
        })
    }

    /// Ends a round without an outcome; its clock is closed, and a direct way
    /// back lets it go on.
    fn end_round(
        &mut self,
        index: usize,
        why: &str,
        by: &str,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        let (n, by) = (item.n, Some(by.to_owned()));
        item.rounds.push(RoundEnd {
            round: item.round,
            why: why.to_owned(),
            by: by.clone(),
            at_ms: world.now_ms,
        });
        item.status = Status::Returned;
        item.closed = Some(Closed {
            at_ms: world.now_ms,
            why: why.to_owned(),
            by,
            outcome: None,
        });
        self.end_of_item(n, world, outs);
    }

    /// Asks the applicant, once, for everything that is missing.
    pub(crate) fn correct(
        &mut self,
        index: usize,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let What::Correct { items, comment } = &act.what else {
            return Err(Refusal::NotFound);
        };
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        let hold = self.hold(item, act, world)?;
        let seen = seen(item, act, world)?;
        let spec = item.spec.correct.clone().filter(|_| !hold.opinion);
        let spec = spec.ok_or_else(|| Refusal::NotAllowed {
            act: "correct".to_owned(),
        })?;
        if item.corrections >= spec.times {
            return Err(Refusal::CorrectionUsedUp {
                count: item.corrections,
            });
        }
        if items.is_empty() || items.iter().all(|(_, text)| text.trim().is_empty()) {
            return Err(Refusal::NothingToCorrect);
        }
        let (n, round, place, run_id) =
            (item.n, item.round, item.place.clone(), item.run_id.clone());
        let child = self.next_n();
        let clock = self.correction_clock(child, &place, &spec, world)?;
        let child = self
            .applicant_item(&run_id, place.clone(), Some(n), world)
            .map_err(|_| Refusal::NotSupported {
                what: "a correction in a case without an applicant".to_owned(),
                help: "decide, or return it to a step".to_owned(),
            })?;

        let mut outs = Vec::new();
        if let Some(asked) = self.item_mut(child) {
            asked.asked.clone_from(items);
            asked.words = filled(comment).map(str::to_owned);
        }
        if let Some(item) = self.items.get_mut(index) {
            item.status = Status::Correcting;
            item.corrections += 1;
        }
        outs.push(Out::Decision(DecisionRow {
            n,
            round,
            // A correction is no decision: the officer still owes his own.
            signer_id: format!("{}/correct", hold.signer),
            person_id: act.who.clone(),
            for_id: act.for_whom.clone(),
            act: "correct".to_owned(),
            comment: filled(comment).map(str::to_owned),
            reason: None,
            form: Value::of(items).ok(),
            seen_digest: Some(seen),
            channel: act.channel.word().to_owned(),
            at_ms: world.now_ms,
            kept_from: None,
        }));
        let listed: Vec<_> = items
            .iter()
            .map(|(field, text)| value!({"field": field.clone(), "text": text.clone()}))
            .collect();
        outs.push(note(
            Some(n),
            "correctionAsked",
            &act.who,
            world,
            value!({"items": listed}),
        ));
        self.ground_begin(
            owner_of(child),
            &place,
            CORRECTION,
            Some("一次性告知补正"),
            world,
            &mut outs,
        );
        if let Some(clock) = clock {
            self.clock_start(clock, world, &mut outs);
        }
        self.announce(child, MailKind::Correction, world, &mut outs);
        Ok(outs)
    }

    fn correction_clock(
        &self,
        child: u32,
        place: &str,
        spec: &CorrectSpec,
        world: &World<'_>,
    ) -> Result<Option<Clock>, Refusal> {
        let Some(due) = spec.due else { return Ok(None) };
        let bad = |reason: String| Refusal::BadChange { reason };
        let due = Value::of(&due).map_err(|error| bad(error.to_string()))?;
        let given = value!({"due": due});
        let unit = world.case.unit.as_deref();
        let mut clock = Clock::read(
            self.clock_id(child),
            place,
            Some(child),
            &given,
            unit,
            world,
        )
        .map_err(|error| bad(error.to_string()))?;
        clock.title = Some("补正期限".to_owned());
        let outcome = spec
            .at_timeout
            .clone()
            .unwrap_or_else(|| GIVE_BACK.to_owned());
        clock.rungs.push(at_end("timeout", Does::Timeout(outcome)));
        Ok(Some(clock))
    }

    /// The applicant sends the form that was returned or is to be corrected.
    pub(crate) fn resubmit(
        &mut self,
        index: usize,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let What::Resubmit {
            data,
            change,
            comment,
            statement,
        } = &act.what
        else {
            return Err(Refusal::NotFound);
        };
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        if !matches!(item.kind, Kind::Resubmit | Kind::Correct) {
            return Err(wrong("resubmit", item));
        }
        if item.status == Status::Decided
            && item
                .decisions
                .iter()
                .any(|decision| decision.person == act.who)
        {
            return Ok(Vec::new());
        }
        let hold = self.hold(item, act, world)?;
        let seen = seen(item, act, world)?;
        let form = resubmitted(data.as_ref(), change, statement.as_deref(), world)?;

        let mut outs = Vec::new();
        let correcting = item.kind == Kind::Correct;
        let why = if correcting {
            "corrected"
        } else {
            "resubmitted"
        };
        let parent = item.parent;
        let n = item.n;
        let difference = self.form_changed(index, form.clone(), act, why, world, &mut outs);
        let row = Value::of(&difference).ok();
        let Some(item) = self.items.get_mut(index) else {
            return Ok(outs);
        };
        let decision = Decision {
            seat: hold.seat,
            signer: hold.signer,
            person: act.who.clone(),
            unit: world.case.unit.clone(),
            outcome: why.to_owned(),
            comment: filled(comment).map(str::to_owned),
            reason: None,
            data: None,
            at_ms: world.now_ms,
            channel: act.channel.word().to_owned(),
            kept_from: None,
        };
        outs.push(Out::Decision(decision_row(
            item,
            &decision,
            row,
            Some(seen),
        )));
        let data = value!({"comment": filled(comment), "fields": difference.len() as i64});
        outs.push(note(Some(n), why, &act.who, world, data));
        item.decisions.push(decision);
        if correcting {
            item.status = Status::Decided;
            let by = Some(act.who.clone());
            item.closed = Some(Closed {
                at_ms: world.now_ms,
                why: why.to_owned(),
                by,
                outcome: Some(why.to_owned()),
            });
            self.end_of_item(n, world, &mut outs);
            self.give_back(parent, world, &mut outs);
        } else {
            self.complete(
                index,
                why,
                Some(act.who.clone()),
                why,
                form,
                world,
                &mut outs,
            );
        }
        Ok(outs)
    }

    /// The time for a correction is over.
    pub(crate) fn correction_over(
        &mut self,
        index: usize,
        outcome: &str,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get(index) else {
            return;
        };
        let (n, parent) = (item.n, item.parent);
        outs.push(note(
            Some(n),
            "correctionOver",
            "system",
            world,
            value!({"then": outcome}),
        ));
        self.shut(n, "timeout", None, world, outs);
        match outcome {
            GIVE_BACK => self.give_back(parent, world, outs),
            "withdraw" => {
                let reason = "补正期限届满未补正,视为撤回申请".to_owned();
                outs.push(Out::Withdrawn { reason });
            }
            outcome => {
                self.give_back(parent, world, outs);
                if let Some(parent) = parent {
                    self.time_out(parent, outcome, world, outs);
                }
            }
        }
    }

    /// The officer has the case again.
    fn give_back(&mut self, parent: Option<u32>, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(n) = parent else { return };
        let Some(item) = self
            .item_mut(n)
            .filter(|item| item.status == Status::Correcting)
        else {
            return;
        };
        item.status = Status::Open;
        self.announce(n, MailKind::Task, world, outs);
    }

    /// Takes one's own decision back: while the item is open by itself, after
    /// it was settled by a jump, as long as nobody has acted since.
    pub(crate) fn withdraw(
        &mut self,
        index: usize,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let What::Withdraw { comment } = &act.what else {
            return Err(Refusal::NotFound);
        };
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        if item.kind != Kind::Approve {
            return Err(wrong("withdraw", item));
        }
        let too_late = |why: &str| Refusal::TooLate {
            why: why.to_owned(),
        };
        let mine =
            |decision: &&Decision| decision.person == act.who && decision.kept_from.is_none();
        let decision = item.decisions.iter().find(mine).cloned();
        let decision = decision.ok_or_else(|| too_late("you have not decided in this round"))?;
        match item.status {
            Status::Open => self.withdraw_open(index, &decision, act, world),
            Status::Decided => {
                let by = item.closed.as_ref().and_then(|closed| closed.by.as_deref());
                if by != Some(act.who.as_str()) {
                    return Err(too_late("others decided with you"));
                }
                self.withdraw_settled(index, &decision, act, filled(comment), world)
            }
            Status::Held => Err(waits("batch", None)),
            Status::Correcting => Err(waits("correction", None)),
            Status::Returned | Status::Closed => Err(closed(item)),
        }
    }

    fn withdraw_open(
        &mut self,
        index: usize,
        decision: &Decision,
        act: &Act,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let item = self.items.get_mut(index).ok_or(Refusal::NotFound)?;
        let last = item
            .decisions
            .last()
            .is_some_and(|last| last.signer == decision.signer);
        if item.spec.mode == crate::spec::Mode::Sequence && !last {
            return Err(Refusal::TooLate {
                why: "the next signer has decided".to_owned(),
            });
        }
        item.decisions
            .retain(|other| other.signer != decision.signer);
        let taken_back = Decision {
            outcome: "withdrawn".to_owned(),
            at_ms: world.now_ms,
            ..decision.clone()
        };
        let row = decision_row(item, &taken_back, None, None);
        let data = value!({"outcome": decision.outcome.clone()});
        Ok(vec![
            Out::Decision(row),
            note(Some(item.n), "withdrawn", &act.who, world, data),
        ])
    }

    fn withdraw_settled(
        &mut self,
        index: usize,
        decision: &Decision,
        act: &Act,
        comment: Option<&str>,
        world: &World<'_>,
    ) -> Result<Vec<Out>, Refusal> {
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        let since = item.closed.as_ref().map_or(0, |closed| closed.at_ms);
        let (n, path) = (item.n, item.path.clone());
        let later: Vec<&Item> = self
            .items
            .iter()
            .filter(|other| other.n != n && (other.n > n || other.opened_ms > since))
            .collect();
        let acted = later.iter().any(|other| {
            !other.decisions.is_empty()
                || !other.status.is_live()
                || other.corrections > 0
                || other.seats.iter().any(|seat| seat.claimed.is_some())
        });
        let Some(next) = later.first().filter(|_| !acted) else {
            return Err(Refusal::TooLate {
                why: "the case has gone on".to_owned(),
            });
        };
        let from = Some(next.run_id.clone());
        let item = self.items.get(index).ok_or(Refusal::NotFound)?;
        let taken_back = Decision {
            outcome: "withdrawn".to_owned(),
            at_ms: world.now_ms,
            ..decision.clone()
        };
        let mut outs = vec![
            Out::Decision(decision_row(item, &taken_back, None, None)),
            note(
                Some(n),
                "withdrawn",
                &act.who,
                world,
                value!({"comment": comment}),
            ),
        ];
        if let Some(item) = self.items.get_mut(index) {
            let by = Some(act.who.clone());
            item.rounds.push(RoundEnd {
                round: item.round,
                why: "withdrawn".to_owned(),
                by,
                at_ms: world.now_ms,
            });
            item.status = Status::Returned;
        }
        outs.push(Out::Jump(JumpRequest {
            from,
            to: ReturnTo::Step(path),
            resume: Resume::Rerun,
            siblings: Siblings::Cancel,
            signing: Signing::Returner,
            fields: Vec::new(),
            comment: comment.unwrap_or_default().to_owned(),
            by: act.who.clone(),
            withdrawal: true,
        }));
        Ok(outs)
    }

    /// Changes of the form since an instant, for whoever reviews it again.
    pub fn changes_since(&self, at_ms: i64) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.at_ms >= at_ms)
    }
}

/// What happens after an unanswered correction when the author wrote nothing:
/// the officer gets the case back as it is.
const GIVE_BACK: &str = "giveBack";

fn resubmitted(
    data: Option<&Value>,
    change: &Value,
    statement: Option<&str>,
    world: &World<'_>,
) -> Result<Value, Refusal> {
    let form_ref = world.case.form_ref.as_ref();
    let schema = form_ref
        .and_then(|form| world.forms.schema(form))
        .unwrap_or_default();
    let form = filled_form(&world.case.form, data, change, |path| {
        !says(&schema, path, "readOnly")
    })?;
    if let Some(form_ref) = form_ref {
        check_faults(
            world.forms.faults(form_ref, None, &form, world.case),
            statement,
        )?;
    }
    Ok(form)
}

/// What the author fixed cannot be chosen differently.
fn pick<T: Copy + PartialEq>(
    what: &str,
    fixed: Option<T>,
    chosen: Option<T>,
) -> Result<Option<T>, Refusal> {
    match (fixed, chosen) {
        (Some(fixed), Some(chosen)) if fixed != chosen => Err(Refusal::ReturnFixed {
            what: what.to_owned(),
        }),
        (Some(fixed), _) => Ok(Some(fixed)),
        (None, chosen) => Ok(chosen),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
