//! What a person sees of an item and of the clocks: for the console, the API
//! and the page behind a mail's link.

use serde::{Deserialize, Serialize};
use tongban_expr::{Value, value};
use tongban_org::{Budget, Function, Used};

use crate::desk::Desk;
use crate::field::FieldRights;
use crate::item::{Item, Kind, Status};
use crate::standing::Hold;
use crate::{Act, Card, Channel, Difference, Refusal, Resume, Siblings, Signing, What, World};

/// An item as one person sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    /// The number within the case.
    pub n: u32,
    /// The path of the task.
    pub path: String,
    /// The place, with iterations.
    pub place: String,
    /// `approve`, `collect`, `notice`, `resubmit`, `correct`.
    pub kind: String,
    /// The title.
    pub title: String,
    /// `open`, `held`, `correcting`, `returned`, `decided`, `closed`.
    pub status: String,
    /// The round.
    pub round: u32,
    /// When the round was opened.
    pub opened_at_ms: i64,
    /// When it was closed, by whom and why.
    pub closed: Option<crate::item::Closed>,
    /// The nearest deadline.
    pub due_at_ms: Option<i64>,
    /// The same as a local date.
    pub due: Option<String>,
    /// Whether it is provisional.
    pub provisional: bool,
    /// The highest card.
    pub card: Option<Card>,
    /// The form: a reference or a schema; for `approve` the case's form.
    pub form: Option<Value>,
    /// What the form holds, without what is hidden.
    pub data: Value,
    /// Rights on the fields.
    pub fields: FieldRights,
    /// Whether everything that is not locked may be filled in (`collect`,
    /// `resubmit`), or only `fields.edit` (`approve`).
    pub fills: bool,
    /// Fields to correct, with reasons.
    pub asked: Vec<(String, String)>,
    /// What whoever sent it back said.
    pub words: Option<String>,
    /// What changed since the round before.
    pub difference: Vec<Difference>,
    /// What is shown beside the form.
    pub show: Value,
    /// The outcomes with their rules.
    pub outcomes: Vec<OutcomeView>,
    /// Whether it may be filled in without a connection.
    pub offline: bool,
    /// What the device records.
    pub capture: Vec<String>,
    /// The answers of this round.
    pub decisions: Vec<DecisionView>,
    /// People whose answers are waited for.
    pub waits_for: Vec<String>,
    /// Who claimed it.
    pub claimed_by: Option<String>,
    /// For whom the viewer acts; to be sent with the act.
    pub for_whom: Option<String>,
    /// What the viewer may do now, by the words of [`What`].
    pub may: Vec<String>,
    /// Whether only the viewer's opinion is asked (委派).
    pub opinion: bool,
    /// Signers whom the viewer added and who have not decided.
    pub added: Vec<String>,
    /// Returns, when the step has them.
    pub returns: Option<ReturnView>,
    /// Corrections that may still be asked for.
    pub corrections_left: u32,
    /// The digest of what is shown; to be sent with the act.
    pub digest: String,
}

/// An outcome as the form of a decision needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeView {
    /// The name.
    pub name: String,
    /// The title of the button.
    pub title: String,
    /// The title in English, when the author gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_en: Option<String>,
    /// Whether it wants a comment.
    pub comment: bool,
    /// The codes of its reasons, one of which it wants; empty when none.
    pub reasons: Vec<(String, String)>,
}

/// An answer as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionView {
    /// Who.
    pub by: String,
    /// His name.
    pub name: String,
    /// For whom.
    pub for_whom: Option<String>,
    /// The unit.
    pub unit: Option<String>,
    /// What.
    pub outcome: String,
    /// The outcome's title.
    pub title: String,
    /// The opinion.
    pub comment: Option<String>,
    /// The reason's code.
    pub reason: Option<String>,
    /// When.
    pub at_ms: i64,
    /// Through which channel.
    pub channel: String,
    /// The round that a kept answer comes from.
    pub kept_from: Option<u32>,
}

