//! What a return leaves to be known on the way back: answers that stand, items that open again, clocks
//! that go on.

use std::sync::Arc;

use crate::event::{Jump, Mode, Right, Siblings, Signing};
use crate::frame::{Frame, FrameId};
use crate::instance::{Answer, Returning};
use crate::machine::Machine;
use crate::plan::Plan;
use crate::program::TaskId;
use crate::reuse::Fork;

/// Returns that may be on their way back at once.
const RETURNING_MAX: usize = 16;

impl Machine<'_> {
    /// Notes what stands and what opens again on the way back to the returner.
    pub(crate) fn remember_way_back(&mut self, jump: &Jump, plan: &Plan) {
        match (jump.right, plan.from) {
            (Right::Withdrawal, _) => self.remember_withdrawal(jump, plan),
            (Right::Return, Some(from)) => self.remember_return(jump, plan, from),
            _ => {}
        }
    }

    /// A signer who takes his decision back signs alone in the next round of the task that he goes back to.
    fn remember_withdrawal(&mut self, jump: &Jump, plan: &Plan) {
        let Some(target) = plan.target else { return };
        let until = self.place_in(plan.scope, target);
        self.push_returning(Returning {
            signing: Signing::Returner,
            ..Returning::until(until, &jump.by)
        });
    }

    fn remember_return(&mut self, jump: &Jump, plan: &Plan, from: FrameId) {
        let target = plan.target.map(|target| self.place_in(plan.scope, target));
        let until = self.instance.place_of(from);
        let forks = self.forks_between(plan.scope, from);
        let sibling = |place: &str| forks.iter().any(|fork| fork.is_sibling(place));
        let (aside, reuse) = self.standing(jump, plan, &sibling, |place| {
            *place == *until || Some(place) == target.as_deref()
        });
        let reopen = match jump.siblings {
            Siblings::Keep => self.places_below(plan.scope, |id| {
                self.task_of(id).is_work() && sibling(&self.instance.place_of(id))
            }),
            Siblings::Cancel => Vec::new(),
        };
        let clocks = match jump.mode {
            Mode::Direct => self.places_below(plan.scope, |id| self.task_of(id).clock.is_some()),
            Mode::Rerun => Vec::new(),
        };
        let (clocks_aside, clocks) = clocks.into_iter().partition(|place| sibling(place));
        // The other branches may be entered after the returner: what stands there stands until the join.
        let beside = forks.last().map(|fork| Returning {
            reuse: aside,
            reopen,
            clocks: clocks_aside,
            ..Returning::until(fork.place.as_str(), &jump.by)
        });
        self.push_returning(Returning {
            signing: jump.signing,
            reuse,
            clocks,
            target: target.map(Into::into),
            ..Returning::until(until, &jump.by)
        });
        if let Some(beside) = beside {
            self.push_returning(beside);
        }
    }

    /// The former answers that stand on the way back: those of branches beside it, and the others. What `asked`
    /// names is asked again in any case.
    fn standing(
        &self,
        jump: &Jump,
        plan: &Plan,
        sibling: &dyn Fn(&str) -> bool,
        asked: impl Fn(&str) -> bool,
    ) -> (Vec<Answer>, Vec<Answer>) {
        let stands = |place: &str| match sibling(place) {
            true => jump.siblings == Siblings::Keep,
            false => jump.mode == Mode::Direct,
        };
        let former = self.instance.answers.iter().filter(|answer| {
            answer.sequence > plan.since && !asked(&answer.place) && stands(&answer.place)
        });
        former.cloned().partition(|answer| sibling(&answer.place))
    }

    /// The places of those frames below a scope that are wanted.
    fn places_below(&self, scope: FrameId, wanted: impl Fn(FrameId) -> bool) -> Vec<Arc<str>> {
        let below = self.instance.below(scope).into_iter();
        let below = below.filter(|id| wanted(*id));
        below.map(|id| self.instance.place_of(id).into()).collect()
    }

    /// A fork is joined: nothing that stood in its branches stands any longer.
    pub(crate) fn forget_beside(&mut self, fork: FrameId) {
        if self.instance.returning.is_empty() {
            return;
        }
        let place = self.instance.place_of(fork);
        self.instance
            .returning
            .retain(|known| *known.until != *place);
    }

    fn push_returning(&mut self, returning: Returning) {
        self.instance
            .returning
            .retain(|known| known.until != returning.until);
        if self.instance.returning.len() >= RETURNING_MAX {
            self.instance.returning.remove(0);
        }
        self.instance.returning.push(returning);
    }

    /// The forks on the way from a scope to the returner, each with the branch on the way.
    fn forks_between(&self, scope: FrameId, from: FrameId) -> Vec<Fork> {
        let way: Vec<FrameId> = self
            .instance
            .ancestors(from)
            .map(|(id, _)| id)
            .take_while(|id| *id != scope)
            .collect();
        let pairs = way.iter().zip(way.iter().skip(1));
        let forks = pairs.filter(|(_, around)| self.is_fork(**around));
        forks
            .map(|(branch, around)| Fork {
                place: self.instance.place_of(*around),
                own: self.instance.place_of(*branch),
            })
            .collect()
    }

    /// The place that a task has in a live scope.
    fn place_in(&self, scope: FrameId, task: TaskId) -> String {
        let mut place = self.instance.place_of(scope);
        if let Some(index) = self.instance.frames.get(&scope).and_then(Frame::iteration) {
            place.push_str(&format!("[{index}]"));
        }
        if !place.is_empty() {
            place.push('/');
        }
        place.push_str(&self.program.task(task).label);
        place
    }
}
