//! The whole picture: lanes, the start above, the steps, the end below; in several columns when it is long.

use super::block::{Block, GAP};
use super::columns::{BETWEEN, rooms};
use super::lanes::Lanes;
use super::pages::Page;
use super::place::{Placer, ends_below, entry};
use super::scene::{Band, Scene};

/// Around everything.
pub(super) const EDGE: f64 = 24.0;
/// Height of the lanes' headings.
pub(super) const HEADING: f64 = 44.0;

/// Lays columns out below `top`; `least` is the width that the words above and below want.
pub(super) fn lay_out<'a>(
    pages: &'a [Page],
    blocks: &[Block<'a>],
    lanes: &Lanes,
    top: f64,
    least: f64,
) -> Scene<'a> {
    let mut scene = Scene {
        top,
        ..Scene::default()
    };
    let begin = top + if lanes.are_shown() { HEADING } else { 0.0 } + 16.0;
    let mut x = EDGE;
    // Where the flow leaves the column before, and that column's right side.
    let mut before: Option<((f64, f64), f64)> = None;
    for (at, (page, block)) in pages.iter().zip(blocks).enumerate() {
        if at > 0 {
            x += BETWEEN;
        }
        let least = if pages.len() > 1 { 0.0 } else { least };
        let (axes, end) = axes(block, lanes, x, least, &mut scene);
        let enter = entry(block, &axes, axes.first().copied().unwrap_or_default());
        let y = begin + GAP;
        let mut placer = Placer { scene: &mut scene };
        let leave = placer.place(block, &axes, y, enter);
        let bottom = y + block.height;
        if at == 0 {
            scene.begin = (enter, begin);
            scene.line(&[(enter, begin + 6.0), (enter, y)], true);
        } else if let Some(((from, below), right)) = before {
            let middle = right + BETWEEN / 2.0;
            let way = [
                (from, below),
                (from, below + 16.0),
                (middle, below + 16.0),
                (middle, begin),
                (enter, begin),
                (enter, y),
            ];
            scene.line(&way, true);
        }
        let is_last = at + 1 == pages.len();
        let mut under = bottom + 16.0;
        before = page.goes_on.then_some(((leave, bottom), end));
        if page.goes_on {
            under = bottom + 32.0;
        } else if is_last && ends_below(&page.figure) {
            let end = bottom + GAP + 4.0;
            scene.line(&[(leave, bottom), (leave, end - 7.0)], true);
            scene.ends.push((leave, end));
            under = end + 20.0;
        }
        scene.bottom = scene.bottom.max(under);
        x = end;
    }
    scene.width = (x + EDGE).max(least + 2.0 * EDGE);
    scene
}

/// The axis of every lane, and where the last lane ends.
fn axes(
    block: &Block<'_>,
    lanes: &Lanes,
    from: f64,
    least: f64,
    scene: &mut Scene<'_>,
) -> (Vec<f64>, f64) {
    let rooms = rooms(block, lanes);
    let total: f64 = rooms.iter().map(|(left, right)| left + right).sum();
    // A narrow picture stands in the middle of what its title wants.
    let mut x = from
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
                odd: at % 2 == 1,
            });
        }
        x += left + right;
    }
    (axes, x)
}
