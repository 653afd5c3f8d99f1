//! Sizes: how much room every figure takes in each lane, and how high it is.

use super::figure::{Figure, Frame, Leaf, Look, Sequence, Trial};
use super::lanes::{Interval, Lanes};
use super::measure::{width, wrapped};
use super::ways::Jump;

pub(super) const GAP: f64 = 30.0;
pub(super) const PAD: f64 = 16.0;
pub(super) const GUTTER: f64 = 14.0;
pub(super) const LEAF: f64 = 190.0;
pub(super) const LINE: f64 = 16.0;
/// Room under a task where the workflow ends.
pub(super) const ENDING: f64 = 26.0;
/// Between what is tried and what catches.
pub(super) const APART: f64 = 46.0;
/// Around what is tried.
pub(super) const TRIED: f64 = 10.0;
/// From the bar of a fork to its branches.
pub(super) const BAR: f64 = 26.0;
/// Width of the line of a loop.
pub(super) const LOOP: f64 = 18.0;
/// Left of a row to which a way of another column leads.
pub(super) const ARRIVAL: f64 = 44.0;
pub(super) const TITLE: f64 = 13.0;
pub(super) const SMALL: f64 = 11.0;

/// A figure with its sizes.
pub(super) struct Block<'a> {
    /// Its first lane.
    pub first: usize,
    /// Room left and right of the axis of each of its lanes.
    pub room: Vec<(f64, f64)>,
    pub height: f64,
    pub body: Body<'a>,
}

pub(super) enum Body<'a> {
    Leaf(&'a Leaf),
    Sequence(Rows<'a>),
    Frame(&'a Frame, Box<Block<'a>>),
    /// Branches in their lanes.
    Parallel(Vec<Block<'a>>),
    /// Branches side by side, each with an axis of its own.
    Panel(Vec<Block<'a>>),
    /// What catches stands beside, with an axis of its own, or below.
    Trial {
        trial: &'a Trial,
        tried: Box<Block<'a>>,
        caught: Box<Block<'a>>,
        beside: bool,
    },
}

/// The rows of a list.
pub(super) struct Rows<'a> {
    pub sequence: &'a Sequence,
    pub blocks: Vec<Block<'a>>,
    pub routes: Vec<Route<'a>>,
    /// Room for ways back on the left, and for ways on on the right.
    pub margins: (f64, f64),
}

/// A jump with its place beside the rows.
pub(super) struct Route<'a> {
    pub jump: &'a Jump,
    pub gutter: usize,
    /// Backward jumps run on the left.
    pub left: bool,
}

impl Block<'_> {
    pub fn last(&self) -> usize {
        self.first + self.room.len().saturating_sub(1)
    }

    /// Width of a block in one lane.
    pub fn width(&self) -> f64 {
        self.room.iter().map(|(left, right)| left + right).sum()
    }

    /// Distance of a single axis from the left.
    pub fn axis(&self) -> f64 {
        self.room.first().map_or(0.0, |(left, _)| *left)
    }

    fn widen(&mut self, left: f64, right: f64) {
        if let Some(first) = self.room.first_mut() {
            first.0 += left;
        }
        if let Some(last) = self.room.last_mut() {
            last.1 += right;
        }
    }
}

/// Room by lane, put together.
#[derive(Default)]
struct Room {
    by_lane: Vec<Option<(f64, f64)>>,
}

impl Room {
    fn take(&mut self, lane: usize, left: f64, right: f64) {
        if self.by_lane.len() <= lane {
            self.by_lane.resize(lane + 1, None);
        }
        if let Some(slot) = self.by_lane.get_mut(lane) {
            let (a, b) = slot.unwrap_or((0.0, 0.0));
            *slot = Some((a.max(left), b.max(right)));
        }
    }

    fn take_block(&mut self, block: &Block<'_>) {
        for (at, (left, right)) in block.room.iter().enumerate() {
            self.take(block.first + at, *left, *right);
        }
    }

    /// At least so much over all lanes together, shared among them.
    fn share(&mut self, (first, last): Interval, total: f64) {
        let each = total / (last - first + 1) as f64 / 2.0;
        for lane in first..=last {
            self.take(lane, each, each);
        }
    }

    fn block<'a>(self, height: f64, body: Body<'a>) -> Block<'a> {
        let first = self
            .by_lane
            .iter()
            .position(Option::is_some)
            .unwrap_or_default();
        let mut room: Vec<(f64, f64)> = self
            .by_lane
            .into_iter()
            .skip(first)
            .map(Option::unwrap_or_default)
            .collect();
        if room.is_empty() {
            room.push((LEAF / 2.0, LEAF / 2.0));
        }
        Block {
            first,
            room,
            height,
            body,
        }
    }
}

