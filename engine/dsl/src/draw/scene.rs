//! What a picture is made of, each thing at its place.

use super::figure::{Frame, Leaf, Look};

/// A rectangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// A way: a line with corners.
pub(super) struct Edge {
    pub points: Vec<(f64, f64)>,
    pub arrow: bool,
    /// Drawn dashed: the way of an error.
    pub error: bool,
    /// Drawn dashed and heavier: a way back.
    pub back: bool,
}

/// A word on a way.
pub(super) struct Label {
    pub x: f64,
    pub y: f64,
    pub anchor: &'static str,
    pub text: String,
}

/// A lane from its left to its right.
pub(super) struct Band {
    pub x: f64,
    pub width: f64,
    pub title: String,
    pub odd: bool,
}

/// A letter where a way ends that goes on in another column, or where it goes on.
pub(super) struct Link {
    pub x: f64,
    pub y: f64,
    pub letter: String,
}

/// Everything, from the back to the front.
#[derive(Default)]
pub(super) struct Scene<'a> {
    pub bands: Vec<Band>,
    pub frames: Vec<(&'a Frame, Rect)>,
    /// Around what is tried.
    pub regions: Vec<Rect>,
    pub bars: Vec<Rect>,
    pub edges: Vec<Edge>,
    pub leaves: Vec<(&'a Leaf, Rect)>,
    pub labels: Vec<Label>,
    /// Where the workflow ends.
    pub ends: Vec<(f64, f64)>,
    pub links: Vec<Link>,
    pub begin: (f64, f64),
    pub width: f64,
    /// Where the steps begin and end.
    pub top: f64,
    pub bottom: f64,
}

impl Scene<'_> {
    pub fn line(&mut self, points: &[(f64, f64)], arrow: bool) {
        self.edge(points, arrow, false, false);
    }

    pub fn edge(&mut self, points: &[(f64, f64)], arrow: bool, error: bool, back: bool) {
        let mut kept: Vec<(f64, f64)> = Vec::new();
        for point in points {
            let same = kept
                .last()
                .is_some_and(|(x, y)| (x - point.0).abs() < 0.05 && (y - point.1).abs() < 0.05);
            if !same {
                kept.push(*point);
            }
        }
        if kept.len() > 1 {
            self.edges.push(Edge {
                points: kept,
                arrow,
                error,
                back,
            });
        }
    }

    pub fn label(&mut self, x: f64, y: f64, anchor: &'static str, text: &str) {
        if !text.is_empty() {
            self.labels.push(Label {
                x,
                y,
                anchor,
                text: text.to_owned(),
            });
        }
    }
}

/// Radius of the circle around a letter.
pub(super) const LINK: f64 = 9.0;

/// The outline's corner of a choice.
pub(super) const CORNER: f64 = 12.0;

/// Where the outline of a step is at a height: its left or its right side.
pub(super) fn side(look: Option<Look>, rect: &Rect, y: f64, right: bool) -> f64 {
    let inset = if look == Some(Look::Choice) {
        let half = rect.height / 2.0;
        CORNER * ((y - rect.y - half).abs() / half).min(1.0)
    } else {
        0.0
    };
    if right {
        rect.right() - inset
    } else {
        rect.x + inset
    }
}
