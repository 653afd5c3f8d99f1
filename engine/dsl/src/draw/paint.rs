//! Figures at their places, as SVG.

use std::fmt::Write;

use super::figure::{Figure, Frame, Leaf, Look, Maker, Sequence};
use super::layout::{
    ENDING, GAP, LANE, LINE, PAD, Size, gap, header, label_width, margins, offset, routes, size,
    title_lines,
};
use super::words::{mark_sign, mark_word, say, short, wrapped};
use super::{Mark, Marks, STYLE, outline};
use crate::definition::Definition;

const EDGE: f64 = 24.0;

/// The whole picture.
pub(super) fn svg(definition: &Definition, marks: &Marks) -> String {
    let figure = Maker { marks }.definition(definition);
    let inner = size(&figure);
    let (width, height) = (
        inner.width + 2.0 * EDGE,
        inner.height + 2.0 * EDGE + 2.0 * (GAP + 8.0),
    );
    let name = definition
        .document
        .title
        .as_ref()
        .map_or_else(|| definition.reference(), |title| title.value.clone());
    let id = format!(
        "tb-{}-{}",
        definition.document.namespace.value, definition.document.name.value
    );
    let id: String = id
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let mut painter = Painter {
        out: String::new(),
        marks,
    };
    let out = &mut painter.out;
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tb-diagram\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">"
    );
    let _ = write!(
        out,
        "<title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
        escaped(&name),
        escaped(&described(definition, marks))
    );
    let _ = write!(out, "<style>{STYLE}</style>");
    let axis = EDGE + inner.axis;
    let top = EDGE + GAP + 8.0;
    let _ = write!(
        out,
        "<circle class=\"tb-dot\" cx=\"{axis:.1}\" cy=\"{:.1}\" r=\"6\"/>",
        EDGE + 2.0
    );
    painter.arrow(&[(axis, EDGE + 8.0), (axis, top)], "");
    painter.figure(&figure, EDGE, top);
    let bottom = top + inner.height;
    if ends_below(&figure) {
        painter.arrow(&[(axis, bottom), (axis, bottom + GAP)], "");
    }
    painter.end(axis, bottom + GAP + 8.0);
    painter.out.push_str("</svg>");
    painter.out
}

/// Whether the flow comes out at the bottom.
fn ends_below(figure: &Figure) -> bool {
    match figure {
        Figure::Sequence(sequence) => {
            sequence.falls.last().is_none_or(|fall| fall.on)
                || sequence
                    .jumps
                    .iter()
                    .any(|jump| jump.to == sequence.rows.len() && !jump.ends)
        }
        Figure::Frame(frame) => frame.repeats || ends_below(&frame.inner),
        _ => true,
    }
}

/// The steps in order, as one sentence each.
fn described(definition: &Definition, marks: &Marks) -> String {
    let steps = outline(definition, marks);
    let lines: Vec<String> = steps
        .iter()
        .take(60)
        .map(|step| step.sentence(marks.tongue))
        .collect();
    lines.join(" ")
}

struct Painter<'a> {
    out: String,
    marks: &'a Marks,
}