/// Measures a figure that stands in lanes.
pub(super) fn measure<'a>(figure: &'a Figure, lanes: &Lanes) -> Block<'a> {
    match figure {
        Figure::Leaf(leaf) => {
            let mut room = Room::default();
            room.take(lanes.lane(leaf), LEAF / 2.0, LEAF / 2.0);
            room.block(leaf_height(leaf), Body::Leaf(leaf))
        }
        Figure::Sequence(sequence) => rows(sequence, lanes),
        Figure::Frame(frame) => framed(frame, lanes),
        Figure::Branches(branches) if lanes.hold(branches) => parallel(branches, lanes),
        Figure::Branches(branches) => panel(figure, branches, lanes),
        Figure::Trial(trial) => tried(figure, trial, lanes),
    }
}

pub(super) fn title_lines(leaf: &Leaf) -> Vec<String> {
    wrapped(&leaf.title, TITLE, LEAF - 46.0, 2)
}

/// The small lines of a leaf, broken to its width.
pub(super) fn small_lines(leaf: &Leaf) -> Vec<String> {
    let lines = leaf.lines.iter().filter(|line| !line.is_empty());
    let mut broken: Vec<String> = lines
        .flat_map(|line| wrapped(line, SMALL, LEAF - 34.0, 2))
        .collect();
    broken.truncate(6);
    broken
}

fn leaf_height(leaf: &Leaf) -> f64 {
    let lines = title_lines(leaf).len() + small_lines(leaf).len();
    let least = match leaf.look {
        Look::Choice => 18.0 + 22.0 * leaf.exits as f64,
        _ => 0.0,
    };
    (lines as f64 * LINE + 18.0).max(least)
}

/// Height of a frame's heading.
pub(super) fn heading(frame: &Frame) -> f64 {
    30.0 + if frame.condition.is_some() { LINE } else { 0.0 } + 10.0
}

fn framed<'a>(frame: &'a Frame, lanes: &Lanes) -> Block<'a> {
    let inner = measure(&frame.inner, lanes);
    let mut room = Room::default();
    room.take_block(&inner);
    let height = inner.height + heading(frame) + PAD + 8.0;
    let words = width(&frame.title, TITLE).min(320.0) + width(&frame.detail, SMALL).min(240.0);
    let condition = frame
        .condition
        .as_ref()
        .map_or(0.0, |text| width(text, SMALL).min(320.0));
    let interval = (inner.first, inner.last());
    let mut block = room.block(height, Body::Frame(frame, Box::new(inner)));
    block.widen(PAD + if frame.repeats { LOOP } else { 0.0 }, PAD);
    let mut least = Room::default();
    least.take_block(&block);
    least.share(interval, (words + 84.0).max(condition + 40.0));
    block.room = least.block(0.0, Body::Panel(Vec::new())).room;
    block
}

fn parallel<'a>(branches: &'a [Figure], lanes: &Lanes) -> Block<'a> {
    let blocks: Vec<Block<'a>> = branches
        .iter()
        .map(|branch| measure(branch, lanes))
        .collect();
    let mut room = Room::default();
    for block in &blocks {
        room.take_block(block);
    }
    let height = tallest(&blocks) + 2.0 * BAR + 10.0;
    let mut block = room.block(height, Body::Parallel(blocks));
    block.widen(6.0, 6.0);
    block
}

/// Branches beside each other, whoever does them; the panel lies over the lanes that it concerns.
fn panel<'a>(figure: &Figure, branches: &'a [Figure], lanes: &Lanes) -> Block<'a> {
    let single = Lanes::single();
    let blocks: Vec<Block<'a>> = branches
        .iter()
        .map(|branch| measure(branch, &single))
        .collect();
    let gaps = GAP * blocks.len().saturating_sub(1) as f64;
    let total = (blocks.iter().map(Block::width).sum::<f64>() + gaps).max(LEAF);
    let height = tallest(&blocks) + 2.0 * BAR + 10.0;
    let mut room = Room::default();
    let end = lanes.titles.len().saturating_sub(1);
    room.share(lanes.interval(figure).unwrap_or((end, end)), total);
    room.block(height, Body::Panel(blocks))
}

fn tallest(blocks: &[Block<'_>]) -> f64 {
    blocks.iter().map(|block| block.height).fold(0.0, f64::max)
}

fn tried<'a>(figure: &Figure, trial: &'a Trial, lanes: &Lanes) -> Block<'a> {
    let beside = lanes
        .interval(figure)
        .is_none_or(|(first, last)| first == last);
    let mut tried = measure(&trial.body, lanes);
    tried.widen(TRIED, TRIED);
    let mut room = Room::default();
    room.take_block(&tried);
    let region = tried.height + 2.0 * TRIED;
    if beside {
        let caught = measure(&trial.caught, &Lanes::single());
        let height = region.max(caught.height + TRIED) + 24.0;
        let extra = APART + caught.width();
        let body = Body::Trial {
            trial,
            tried: Box::new(tried),
            caught: Box::new(caught),
            beside,
        };
        let mut block = room.block(height, body);
        block.widen(0.0, extra);
        return block;
    }
    let caught = measure(&trial.caught, lanes);
    room.take_block(&caught);
    let height = region + APART + caught.height + 24.0;
    let body = Body::Trial {
        trial,
        tried: Box::new(tried),
        caught: Box::new(caught),
        beside,
    };
    let mut block = room.block(height, body);
    block.widen(22.0, 0.0);
    block
}

