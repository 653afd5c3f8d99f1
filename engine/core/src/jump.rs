//! The jump: the one mechanism behind return, withdrawal, retry, skip and wake-up.

use std::sync::Arc;

use tongban_expr::Value;

use crate::effect::{Effect, RecordStatus, Why};
use crate::event::{ContextChange, Jump, JumpInput, Mode, Right, Siblings, Signing, Target};
use crate::frame::{Frame, FrameId, ROOT, State};
use crate::instance::{Returning, Status};
use crate::machine::Machine;
use crate::program::TaskId;
use crate::refusal::Refusal;
use crate::reuse::{Fork, places};

/// Returns that an instance may have when nothing else is said.
const RETURNS_MAX: u32 = 10;
/// Returns that may be on their way back at once.
const RETURNING_MAX: usize = 16;

/// A jump whose every part is known to be possible.
struct Plan {
    /// The scope that holds the target.
    scope: FrameId,
    /// The target; `None`: the applicant.
    target: Option<TaskId>,
    /// The task that the jump leaves.
    from: Option<FrameId>,
    /// What goes into the target, or is given for it.
    raw: Value,
    /// The target's checkpoint was the n-th thing noted.
    since: u32,
}

impl Machine<'_> {
    /// Makes a jump, or refuses it and changes nothing.
    pub(crate) fn jump(&mut self, jump: &Jump) -> Result<(), Refusal> {
        self.check_right(jump)?;
        let plan = self.plan(jump)?;
        let ended = self.instance.status.has_ended();
        self.quiet = ended;
        self.note_jump(jump, &plan);
        self.remember_way_back(jump, &plan);
        self.leave(jump, &plan);
        self.change_context(jump, &plan);
        self.quiet = false;
        self.instance.status = Status::Running;
        self.instance.error = None;
        self.instance.faulted = None;
        self.instance.output = Value::Null.into();
        self.instance.runaway = 0;
        if ended {
            self.wake();
        }
        self.arrive_at(jump, plan);
        Ok(())
    }

    fn check_right(&self, jump: &Jump) -> Result<(), Refusal> {
        let status = self.instance.status;
        match (jump.right, status) {
            (_, Status::Running) if jump.right != Right::Revive => {}
            (Right::Operator, Status::Suspended | Status::Faulted) => {}
            (Right::Revive, Status::Faulted | Status::Cancelled | Status::Completed) => {}
            (Right::Return | Right::Withdrawal, Status::Suspended) => {
                return Err(Refusal::Suspended);
            }
            _ => return Err(Refusal::Status(status)),
        }
        if jump.right != Right::Return {
            return Ok(());
        }
        if jump.from.is_none() {
            return Err(Refusal::Contradiction(
                "a return needs the task that returns",
            ));
        }
        if jump.context != ContextChange::Keep {
            return Err(Refusal::Contradiction("a return never changes the context"));
        }
        let (count, limit) = (self.instance.returns, jump.limit.unwrap_or(RETURNS_MAX));
        if count >= limit {
            Err(Refusal::ReturnLimit { count, limit })
        } else {
            Ok(())
        }
    }

    fn plan(&self, jump: &Jump) -> Result<Plan, Refusal> {
        let from = self.returner(jump)?;
        let (path, skip) = match &jump.to {
            Target::Applicant => {
                return Ok(Plan {
                    scope: ROOT,
                    target: None,
                    from,
                    raw: Value::Null,
                    since: 0,
                });
            }
            Target::Previous => (self.previous(from)?, false),
            Target::Task(path) => (path.clone(), false),
            Target::After(path) => (path.clone(), true),
        };
        let target = self.find_target(&path, from)?;
        let task = self.program.task(target);
        let holds = |id: FrameId| self.scope_of(id) == Some(task.home);
        let scope = match from {
            Some(from) => self
                .instance
                .ancestors(from)
                .skip(1)
                .map(|(id, _)| id)
                .find(|id| holds(*id)),
            None => self.instance.frames.keys().copied().find(|id| holds(*id)),
        };
        let scope = scope.ok_or_else(|| Refusal::OutOfScope(task.path.to_string()))?;
        self.check_way(scope, target, from)?;
        let passed = self.instance.frames.get(&scope).and_then(Frame::line);
        let passed = passed.is_some_and(|line| line.passed.contains(&task.label));
        if matches!(jump.right, Right::Return | Right::Withdrawal) && !passed {
            return Err(Refusal::NotPassed(task.path.to_string()));
        }
        let since = self
            .instance
            .checkpoints
            .get(&task.path)
            .map_or(0, |checkpoint| checkpoint.sequence);
        if jump.right == Right::Withdrawal {
            self.check_no_act(target, since)?;
        }
        if jump.context == ContextChange::Restore
            && !self.instance.checkpoints.contains_key(&task.path)
        {
            return Err(Refusal::NoCheckpoint(task.path.to_string()));
        }
        let raw = self.raw_for(jump, scope, target, skip)?;
        Ok(Plan {
            scope,
            target: Some(target),
            from,
            raw,
            since,
        })
    }

    /// A jump inside a fork concerns one branch, and it must lead away from the task that failed.
    fn check_way(
        &self,
        scope: FrameId,
        target: TaskId,
        from: Option<FrameId>,
    ) -> Result<(), Refusal> {
        let failed = self.instance.faulted.filter(|id| *id != ROOT);
        for task in failed.into_iter().chain(from) {
            let way: Vec<FrameId> = self.instance.ancestors(task).map(|(id, _)| id).collect();
            let at = way.iter().position(|id| *id == scope);
            let branch = at
                .and_then(|at| way.get(at.checked_sub(1)?))
                .map(|id| self.task_of(*id).path.clone());
            let own = branch.is_some_and(|branch| branch == self.program.task(target).path);
            if at.is_none() || (self.is_fork(scope) && !own) {
                return Err(Refusal::OutOfScope(
                    self.program.task(target).path.to_string(),
                ));
            }
        }
        Ok(())
    }

    fn returner(&self, jump: &Jump) -> Result<Option<FrameId>, Refusal> {
        let Some(run_id) = &jump.from else {
            return Ok(self.instance.faulted.filter(|id| *id != ROOT));
        };
        let found = self
            .instance
            .frames
            .keys()
            .copied()
            .find(|id| self.instance.run_id_of(*id) == **run_id);
        found
            .filter(|id| *id != ROOT)
            .map(Some)
            .ok_or_else(|| Refusal::NotLive(run_id.clone()))
    }

    /// The latest passed work task on the way from the root to the returner.
    fn previous(&self, from: Option<FrameId>) -> Result<String, Refusal> {
        let from = from.ok_or(Refusal::Contradiction(
            "`previous` needs the task that returns",
        ))?;
        for (id, frame) in self.instance.ancestors(from).skip(1) {
            let (Some(line), Some(scope)) = (frame.line(), self.scope_of(id)) else {
                continue;
            };
            let passed = line
                .passed
                .iter()
                .rev()
                .filter_map(|label| self.program.in_scope(scope, label));
            if let Some(task) = passed
                .map(|id| self.program.task(id))
                .find(|task| task.is_work())
            {
                return Ok(task.path.to_string());
            }
        }
        Err(Refusal::NoPrevious)
    }

    /// A task by its bare name, looked up from the returner outwards, or by its path.
    fn find_target(&self, path: &str, from: Option<FrameId>) -> Result<TaskId, Refusal> {
        let around = from
            .into_iter()
            .flat_map(|from| self.instance.ancestors(from).skip(1));
        let mut named =
            around.filter_map(|(id, _)| self.program.in_scope(self.scope_of(id)?, path));
        let found = named
            .next()
            .or_else(|| self.program.by_path.get(path).copied());
        found.ok_or_else(|| Refusal::NoTask(path.to_owned()))
    }

    /// A decision can be taken back only while no act followed it.
    fn check_no_act(&self, target: TaskId, since: u32) -> Result<(), Refusal> {
        let path = &self.program.task(target).path;
        let act = self
            .instance
            .answers
            .iter()
            .find(|answer| answer.sequence > since && answer.args.is_some());
        match act {
            Some(act) if *act.place != **path => Err(Refusal::ActTaken(act.place.to_string())),
            _ => Ok(()),
        }
    }

    fn raw_for(
        &self,
        jump: &Jump,
        scope: FrameId,
        target: TaskId,
        skip: bool,
    ) -> Result<Value, Refusal> {
        let task = self.program.task(target);
        let on_way = |frame: &&Frame| {
            frame.parent == scope && (frame.task == target || !self.is_fork(scope))
        };
        let live = self
            .instance
            .frames
            .iter()
            .filter(|(id, _)| **id != ROOT)
            .map(|(_, frame)| frame)
            .find(on_way);
        let raw = match &jump.input {
            JumpInput::Given(value) => Some(value.clone()),
            JumpInput::LastOutput => live.map(|frame| frame.raw.value()),
            JumpInput::Checkpoint if skip => {
                return Err(Refusal::Contradiction(
                    "a skipped task needs an output: give one, or its input",
                ));
            }
            JumpInput::Checkpoint => match live.filter(|frame| frame.task == target) {
                Some(frame) => Some(frame.raw.value()),
                None => self
                    .instance
                    .checkpoints
                    .get(&task.path)
                    .map(|checkpoint| checkpoint.raw.value()),
            },
        };
        raw.ok_or_else(|| Refusal::NoCheckpoint(task.path.to_string()))
    }

    fn is_fork(&self, id: FrameId) -> bool {
        matches!(
            self.instance.frames.get(&id).map(|frame| &frame.state_of),
            Some(State::Fork { .. })
        )
    }

    fn note_jump(&mut self, jump: &Jump, plan: &Plan) {
        if jump.right == Right::Return {
            self.instance.returns += 1;
        }
        let path = plan
            .target
            .map_or(crate::instance::APPLICANT.to_owned(), |id| {
                self.program.task(id).path.to_string()
            });
        let words: Vec<&str> = [
            jump.by.as_str(),
            jump.comment.as_str(),
            jump.reason.as_str(),
        ]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
        let note = words.join(": ");
        let record = self.record_instance(RecordStatus::Jumped, Some(note));
        record.path = path;
    }

    /// Notes what stands and what opens again on the way back to the returner.
    fn remember_way_back(&mut self, jump: &Jump, plan: &Plan) {
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
        let reuse = former.cloned().collect();
        let below: Vec<FrameId> = self.below(plan.scope);
        let places_of = |wanted: &dyn Fn(FrameId) -> bool| -> Vec<String> {
            below
                .iter()
                .filter(|id| wanted(**id))
                .map(|id| self.instance.place_of(*id))
                .collect()
        };
        let open =
            places_of(&|id| self.task_of(id).is_work() && sibling(&self.instance.place_of(id)));
        let clocks = places_of(&|id| self.task_of(id).clock.is_some());
        self.push_returning(Returning {
            until: until.into(),
            signing: jump.signing,
            by: jump.by.clone(),
            reuse,
            reopen: if jump.siblings == Siblings::Keep {
                places(open)
            } else {
                Vec::new()
            },
            clocks: if jump.mode == Mode::Direct {
                places(clocks)
            } else {
                Vec::new()
            },
            target: place_of_target.map(Into::into),
        });
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

    /// Ends what lies on the returner's way below the scope, and rewinds the scope.
    fn leave(&mut self, jump: &Jump, plan: &Plan) {
        let why = if jump.right == Right::Return {
            Why::Returned
        } else {
            Why::Jumped
        };
        self.close_applicant(why);
        let only = self.is_fork(plan.scope).then_some(plan.target).flatten();
        let children: Vec<(FrameId, Arc<str>, u32)> = self
            .instance
            .frames
            .iter()
            .filter(|(id, frame)| **id != ROOT && frame.parent == plan.scope)
            .filter(|(_, frame)| only.is_none_or(|target| frame.task == target))
            .map(|(id, frame)| (*id, frame.name.clone(), frame.entry))
            .collect();
        for (child, label, entry) in children {
            self.end_children(child, why);
            self.withdraw(child, why);
            self.note_cancelled(child);
            self.undress(child);
            self.instance.frames.remove(&child);
            match self
                .instance
                .frames
                .get_mut(&plan.scope)
                .map(|frame| &mut frame.state_of)
            {
                Some(State::Fork { entries, .. }) => {
                    entries.insert(label, entry);
                }
                _ => self.line_of(plan.scope, |line| {
                    line.entries.insert(label.clone(), entry);
                }),
            }
        }
        let scope = plan.scope;
        self.instance.pending.retain(|pending| {
            pending.parent != scope
                || only.is_some_and(|target| pending.task != self.program.task(target).label)
        });
        self.rewind(plan);
    }

    fn rewind(&mut self, plan: &Plan) {
        match plan.target {
            Some(target) => {
                let task = self.program.task(target);
                let position = task.position;
                if let Some(State::Fork { done, .. }) = self
                    .instance
                    .frames
                    .get_mut(&plan.scope)
                    .map(|frame| &mut frame.state_of)
                {
                    done.remove(&position);
                    return;
                }
                self.line_of(plan.scope, |line| {
                    line.rewind(&task.label);
                });
            }
            None => self.line_of(plan.scope, |line| {
                if let Some(first) = line.passed.first().cloned() {
                    line.rewind(&first);
                }
            }),
        }
    }

    fn line_of(&mut self, id: FrameId, change: impl FnOnce(&mut crate::frame::Line)) {
        if let Some(line) = self.instance.frames.get_mut(&id).and_then(Frame::line_mut) {
            change(line);
        }
    }

    fn change_context(&mut self, jump: &Jump, plan: &Plan) {
        let context = match &jump.context {
            ContextChange::Keep => return,
            ContextChange::Given(context) => context.clone(),
            ContextChange::Restore => {
                let path = plan
                    .target
                    .map(|target| self.program.task(target).path.clone());
                let Some(checkpoint) = path.and_then(|path| self.instance.checkpoints.get(&path))
                else {
                    return;
                };
                checkpoint.context.value()
            }
        };
        self.set_context(plan.scope, context);
    }

    /// Goes on at the target.
    fn arrive_at(&mut self, jump: &Jump, plan: Plan) {
        let Some(target) = plan.target else {
            self.ask_applicant(jump);
            return;
        };
        if !matches!(jump.to, Target::After(_)) {
            self.due(plan.scope, target, plan.raw);
            return;
        }
        let task = self.program.task(target);
        let raw = plan.raw;
        self.line_of(plan.scope, |line| {
            line.pass(&task.label);
            if task.keep {
                line.steps.insert(task.label.clone(), raw.clone().into());
            }
        });
        self.instance
            .trail
            .insert(task.path.clone(), crate::instance::Mark::Skipped);
        self.advance(plan.scope, target, raw, task.then, None);
    }

    /// An ended instance runs again: what was live when it ended is opened again. Timeouts that have
    /// passed since would end it at once; they are dropped.
    fn wake(&mut self) {
        let now_ms = self.now_ms;
        let over = |timeout: &mut Option<i64>| *timeout = timeout.filter(|at_ms| *at_ms > now_ms);
        over(&mut self.instance.timeout_at_ms);
        self.instance
            .frames
            .values_mut()
            .for_each(|frame| over(&mut frame.timeout_at_ms));
        self.reopen_clock(ROOT);
        let frames: Vec<FrameId> = self
            .instance
            .frames
            .keys()
            .copied()
            .filter(|id| *id != ROOT)
            .collect();
        for id in frames {
            self.reopen_clock(id);
            let reopened = match &self.task_of(id).body {
                crate::program::Body::Call(call) if self.waits(id) => self.call_again(id, call),
                crate::program::Body::Listen(body) if self.waits(id) => {
                    self.subscribe(id, body);
                    Ok(())
                }
                crate::program::Body::Child(child) if self.waits(id) => {
                    let input = self
                        .instance
                        .frames
                        .get(&id)
                        .map(|frame| frame.input.value())
                        .unwrap_or_default();
                    self.child(id, child, input).map(|_| ())
                }
                _ => Ok(()),
            };
            if let Err(error) = reopened {
                self.fault(id, error);
                return;
            }
        }
    }

    fn waits(&self, id: FrameId) -> bool {
        self.instance
            .frames
            .get(&id)
            .is_some_and(|frame| frame.waiting().is_some())
    }

    fn reopen_clock(&mut self, id: FrameId) {
        let (clock, pauses) = match id {
            ROOT => (self.program.clock.as_ref(), None),
            _ => (
                self.task_of(id).clock.as_ref(),
                self.task_of(id).pauses.as_ref(),
            ),
        };
        let place = self.instance.place_of(id);
        let input = self
            .instance
            .frames
            .get(&id)
            .map(|frame| frame.input.value())
            .unwrap_or_default();
        let moment = crate::evaluate::Moment::definition(id, &input);
        if let Some(Ok((spec, title))) = clock.map(|clock| self.clock_spec(clock, &moment)) {
            self.effects.push(Effect::ClockOpen {
                place: place.clone(),
                spec,
                title,
                resume: true,
            });
        }
        if let Some(pauses) = pauses {
            self.effects.push(Effect::GroundEnter {
                place,
                ground: pauses.ground.clone(),
                basis: None,
            });
        }
    }
}
