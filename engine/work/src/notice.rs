//! Public notices (公示): open for a time, with objections as cases of their own.

use serde::{Deserialize, Serialize};
use tongban_expr::{Value, value};

use crate::clock::Clock;
use crate::desk::{Desk, note};
use crate::item::{Kind, Objection, Status};
use crate::round::new_item;
use crate::rung::{Does, Rung};
use crate::spec::Spec;
use crate::{Opening, Out, WorkError, World};

/// A notice as the public page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeView {
    /// The item.
    pub n: u32,
    /// The title.
    pub title: String,
    /// The template.
    pub template: String,
    /// What the public sees, masked.
    pub data: Value,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The last instant.
    pub due_at_ms: i64,
    /// Whether objections are still taken.
    pub open: bool,
    /// The process that an objection starts.
    pub objections: Option<String>,
}

impl Desk {
    pub(crate) fn open_notice(
        &mut self,
        opening: Opening,
        world: &World<'_>,
    ) -> Result<Vec<Out>, WorkError> {
        let spec = Spec::parse_notice(&opening.args)?;
        let n = self.next_n();
        let unit = world.case.unit.as_deref();
        let mut clock = Clock::read(
            self.clock_id(n),
            &opening.place,
            Some(n),
            &opening.args,
            unit,
            world,
        )?;
        clock.title.clone_from(&opening.title);
        clock.rungs.push(Rung::at_end("end", Does::End));
        let mut outs = Vec::new();
        let item = new_item(n, Kind::Notice, spec, &opening, world);
        let title = item.title.clone();
        self.items.push(item);
        self.clock_start(clock, world, &mut outs);
        outs.push(note(
            Some(n),
            "published",
            "system",
            world,
            value!({"title": title}),
        ));
        Ok(outs)
    }

    /// All notices of the case.
    pub fn notices(&self, world: &World<'_>) -> Vec<NoticeView> {
        let calendar = world.org.calendar(world.case.unit.as_deref());
        let view = |item: &crate::item::Item| {
            let spec = item.spec.notice.as_ref()?;
            let clock = self
                .clocks
                .iter()
                .rfind(|clock| clock.item == Some(item.n))?;
            Some(NoticeView {
                n: item.n,
                title: item.title.clone(),
                template: spec.template.clone(),
                data: spec.data.clone(),
                from: calendar.date_of(item.opened_ms).to_string(),
                to: calendar.date_of(clock.due_ms).to_string(),
                due_at_ms: clock.due_ms,
                open: item.status == Status::Open && world.now_ms <= clock.due_ms,
                objections: spec.objections.clone(),
            })
        };
        self.items.iter().filter_map(view).collect()
    }

    /// A case was started that objects to a notice.
    pub fn objection_opened(&mut self, n: u32, number: &str, world: &World<'_>) -> Vec<Out> {
        let open = |item: &&mut crate::item::Item| {
            item.kind == Kind::Notice && item.status == Status::Open
        };
        let Some(item) = self.item_mut(n).filter(open) else {
            return Vec::new();
        };
        if item.objections.iter().any(|known| known.number == number) {
            return Vec::new();
        }
        item.objections.push(Objection {
            number: number.to_owned(),
            outcome: None,
        });
        vec![note(
            Some(n),
            "objection",
            "system",
            world,
            value!({"number": number}),
        )]
    }

    /// Such a case ended.
    pub fn objection_closed(&mut self, number: &str, outcome: &str, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        let mut over = None;
        for item in self
            .items
            .iter_mut()
            .filter(|item| item.kind == Kind::Notice)
        {
            let n = item.n;
            for known in item
                .objections
                .iter_mut()
                .filter(|known| known.number == number)
            {
                known.outcome = Some(outcome.to_owned());
                over = Some(n);
                outs.push(note(
                    Some(n),
                    "objectionClosed",
                    "system",
                    world,
                    value!({"number": number, "outcome": outcome}),
                ));
            }
        }
        if let Some(n) = over.filter(|n| self.notice_is_over(*n)) {
            self.notice_end(n, world, &mut outs);
        }
        outs
    }

    fn notice_is_over(&self, n: u32) -> bool {
        let ended = |clock: &Clock| {
            clock
                .rungs
                .iter()
                .any(|rung| rung.does == Does::End && rung.fired_ms.is_some())
        };
        self.clocks
            .iter()
            .any(|clock| clock.item == Some(n) && ended(clock))
    }

    /// The last day is over: the notice ends, unless it waits for objections.
    pub(crate) fn notice_end(&mut self, n: u32, world: &World<'_>, outs: &mut Vec<Out>) {
        let Some(index) = self.find(n) else { return };
        let Some(item) = self
            .items
            .get(index)
            .filter(|item| item.status == Status::Open)
        else {
            return;
        };
        let wait = item.spec.notice.as_ref().is_some_and(|notice| notice.wait);
        if wait
            && item
                .objections
                .iter()
                .any(|objection| objection.outcome.is_none())
        {
            outs.push(note(
                Some(n),
                "awaitsObjections",
                "system",
                world,
                Value::Null,
            ));
            return;
        }
        let outcome = if item.objections.is_empty() {
            "clear"
        } else {
            "objected"
        };
        let calendar = world.org.calendar(world.case.unit.as_deref());
        let due_ms = self
            .clocks
            .iter()
            .rfind(|clock| clock.item == Some(n))
            .map_or(world.now_ms, |clock| clock.due_ms);
        let objection = |one: &Objection| value!({"number": one.number.clone(), "outcome": one.outcome.clone()});
        let output = value!({
            "outcome": outcome,
            "from": calendar.date_of(item.opened_ms).to_string(),
            "to": calendar.date_of(due_ms).to_string(),
            "url": format!("/notices/{}.{n}", world.case.id),
            "objections": item.objections.iter().map(objection).collect::<Vec<_>>(),
        });
        self.complete(index, outcome, None, "ended", output, world, outs);
    }
}
