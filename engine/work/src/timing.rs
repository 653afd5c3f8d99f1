//! The desk's clocks: opened and closed with their tasks, held by grounds,
//! and the rungs that come due.

use tongban_expr::Value;
use tongban_org::{Language, Pause};

use crate::clock::{CASE_CLOCK, Clock};
use crate::desk::{Desk, Ground};
use crate::{Card, ClockEntryRow, Out, WorkError, World};

/// The ground of a correction, whether by 补正 or by a return.
pub(crate) const CORRECTION: &str = "correction";

impl Desk {
    /// Opens the clock of a case (`place` empty), a stage or a task. With
    /// `resume` a clock that a return interrupted goes on with what was left.
    ///
    /// # Errors
    /// [`WorkError::Argument`] when the clock cannot be read.
    pub fn clock_open(
        &mut self,
        place: &str,
        spec: &Value,
        title: Option<&str>,
        resume: bool,
        world: &World<'_>,
    ) -> Result<Vec<Out>, WorkError> {
        let mut outs = Vec::new();
        let of_place = |clock: &Clock| clock.item.is_none() && clock.place == place;
        let former = self.clocks.iter().rposition(of_place);
        if let Some(index) = former.filter(|_| resume) {
            self.clock_go_on(index, world, &mut outs);
            return Ok(outs);
        }
        let base = if place.is_empty() { CASE_CLOCK } else { place };
        let used = self
            .clocks
            .iter()
            .filter(|clock| clock.item.is_none() && clock.place == place)
            .count();
        let id = if used == 0 {
            base.to_owned()
        } else {
            format!("{base}#{}", used + 1)
        };
        let mut clock = Clock::read(id, place, None, spec, world.case.unit.as_deref(), world)?;
        clock.title = clock.title.or_else(|| title.map(str::to_owned));
        self.clock_start(clock, world, &mut outs);
        Ok(outs)
    }

    /// Closes the clock of a place.
    pub fn clock_close(&mut self, place: &str, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        let of_place = |clock: &Clock| {
            clock.item.is_none() && clock.place == place && clock.closed_ms.is_none()
        };
        if let Some(index) = self.clocks.iter().rposition(of_place) {
            self.clock_end(index, world, &mut outs);
        }
        outs
    }

    /// A task with a ground (公示, 鉴定 …) begins: enclosing clocks that list
    /// the ground stand still.
    pub fn ground_enter(
        &mut self,
        place: &str,
        ground: &str,
        basis: Option<&str>,
        world: &World<'_>,
    ) -> Vec<Out> {
        let mut outs = Vec::new();
        self.ground_begin(
            format!("at/{place}/{ground}"),
            place,
            ground,
            basis,
            world,
            &mut outs,
        );
        outs
    }

    /// That task ended.
    pub fn ground_leave(&mut self, place: &str, ground: &str, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        self.ground_end(&format!("at/{place}/{ground}"), world, &mut outs);
        outs
    }

    /// When something comes due next; none while the case is suspended.
    pub fn next_due_ms(&self) -> Option<i64> {
        if self.suspended {
            return None;
        }
        let rungs = self.clocks.iter().filter_map(Clock::next_rung_ms);
        rungs.chain(self.agents_change_ms).min()
    }

    /// The organisation or a calendar changed: agents are found anew and
    /// deadlines derived again, with an entry where one moved.
    pub fn refresh(&mut self, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        for index in 0..self.clocks.len() {
            let Some(clock) = self
                .clocks
                .get_mut(index)
                .filter(|clock| clock.is_running())
            else {
                continue;
            };
            let before = (clock.due_ms, clock.provisional);
            clock.reckon(world);
            if before != (clock.due_ms, clock.provisional) {
                let calendar = world.org.calendar(clock.unit.as_deref());
                let why = format!(
                    "{} -> {}",
                    calendar.iso(before.0),
                    calendar.iso(clock.due_ms)
                );
                self.entry(index, "recompute", None, why, "system", world, &mut outs);
            }
        }
        self.find_agents_again(world, &mut outs);
        self.look_ahead(world);
        outs
    }

    pub(crate) fn clock_start(&mut self, mut clock: Clock, world: &World<'_>, outs: &mut Vec<Out>) {
        clock.reckon(world);
        self.clocks.push(clock);
        let index = self.clocks.len() - 1;
        for ground in self.grounds.clone() {
            self.hold_clock(index, &ground, world, outs);
        }
    }

    pub(crate) fn clock_end(&mut self, index: usize, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(clock) = self
            .clocks
            .get_mut(index)
            .filter(|clock| clock.closed_ms.is_none())
        else {
            return;
        };
        if let Some(pause) = clock
            .pauses
            .last_mut()
            .filter(|pause| pause.to_ms.is_none())
        {
            pause.to_ms = Some(world.now_ms);
        }
        clock.held_by.clear();
        clock.closed_ms = Some(world.now_ms);
        self.entry(index, "close", None, String::new(), "system", world, outs);
    }

