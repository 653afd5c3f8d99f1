//! The desk's clocks: opened and closed with their tasks, held by grounds,
//! and the rungs that come due.

use tongban_expr::{Value, value};
use tongban_org::{Language, Pause, ResolveCase, Selector};

use crate::clock::{CASE_CLOCK, Clock, Does, Rung, lies_under};
use crate::desk::{Desk, Ground, note};
use crate::{Card, ClockEntryRow, MailKind, MailRequest, Out, WorkError, World};

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

    /// Fires everything that is due, in the order in which it was due.
    pub fn due(&mut self, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        if self.suspended {
            return outs;
        }
        while let Some((clock, rung)) = self.first_due(world.now_ms) {
            self.fire(clock, rung, world, &mut outs);
        }
        outs
    }

    /// When something comes due next; none while the case is suspended.
    pub fn next_due_ms(&self) -> Option<i64> {
        if self.suspended {
            return None;
        }
        self.clocks.iter().filter_map(Clock::next_rung_ms).min()
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

    fn first_due(&self, now_ms: i64) -> Option<(usize, usize)> {
        let mut first: Option<(i64, usize, usize)> = None;
        for (at, clock) in self
            .clocks
            .iter()
            .enumerate()
            .filter(|(_, clock)| clock.is_running())
        {
            for (index, rung) in clock.rungs.iter().enumerate() {
                let due = rung
                    .due_ms
                    .filter(|due| rung.fired_ms.is_none() && *due <= now_ms);
                if let Some(due) =
                    due.filter(|due| first.is_none_or(|(earliest, ..)| *due < earliest))
                {
                    first = Some((due, at, index));
                }
            }
        }
        first.map(|(_, clock, rung)| (clock, rung))
    }

    fn fire(&mut self, clock: usize, index: usize, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(found) = self.clocks.get_mut(clock) else {
            return;
        };
        let Some(rung) = found.rungs.get_mut(index) else {
            return;
        };
        rung.fired_ms = Some(world.now_ms);
        let rung = rung.clone();
        found.card = found.card.max(rung.card);
        let item = found.item;
        let card = rung
            .card
            .map(|card| card.word().to_owned())
            .unwrap_or_default();
        self.entry(
            clock,
            "rung",
            Some(rung.id.clone()),
            card,
            "system",
            world,
            outs,
        );
        match (&rung.does, item) {
            (Does::Remind | Does::Escalate, _) => self.tell(clock, &rung, world, outs),
            (Does::Timeout(outcome), Some(n)) => self.time_out(n, outcome, world, outs),
            (Does::End, Some(n)) => self.notice_end(n, world, outs),
            (Does::Timeout(_) | Does::End, None) => {}
        }
    }

    /// Tells those whom the rung names, or whoever holds the work up.
    fn tell(&mut self, clock: usize, rung: &Rung, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(clock) = self.clocks.get(clock) else {
            return;
        };
        let (kind, word) = match rung.card {
            Some(_) => (MailKind::Card, "card"),
            None => (MailKind::Reminder, "reminded"),
        };
        let calendar = world.org.calendar(clock.unit.as_deref());
        let data = value!({
            "clock": clock.title.clone(),
            "due": calendar.date_of(clock.due_ms).to_string(),
            "dueAt": calendar.iso(clock.due_ms),
            "provisional": clock.provisional,
            "card": rung.card.map(Card::word),
            "basis": clock.basis.clone(),
        });
        let link = rung.to.is_empty();
        for (to, n, round, title) in self.told_by(clock, rung, world) {
            let data = data.clone().with("title", title);
            outs.push(Out::Mail(MailRequest {
                to,
                kind,
                n,
                round,
                link,
                data,
            }));
        }
        for selector in &rung.to {
            if let Selector::Late(level) = selector {
                outs.push(Out::Late {
                    clock: clock.id.clone(),
                    place: clock.place.clone(),
                    level: level.clone(),
                    rung: rung.id.clone(),
                    card: rung.card,
                });
            }
        }
        let data = value!({"clock": clock.id.clone(), "rung": rung.id.clone(), "card": rung.card.map(Card::word)});
        outs.push(note(clock.item, word, "system", world, data));
    }

    /// Whom a rung tells: (person, item, round, title).
    fn told_by(
        &self,
        clock: &Clock,
        rung: &Rung,
        world: &World<'_>,
    ) -> Vec<(String, Option<u32>, u32, String)> {
        let mut told: Vec<(String, Option<u32>, u32, String)> = Vec::new();
        if rung.to.is_empty() {
            let waiting = self.items.iter().filter(|item| match clock.item {
                Some(n) => item.n == n,
                None => lies_under(&item.place, &clock.place),
            });
            for item in waiting {
                for (person, _) in item.current() {
                    if !told.iter().any(|(seen, ..)| seen == person) {
                        told.push((
                            person.to_owned(),
                            Some(item.n),
                            item.round,
                            item.title.clone(),
                        ));
                    }
                }
            }
            return told;
        }
        let case = ResolveCase {
            applicant: world.case.starter.as_deref(),
            applicant_unit: world.case.unit.as_deref(),
            chosen: &[],
            now_ms: world.now_ms,
        };
        let title = clock.title.clone().unwrap_or_default();
        let people = world.org.resolve(&rung.to, &case).people();
        people
            .into_iter()
            .map(|person| (person, clock.item, 1, title.clone()))
            .collect()
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
