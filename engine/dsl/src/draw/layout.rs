//! Sizes: every figure's width and height, and the axis on which the flow enters and leaves.

use super::figure::{Figure, Frame, Jump, Leaf, Look, Sequence};
use super::words::{width, wrapped};

pub(super) const GAP: f64 = 30.0;
pub(super) const PAD: f64 = 16.0;
pub(super) const HEADER: f64 = 30.0;
pub(super) const LANE: f64 = 14.0;
pub(super) const LEAF: f64 = 176.0;
pub(super) const LINE: f64 = 17.0;
/// Room under a task where the workflow ends.
pub(super) const ENDING: f64 = 22.0;
const LABEL: f64 = 11.0;

/// A figure's size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub width: f64,
    pub height: f64,
    /// Distance of the axis from the left.
    pub axis: f64,
}

/// A jump with its lane.
pub(super) struct Routed<'a> {
    pub jump: &'a Jump,
    pub lane: usize,
    /// Backward jumps run on the left.
    pub left: bool,
}

pub(super) fn size(figure: &Figure) -> Size {
    match figure {
        Figure::Leaf(leaf) => leaf_size(leaf),
        Figure::Sequence(sequence) => sequence_size(sequence),
        Figure::Frame(frame) => frame_size(frame),
        Figure::Lanes(branches) => {
            let sizes: Vec<Size> = branches.iter().map(size).collect();
            let gaps = GAP * sizes.len().saturating_sub(1) as f64;
            let width = (sizes.iter().map(|size| size.width).sum::<f64>() + gaps).max(LEAF);
            let height =
                sizes.iter().map(|size| size.height).fold(0.0, f64::max) + 2.0 * (6.0 + 22.0);
            Size {
                width,
                height,
                axis: width / 2.0,
            }
        }
        Figure::Trial(body, caught) => {
            let (body, caught) = (size(body), size(caught));
            let height = body.height.max(caught.height + 24.0) + 22.0;
            Size {
                width: body.width + 44.0 + caught.width,
                height,
                axis: body.axis,
            }
        }
    }
}

pub(super) fn title_lines(leaf: &Leaf) -> Vec<String> {
    wrapped(&leaf.title, 13.0, LEAF - 40.0, 2)
}

fn leaf_size(leaf: &Leaf) -> Size {
    let lines =
        title_lines(leaf).len() as f64 + 1.0 + f64::from(u8::from(leaf.condition.is_some()));
    let least = 16.0 + 22.0 * leaf.exits as f64;
    let height = (lines * LINE + 16.0).max(if leaf.look == Look::Choice {
        least
    } else {
        0.0
    });
    Size {
        width: LEAF,
        height,
        axis: LEAF / 2.0,
    }
}

fn frame_size(frame: &Frame) -> Size {
    let inner = size(&frame.inner);
    let heading = width(&frame.title, 13.0) + width(&frame.detail, LABEL) + 72.0;
    let condition = frame
        .condition
        .as_ref()
        .map_or(0.0, |text| width(text, LABEL) + 40.0);
    let total = (inner.width + 2.0 * PAD + if frame.repeats { 18.0 } else { 0.0 })
        .max(heading.min(520.0))
        .max(condition);
    let height = inner.height + header(frame) + PAD + 8.0;
    Size {
        width: total,
        height,
        axis: offset(total, inner.width, frame) + inner.axis,
    }
}

/// Height of a frame's heading.
pub(super) fn header(frame: &Frame) -> f64 {
    HEADER + if frame.condition.is_some() { LINE } else { 0.0 } + 8.0
}

/// Where a frame's content begins, from its left.
pub(super) fn offset(total: f64, inner: f64, frame: &Frame) -> f64 {
    let left = if frame.repeats { 18.0 } else { 0.0 };
    left + (total - left - inner) / 2.0
}

/// Assigns lanes: jumps whose rows overlap do not share one.
pub(super) fn routes(sequence: &Sequence) -> Vec<Routed<'_>> {
    let mut routed: Vec<Routed<'_>> = Vec::new();
    let mut order: Vec<&Jump> = sequence.jumps.iter().filter(|jump| !jump.ends).collect();
    order.sort_by_key(|jump| (jump.from.abs_diff(jump.to), jump.from, jump.exit));
    for jump in order {
        let left = jump.to <= jump.from;
        let (low, high) = (jump.from.min(jump.to), jump.from.max(jump.to));
        let taken: Vec<usize> = routed
            .iter()
            .filter(|other| other.left == left)
            .filter(|other| {
                let (a, b) = (
                    other.jump.from.min(other.jump.to),
                    other.jump.from.max(other.jump.to),
                );
                low <= b && a <= high
            })
            .map(|other| other.lane)
            .collect();
        let lane = (0..).find(|lane| !taken.contains(lane)).unwrap_or(0);
        routed.push(Routed { jump, lane, left });
    }
    routed
}

/// Room beside the rows for labels and lanes: left and right.
pub(super) fn margins(sequence: &Sequence, routed: &[Routed<'_>]) -> (f64, f64) {
    let side = |left: bool| {
        let lanes = routed
            .iter()
            .filter(|route| route.left == left)
            .map(|route| route.lane + 1)
            .max()
            .unwrap_or(0);
        let labels = routed
            .iter()
            .filter(|route| route.left == left)
            .map(|route| label_width(&route.jump.label))
            .fold(0.0, f64::max);
        let ends = sequence
            .jumps
            .iter()
            .filter(|jump| jump.ends && !left)
            .map(|jump| label_width(&jump.label) + 30.0)
            .fold(0.0, f64::max);
        let lanes = if lanes == 0 {
            0.0
        } else {
            labels + 14.0 + lanes as f64 * LANE
        };
        lanes.max(ends)
    };
    (side(true), side(false))
}

pub(super) fn label_width(label: &str) -> f64 {
    if label.is_empty() {
        0.0
    } else {
        width(label, LABEL) + 10.0
    }
}

/// Gap under a row.
pub(super) fn gap(sequence: &Sequence, row: usize) -> f64 {
    let fall = sequence.falls.get(row);
    let label = if fall.is_some_and(|fall| fall.on && !fall.label.is_empty()) {
        8.0
    } else {
        0.0
    };
    let ending = if fall.is_some_and(|fall| fall.ends) {
        ENDING
    } else {
        0.0
    };
    GAP + label + ending
}

fn sequence_size(sequence: &Sequence) -> Size {
    let sizes: Vec<Size> = sequence.rows.iter().map(size).collect();
    let before = sizes.iter().map(|size| size.axis).fold(0.0, f64::max);
    let after = sizes
        .iter()
        .map(|size| size.width - size.axis)
        .fold(0.0, f64::max);
    let (left, right) = margins(sequence, &routes(sequence));
    let last = sizes.len().saturating_sub(1);
    let gaps: f64 = (0..sizes.len())
        .map(|row| {
            if row == last {
                if gap(sequence, row) > GAP {
                    ENDING
                } else {
                    0.0
                }
            } else {
                gap(sequence, row)
            }
        })
        .sum();
    let leads_out = sequence
        .jumps
        .iter()
        .any(|jump| jump.to == sequence.rows.len() && !jump.ends);
    let height = sizes.iter().map(|size| size.height).sum::<f64>()
        + gaps
        + if leads_out { 18.0 } else { 0.0 };
    Size {
        width: left + before + after + right,
        height,
        axis: left + before,
    }
}
