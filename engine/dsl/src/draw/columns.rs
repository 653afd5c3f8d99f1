//! How wide a column is: the room that its lanes want.

use super::block::{Block, SMALL, TITLE};
use super::lanes::Lanes;
use super::measure::width;

/// Between two columns.
pub(super) const BETWEEN: f64 = 56.0;
/// Between a lane's border and what stands in it.
const LANE_PAD: f64 = 14.0;

/// The width that the lanes of a column take.
pub(super) fn column_width(block: &Block<'_>, lanes: &Lanes) -> f64 {
    let rooms = rooms(block, lanes).into_iter();
    rooms.map(|(left, right)| left + right).sum::<f64>() + BETWEEN
}

/// Room left and right of the axis of every lane.
pub(super) fn rooms(block: &Block<'_>, lanes: &Lanes) -> Vec<(f64, f64)> {
    let pad = if lanes.are_shown() { LANE_PAD } else { 0.0 };
    let room = |lane: usize| {
        let at = lane.checked_sub(block.first);
        let (left, right) = at
            .and_then(|at| block.room.get(at))
            .copied()
            .unwrap_or_default();
        let title = lanes.titles.get(lane).map_or("", String::as_str);
        let wanted = (width(title, TITLE) / 2.0 + SMALL).min(120.0);
        (left.max(wanted) + pad, right.max(wanted) + pad)
    };
    (0..lanes.titles.len()).map(room).collect()
}