impl Painter<'_> {
    fn figure(&mut self, figure: &Figure, x: f64, y: f64) {
        let area = size(figure);
        match figure {
            Figure::Leaf(leaf) => self.leaf(leaf, x, y, area),
            Figure::Sequence(sequence) => self.sequence(sequence, x, y, area),
            Figure::Frame(frame) => self.frame(frame, x, y, area),
            Figure::Lanes(branches) => self.lanes(branches, x, y, area),
            Figure::Trial(body, caught) => self.trial(body, caught, x, y, area),
        }
    }

    fn open(&mut self, class: &str, path: &str, title: &str, mark: Option<Mark>) {
        let state = mark.map_or("", mark_class);
        let word = mark
            .map(|mark| format!(" ({})", mark_word(mark, self.marks.tongue)))
            .unwrap_or_default();
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(" data-path=\"{}\"", escaped(path))
        };
        let _ = write!(
            self.out,
            "<g class=\"{class} {state}\"{place}><title>{}{word}</title>",
            escaped(title)
        );
    }

    fn leaf(&mut self, leaf: &Leaf, x: f64, y: f64, area: Size) {
        let class = match leaf.look {
            Look::Event => "tb-leaf tb-event",
            Look::Failure => "tb-leaf tb-catch",
            _ => "tb-leaf",
        };
        self.open(class, &leaf.path, &leaf.title, leaf.mark);
        let (w, h) = (area.width, area.height);
        match leaf.look {
            Look::Choice => {
                let (left, right, bottom) = (x + 12.0, x + w - 12.0, y + h);
                let middle = y + h / 2.0;
                let end = x + w;
                let _ = write!(
                    self.out,
                    "<path class=\"tb-shape tb-box\" d=\"M{left:.1} {y:.1}H{right:.1}L{end:.1} {middle:.1}L{right:.1} {bottom:.1}H{left:.1}L{x:.1} {middle:.1}Z\"/>"
                );
            }
            look => {
                let radius = match look {
                    Look::Person => 12.0,
                    Look::Wait => (h / 2.0).min(24.0),
                    _ => 4.0,
                };
                let _ = write!(
                    self.out,
                    "<rect class=\"tb-shape tb-box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{radius:.0}\"/>"
                );
            }
        }
        self.leaf_text(leaf, x, y, area);
        self.out.push_str("</g>");
    }

    fn leaf_text(&mut self, leaf: &Leaf, x: f64, y: f64, area: Size) {
        let titles = title_lines(leaf);
        let rows = titles.len() as f64 + 1.0 + f64::from(u8::from(leaf.condition.is_some()));
        let mut line = y + (area.height - rows * LINE) / 2.0 + 13.0;
        let middle = x + area.width / 2.0;
        for text in &titles {
            self.text(middle, line, "middle", "", text);
            line += LINE;
        }
        self.text(
            middle,
            line,
            "middle",
            "tb-soft",
            &narrow(&leaf.detail, area.width - 16.0),
        );
        if let Some(condition) = &leaf.condition {
            line += LINE;
            self.text(
                middle,
                line,
                "middle",
                "tb-soft",
                &narrow(
                    &format!("{} {condition}", say(self.marks.tongue, "若", "if")),
                    area.width - 16.0,
                ),
            );
        }
        if let Some(mark) = leaf.mark {
            self.text(
                x + area.width - 14.0,
                y + 16.0,
                "middle",
                "tb-mark",
                mark_sign(mark),
            );
        }
    }

    fn frame(&mut self, frame: &Frame, x: f64, y: f64, area: Size) {
        let class = if frame.catches {
            "tb-frame tb-catch"
        } else {
            "tb-frame"
        };
        self.open(class, &frame.path, &frame.title, frame.mark);
        let (w, h) = (area.width, area.height);
        let _ = write!(
            self.out,
            "<rect class=\"tb-shape\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"8\"/>"
        );
        let sign = frame.mark.map_or("", mark_sign);
        let most = ((w - 60.0) / 9.0).max(8.0) as usize;
        self.text(x + PAD, y + 20.0, "start", "", &short(&frame.title, most));
        self.text(
            x + w - PAD - if sign.is_empty() { 0.0 } else { 18.0 },
            y + 20.0,
            "end",
            "tb-soft",
            &frame.detail,
        );
        if !sign.is_empty() {
            self.text(x + w - PAD, y + 20.0, "middle", "tb-mark", sign);
        }
        if let Some(condition) = &frame.condition {
            self.text(
                x + PAD,
                y + 20.0 + LINE,
                "start",
                "tb-soft",
                &format!("{} {condition}", say(self.marks.tongue, "若", "if")),
            );
        }
        self.out.push_str("</g>");
        let inner = size(&frame.inner);
        let left = x + offset(w, inner.width, frame);
        let top = y + header(frame);
        let axis = left + inner.axis;
        self.arrow(&[(axis, top - 10.0), (axis, top)], "");
        self.figure(&frame.inner, left, top);
        let bottom = top + inner.height;
        if ends_below(&frame.inner) {
            self.line(&[(axis, bottom), (axis, y + h)], "");
        }
        if frame.repeats {
            let lane = x + PAD;
            self.arrow(
                &[
                    (axis, bottom + 8.0),
                    (lane, bottom + 8.0),
                    (lane, top - 6.0),
                    (axis, top - 6.0),
                ],
                "",
            );
        }
    }

    fn lanes(&mut self, branches: &[Figure], x: f64, y: f64, area: Size) {
        let bar = |painter: &mut Self, at: f64| {
            let _ = write!(
                painter.out,
                "<rect class=\"tb-bar\" x=\"{x:.1}\" y=\"{at:.1}\" width=\"{:.1}\" height=\"5\" rx=\"2\"/>",
                area.width
            );
        };
        bar(self, y);
        let (top, bottom) = (y + 28.0, y + area.height - 5.0);
        let used: f64 = branches
            .iter()
            .map(|branch| size(branch).width)
            .sum::<f64>()
            + GAP * branches.len().saturating_sub(1) as f64;
        let mut left = x + (area.width - used) / 2.0;
        for branch in branches {
            let inner = size(branch);
            let axis = left + inner.axis;
            self.arrow(&[(axis, y + 5.0), (axis, top)], "");
            self.figure(branch, left, top);
            if ends_below(branch) {
                self.line(&[(axis, top + inner.height), (axis, bottom)], "");
            }
            left += inner.width + GAP;
        }
        bar(self, bottom);
    }

    fn trial(&mut self, body: &Figure, caught: &Figure, x: f64, y: f64, area: Size) {
        let (tried, catch) = (size(body), size(caught));
        self.figure(body, x, y);
        let left = x + tried.width + 44.0;
        let top = y + 24.0;
        let from = x + first_edge(body, tried);
        self.arrow(&[(from, top + 14.0), (left, top + 14.0)], "tb-error");
        self.figure(caught, left, top);
        let bottom = y + area.height;
        let axis = x + area.axis;
        if ends_below(body) {
            self.line(&[(axis, y + tried.height), (axis, bottom)], "");
        }
        let out = left + catch.axis;
        self.line(
            &[
                (out, top + catch.height),
                (out, bottom - 6.0),
                (axis, bottom - 6.0),
            ],
            "tb-error",
        );
    }

    fn sequence(&mut self, sequence: &Sequence, x: f64, y: f64, area: Size) {
        let axis = x + area.axis;
        let mut tops = Vec::new();
        let mut top = y;
        for (at, row) in sequence.rows.iter().enumerate() {
            let inner = size(row);
            let left = axis - inner.axis;
            tops.push((left, top, inner));
            self.figure(row, left, top);
            let bottom = top + inner.height;
            let last = at + 1 == sequence.rows.len();
            if let Some(fall) = sequence.falls.get(at) {
                let next = bottom + gap(sequence, at);
                if fall.on && !last {
                    self.arrow(&[(axis, bottom), (axis, next)], "");
                }
                if fall.on && !fall.label.is_empty() {
                    self.text(
                        axis + 6.0,
                        bottom + 15.0,
                        "start",
                        "tb-soft",
                        &short(&fall.label, 30),
                    );
                }
                if fall.ends {
                    self.arrow(&[(axis, bottom), (axis, bottom + ENDING - 10.0)], "");
                    self.end(axis, bottom + ENDING - 3.0);
                }
            }
            top = bottom + gap(sequence, at);
        }
        self.jumps(sequence, x, y, area, &tops);
    }

    fn jumps(
        &mut self,
        sequence: &Sequence,
        x: f64,
        y: f64,
        area: Size,
        tops: &[(f64, f64, Size)],
    ) {
        let routed = routes(sequence);
        let (left_margin, right_margin) = margins(sequence, &routed);
        let (inner_left, inner_right) = (x + left_margin, x + area.width - right_margin);
        self.endings(sequence, inner_right, tops);
        for route in &routed {
            let jump = route.jump;
            let Some((left, top, inner)) = tops.get(jump.from) else {
                continue;
            };
            let from_y = top + exit_y(inner, jump.exit);
            let labels = routed
                .iter()
                .filter(|other| other.left == route.left)
                .map(|other| label_width(&other.jump.label))
                .fold(0.0, f64::max);
            let shift = labels + 10.0 + route.lane as f64 * LANE;
            let (from_x, lane, to_side) = if route.left {
                (*left, inner_left - shift, 0.0)
            } else {
                (left + inner.width, inner_right + shift, 1.0)
            };
            let inset = if jump.exit.is_some() {
                if route.left { 6.0 } else { -6.0 }
            } else {
                0.0
            };
            let mut points = vec![(from_x + inset, from_y), (lane, from_y)];
            match tops.get(jump.to) {
                Some((target_left, target_top, target)) => {
                    let to_y = target_top + 12.0 + 3.0 * (route.lane % 4) as f64;
                    points.push((lane, to_y));
                    points.push((target_left + target.width * to_side, to_y));
                }
                None => {
                    let bottom = y + area.height - 2.0;
                    points.push((lane, bottom));
                    points.push((x + area.axis, bottom));
                }
            }
            self.arrow(&points, "");
            if !jump.label.is_empty() {
                let (at, anchor) = if route.left {
                    (from_x - 4.0, "end")
                } else {
                    (from_x + 4.0, "start")
                };
                self.text(at, from_y - 4.0, anchor, "tb-soft", &jump.label);
            }
        }
    }

    /// Ways on which the workflow ends.
    fn endings(&mut self, sequence: &Sequence, inner_right: f64, tops: &[(f64, f64, Size)]) {
        for jump in sequence.jumps.iter().filter(|jump| jump.ends) {
            let Some((left, top, inner)) = tops.get(jump.from) else {
                continue;
            };
            let start = (left + inner.width - 4.0, top + exit_y(inner, jump.exit));
            let stop = inner_right + label_width(&jump.label) + 8.0;
            self.arrow(&[start, (stop, start.1)], "");
            self.end(stop + 8.0, start.1);
            self.text(
                start.0 + 8.0,
                start.1 - 4.0,
                "start",
                "tb-soft",
                &jump.label,
            );
        }
    }

    fn line(&mut self, points: &[(f64, f64)], class: &str) {
        let path: String = points
            .iter()
            .enumerate()
            .map(|(at, (x, y))| format!("{}{x:.1} {y:.1}", if at == 0 { "M" } else { "L" }))
            .collect();
        let _ = write!(self.out, "<path class=\"tb-line {class}\" d=\"{path}\"/>");
    }

    fn arrow(&mut self, points: &[(f64, f64)], class: &str) {
        self.line(points, class);
        if let [.., (from_x, from_y), (x, y)] = points {
            let (dx, dy) = (
                (x - from_x).signum() * f64::from(u8::from((x - from_x).abs() > 0.1)),
                (y - from_y).signum() * f64::from(u8::from((y - from_y).abs() > 0.1)),
            );
            let (back_x, back_y) = (x - 7.0 * dx, y - 7.0 * dy);
            let _ = write!(
                self.out,
                "<path class=\"tb-head\" d=\"M{x:.1} {y:.1}L{:.1} {:.1}L{:.1} {:.1}Z\"/>",
                back_x + 3.5 * dy,
                back_y + 3.5 * dx,
                back_x - 3.5 * dy,
                back_y - 3.5 * dx
            );
        }
    }

    /// Where the workflow ends.
    fn end(&mut self, x: f64, y: f64) {
        let word = say(self.marks.tongue, "结束", "end");
        let _ = write!(
            self.out,
            "<g><title>{word}</title><circle class=\"tb-line\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\"/><circle class=\"tb-dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/></g>"
        );
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        let _ = write!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{class}>{}</text>",
            escaped(text)
        );
    }
}

