//! Sending back: return (退回), correction (补正), resubmission, and taking
//! one's own decision back (撤回). The jump itself is the core's.

use tongban_expr::{Value, value};

use crate::decide::{act_row, filled, listed, seen, wrong};
use crate::desk::{ActiveReturn, Change, Desk, note};
use crate::item::{Closed, Item, Kind, RoundEnd, Status};
use crate::spec::ReturnSpec;
use crate::{
    Act, DecisionRow, JumpRequest, Out, Refusal, Resume, ReturnTo, Siblings, Signing, What, World,
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
            .ok_or_else(|| Refusal::not_allowed("return"))?;
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
            return Err(Refusal::not_allowed("return"));
        }

        let mut outs = Vec::new();
        let (n, round) = (item.n, item.round);
        outs.push(Out::Decision(DecisionRow {
            comment: comment.map(str::to_owned),
            form: Value::of(fields).ok().filter(|_| !fields.is_empty()),
            ..act_row((n, round), &hold.signer, act, "return", seen, world)
        }));
        let data = value!({
            "to": jump.to.word(),
            "comment": comment,
            "direct": jump.resume == Resume::Direct,
            "fields": listed(fields),
        });
        outs.push(note(Some(n), "returned", &act.who, world, data));
        self.return_count += 1;
        self.returns.push(ActiveReturn {
            from_n: n,
            resume: jump.resume,
        });
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

    /// Changes of the form since an instant, for whoever reviews it again.
    pub(crate) fn changes_since(&self, at_ms: i64) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.at_ms >= at_ms)
    }
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
