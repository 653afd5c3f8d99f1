//! 撤回: taking one's own decision back.

use tongban_expr::value;

use crate::decide::{filled, wrong};
use crate::desk::{Desk, decision_row, note};
use crate::item::{Decision, Item, Kind, RoundEnd, Status};
use crate::standing::{closed, waits};
use crate::{Act, JumpRequest, Out, Refusal, Resume, ReturnTo, Siblings, Signing, What, World};

impl Desk {
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
}
