//! Puts blocks at their places: rows under each other, ways between them.

use super::block::{
    APART, ARRIVAL, BAR, Block, Body, ENDING, GAP, GUTTER, LOOP, PAD, Route, Rows, TRIED, gap,
    heading, label_width, labels, leads_out,
};
use super::figure::{Figure, Leaf, Look};
use super::measure::short;
use super::scene::{LINK, Link, Rect, Scene, side};

/// Places blocks on a scene.
pub(super) struct Placer<'a, 's> {
    pub scene: &'s mut Scene<'a>,
}

/// A row at its place.
struct Row {
    rect: Rect,
    look: Option<Look>,
}

/// Left edge of a block.
fn left(block: &Block<'_>, axes: &[f64]) -> f64 {
    axis(axes, block.first) - block.axis()
}

/// Right edge of a block.
fn right(block: &Block<'_>, axes: &[f64]) -> f64 {
    axis(axes, block.last()) + block.room.last().map_or(0.0, |(_, right)| *right)
}

fn axis(axes: &[f64], lane: usize) -> f64 {
    axes.get(lane).copied().unwrap_or_default()
}

/// Where the flow enters a block that is reached from `from`.
pub(super) fn entry(block: &Block<'_>, axes: &[f64], from: f64) -> f64 {
    match &block.body {
        Body::Leaf(_) => axis(axes, block.first),
        Body::Sequence(rows) => rows
            .blocks
            .first()
            .map_or(from, |first| entry(first, axes, from)),
        Body::Frame(_, inner) => entry(inner, axes, from),
        Body::Parallel(_) | Body::Panel(_) => {
            let (low, high) = (left(block, axes) + 12.0, right(block, axes) - 12.0);
            from.clamp(low, high.max(low))
        }
        Body::Trial { tried, .. } => entry(tried, axes, from),
    }
}

/// Whether the flow comes out at the bottom.
pub(super) fn ends_below(figure: &Figure) -> bool {
    match figure {
        Figure::Sequence(sequence) => {
            sequence.falls.last().is_none_or(|fall| fall.on) || leads_out(sequence)
        }
        Figure::Frame(frame) => frame.repeats || ends_below(&frame.inner),
        Figure::Trial(trial) => {
            ends_below(&trial.body) || (trial.recovers && ends_below(&trial.caught))
        }
        Figure::Leaf(_) | Figure::Branches(_) => true,
    }
}

fn goes_on(block: &Block<'_>) -> bool {
    match &block.body {
        Body::Leaf(_) | Body::Parallel(_) | Body::Panel(_) => true,
        Body::Sequence(rows) => {
            let falls = &rows.sequence.falls;
            falls.last().is_none_or(|fall| fall.on) || leads_out(rows.sequence)
        }
        Body::Frame(frame, inner) => frame.repeats || goes_on(inner),
        Body::Trial {
            trial,
            tried,
            caught,
            ..
        } => goes_on(tried) || (trial.recovers && goes_on(caught)),
    }
}

