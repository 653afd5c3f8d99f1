//! Lanes: who has a column of its own, and which branches of a fork can keep to those columns.
//!
//! Branches whose lanes do not touch stand in their lanes. Others stand side by side on a panel of their own, and the
//! steps on it tell by themselves who does them.

use std::collections::BTreeMap;

use super::figure::{Figure, Leaf};
use super::who::{APPLICANT, Actor, SYSTEM};

/// More lanes than this make a picture too wide to print: the rarer ones share one.
const MOST: usize = 7;

/// The lanes from left to right.
pub(super) struct Lanes {
    pub titles: Vec<String>,
    by_key: BTreeMap<String, usize>,
}

/// A first and a last lane.
pub(super) type Interval = (usize, usize);

impl Lanes {
    /// The lanes of a figure: the applicant first, then in order of appearance, the system last.
    pub fn of(figure: &Figure, others: &str) -> Lanes {
        let mut all = Vec::new();
        actors(figure, None, &mut all);
        let wide = Lanes::ordered(&all, others);
        let mut kept = Vec::new();
        actors(figure, Some(&wide), &mut kept);
        Lanes::ordered(&kept, others)
    }

    /// One lane for everything.
    pub fn single() -> Lanes {
        Lanes {
            titles: vec![String::new()],
            by_key: BTreeMap::new(),
        }
    }

    fn ordered(found: &[&Actor], others: &str) -> Lanes {
        let mut known: Vec<(Actor, usize)> = Vec::new();
        for actor in found {
            match known.iter_mut().find(|(one, _)| one.key == actor.key) {
                Some((one, count)) => {
                    *count += 1;
                    if !one.lane.split('、').any(|part| part == actor.lane) {
                        one.lane = format!("{}、{}", one.lane, actor.lane);
                    }
                }
                None => known.push(((*actor).clone(), 1)),
            }
        }
        let mut counts: Vec<usize> = known.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        for (actor, _) in &mut known {
            if let Some(unit) = common(&actor.lane) {
                actor.lane = unit;
            }
        }
        let least = if known.len() > MOST {
            counts.get(MOST - 2).copied().unwrap_or(0) + 1
        } else {
            0
        };
        known.sort_by_key(|(actor, _)| match actor.key.as_str() {
            APPLICANT => 0,
            SYSTEM => 2,
            _ => 1,
        });
        let mut lanes = Lanes {
            titles: Vec::new(),
            by_key: BTreeMap::new(),
        };
        let (kept, merged): (Vec<_>, Vec<_>) = known.into_iter().partition(|(actor, count)| {
            *count >= least || actor.key == APPLICANT || actor.key == SYSTEM
        });
        for (actor, _) in kept {
            lanes.by_key.insert(actor.key.clone(), lanes.titles.len());
            lanes.titles.push(actor.lane.clone());
        }
        if !merged.is_empty() {
            for (actor, _) in merged {
                lanes.by_key.insert(actor.key.clone(), lanes.titles.len());
            }
            lanes.titles.push(others.to_owned());
        }
        if lanes.titles.is_empty() {
            lanes.titles.push(String::new());
        }
        lanes
    }

    /// The lane of a step.
    pub fn lane(&self, leaf: &Leaf) -> usize {
        self.by_key.get(&leaf.actor.key).copied().unwrap_or(0)
    }

    /// Whether there is more than one.
    pub fn are_shown(&self) -> bool {
        self.titles.len() > 1
    }

    /// From the first to the last lane that a figure needs; `None` when it needs none of these.
    pub fn interval(&self, figure: &Figure) -> Option<Interval> {
        match figure {
            Figure::Leaf(leaf) => {
                let lane = match self.by_key.get(&leaf.actor.key) {
                    Some(lane) => *lane,
                    None if self.titles.len() == 1 => 0,
                    None => return None,
                };
                Some((lane, lane))
            }
            Figure::Sequence(sequence) => self.hull(&sequence.rows),
            Figure::Frame(frame) => self.interval(&frame.inner),
            Figure::Branches(branches) => self.hull(branches),
            Figure::Trial(trial) => union(self.interval(&trial.body), self.interval(&trial.caught)),
        }
    }

    fn hull(&self, figures: &[Figure]) -> Option<Interval> {
        figures
            .iter()
            .map(|figure| self.interval(figure))
            .fold(None, union)
    }

    /// Whether branches can stand in the lanes: none touches those of another.
    pub fn hold(&self, branches: &[Figure]) -> bool {
        let intervals: Option<Vec<Interval>> = branches
            .iter()
            .map(|branch| self.interval(branch))
            .collect();
        let Some(mut intervals) = intervals.filter(|found| found.len() > 1) else {
            return false;
        };
        intervals.sort_unstable();
        intervals
            .iter()
            .zip(intervals.iter().skip(1))
            .all(|((_, end), (start, _))| end < start)
    }
}

/// What all roles of a lane say of their unit: `提供部门` of `受理员(提供部门)、处长(提供部门)`.
fn common(roles: &str) -> Option<String> {
    let mut units = roles.split('、').map(|role| {
        let role = role.strip_suffix([')', '）'])?;
        let at = role.rfind(['(', '（'])?;
        role.get(at..)?
            .get(role.get(at..)?.chars().next()?.len_utf8()..)
    });
    let first = units.next()??;
    let mut others = 0;
    for unit in units {
        if unit? != first {
            return None;
        }
        others += 1;
    }
    (others > 0).then(|| first.to_owned())
}

fn union(one: Option<Interval>, other: Option<Interval>) -> Option<Interval> {
    match (one, other) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

/// Everybody who does something in a figure; with lanes, without those on panels of their own.
fn actors<'a>(figure: &'a Figure, lanes: Option<&Lanes>, found: &mut Vec<&'a Actor>) {
    match figure {
        Figure::Leaf(leaf) => found.push(&leaf.actor),
        Figure::Sequence(sequence) => {
            for row in &sequence.rows {
                actors(row, lanes, found);
            }
        }
        Figure::Frame(frame) => actors(&frame.inner, lanes, found),
        Figure::Branches(branches) => {
            if lanes.is_none_or(|lanes| lanes.hold(branches)) {
                for branch in branches {
                    actors(branch, lanes, found);
                }
            }
        }
        Figure::Trial(trial) => {
            actors(&trial.body, lanes, found);
            actors(&trial.caught, lanes, found);
        }
    }
}
