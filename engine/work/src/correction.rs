//! 补正: the officer asks once for what is missing, the clocks stand still, and
//! the applicant sends the form again.

use tongban_expr::{Value, value};

use crate::clock::Clock;
use crate::decide::{act_row, filled, listed, seen, wrong};
use crate::desk::{Desk, decision_row, note};
use crate::field::says;
use crate::filling::{check_faults, filled_form};
use crate::item::{Closed, Decision, Kind, Status};
use crate::rung::{Does, Rung};
use crate::spec::CorrectSpec;
use crate::timing::{CORRECTION, owner_of};
use crate::{Act, DecisionRow, MailKind, Out, Refusal, What, World};

impl Desk {
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
        let spec = spec.ok_or_else(|| Refusal::not_allowed("correct"))?;
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
        // A correction is no decision: the officer still owes his own.
        let row = act_row((n, round), &hold.signer, act, "correct", seen, world);
        outs.push(Out::Decision(DecisionRow {
            signer_id: format!("{}/correct", hold.signer),
            comment: filled(comment).map(str::to_owned),
            form: Value::of(items).ok(),
            ..row
        }));
        let data = value!({"items": listed(items)});
        outs.push(note(Some(n), "correctionAsked", &act.who, world, data));
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
        clock
            .rungs
            .push(Rung::at_end("timeout", Does::Timeout(outcome)));
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
        let his = |decision: &Decision| decision.person == act.who;
        if item.status == Status::Decided && item.decisions.iter().any(his) {
            return Ok(Vec::new());
        }
        let hold = self.hold(item, act, world)?;
        let seen = seen(item, act, world)?;
        let form = resubmitted(data.as_ref(), change, statement.as_deref(), world)?;

        let mut outs = Vec::new();
        let (n, parent, correcting) = (item.n, item.parent, item.kind == Kind::Correct);
        let why = match correcting {
            true => "corrected",
            false => "resubmitted",
        };
        let difference = self.form_changed(index, form.clone(), act, why, world, &mut outs);
        let row = Value::of(&difference).ok();
        let data = value!({"comment": filled(comment), "fields": difference.len() as i64});
        outs.push(note(Some(n), why, &act.who, world, data));
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
        item.decisions.push(decision);
        let by = Some(act.who.clone());
        if correcting {
            self.corrected(index, by, world, &mut outs);
            self.give_back(parent, world, &mut outs);
        } else {
            self.complete(index, why, by, why, form, world, &mut outs);
        }
        Ok(outs)
    }

    /// A correction ends without completing the step that it belongs to.
    fn corrected(
        &mut self,
        index: usize,
        by: Option<String>,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        let (n, why) = (item.n, "corrected".to_owned());
        item.status = Status::Decided;
        item.closed = Some(Closed {
            at_ms: world.now_ms,
            outcome: Some(why.clone()),
            why,
            by,
        });
        self.end_of_item(n, world, outs);
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