/// A small text cut to so many pixels.
fn narrow(text: &str, most: f64) -> String {
    wrapped(text, 11.0, most, 1)
        .into_iter()
        .next()
        .unwrap_or_default()
}

/// The right edge of what comes first, where the way of errors begins.
fn first_edge(body: &Figure, area: Size) -> f64 {
    match body {
        Figure::Sequence(sequence) => sequence.rows.first().map_or(area.width, |row| {
            let first = size(row);
            area.axis + first.width - first.axis
        }),
        _ => area.width,
    }
}

/// Where a way leaves a row, from its top.
fn exit_y(size: &Size, exit: Option<usize>) -> f64 {
    match exit {
        Some(number) => (18.0 + 22.0 * number as f64).min(size.height - 6.0),
        None => size.height / 2.0,
    }
}

fn mark_class(mark: Mark) -> &'static str {
    match mark {
        Mark::Done => "tb-done",
        Mark::Doing => "tb-doing",
        Mark::Failed => "tb-failed",
        Mark::Skipped => "tb-skipped",
        Mark::Cancelled => "tb-cancelled",
        Mark::NotReached => "tb-not-reached",
    }
}

/// A text for XML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            // Marks that turn the direction of writing could make a title lie.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() && c != '\n' => {}
            c => out.push(c),
        }
    }
    out
}