    pub(crate) fn clock_go_on(&mut self, index: usize, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(clock) = self.clocks.get_mut(index) else {
            return;
        };
        let Some(closed) = clock.closed_ms.take() else {
            return;
        };
        clock.pauses.push(Pause {
            from_ms: closed,
            to_ms: Some(world.now_ms),
            ground: CORRECTION.to_owned(),
        });
        clock.reckon(world);
        self.entry(
            index,
            "resume",
            Some(CORRECTION.to_owned()),
            "returned".to_owned(),
            "system",
            world,
            outs,
        );
        for ground in self.grounds.clone() {
            self.hold_clock(index, &ground, world, outs);
        }
    }

    pub(crate) fn ground_begin(
        &mut self,
        owner: String,
        place: &str,
        ground: &str,
        basis: Option<&str>,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        if self.grounds.iter().any(|held| held.owner == owner) {
            return;
        }
        let ground = Ground {
            owner,
            place: place.to_owned(),
            ground: ground.to_owned(),
            basis: basis.map(str::to_owned),
            since_ms: world.now_ms,
        };
        self.grounds.push(ground.clone());
        for index in 0..self.clocks.len() {
            self.hold_clock(index, &ground, world, outs);
        }
    }

    pub(crate) fn ground_end(&mut self, owner: &str, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(position) = self.grounds.iter().position(|ground| ground.owner == owner) else {
            return;
        };
        self.grounds.remove(position);
        for index in 0..self.clocks.len() {
            let Some(clock) = self.clocks.get_mut(index) else {
                continue;
            };
            if clock.let_go(owner, world.now_ms) {
                clock.reckon(world);
                // The pause is named after the ground that began it.
                let ground = clock.pauses.last().map(|pause| pause.ground.clone());
                self.entry(
                    index,
                    "resume",
                    ground,
                    String::new(),
                    "system",
                    world,
                    outs,
                );
            }
        }
    }

    fn hold_clock(
        &mut self,
        index: usize,
        ground: &Ground,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(clock) = self.clocks.get_mut(index) else {
            return;
        };
        // A task's own ground does not stop its item's own time: the applicant's
        // for a correction, the collector's after a return, the notice's.
        let own = clock
            .item
            .is_some_and(|n| ground.owner == owner_of(n) || ground.owner.starts_with("at/"));
        if own || !clock.is_over(&ground.place) || !clock.stops.contains(&ground.ground) {
            return;
        }
        if clock.hold(&ground.owner, &ground.ground, world.now_ms) {
            let why = ground.basis.clone().unwrap_or_default();
            self.entry(
                index,
                "pause",
                Some(ground.ground.clone()),
                why,
                "system",
                world,
                outs,
            );
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one ledger row")]
    pub(crate) fn entry(
        &mut self,
        index: usize,
        kind: &str,
        ground: Option<String>,
        why: String,
        by: &str,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(clock) = self.clocks.get_mut(index) else {
            return;
        };
        clock.entries += 1;
        outs.push(Out::ClockEntry(ClockEntryRow {
            clock: clock.id.clone(),
            seq: clock.entries,
            kind: kind.to_owned(),
            ground,
            at_ms: world.now_ms,
            by: by.to_owned(),
            why,
        }));
    }

    /// The clocks as people see them, with used time and the way to the deadline.
    pub fn clock_views(&self, world: &World<'_>) -> Vec<crate::ClockView> {
        self.clocks
            .iter()
            .map(|clock| clock_view(clock, world))
            .collect()
    }
}

/// The owner under which an item's grounds are held.
pub(crate) fn owner_of(n: u32) -> String {
    format!("item/{n}")
}

fn clock_view(clock: &Clock, world: &World<'_>) -> crate::ClockView {
    let calendar = world.org.calendar(clock.unit.as_deref());
    let now_ms = clock.closed_ms.unwrap_or(world.now_ms);
    let deadline = calendar.deadline(clock.started_ms, &clock.budget, &clock.pauses, now_ms);
    let promised = clock
        .promise
        .map(|promise| calendar.deadline(clock.started_ms, &promise, &clock.pauses, now_ms));
    let explain = |language| {
        deadline
            .explained
            .iter()
            .map(|step| step.text(language))
            .collect()
    };
    let mut fired: Vec<(i64, Card)> = clock
        .rungs
        .iter()
        .filter_map(|rung| Some((rung.fired_ms?, rung.card?)))
        .collect();
    fired.sort_unstable();
    crate::ClockView {
        id: clock.id.clone(),
        place: clock.place.clone(),
        item: clock.item,
        title: clock.title.clone(),
        running: clock.is_running(),
        closed: clock.closed_ms.is_some(),
        ground: clock.ground().map(str::to_owned),
        started_at_ms: clock.started_ms,
        due_at_ms: deadline.at_ms,
        due: calendar.date_of(deadline.at_ms).to_string(),
        promised_at_ms: promised.map(|promised| promised.at_ms),
        provisional: deadline.provisional,
        overdue: clock.closed_ms.is_none()
            && clock.held_by.is_empty()
            && world.now_ms > deadline.at_ms,
        budget: clock.budget,
        used: calendar.used(clock.started_ms, &clock.budget, &clock.pauses, now_ms),
        cards: fired.into_iter().map(|(_, card)| card).collect(),
        basis: clock.basis.clone(),
        explained_zh: explain(Language::Chinese),
        explained_en: explain(Language::English),
    }
}