pub(super) fn label_width(label: &str) -> f64 {
    if label.is_empty() {
        0.0
    } else {
        width(label, SMALL) + 10.0
    }
}

/// Gap under a row.
pub(super) fn gap(sequence: &Sequence, row: usize) -> f64 {
    let fall = sequence.falls.get(row);
    let label = if fall.is_some_and(|fall| fall.on && !fall.label.is_empty()) {
        10.0
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

/// Whether some way leads to the end of the list from elsewhere than its last row.
pub(super) fn leads_out(sequence: &Sequence) -> bool {
    let end = sequence.rows.len();
    sequence
        .jumps
        .iter()
        .any(|jump| jump.to == end && !jump.is_short())
}

fn rows<'a>(sequence: &'a Sequence, lanes: &Lanes) -> Block<'a> {
    let blocks: Vec<Block<'a>> = sequence
        .rows
        .iter()
        .map(|row| measure(row, lanes))
        .collect();
    let routes = routes(sequence);
    let margins = margins(&routes);
    let mut room = Room::default();
    for (at, block) in blocks.iter().enumerate() {
        room.take_block(block);
        beside_row(sequence, at, block, &mut room);
    }
    let last = blocks.len().saturating_sub(1);
    let gaps: f64 = (0..blocks.len())
        .map(|row| match gap(sequence, row) {
            under if row != last => under,
            under if under > GAP => under - GAP,
            _ => 0.0,
        })
        .sum();
    let out = if leads_out(sequence) { 20.0 } else { 0.0 };
    let height = blocks.iter().map(|block| block.height).sum::<f64>() + gaps + out;
    let rows = Rows {
        sequence,
        blocks,
        routes,
        margins,
    };
    let mut block = room.block(height, Body::Sequence(rows));
    block.widen(margins.0, margins.1);
    block
}

/// Room for the words and ends next to a row.
fn beside_row(sequence: &Sequence, at: usize, block: &Block<'_>, room: &mut Room) {
    let right = block.room.last().map_or(0.0, |(_, right)| *right);
    let ends = sequence
        .jumps
        .iter()
        .filter(|jump| jump.is_short() && jump.from == at)
        .map(|jump| label_width(&jump.label) + 38.0)
        .fold(0.0, f64::max);
    room.take(block.last(), 0.0, right + ends);
    if sequence.arrivals.iter().any(|(row, _)| *row == at) {
        let left = block.room.first().map_or(0.0, |(left, _)| *left);
        room.take(block.first, left + ARRIVAL, 0.0);
    }
    if let Some(fall) = sequence.falls.get(at).filter(|fall| fall.on) {
        let label = label_width(&fall.label).min(240.0);
        room.take(block.first, label, label);
    }
}

/// Gives jumps their gutters: those whose rows overlap do not share one.
fn routes(sequence: &Sequence) -> Vec<Route<'_>> {
    let mut routes: Vec<Route<'_>> = Vec::new();
    let mut order: Vec<&Jump> = sequence
        .jumps
        .iter()
        .filter(|jump| !jump.is_short())
        .collect();
    order.sort_by_key(|jump| (jump.from.abs_diff(jump.to), jump.from, jump.exit));
    for jump in order {
        let left = jump.to <= jump.from;
        let (low, high) = (jump.from.min(jump.to), jump.from.max(jump.to));
        let taken: Vec<usize> = routes
            .iter()
            .filter(|other| other.left == left)
            .filter(|other| {
                let (a, b) = (
                    other.jump.from.min(other.jump.to),
                    other.jump.from.max(other.jump.to),
                );
                low <= b && a <= high
            })
            .map(|other| other.gutter)
            .collect();
        let gutter = (0..).find(|gutter| !taken.contains(gutter)).unwrap_or(0);
        routes.push(Route { jump, gutter, left });
    }
    routes
}

/// Room beside the rows for labels and gutters: left and right.
fn margins(routes: &[Route<'_>]) -> (f64, f64) {
    let side = |left: bool| {
        let of_side = || routes.iter().filter(move |route| route.left == left);
        match of_side().map(|route| route.gutter + 1).max() {
            None => 0.0,
            Some(gutters) => labels(routes, left) + 10.0 + gutters as f64 * GUTTER,
        }
    };
    (side(true), side(false))
}

/// Width of the widest label on one side.
pub(super) fn labels(routes: &[Route<'_>], left: bool) -> f64 {
    routes
        .iter()
        .filter(|route| route.left == left)
        .map(|route| label_width(&route.jump.label))
        .fold(0.0, f64::max)
}
