//! Seats: the places at which answers are counted. Who sits where is settled
//! when a task is entered, by the author's selectors and rules.

use serde::{Deserialize, Serialize};
use tongban_org::{Candidate, Principal, Resolution, ResolveCase, Selector};

use crate::spec::{EmptyRule, Mode, SelfRule, Spec};
use crate::{WorkError, World};

/// The most signers of one item; wider fan-out is a child case for each unit.
pub const SIGNERS_MAX: usize = 500;

/// A place at which one answer is owed (in `group`: the answers of one unit).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seat {
    /// The seat's number within the item.
    pub id: u32,
    /// Who may answer.
    pub people: Vec<String>,
    /// Agents of people who are away: (agent, person).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<(String, String)>,
    /// The unit that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The weight of the answer.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// Who took it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<(String, i64)>,
    /// An opinion that is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Opinion>,
    /// Who added this seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<String>,
    /// Seats that answer first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<u32>,
}

/// An opinion asked of somebody before the owner decides (委派).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// Whose opinion.
    pub of: String,
    /// Who asked.
    pub by: String,
}

/// The seats of a round, with answers that the author's rules give.
#[derive(Debug, Default)]
pub(crate) struct Seating {
    pub seats: Vec<Seat>,
    /// Seats that are answered by a rule: (seat, signer, whether it passes, rule).
    pub automatic: Vec<Automatic>,
    /// Selectors that named nobody, for the history.
    pub faults: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Automatic {
    pub seat: u32,
    pub signer: String,
    pub passes: bool,
    pub rule: &'static str,
}

/// What seating depends on besides the world.
pub(crate) struct SeatingCase<'a> {
    pub spec: &'a Spec,
    pub path: &'a str,
    pub by_return: bool,
    /// People whom `except` bars.
    pub barred: Vec<String>,
}

impl SeatingCase<'_> {
    /// Settles who sits where.
    pub(crate) fn seat(&self, world: &World<'_>) -> Result<Seating, WorkError> {
        let resolution = self.resolve(&self.spec.to, world);
        let faults = resolution.faults.clone();
        let mut seats = self.lay_out(resolution);
        if seats.is_empty() {
            seats.push(Seat {
                weight: 1,
                ..Seat::default()
            });
        }
        let mut seating = Seating {
            faults,
            ..Seating::default()
        };
        for seat in seats {
            self.settle(seat, world, &mut seating)?;
        }
        self.check(&seating)?;
        self.find_agents(&mut seating.seats, world);
        Ok(seating)
    }

    fn resolve(&self, selectors: &[Selector], world: &World<'_>) -> Resolution {
        let chosen = world
            .case
            .chosen
            .get(self.path)
            .map_or(&[][..], Vec::as_slice);
        let case = ResolveCase {
            applicant: world.case.starter.as_deref(),
            applicant_unit: world.case.unit.as_deref(),
            chosen,
            now_ms: world.now_ms,
        };
        let mut resolution = world.org.resolve(selectors, &case);
        for candidate in &mut resolution.candidates {
            candidate
                .people
                .retain(|person| !self.barred.contains(person));
        }
        resolution
    }

    /// One seat for all (`any`), for each person, for each selector or for each unit.
    fn lay_out(&self, resolution: Resolution) -> Vec<Seat> {
        match self.spec.mode {
            Mode::Any => self.one_seat(resolution),
            Mode::All | Mode::Share | Mode::Count | Mode::Weight => resolution
                .candidates
                .into_iter()
                .flat_map(seat_each)
                .collect(),
            Mode::Sequence => resolution
                .candidates
                .into_iter()
                .flat_map(seat_in_turn)
                .collect(),
            Mode::Group => seat_by_unit(resolution),
        }
    }

    fn one_seat(&self, resolution: Resolution) -> Vec<Seat> {
        let mut units: Vec<_> = resolution
            .candidates
            .iter()
            .map(|candidate| candidate.unit.clone())
            .collect();
        units.dedup();
        let unit = if units.len() == 1 {
            units.pop().flatten()
        } else {
            None
        };
        let people = resolution.people();
        vec![Seat {
            people,
            unit,
            weight: 1,
            ..Seat::default()
        }]
    }

    /// Applies the rules on applicants and on empty seats, and takes the seat.
    fn settle(
        &self,
        mut seat: Seat,
        world: &World<'_>,
        into: &mut Seating,
    ) -> Result<(), WorkError> {
        seat.id = u32::try_from(into.seats.len()).unwrap_or(u32::MAX);
        let starter = world.case.starter.as_deref();
        if let Some(starter) = starter
            .filter(|starter| self.bars_applicant() && seat.people.iter().any(|p| p == starter))
        {
            seat.people.retain(|person| person != starter);
            if seat.people.is_empty() {
                match self.spec.self_rule {
                    SelfRule::Skip => {
                        let signer = starter.to_owned();
                        into.automatic.push(Automatic {
                            seat: seat.id,
                            signer,
                            passes: true,
                            rule: "self",
                        });
                        seat.people = vec![starter.to_owned()];
                    }
                    SelfRule::Head => {
                        let unit = world.case.unit.as_deref().or(seat.unit.as_deref());
                        seat.people = unit
                            .map(|unit| world.org.heads_from(unit, starter))
                            .unwrap_or_default();
                    }
                    SelfRule::Superior | SelfRule::Allow => {
                        seat.people = world.org.superiors(starter)
                    }
                }
                let skipped = self.spec.self_rule == SelfRule::Skip;
                self.keep_fit(&mut seat, skipped, world);
            }
        }
        if seat.people.is_empty() {
            self.fill_empty(&mut seat, world, into)?;
        }
        // One person has one place in a vote, whichever way he came by it.
        if self.one_seat_each() && into.seats.iter().any(|other| other.people == seat.people) {
            into.automatic.retain(|automatic| automatic.seat != seat.id);
            return Ok(());
        }
        into.seats.push(seat);
        Ok(())
    }

    fn keep_fit(&self, seat: &mut Seat, starter_stays: bool, world: &World<'_>) {
        let starter = world.case.starter.as_deref();
        seat.people.retain(|person| {
            let own = starter == Some(person.as_str());
            world.org.is_here(person, world.now_ms)
                && !self.barred.contains(person)
                && (starter_stays || !own)
        });
    }

    fn fill_empty(
        &self,
        seat: &mut Seat,
        world: &World<'_>,
        into: &mut Seating,
    ) -> Result<(), WorkError> {
        let mut answer = |passes: bool| {
            let signer = format!("system/{}", seat.id);
            into.automatic.push(Automatic {
                seat: seat.id,
                signer,
                passes,
                rule: "empty",
            });
        };
        match &self.spec.empty {
            EmptyRule::Pass => {
                answer(true);
                return Ok(());
            }
            EmptyRule::Reject => {
                answer(false);
                return Ok(());
            }
            EmptyRule::Others(selectors) => seat.people = self.resolve(selectors, world).people(),
            EmptyRule::Administrator => {}
        }
        let allowed = !self.bars_applicant();
        self.keep_fit(seat, allowed, world);
        if seat.people.is_empty() {
            let unit = seat.unit.as_deref().or(world.case.unit.as_deref());
            seat.people = world.org.administrators(unit);
            self.keep_fit(seat, allowed, world);
        }
        if seat.people.is_empty() {
            let why = if into.faults.is_empty() {
                "no administrator is left".to_owned()
            } else {
                into.faults.join("; ")
            };
            return Err(WorkError::Nobody(why));
        }
        let why = format!("seat {} had nobody and went to the administrator", seat.id);
        into.faults.push(why);
        Ok(())
    }

    fn bars_applicant(&self) -> bool {
        self.spec.self_rule.bars(self.by_return)
    }

    fn one_seat_each(&self) -> bool {
        matches!(
            self.spec.mode,
            Mode::All | Mode::Share | Mode::Count | Mode::Weight
        )
    }

    fn find_agents(&self, seats: &mut [Seat], world: &World<'_>) {
        let starter = world.case.starter.as_deref();
        for seat in seats {
            seat.agents = agents(&seat.people, world);
            seat.agents.retain(|(agent, _)| {
                let own = starter == Some(agent.as_str()) && self.bars_applicant();
                !own && !self.barred.contains(agent)
            });
        }
    }

    fn check(&self, seating: &Seating) -> Result<(), WorkError> {
        let found = seating.seats.iter().map(|seat| seat.people.len()).sum();
        if found > SIGNERS_MAX {
            return Err(WorkError::TooManySigners {
                found,
                max: SIGNERS_MAX,
            });
        }
        let wanted = self.spec.pass.unwrap_or(0);
        let (have, what) = match self.spec.mode {
            Mode::Count => (
                u32::try_from(seating.seats.len()).unwrap_or(u32::MAX),
                "signers",
            ),
            Mode::Weight => (seating.seats.iter().map(|seat| seat.weight).sum(), "weight"),
            _ => return Ok(()),
        };
        if have < wanted {
            // Else the vote would fail without anybody having said anything.
            let why = format!("the vote wants {wanted} {what} and has {have}");
            return Err(WorkError::Forbidden(why));
        }
        Ok(())
    }
}

