//! Counting answers: when a round is decided, and with which outcome. A vote
//! ends as soon as passing is certain or has become impossible.

use crate::item::{Decision, Item};
use crate::seat::Seat;
use crate::spec::Mode;

/// The outcome that the answers so far amount to; none while it is open.
pub(crate) fn tally(item: &Item) -> Option<String> {
    let first = item.spec.first();
    let is_added = |id: u32| item.seat(id).is_some_and(|seat| seat.added_by.is_some());
    let has_added = item.seats.iter().any(|seat| seat.added_by.is_some());
    if !has_added {
        return base(item, &item.decisions.iter().collect::<Vec<_>>());
    }
    let (added, own): (Vec<&Decision>, Vec<&Decision>) = item
        .decisions
        .iter()
        .partition(|decision| is_added(decision.seat));
    // An added signer's answer is as good as any: another outcome ends the round.
    if let Some(other) = added.iter().find(|decision| decision.outcome != first) {
        return Some(other.outcome.clone());
    }
    let outcome = base(item, &own)?;
    let all_added = item
        .seats
        .iter()
        .filter(|seat| seat.added_by.is_some())
        .all(|seat| item.is_done(seat));
    (outcome != first || all_added).then_some(outcome)
}

fn base(item: &Item, decisions: &[&Decision]) -> Option<String> {
    let first = item.spec.first();
    let other = decisions.iter().find(|decision| decision.outcome != first);
    let seats = || item.seats.iter().filter(|seat| seat.added_by.is_none());
    let passed = Some(first.to_owned());
    match item.spec.mode {
        Mode::Any => decisions.first().map(|decision| decision.outcome.clone()),
        Mode::All => match other {
            Some(other) => Some(other.outcome.clone()),
            // One seat for each person: counting is enough.
            None if decisions.len() >= seats().count() => passed,
            None => None,
        },
        Mode::Sequence | Mode::Group => match other {
            Some(other) => Some(other.outcome.clone()),
            None if seats().all(|seat| item.is_done(seat)) => passed,
            None => None,
        },
        Mode::Share | Mode::Count | Mode::Weight => vote(item, decisions, seats()),
    }
}

fn vote<'a>(
    item: &Item,
    decisions: &[&Decision],
    seats: impl Iterator<Item = &'a Seat>,
) -> Option<String> {
    let weigh = |seat: &Seat| {
        if item.spec.mode == Mode::Weight {
            u64::from(seat.weight)
        } else {
            1
        }
    };
    let weights: Vec<(u32, u64)> = seats.map(|seat| (seat.id, weigh(seat))).collect();
    let weight_of = |id: u32| {
        weights
            .iter()
            .find(|(seat, _)| *seat == id)
            .map_or(0, |(_, weight)| *weight)
    };
    let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
    let first = item.spec.first();
    let (mut for_it, mut answered) = (0, 0);
    for decision in decisions {
        // Seats are numbered in order, so that this is not a search for each.
        let index = decision.seat as usize;
        let weight = match weights.get(index) {
            Some((id, weight)) if *id == decision.seat => *weight,
            _ => weight_of(decision.seat),
        };
        answered += weight;
        if decision.outcome == first {
            for_it += weight;
        }
    }
    let wanted = u64::from(item.spec.pass.unwrap_or(0));
    let reaches = |sum: u64| match item.spec.mode {
        Mode::Share => sum * 100 >= wanted * total,
        _ => sum >= wanted,
    };
    if reaches(for_it) {
        return Some(first.to_owned());
    }
    let possible = for_it + total.saturating_sub(answered);
    if reaches(possible) {
        None
    } else {
        Some(most_said(item, decisions))
    }
}

/// The outcome besides the first that was said most; of equals the one listed first.
fn most_said(item: &Item, decisions: &[&Decision]) -> String {
    let said = |name: &str| {
        decisions
            .iter()
            .filter(|decision| decision.outcome == name)
            .count()
    };
    let others = item.spec.outcomes.iter().skip(1).rev();
    let most = others.max_by_key(|outcome| said(&outcome.name));
    most.map_or_else(
        || item.spec.first().to_owned(),
        |outcome| outcome.name.clone(),
    )
}
