//! What the shapes, lines and signs of a picture mean: only those that are in it.

use super::block::SMALL;
use super::figure::Look;
use super::measure::width;
use super::scene::Scene;
use super::words::{EXTENDED, mark_word, say};
use super::{Mark, Marks};

/// Height of a row of the legend.
const ROW: f64 = 24.0;
/// Width of a sample and its gap to the words.
const SAMPLE: f64 = 34.0;
const BETWEEN: f64 = 20.0;

/// What a sample shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    Shape(Look),
    /// A dashed line: the way of an error.
    Error,
    /// A line that leads back.
    Back,
    Mark(Mark),
    /// Two letters, between which a way goes on.
    Link,
    /// What extensions add to a step.
    Extended,
}

/// One entry at its place.
pub(super) struct Item {
    pub sample: Sample,
    pub word: &'static str,
    pub x: f64,
    pub y: f64,
}

/// The legend of a scene: its entries from `left` and the height that they take.
pub(super) fn legend(scene: &Scene<'_>, marks: &Marks, left: f64, top: f64) -> (Vec<Item>, f64) {
    let words = words(scene, marks);
    let most = scene.width - left;
    let (mut x, mut y) = (left, top + ROW / 2.0);
    let mut items = Vec::new();
    for (sample, word) in words {
        let wide = SAMPLE + width(word, SMALL) + BETWEEN;
        if x > left && x + wide - BETWEEN > most {
            x = left;
            y += ROW;
        }
        items.push(Item { sample, word, x, y });
        x += wide;
    }
    let height = if items.is_empty() {
        0.0
    } else {
        y + ROW / 2.0 - top
    };
    (items, height)
}

fn words(scene: &Scene<'_>, marks: &Marks) -> Vec<(Sample, &'static str)> {
    let tongue = marks.tongue;
    let mut found = Vec::new();
    for (look, word) in [
        (Look::Person, say(tongue, "人办理", "done by people")),
        (Look::Box, say(tongue, "系统办理", "done by the system")),
        (Look::Choice, say(tongue, "分支", "choice")),
        (Look::Wait, say(tongue, "等待", "wait")),
        (Look::Event, say(tongue, "事件", "event")),
        (Look::Failure, say(tongue, "出错", "error")),
    ] {
        if scene.leaves.iter().any(|(leaf, _)| leaf.look == look) {
            found.push((Sample::Shape(look), word));
        }
    }
    if scene.edges.iter().any(|edge| edge.back) {
        found.push((Sample::Back, say(tongue, "回到前面", "way back")));
    }
    if scene.edges.iter().any(|edge| edge.error) {
        found.push((Sample::Error, say(tongue, "出错时走", "way of an error")));
    }
    if !scene.links.is_empty() {
        let word = say(tongue, "接同字母处", "goes on at the same letter");
        found.push((Sample::Link, word));
    }
    let extended = |line: &String| line.contains(EXTENDED);
    let leaves = scene.leaves.iter();
    let frames = scene.frames.iter();
    if leaves.flat_map(|(leaf, _)| &leaf.lines).any(extended)
        || frames.map(|(frame, _)| &frame.detail).any(extended)
    {
        let word = say(
            tongue,
            "扩展:前后另有步骤",
            "extended: steps before or after",
        );
        found.push((Sample::Extended, word));
    }
    if !marks.by_path.is_empty() {
        let leaves = scene.leaves.iter().filter_map(|(leaf, _)| leaf.mark);
        let frames = scene.frames.iter().filter_map(|(frame, _)| frame.mark);
        let present: Vec<Mark> = leaves.chain(frames).collect();
        for mark in [
            Mark::Done,
            Mark::Doing,
            Mark::Skipped,
            Mark::Failed,
            Mark::Cancelled,
            Mark::NotReached,
        ] {
            if present.contains(&mark) {
                found.push((Sample::Mark(mark), mark_word(mark, marks.reading, tongue)));
            }
        }
    }
    found
}
