//! What a return leaves to be known on the way back: answers that stand, items that open again, clocks
//! that go on.

use crate::event::{Jump, Mode, Right, Siblings, Signing};
use crate::frame::{Frame, FrameId};
use crate::instance::{Answer, Returning};
use crate::machine::Machine;
use crate::plan::Plan;
use crate::program::TaskId;
use crate::reuse::{Fork, places};

/// Returns that may be on their way back at once.
const RETURNING_MAX: usize = 16;

impl Machine<'_> {
    /// Notes what stands and what opens again on the way back to the returner.
    pub(crate) fn remember_way_back(&mut self, jump: &Jump, plan: &Plan) {
        let place_of_target = plan.target.map(|target| self.place_in(plan.scope, target));
        if jump.right == Right::Withdrawal {
            if let Some(place) = place_of_target {
                self.push_returning(Returning {
                    until: place.into(),
                    signing: Signing::Returner,
                    by: jump.by.clone(),
                    reuse: Vec::new(),
                    reopen: Vec::new(),
                    clocks: Vec::new(),
                    target: None,
                });
            }
            return;
        }
        let (Some(from), Right::Return) = (plan.from, jump.right) else {
            return;
        };
        let until = self.instance.place_of(from);
        let forks = self.forks_between(plan.scope, from);
        let sibling = |place: &str| forks.iter().any(|fork| fork.is_sibling(place));
        let stands = |place: &str| match sibling(place) {
            true => jump.siblings == Siblings::Keep,
            false => jump.mode == Mode::Direct,
        };
        let former = self.instance.answers.iter().filter(|answer| {
            answer.sequence > plan.since
                && *answer.place != *until
                && Some(&*answer.place) != place_of_target.as_deref()
                && stands(&answer.place)
        });
        let (aside, reuse): (Vec<Answer>, Vec<Answer>) =
            former.cloned().partition(|answer| sibling(&answer.place));
        let below: Vec<FrameId> = self.below(plan.scope);
        let places_of = |wanted: &dyn Fn(FrameId) -> bool| -> Vec<String> {
            below
                .iter()
                .filter(|id| wanted(**id))
                .map(|id| self.instance.place_of(*id))
                .collect()
        };
        let reopen = match jump.siblings {
            Siblings::Keep => {
                places_of(&|id| self.task_of(id).is_work() && sibling(&self.instance.place_of(id)))
            }
            Siblings::Cancel => Vec::new(),
        };
        let clocks = match jump.mode {
            Mode::Direct => places_of(&|id| self.task_of(id).clock.is_some()),
            Mode::Rerun => Vec::new(),
        };
        let (clocks_aside, clocks) = clocks.into_iter().partition(|place| sibling(place));
        // The other branches may be entered after the returner: what stands there stands until the join.
        let beside = forks.last().map(|fork| Returning {
            until: fork.place.as_str().into(),
            signing: Signing::All,
            by: jump.by.clone(),
            reuse: aside,
            reopen: places(reopen),
            clocks: places(clocks_aside),
            target: None,
        });
        self.push_returning(Returning {
            until: until.into(),
            signing: jump.signing,
            by: jump.by.clone(),
            reuse,
            reopen: Vec::new(),
            clocks: places(clocks),
            target: place_of_target.map(Into::into),
        });
        if let Some(beside) = beside {
            self.push_returning(beside);
        }
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

    fn below(&self, id: FrameId) -> Vec<FrameId> {
        let mut below: Vec<FrameId> = Vec::new();
        for (child, frame) in self.instance.frames.range(id + 1..) {
            if frame.parent == id || below.contains(&frame.parent) {
                below.push(*child);
            }
        }
        below
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
