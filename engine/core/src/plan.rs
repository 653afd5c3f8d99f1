//! What a jump comes to, looked up before anything is changed: a refused jump leaves no trace.

use tongban_expr::Value;

use crate::event::{ContextChange, Jump, JumpInput, Right, Target};
use crate::frame::{Frame, FrameId, ROOT, State};
use crate::machine::Machine;
use crate::program::TaskId;
use crate::refusal::Refusal;

/// A jump whose every part is known to be possible.
pub(crate) struct Plan {
    /// The scope that holds the target.
    pub(crate) scope: FrameId,
    /// The target; `None`: the applicant.
    pub(crate) target: Option<TaskId>,
    /// The task that the jump leaves.
    pub(crate) from: Option<FrameId>,
    /// What goes into the target, or is given for it.
    pub(crate) raw: Value,
    /// The target's checkpoint was the n-th thing noted.
    pub(crate) since: u32,
}

impl Machine<'_> {
    pub(crate) fn plan(&self, jump: &Jump) -> Result<Plan, Refusal> {
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

    pub(crate) fn is_fork(&self, id: FrameId) -> bool {
        matches!(self.instance.doing(id), Some(State::Fork { .. }))
    }
}