impl<'a> Placer<'a, '_> {
    /// Places a block with its top at `y`; gives where the flow leaves it.
    pub fn place(&mut self, block: &Block<'a>, axes: &[f64], y: f64, from: f64) -> f64 {
        let area = Rect {
            x: left(block, axes),
            y,
            width: right(block, axes) - left(block, axes),
            height: block.height,
        };
        match &block.body {
            Body::Leaf(leaf) => {
                self.scene.leaves.push((leaf, area));
                axis(axes, block.first)
            }
            Body::Sequence(rows) => self.rows(rows, axes, area, from),
            Body::Frame(frame, inner) => {
                self.scene.frames.push((frame, area));
                let top = y + heading(frame);
                let enter = entry(inner, axes, from);
                self.scene.line(&[(enter, top - 12.0), (enter, top)], true);
                let leave = self.place(inner, axes, top, enter);
                let bottom = top + inner.height;
                if goes_on(inner) {
                    self.scene
                        .line(&[(leave, bottom), (leave, area.bottom())], false);
                }
                if frame.repeats && goes_on(inner) {
                    let lane = area.x + PAD - 4.0 + LOOP / 4.0;
                    let way = [
                        (leave, bottom + 8.0),
                        (lane, bottom + 8.0),
                        (lane, top - 8.0),
                        (enter, top - 8.0),
                    ];
                    self.scene.edge(&way, true, false, true);
                }
                leave
            }
            Body::Parallel(branches) => {
                let placed: Vec<(&Block<'a>, Vec<f64>)> = branches
                    .iter()
                    .map(|branch| (branch, axes.to_vec()))
                    .collect();
                self.branches(&placed, area, from)
            }
            Body::Panel(branches) => {
                let used: f64 = branches.iter().map(Block::width).sum::<f64>()
                    + GAP * branches.len().saturating_sub(1) as f64;
                let mut x = area.x + (area.width - used) / 2.0;
                let mut placed = Vec::new();
                for branch in branches {
                    placed.push((branch, vec![x + branch.axis()]));
                    x += branch.width() + GAP;
                }
                self.branches(&placed, area, from)
            }
            Body::Trial { .. } => self.trial(block, axes, area, from),
        }
    }

    fn branches(&mut self, branches: &[(&Block<'a>, Vec<f64>)], area: Rect, from: f64) -> f64 {
        let bar = |y: f64| Rect {
            y,
            height: 5.0,
            ..area
        };
        let through = from.clamp(area.x + 12.0, (area.right() - 12.0).max(area.x + 12.0));
        self.scene.bars.push(bar(area.y));
        let (top, bottom) = (area.y + 5.0 + BAR, area.bottom() - 5.0);
        for (branch, axes) in branches {
            let enter = entry(branch, axes, through);
            self.scene
                .line(&[(enter, area.y + 5.0), (enter, top)], true);
            let leave = self.place(branch, axes, top, enter);
            if goes_on(branch) {
                self.scene
                    .line(&[(leave, top + branch.height), (leave, bottom)], false);
            }
        }
        self.scene.bars.push(bar(bottom));
        through
    }

    fn trial(&mut self, block: &Block<'a>, axes: &[f64], area: Rect, from: f64) -> f64 {
        let Body::Trial {
            trial,
            tried,
            caught,
            beside,
        } = &block.body
        else {
            return from;
        };
        let region = Rect {
            x: left(tried, axes),
            y: area.y,
            width: right(tried, axes) - left(tried, axes),
            height: tried.height + 2.0 * TRIED,
        };
        let enter = entry(tried, axes, from);
        self.scene
            .line(&[(enter, area.y), (enter, area.y + TRIED)], false);
        let leave = self.place(tried, axes, area.y + TRIED, enter);
        self.scene.regions.push(region);
        let (out, end) = if *beside {
            self.caught_beside(caught, area, region)
        } else {
            self.caught_below(caught, axes, region, leave)
        };
        let bottom = area.bottom();
        if goes_on(tried) {
            let from = region.bottom() - TRIED;
            if *beside {
                self.scene.line(&[(leave, from), (leave, bottom)], false);
            } else {
                self.past_caught(caught, axes, area, (leave, from));
            }
        }
        if trial.recovers && goes_on(caught) {
            let way = [(out, end), (out, bottom - 8.0), (leave, bottom - 8.0)];
            self.scene.edge(&way, false, true, false);
            if !goes_on(tried) {
                self.scene
                    .line(&[(leave, bottom - 8.0), (leave, bottom)], false);
            }
        }
        leave
    }

    /// What catches, at the right of what is tried; gives where the flow leaves it.
    fn caught_beside(&mut self, caught: &Block<'a>, area: Rect, region: Rect) -> (f64, f64) {
        let x = region.right() + APART;
        let top = area.y + TRIED;
        let own = [x + caught.axis()];
        let at = top + 14.0;
        self.scene
            .edge(&[(region.right(), at), (x, at)], true, true, false);
        let out = self.place(caught, &own, top, x);
        (out, top + caught.height)
    }

    /// What catches, below what is tried.
    fn caught_below(
        &mut self,
        caught: &Block<'a>,
        axes: &[f64],
        region: Rect,
        leave: f64,
    ) -> (f64, f64) {
        let top = region.bottom() + APART;
        let into = entry(caught, axes, leave);
        let out_at = if (into - leave).abs() < 16.0 {
            into + 32.0
        } else {
            into
        };
        let start = out_at.clamp(region.x + 8.0, region.right() - 8.0);
        let middle = top - 16.0;
        let way = [
            (start, region.bottom()),
            (start, middle),
            (into, middle),
            (into, top),
        ];
        self.scene.edge(&way, true, true, false);
        let out = self.place(caught, axes, top, into);
        (out, top + caught.height)
    }

    /// The way of what went well, past what catches below.
    fn past_caught(&mut self, caught: &Block<'a>, axes: &[f64], area: Rect, from: (f64, f64)) {
        let (leave, out) = from;
        let bottom = area.bottom();
        let turn = out + TRIED + 14.0;
        // Straight down where what catches is not in the way.
        let clear = leave < left(caught, axes) - 8.0 || leave > right(caught, axes) + 8.0;
        let gutter = if clear { leave } else { area.x + 8.0 };
        let way = [
            (leave, out),
            (leave, turn),
            (gutter, turn),
            (gutter, bottom - 8.0),
            (leave, bottom - 8.0),
            (leave, bottom),
        ];
        self.scene.line(&way, false);
    }

    fn rows(&mut self, rows: &Rows<'a>, axes: &[f64], area: Rect, from: f64) -> f64 {
        let sequence = rows.sequence;
        let mut placed: Vec<Row> = Vec::new();
        let mut top = area.y;
        let mut at_x = from;
        for (at, block) in rows.blocks.iter().enumerate() {
            let enter = entry(block, axes, at_x);
            let leave = self.place(block, axes, top, enter);
            let bottom = top + block.height;
            placed.push(Row {
                rect: Rect {
                    x: left(block, axes),
                    y: top,
                    width: right(block, axes) - left(block, axes),
                    height: block.height,
                },
                look: match &block.body {
                    Body::Leaf(Leaf { look, .. }) => Some(*look),
                    _ => None,
                },
            });
            let under = gap(sequence, at);
            let next = rows.blocks.get(at + 1);
            let to = next.map_or(leave, |next| entry(next, axes, leave));
            if let Some(fall) = sequence.falls.get(at) {
                if fall.on && next.is_some() {
                    let turn = bottom + under - 15.0;
                    let way = [
                        (leave, bottom),
                        (leave, turn),
                        (to, turn),
                        (to, bottom + under),
                    ];
                    self.scene.line(&way, true);
                } else if fall.on && area.bottom() > bottom + 0.1 {
                    self.scene
                        .line(&[(leave, bottom), (leave, area.bottom())], false);
                }
                if fall.on {
                    let (shift, anchor) = if to > leave {
                        (-6.0, "end")
                    } else {
                        (6.0, "start")
                    };
                    let label = short(&fall.label, 24);
                    self.scene
                        .label(leave + shift, bottom + 15.0, anchor, &label);
                }
                if fall.ends {
                    let end = bottom + ENDING - 8.0;
                    self.scene
                        .line(&[(leave, bottom), (leave, end - 7.0)], true);
                    self.scene.ends.push((leave, end));
                }
            }
            top = bottom + under;
            at_x = leave;
        }
        self.jumps(rows, area, &placed, at_x);
        at_x
    }

    fn jumps(&mut self, rows: &Rows<'a>, area: Rect, placed: &[Row], leave: f64) {
        self.endings(rows, placed);
        for route in &rows.routes {
            let jump = route.jump;
            let Some(row) = placed.get(jump.from) else {
                continue;
            };
            let y = row.rect.y + exit_y(&row.rect, jump.exit);
            let x = side(row.look, &row.rect, y, !route.left);
            let gutter = gutter(rows, route, area);
            let mut points = vec![(x, y), (gutter, y)];
            match placed.get(jump.to) {
                Some(target) => {
                    let most = (target.rect.height / 2.0 - 6.0).max(4.0);
                    let to = target.rect.y + (8.0 + 5.0 * (route.gutter % 5) as f64).min(most);
                    points.push((gutter, to));
                    points.push((side(target.look, &target.rect, to, !route.left), to));
                }
                None => {
                    points.push((gutter, area.bottom()));
                    points.push((leave, area.bottom()));
                }
            }
            let arrow = jump.to < placed.len();
            self.scene.edge(&points, arrow, false, route.left);
            let (shift, anchor) = if route.left {
                (-5.0, "end")
            } else {
                (5.0, "start")
            };
            // Words stand clear of the corners of a choice.
            let clear = if route.left {
                row.rect.x
            } else {
                row.rect.right()
            };
            self.scene
                .label(clear + shift, y - 4.0, anchor, &jump.label);
        }
    }

    /// Ways that end next to their row: the workflow ends there, or another column goes on with it.
    fn endings(&mut self, rows: &Rows<'a>, placed: &[Row]) {
        for jump in rows.sequence.jumps.iter().filter(|jump| jump.is_short()) {
            let Some(row) = placed.get(jump.from) else {
                continue;
            };
            let y = row.rect.y + exit_y(&row.rect, jump.exit);
            let x = side(row.look, &row.rect, y, true);
            let end = row.rect.right() + label_width(&jump.label) + 20.0;
            match &jump.link {
                None => {
                    self.scene.line(&[(x, y), (end - 7.0, y)], true);
                    self.scene.ends.push((end, y));
                }
                Some(letter) => self.link_from(x, end, y, letter),
            }
            self.scene
                .label(row.rect.right() + 4.0, y - 4.0, "start", &jump.label);
        }
        for (at, letter) in &rows.sequence.arrivals {
            let Some(row) = placed.get(*at) else {
                continue;
            };
            let y = row.rect.y + (row.rect.height / 2.0).min(14.0);
            let x = side(row.look, &row.rect, y, false);
            let begin = row.rect.x - ARRIVAL + 14.0;
            self.scene.line(&[(begin + LINK, y), (x, y)], true);
            self.scene.links.push(Link {
                x: begin,
                y,
                letter: letter.clone(),
            });
        }
    }

    fn link_from(&mut self, x: f64, end: f64, y: f64, letter: &str) {
        self.scene.line(&[(x, y), (end - LINK, y)], true);
        self.scene.links.push(Link {
            x: end,
            y,
            letter: letter.to_owned(),
        });
    }
}

fn gutter(rows: &Rows<'_>, route: &Route<'_>, area: Rect) -> f64 {
    let shift = labels(&rows.routes, route.left) + 10.0 + route.gutter as f64 * GUTTER;
    if route.left {
        area.x + rows.margins.0 - shift
    } else {
        area.right() - rows.margins.1 + shift
    }
}

/// Where a way leaves a row, from its top.
fn exit_y(rect: &Rect, exit: Option<usize>) -> f64 {
    match exit {
        Some(number) => (18.0 + 22.0 * number as f64).min(rect.height - 6.0),
        None => rect.height / 2.0,
    }
}