/// Where and how a case may be sent back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnView {
    /// The targets.
    pub to: Vec<String>,
    /// Fixed by the author; none lets the returner choose.
    pub resume: Option<Resume>,
    /// Fixed by the author.
    pub siblings: Option<Siblings>,
    /// Fixed by the author.
    pub signing: Option<Signing>,
    /// Whether reasons are given field by field.
    pub fields: bool,
    /// Returns that are left.
    pub left: u32,
    /// Returns so far.
    pub count: u32,
}

/// A clock as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockView {
    /// `case`, a place, or `item/n`.
    pub id: String,
    /// The place that it stands over.
    pub place: String,
    /// The item, when it is an item's own.
    pub item: Option<u32>,
    /// The title.
    pub title: Option<String>,
    /// Whether it runs.
    pub running: bool,
    /// Whether it is closed.
    pub closed: bool,
    /// The ground on which it stands still.
    pub ground: Option<String>,
    /// When it started.
    pub started_at_ms: i64,
    /// The deadline.
    pub due_at_ms: i64,
    /// The deadline as a local date.
    pub due: String,
    /// The promised deadline, when it is shorter than the legal one.
    pub promised_at_ms: Option<i64>,
    /// Whether the deadline is provisional.
    pub provisional: bool,
    /// Whether it has passed.
    pub overdue: bool,
    /// The budget.
    pub budget: Budget,
    /// What is used of it.
    pub used: Used,
    /// The cards shown, in order.
    pub cards: Vec<Card>,
    /// The legal basis.
    pub basis: Option<String>,
    /// How the deadline came about, in Chinese.
    pub explained_zh: Vec<String>,
    /// The same in English.
    pub explained_en: Vec<String>,
}

impl Desk {
    /// What a person sees of an item; none when it is none of his business.
    pub fn view_for(&self, person: &str, n: u32, world: &World<'_>) -> Option<ItemView> {
        let item = self.item(n)?;
        if !self.concerns(item, person, world) {
            return None;
        }
        let calendar = world
            .org
            .calendar(item.unit().or(world.case.unit.as_deref()));
        let due = self.nearest_due(item).filter(|_| item.status.is_live());
        let (may, for_whom) = self.abilities(item, person, world);
        let view = ItemView {
            n,
            path: item.path.clone(),
            place: item.place.clone(),
            kind: item.kind.word().to_owned(),
            title: item.title.clone(),
            status: item.status.word().to_owned(),
            round: item.round,
            opened_at_ms: item.opened_ms,
            closed: item.closed.clone(),
            due_at_ms: due.map(|(at_ms, _)| at_ms),
            due: due.map(|(at_ms, _)| calendar.date_of(at_ms).to_string()),
            provisional: due.is_some_and(|(_, provisional)| provisional),
            card: self.card_of(n),
            form: item.form(world),
            data: item.spec.fields.shown(item.content(world)),
            fields: item.spec.fields.clone(),
            fills: item.kind != Kind::Approve,
            asked: item.asked.clone(),
            words: item.words.clone(),
            difference: self.difference_of(item),
            show: item.spec.show.clone(),
            outcomes: outcomes(item, world),
            offline: item.spec.offline,
            capture: item.spec.capture.clone(),
            decisions: decisions(item, world),
            waits_for: item
                .current()
                .into_iter()
                .map(|(person, _)| person.to_owned())
                .collect(),
            claimed_by: claimed_by(item),
            for_whom,
            may,
            opinion: self.asked_of(item, person),
            added: added_by(item, person),
            returns: self.return_view(item),
            corrections_left: corrections_left(item),
            digest: item.digest(world),
        };
        Some(match self.is_inside(item, person, world) {
            true => view,
            false => view.seen_from_outside(item.kind),
        })
    }

    /// Whether a person hears what the signers of an item say to one another: the applicant does not.
    pub fn hears(&self, person: &str, n: u32, world: &World<'_>) -> bool {
        self.item(n)
            .is_some_and(|item| self.is_inside(item, person, world))
    }

    /// The highest card of the item's own clocks.
    fn card_of(&self, n: u32) -> Option<Card> {
        let own = self.clocks.iter().filter(|clock| clock.item == Some(n));
        own.filter_map(|clock| clock.card).max()
    }