/// Who acts now for people who are away.
pub(crate) fn agents(people: &[String], world: &World<'_>) -> Vec<(String, String)> {
    let agent = |person: &String| {
        let agent = world
            .org
            .agent_of(person, &world.case.workflow, world.now_ms)?;
        (!people.contains(&agent)).then(|| (agent, person.clone()))
    };
    people.iter().filter_map(agent).collect()
}

fn seat_each(candidate: Candidate) -> Vec<Seat> {
    let (unit, weight) = (candidate.unit, candidate.weight);
    let seat = |people| Seat {
        people,
        unit: unit.clone(),
        weight,
        ..Seat::default()
    };
    if candidate.people.is_empty() {
        return vec![seat(Vec::new())];
    }
    candidate
        .people
        .into_iter()
        .map(|person| seat(vec![person]))
        .collect()
}

/// In a sequence a role, a post or the heads of a unit are one place that the
/// first of them takes; members of a unit or a group come one after the other.
fn seat_in_turn(candidate: Candidate) -> Vec<Seat> {
    match candidate.principal {
        Principal::Unit(_) | Principal::Group(_) => seat_each(candidate),
        _ => {
            let Candidate {
                unit,
                people,
                weight,
                ..
            } = candidate;
            vec![Seat {
                people,
                unit,
                weight,
                ..Seat::default()
            }]
        }
    }
}

fn seat_by_unit(resolution: Resolution) -> Vec<Seat> {
    let mut seats: Vec<Seat> = Vec::new();
    for candidate in resolution.candidates {
        let unit = candidate
            .unit
            .clone()
            .unwrap_or_else(|| candidate.principal.to_string());
        match seats
            .iter_mut()
            .find(|seat| seat.unit.as_ref() == Some(&unit))
        {
            Some(seat) => {
                for person in candidate.people {
                    if !seat.people.contains(&person) {
                        seat.people.push(person);
                    }
                }
            }
            None => {
                let Candidate { people, weight, .. } = candidate;
                seats.push(Seat {
                    people,
                    unit: Some(unit),
                    weight,
                    ..Seat::default()
                });
            }
        }
    }
    seats
}

fn one() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_one(weight: &u32) -> bool {
    *weight == 1
}
