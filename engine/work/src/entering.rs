//! A task is entered: who is asked is settled, and its work is opened, afresh or as the next round.

use tongban_expr::Value;
use tongban_org::{ResolveCase, Selector};

use crate::arguments::argument;
use crate::desk::{Desk, unresolved};
use crate::item::{Kind, Status};
use crate::round::{new_item, next_round};
use crate::seat::{Seating, SeatingCase};
use crate::spec::{SelfRule, Spec};
use crate::{AskApplicant, MailKind, Opening, Out, Reopen, Signing, WorkError, World};

impl Desk {
    /// Opens the work of a task, or the next round of it.
    ///
    /// # Errors
    /// [`WorkError`]: the task faults, and the desk is unchanged.
    pub fn open(&mut self, opening: Opening, world: &World<'_>) -> Result<Vec<Out>, WorkError> {
        let kind = match opening.function.as_str() {
            "approve" => Kind::Approve,
            "collect" => Kind::Collect,
            "notice" => return self.open_notice(opening, world),
            other => {
                let reason = format!("expected approve, collect or notice, found `{other}`");
                return Err(argument("call", reason));
            }
        };
        let spec = Spec::parse(&opening.function, &opening.args)?;
        self.keep_figures(kind, &spec, world)?;
        let former = match opening.reopen {
            Reopen::Fresh => None,
            _ => self
                .items
                .iter()
                .rposition(|item| item.place == opening.place && item.kind == kind),
        };
        if let (Reopen::Keep, Some(index)) = (opening.reopen, former) {
            return Ok(self.keep_open(index, opening, world));
        }
        let by_return = former.is_some();
        let seating = self.seat(&spec, &opening.path, by_return, world)?;
        let n = former
            .and_then(|index| self.items.get(index))
            .map_or_else(|| self.next_n(), |item| item.n);
        let clock = self.own_clock(n, &spec, &opening, world)?;
        let mut outs = Vec::new();
        let mut item = new_item(n, kind, spec, &opening, world);
        item.by_return = by_return;
        let fill = world.forms.completed(
            item.spec.form.as_ref().unwrap_or(&Value::Null),
            opening.args.get("data").unwrap_or(&Value::Null),
        );
        item.data = if kind == Kind::Collect {
            fill
        } else {
            Value::Null
        };
        item.seats = seating.seats;
        match former {
            Some(index) => {
                let signing = match opening.reopen {
                    Reopen::Round { signing } => signing,
                    _ => Signing::All,
                };
                // Entered again while it was live: its clock and grounds end with the old round.
                self.end_of_item(n, world, &mut outs);
                if let Some(old) = self.items.get_mut(index) {
                    next_round(&mut item, old, signing);
                    *old = item;
                }
            }
            None => self.items.push(item),
        }
        for fault in seating.faults {
            outs.push(unresolved(n, fault, world));
        }
        self.begin(n, seating.automatic, clock, world, &mut outs);
        self.look_ahead(world);
        Ok(outs)
    }

    /// The applicant gets the case back: opens the form of the start, filled
    /// with the current one, with the fields and reasons that were marked.
    ///
    /// # Errors
    /// [`WorkError::Nobody`] when the case has no applicant.
    pub fn ask_applicant(
        &mut self,
        ask: AskApplicant,
        world: &World<'_>,
    ) -> Result<Vec<Out>, WorkError> {
        let mut outs = Vec::new();
        let n = self.applicant_item(&ask.run_id, String::new(), None, world)?;
        if let Some(item) = self.items.last_mut() {
            item.kind = Kind::Resubmit;
            item.asked = ask.fields;
            item.words = Some(ask.comment);
        }
        self.announce(n, MailKind::Correction, world, &mut outs);
        self.look_ahead(world);
        Ok(outs)
    }

    /// A held item opens: the cases of its batch have arrived.
    pub fn release(&mut self, n: u32, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        let Some(item) = self.item_mut(n).filter(|item| item.status == Status::Held) else {
            return outs;
        };
        item.status = Status::Open;
        item.opened_ms = world.now_ms;
        let calendar_unit = item
            .unit()
            .or(world.case.unit.as_deref())
            .map(str::to_owned);
        // The clock of a held item was read when it was entered; it starts now.
        if let Some(clock) = self
            .clocks
            .iter_mut()
            .find(|clock| clock.item == Some(n) && clock.closed_ms.is_none())
        {
            clock.unit = calendar_unit;
            clock.started_ms = world.now_ms;
            clock.pauses.clear();
            clock.held_by.clear();
            clock.reckon(world);
        }
        self.announce(n, MailKind::Task, world, &mut outs);
        outs
    }

    /// Opens an item for the applicant: the whole case (return) or a
    /// correction inside another item (补正).
    pub(crate) fn applicant_item(
        &mut self,
        run_id: &str,
        place: String,
        parent: Option<u32>,
        world: &World<'_>,
    ) -> Result<u32, WorkError> {
        let spec = Spec {
            to: vec![Selector::Applicant],
            self_rule: SelfRule::Allow,
            ..Spec::default()
        };
        let seating = SeatingCase {
            spec: &spec,
            path: "applicant",
            by_return: true,
            barred: Vec::new(),
        }
        .seat(world)?;
        let n = self.next_n();
        let opening = Opening {
            run_id: run_id.to_owned(),
            path: "applicant".to_owned(),
            place,
            function: "applicant".to_owned(),
            args: Value::Null,
            title: Some("补正".to_owned()),
            reopen: Reopen::Fresh,
        };
        let mut item = new_item(n, Kind::Correct, spec, &opening, world);
        item.seats = seating.seats;
        item.parent = parent;
        self.items.push(item);
        Ok(n)
    }

    fn seat(
        &self,
        spec: &Spec,
        path: &str,
        by_return: bool,
        world: &World<'_>,
    ) -> Result<Seating, WorkError> {
        let mut barred = Vec::new();
        let mut plain = Vec::new();
        for selector in &spec.except {
            match selector {
                Selector::Decided { step, of: None } => barred.extend(self.deciders(step)),
                Selector::Decided { step, of: Some(of) } => {
                    barred.extend(world.forms.decided(step, of))
                }
                other => plain.push(other.clone()),
            }
        }
        let case = ResolveCase {
            applicant: world.case.starter.as_deref(),
            applicant_unit: world.case.unit.as_deref(),
            chosen: &[],
            now_ms: world.now_ms,
        };
        barred.extend(world.org.resolve(&plain, &case).people());
        SeatingCase {
            spec,
            path,
            by_return,
            barred,
        }
        .seat(world)
    }
}