    /// What changed in the form since the round before, as far as the step shows it.
    fn difference_of(&self, item: &Item) -> Vec<Difference> {
        let since = item.rounds.last().map(|end| end.at_ms);
        let changes = since
            .into_iter()
            .flat_map(|since| self.changes_since(since));
        changes
            .flat_map(|change| change.difference.iter().cloned())
            .filter(|one| !item.spec.fields.is_hidden(&one.field))
            .collect()
    }

    fn asked_of(&self, item: &Item, person: &str) -> bool {
        let asked = |seat: &crate::Seat| {
            let opinion = seat.opinion.as_ref();
            opinion.is_some_and(|opinion| opinion.of == person)
        };
        item.status == Status::Open && item.seats.iter().any(asked)
    }

    fn return_view(&self, item: &Item) -> Option<ReturnView> {
        let spec = item.spec.returns.as_ref()?;
        Some(ReturnView {
            to: spec.to.clone(),
            resume: spec.resume,
            siblings: spec.siblings,
            signing: spec.signing,
            fields: spec.fields,
            left: spec.max.saturating_sub(self.return_count),
            count: self.return_count,
        })
    }

    /// What a person may do now, and for whom he would act.
    fn abilities(
        &self,
        item: &Item,
        person: &str,
        world: &World<'_>,
    ) -> (Vec<String>, Option<String>) {
        let mut may: Vec<&str> = vec!["comment"];
        let waits = item.status == Status::Open && item.kind != Kind::Notice;
        let starter = world.case.starter.as_deref() == Some(person);
        let others = waits && item.current().iter().any(|(waiting, _)| *waiting != person);
        if others && (starter || self.has_right(person, Function::Supervise, world)) {
            may.push("urge");
        }
        let own = |decision: &&crate::item::Decision| {
            decision.person == person && decision.kept_from.is_none()
        };
        if item.kind == Kind::Approve && item.decisions.iter().any(|decision| own(&decision)) {
            may.push("withdraw");
        }
        let claimed = item
            .seats
            .iter()
            .any(|seat| seat.claimed.as_ref().is_some_and(|(by, _)| by == person));
        if claimed && waits {
            may.push("unclaim");
        }
        let probe = Act {
            n: item.n,
            round: None,
            who: person.to_owned(),
            for_whom: None,
            channel: Channel::Console,
            seen_digest: None,
            what: What::Claim,
        };
        let running = |hold: Result<Hold, Refusal>| hold.ok().filter(|_| !self.suspended);
        let hold = running(self.hold(item, &probe, world));
        let adds = running(self.adds(item, &probe, world));
        if let Some(hold) = &hold {
            may.push(match item.kind {
                Kind::Collect => "submit",
                Kind::Resubmit | Kind::Correct => "resubmit",
                _ => "decide",
            });
            if !hold.opinion {
                self.more_abilities(item, hold.seat, claimed, &mut may);
            }
        }
        if adds.is_some() {
            may.push("addSigner");
        }
        let signer = hold.or(adds).map(|hold| hold.signer);
        (words(may), signer.filter(|signer| signer != person))
    }

    fn more_abilities(&self, item: &Item, seat: u32, claimed: bool, may: &mut Vec<&str>) {
        let shared = item
            .seat(seat)
            .is_some_and(|seat| seat.people.len() + seat.agents.len() > 1);
        if shared && !claimed {
            may.push("claim");
        }
        if !matches!(item.kind, Kind::Approve | Kind::Collect) {
            return;
        }
        may.push("transfer");
        if item
            .spec
            .returns
            .as_ref()
            .is_some_and(|spec| self.return_count < spec.max)
        {
            may.push("return");
        }
        if item.kind == Kind::Approve {
            may.push("delegate");
            if item
                .spec
                .correct
                .as_ref()
                .is_some_and(|spec| item.corrections < spec.times)
            {
                may.push("correct");
            }
        }
    }
}

