//! The whole picture: lanes, the start above, the steps, the end below.

use super::block::{Block, GAP, SMALL, TITLE, measure};
use super::figure::Figure;
use super::lanes::Lanes;
use super::measure::width;
use super::place::{Placer, ends_below, entry};
use super::scene::{Band, Scene};

/// Around everything.
pub(super) const EDGE: f64 = 24.0;
/// Height of the lanes' headings.
pub(super) const HEADING: f64 = 44.0;
/// Between a lane's border and what stands in it.
const LANE_PAD: f64 = 14.0;

/// Lays a figure out below `top`; `least` is the width that the words above and below want.
pub(super) fn lay_out<'a>(figure: &'a Figure, lanes: &Lanes, top: f64, least: f64) -> Scene<'a> {
    let block = measure(figure, lanes);
    let mut scene = Scene {
        top,
        ..Scene::default()
    };
    let (axes, end) = axes(&block, lanes, least, &mut scene);
    scene.width = (end + EDGE).max(least + 2.0 * EDGE);
    let begin = top + if lanes.are_shown() { HEADING } else { 0.0 } + 16.0;
    let first = entry(&block, &axes, axes.first().copied().unwrap_or_default());
    scene.begin = (first, begin);
    let y = begin + GAP;
    let mut placer = Placer { scene: &mut scene };
    let leave = placer.place(&block, &axes, y, first);
    scene.line(&[(first, begin + 6.0), (first, y)], true);
    let bottom = y + block.height;
    if ends_below(figure) {
        let end = bottom + GAP + 4.0;
        scene.line(&[(leave, bottom), (leave, end - 7.0)], true);
        scene.ends.push((leave, end));
        scene.bottom = end + 20.0;
    } else {
        scene.bottom = bottom + 16.0;
    }
    scene
}

/// The axis of every lane, and where the last lane ends.
fn axes(block: &Block<'_>, lanes: &Lanes, least: f64, scene: &mut Scene<'_>) -> (Vec<f64>, f64) {
    let pad = if lanes.are_shown() { LANE_PAD } else { 0.0 };
    let rooms: Vec<(f64, f64)> = (0..lanes.titles.len())
        .map(|lane| {
            let at = lane.checked_sub(block.first);
            let (left, right) = at
                .and_then(|at| block.room.get(at))
                .copied()
                .unwrap_or_default();
            let title = lanes.titles.get(lane).map_or("", String::as_str);
            let wanted = (width(title, TITLE) / 2.0 + SMALL).min(120.0);
            (left.max(wanted) + pad, right.max(wanted) + pad)
        })
        .collect();
    let total: f64 = rooms.iter().map(|(left, right)| left + right).sum();
    // A narrow picture stands in the middle of what its title wants.
    let mut x = EDGE
        + if lanes.are_shown() {
            0.0
        } else {
            ((least - total) / 2.0).max(0.0)
        };
    let mut axes = Vec::new();
    for (at, (left, right)) in rooms.iter().enumerate() {
        axes.push(x + left);
        if lanes.are_shown() {
            scene.bands.push(Band {
                x,
                width: left + right,
                title: lanes.titles.get(at).cloned().unwrap_or_default(),
            });
        }
        x += left + right;
    }
    (axes, x)
}
