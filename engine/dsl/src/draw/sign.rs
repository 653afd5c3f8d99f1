//! Signs that are drawn and not written: no font is needed for them, and they tell in black and white what colours tell.

use std::fmt::Write;

use super::Mark;
use super::figure::Look;
use super::scene::{CORNER, Rect};

/// The class of a mark.
pub(super) fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Done => "tb-done",
        Mark::Doing => "tb-doing",
        Mark::Failed => "tb-failed",
        Mark::Skipped => "tb-skipped",
        Mark::Cancelled => "tb-cancelled",
        Mark::NotReached => "tb-not-reached",
    }
}

/// The sign of a mark around a point: a tick, a dot in a ring, a cross, an arrow past, a square; nothing for what was
/// not reached.
pub(super) fn badge(out: &mut String, mark: Mark, x: f64, y: f64) {
    let shape = match mark {
        Mark::Done => {
            "<circle class=\"tb-full\" r=\"7.5\"/><path class=\"tb-cut\" d=\"M-3.6 .3L-1 3L3.8 -2.8\"/>"
        }
        Mark::Doing => "<circle class=\"tb-ring\" r=\"6.8\"/><circle class=\"tb-full\" r=\"3.4\"/>",
        Mark::Failed => {
            "<circle class=\"tb-full\" r=\"7.5\"/><path class=\"tb-cut\" d=\"M-3 -3L3 3M3 -3L-3 3\"/>"
        }
        Mark::Skipped => "<path class=\"tb-stroke\" d=\"M-6 3A6 6 0 0 1 5 1M5.4 -3.6V1.4H.6\"/>",
        Mark::Cancelled => {
            "<rect class=\"tb-full\" x=\"-5.5\" y=\"-5.5\" width=\"11\" height=\"11\"/>"
        }
        Mark::NotReached => return,
    };
    let _ = write!(
        out,
        "<g class=\"tb-sign\" transform=\"translate({x:.1} {y:.1})\">{shape}</g>"
    );
}

/// The icon of a kind of step around a point; nothing for plain boxes.
pub(super) fn icon(out: &mut String, look: Look, x: f64, y: f64) {
    let shape = match look {
        Look::Person => {
            "<circle cx=\"0\" cy=\"-2.8\" r=\"2.8\"/><path d=\"M-5.2 6V4.6A3.6 3.6 0 0 1 -1.6 1.4H1.6A3.6 3.6 0 0 1 5.2 4.6V6Z\"/>"
        }
        Look::Wait => "<circle r=\"5.6\"/><path d=\"M0 -3.4V0L2.6 1.6\"/>",
        Look::Event => "<path d=\"M-6 -4H6V4.4H-6ZM-6 -4L0 1L6 -4\"/>",
        Look::Failure => "<path d=\"M0 -5.4L6 5H-6ZM0 -1.6V1.8M0 3.2V3.6\"/>",
        Look::Box | Look::Choice => return,
    };
    let _ = write!(
        out,
        "<g class=\"tb-icon\" transform=\"translate({x:.1} {y:.1})\">{shape}</g>"
    );
}

/// The outline of a kind of step, small, for the legend.
pub(super) fn sample(out: &mut String, look: Look, area: &Rect) {
    let (x, y, w, h) = (area.x, area.y, area.width, area.height);
    let _ = match look {
        Look::Choice => {
            let corner = CORNER / 2.0;
            let (right, half) = (w - 2.0 * corner, h / 2.0);
            write!(
                out,
                "<path class=\"tb-shape tb-sample\" d=\"M{:.1} {y:.1}h{right:.1}l{corner:.1} {half:.1}l-{corner:.1} {half:.1}h-{right:.1}l-{corner:.1} -{half:.1}Z\"/>",
                x + corner
            )
        }
        _ => {
            let radius = match look {
                Look::Person => 6.0,
                Look::Wait => 9.0,
                _ => 2.0,
            };
            write!(
                out,
                "<rect class=\"tb-shape tb-sample\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{radius:.0}\"/>"
            )
        }
    };
}