impl ItemView {
    /// What the applicant sees of the work of others: that it is done, by whom
    /// and with which outcome; not what they look at or say to one another.
    fn seen_from_outside(self, kind: Kind) -> Self {
        let decisions = self.decisions.into_iter().map(|decision| DecisionView {
            comment: None,
            reason: None,
            ..decision
        });
        let own_form = kind != Kind::Collect;
        Self {
            decisions: decisions.collect(),
            show: Value::Null,
            data: if own_form { self.data } else { Value::Null },
            difference: if own_form {
                self.difference
            } else {
                Vec::new()
            },
            asked: Vec::new(),
            words: None,
            ..self
        }
    }
}

impl Item {
    /// The form that the item shows: the case's for decisions and corrections.
    pub fn form(&self, world: &World<'_>) -> Option<Value> {
        match self.kind {
            Kind::Collect | Kind::Notice => self.spec.form.clone(),
            Kind::Approve => self
                .spec
                .form
                .clone()
                .or_else(|| world.case.form_ref.clone()),
            Kind::Resubmit | Kind::Correct => world.case.form_ref.clone(),
        }
    }

    /// What the form holds.
    pub fn content<'a>(&'a self, world: &'a World<'_>) -> &'a Value {
        match self.kind {
            Kind::Collect => &self.data,
            Kind::Notice => &Value::Null,
            Kind::Approve | Kind::Resubmit | Kind::Correct => &world.case.form,
        }
    }

    /// The digest of what everybody sees of this round, answers of others not counted.
    pub fn digest(&self, world: &World<'_>) -> String {
        let asked: Vec<Value> = self
            .asked
            .iter()
            .map(|(field, text)| value!([field.clone(), text.clone()]))
            .collect();
        value!({
            "case": world.case.id.clone(),
            "n": self.n,
            "round": self.round,
            "data": self.content(world).clone(),
            "show": self.spec.show.clone(),
            "asked": asked,
        })
        .digest()
    }
}

fn outcomes(item: &Item, world: &World<'_>) -> Vec<OutcomeView> {
    let view = |outcome: &crate::spec::Outcome| OutcomeView {
        name: outcome.name.clone(),
        title: outcome.title.clone(),
        title_en: outcome.title_en.clone(),
        comment: item.spec.comment.contains(&outcome.name),
        reasons: item
            .spec
            .reasons
            .get(&outcome.name)
            .and_then(|list| world.forms.codes(list))
            .unwrap_or_default(),
    };
    item.spec.outcomes.iter().map(view).collect()
}

fn decisions(item: &Item, world: &World<'_>) -> Vec<DecisionView> {
    let name = |id: &str| {
        world
            .org
            .person(id)
            .map_or_else(|| id.to_owned(), |person| person.name.clone())
    };
    let view = |decision: &crate::item::Decision| DecisionView {
        by: decision.person.clone(),
        name: name(&decision.person),
        for_whom: decision
            .for_id()
            .filter(|_| decision.person != "system")
            .map(str::to_owned),
        unit: decision.unit.clone(),
        outcome: decision.outcome.clone(),
        title: item
            .spec
            .outcome(&decision.outcome)
            .map_or_else(|| decision.outcome.clone(), |outcome| outcome.title.clone()),
        comment: decision.comment.clone(),
        reason: decision.reason.clone(),
        at_ms: decision.at_ms,
        channel: decision.channel.clone(),
        kept_from: decision.kept_from,
    };
    item.decisions.iter().map(view).collect()
}

fn claimed_by(item: &Item) -> Option<String> {
    let mut seats = item.seats.iter();
    seats.find_map(|seat| seat.claimed.as_ref().map(|(by, _)| by.clone()))
}

fn corrections_left(item: &Item) -> u32 {
    let spec = item.spec.correct.as_ref();
    spec.map_or(0, |spec| spec.times.saturating_sub(item.corrections))
}

fn added_by(item: &Item, person: &str) -> Vec<String> {
    if item.status != Status::Open {
        return Vec::new();
    }
    let own = item
        .seats
        .iter()
        .filter(|seat| seat.added_by.as_deref() == Some(person) && !item.is_done(seat));
    own.flat_map(|seat| seat.people.clone()).collect()
}

fn words(may: Vec<&str>) -> Vec<String> {
    may.into_iter().map(str::to_owned).collect()
}
