//! The jump: the one mechanism behind return, withdrawal, retry, skip and wake-up.

use std::sync::Arc;

use tongban_expr::Value;

use crate::effect::{RecordStatus, Why};
use crate::event::{ContextChange, Jump, Right, Target};
use crate::frame::{FrameId, ROOT, State};
use crate::instance::Status;
use crate::machine::Machine;
use crate::plan::Plan;
use crate::refusal::Refusal;

/// Returns that an instance may have when nothing else is said.
const RETURNS_MAX: u32 = 10;

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
            match self.instance.doing_mut(plan.scope) {
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
                if let Some(State::Fork { done, .. }) = self.instance.doing_mut(plan.scope) {
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
        if let Some(line) = self.instance.line_mut(id) {
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
}
