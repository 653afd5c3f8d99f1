//! A scene as SVG.

use std::fmt::Write;

use super::block::{LINE, PAD, SMALL, TITLE, heading, small_lines, title_lines};
use super::figure::{Frame, Leaf, Look, Maker};
use super::lanes::Lanes;
use super::layout::{EDGE, HEADING, lay_out};
use super::legend::{Item, Sample, legend};
use super::measure::{narrow, width, wrapped};
use super::pages::{measured, pages};
use super::scene::{CORNER, Edge, LINK, Link, Rect, Scene};
use super::sign;
use super::words::{EXTENDED, document_title, mark_word, say};
use super::xml::escaped;
use super::{Mark, Marks, STYLE, outline};
use crate::definition::Definition;

/// Height of the picture's own heading.
const HEAD: f64 = 46.0;
/// Steps that the description tells; the outline has them all.
const TOLD: usize = 60;

/// The whole picture.
pub(super) fn svg(definition: &Definition, marks: &Marks) -> String {
    let figure = Maker::new(definition, marks).definition();
    let lanes = Lanes::of(&figure, say(marks.tongue, "其他单位", "Other units"));
    let document = &definition.document;
    let name = document_title(document, marks.tongue).unwrap_or_else(|| definition.reference());
    let about = format!("{} · {}", definition.reference(), document.version.value);
    let least = width(&name, 16.0)
        .max(width(&about, SMALL))
        .clamp(240.0, 640.0);
    let pages = pages(figure, &lanes);
    let blocks = measured(&pages, &lanes);
    let mut scene = lay_out(&pages, &blocks, &lanes, EDGE + HEAD, least);
    let (items, height) = legend(&scene, marks, EDGE, scene.bottom + 14.0);
    let total = scene.bottom + 14.0 + height + EDGE / 2.0;
    scene.leaves.sort_by(|(_, a), (_, b)| a.y.total_cmp(&b.y));
    let mut painter = Painter {
        out: String::new(),
        marks,
    };
    painter.begin(definition, &name, scene.width, total);
    painter.text(
        EDGE,
        EDGE + 8.0,
        "start",
        "tb-head-text",
        &narrow(&name, 16.0, scene.width - 2.0 * EDGE),
    );
    painter.text(
        EDGE,
        EDGE + 26.0,
        "start",
        "tb-soft",
        &narrow(&about, SMALL, scene.width - 2.0 * EDGE),
    );
    painter.scene(&scene);
    painter.legend(&items);
    painter.out.push_str("</svg>");
    painter.out
}

/// The steps in order, as one sentence each.
fn described(definition: &Definition, marks: &Marks) -> String {
    let steps = outline(definition, marks);
    let lines: Vec<String> = steps
        .iter()
        .take(TOLD)
        .map(|step| step.sentence(marks.tongue, marks.reading))
        .collect();
    lines.join(" ")
}

/// An identifier that no other picture on a page has.
fn identifier(definition: &Definition) -> String {
    let id = format!("tb-{}", definition.reference());
    id.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

struct Painter<'a> {
    out: String,
    marks: &'a Marks,
}

impl Painter<'_> {
    fn begin(&mut self, definition: &Definition, name: &str, width: f64, height: f64) {
        let id = identifier(definition);
        let _ = write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tb-diagram\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc><style>{STYLE}</style>\
             <rect class=\"tb-sheet\" width=\"{width:.0}\" height=\"{height:.0}\"/>",
            escaped(name),
            escaped(&described(definition, self.marks))
        );
    }

    fn scene(&mut self, scene: &Scene<'_>) {
        self.bands(scene);
        for (frame, area) in &scene.frames {
            self.frame(frame, area);
        }
        for region in &scene.regions {
            self.rect("tb-region", region, 6.0);
        }
        for edge in &scene.edges {
            self.edge(edge);
        }
        for bar in &scene.bars {
            self.rect("tb-bar", bar, 2.0);
        }
        for (leaf, area) in &scene.leaves {
            self.leaf(leaf, area);
        }
        for label in &scene.labels {
            self.text(label.x, label.y, label.anchor, "tb-label", &label.text);
        }
        for link in &scene.links {
            self.link(link);
        }
        let (x, y) = scene.begin;
        let _ = write!(
            self.out,
            "<circle class=\"tb-dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"/>"
        );
        let word = say(self.marks.tongue, "结束", "end");
        for (x, y) in &scene.ends {
            let _ = write!(
                self.out,
                "<g><title>{word}</title><circle class=\"tb-end\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\"/><circle class=\"tb-dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/></g>"
            );
        }
    }

    fn link(&mut self, link: &Link) {
        let (x, y) = (link.x, link.y);
        let word = say(
            self.marks.tongue,
            "接同字母处",
            "goes on at the same letter",
        );
        let _ = write!(
            self.out,
            "<g><title>{word}</title><circle class=\"tb-link\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{LINK:.0}\"/>"
        );
        self.text(x, y + 4.0, "middle", "tb-letter", &link.letter);
        self.out.push_str("</g>");
    }

    fn bands(&mut self, scene: &Scene<'_>) {
        for band in &scene.bands {
            let area = Rect {
                x: band.x,
                y: scene.top,
                width: band.width,
                height: scene.bottom - scene.top,
            };
            let class = if band.odd {
                "tb-lane tb-odd"
            } else {
                "tb-lane"
            };
            self.rect(class, &area, 0.0);
            let head = Rect {
                height: HEADING - 6.0,
                ..area
            };
            self.rect("tb-lane-head", &head, 0.0);
            let lines = wrapped(&band.title, TITLE, band.width - 12.0, 2);
            let mut y = scene.top + HEADING / 2.0 + 2.0 - (lines.len() as f64 - 1.0) * LINE / 2.0;
            for line in lines {
                self.text(
                    band.x + band.width / 2.0,
                    y,
                    "middle",
                    "tb-lane-title",
                    &line,
                );
                y += LINE;
            }
        }
    }

    fn open(&mut self, class: &str, path: &str, title: &str, told: &str, mark: Option<Mark>) {
        let state = mark.map_or("", sign::class);
        let word = mark
            .map(|mark| {
                let word = mark_word(mark, self.marks.reading, self.marks.tongue);
                format!(" ({word})")
            })
            .unwrap_or_default();
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(" data-path=\"{}\"", escaped(path))
        };
        let _ = write!(
            self.out,
            "<g class=\"{class} {state}\"{place}><title>{}{word}{}</title>",
            escaped(title),
            escaped(told)
        );
    }

    fn leaf(&mut self, leaf: &Leaf, area: &Rect) {
        let class = match leaf.look {
            Look::Person => "tb-leaf tb-person",
            Look::Failure => "tb-leaf tb-catch",
            _ => "tb-leaf",
        };
        self.open(class, &leaf.path, &leaf.title, &leaf.told, leaf.mark);
        self.shape(leaf.look, area);
        sign::icon(&mut self.out, leaf.look, area.x + 15.0, area.y + 15.0);
        let titles = title_lines(leaf);
        let small = small_lines(leaf);
        let rows = (titles.len() + small.len()) as f64;
        let mut y = area.y + (area.height - rows * LINE) / 2.0 + 12.0;
        let middle = area.x + area.width / 2.0;
        for text in &titles {
            self.text(middle, y, "middle", "tb-title", text);
            y += LINE;
        }
        for text in &small {
            self.text(middle, y, "middle", "tb-soft", text);
            y += LINE;
        }
        // Signs and notes stand clear of corners.
        let inset = match leaf.look {
            Look::Choice => CORNER,
            Look::Wait => 10.0,
            _ => 0.0,
        };
        let clear = Rect {
            width: area.width - inset,
            ..*area
        };
        self.marked(leaf.mark, leaf.note.as_deref(), &clear);
        self.out.push_str("</g>");
    }

    /// The sign of a mark and the note at the corner.
    fn marked(&mut self, mark: Option<Mark>, note: Option<&str>, area: &Rect) {
        if let Some(mark) = mark {
            sign::badge(&mut self.out, mark, area.right() - 13.0, area.y + 13.0);
        }
        if let Some(note) = note {
            self.text(
                area.right() - 8.0,
                area.bottom() - 6.0,
                "end",
                "tb-soft",
                note,
            );
        }
    }

    fn shape(&mut self, look: Look, area: &Rect) {
        match look {
            Look::Choice => {
                let (left, right) = (area.x + CORNER, area.right() - CORNER);
                let (x, y, end, bottom) = (area.x, area.y, area.right(), area.bottom());
                let middle = y + area.height / 2.0;
                let _ = write!(
                    self.out,
                    "<path class=\"tb-shape tb-box\" d=\"M{left:.1} {y:.1}H{right:.1}L{end:.1} {middle:.1}L{right:.1} {bottom:.1}H{left:.1}L{x:.1} {middle:.1}Z\"/>"
                );
            }
            Look::Person => self.rect("tb-shape tb-box", area, 12.0),
            Look::Wait => self.rect("tb-shape tb-box", area, (area.height / 2.0).min(24.0)),
            Look::Box | Look::Event | Look::Failure => self.rect("tb-shape tb-box", area, 3.0),
        }
    }

    fn frame(&mut self, frame: &Frame, area: &Rect) {
        let class = if frame.catches {
            "tb-frame tb-catch"
        } else {
            "tb-frame"
        };
        self.open(class, &frame.path, &frame.title, &frame.told, frame.mark);
        self.rect("tb-shape", area, 8.0);
        let sign = if frame.mark.is_some_and(|mark| mark != Mark::NotReached) {
            22.0
        } else {
            0.0
        };
        let room = area.width - 2.0 * PAD - sign;
        let detail = narrow(&frame.detail, SMALL, room * 0.6);
        let title = narrow(&frame.title, TITLE, room - width(&detail, SMALL) - 10.0);
        self.text(area.x + PAD, area.y + 20.0, "start", "tb-title", &title);
        self.text(
            area.right() - PAD - sign,
            area.y + 20.0,
            "end",
            "tb-soft",
            &detail,
        );
        if let Some(condition) = &frame.condition {
            let condition = narrow(condition, SMALL, area.width - 2.0 * PAD);
            self.text(
                area.x + PAD,
                area.y + 20.0 + LINE,
                "start",
                "tb-soft",
                &condition,
            );
        }
        let rule = area.y + heading(frame) - 12.0;
        let _ = write!(
            self.out,
            "<path class=\"tb-rule\" d=\"M{:.1} {rule:.1}H{:.1}\"/>",
            area.x,
            area.right()
        );
        self.marked(frame.mark, None, area);
        if let Some(note) = &frame.note {
            self.text(
                area.right() - 8.0,
                area.bottom() - 6.0,
                "end",
                "tb-soft",
                note,
            );
        }
        self.out.push_str("</g>");
    }

    fn edge(&mut self, edge: &Edge) {
        let class = match (edge.error, edge.back) {
            (true, _) => "tb-line tb-error",
            (_, true) => "tb-line tb-back",
            _ => "tb-line",
        };
        let path: String = edge
            .points
            .iter()
            .enumerate()
            .map(|(at, (x, y))| format!("{}{x:.1} {y:.1}", if at == 0 { "M" } else { "L" }))
            .collect();
        let _ = write!(self.out, "<path class=\"{class}\" d=\"{path}\"/>");
        if let (true, [.., before, last]) = (edge.arrow, edge.points.as_slice()) {
            self.arrow_head(*before, *last);
        }
    }

    fn arrow_head(&mut self, from: (f64, f64), (x, y): (f64, f64)) {
        let way = |by: f64| if by.abs() > 0.1 { by.signum() } else { 0.0 };
        let (dx, dy) = (way(x - from.0), way(y - from.1));
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

    fn legend(&mut self, items: &[Item]) {
        for item in items {
            let (x, y) = (item.x, item.y);
            match item.sample {
                Sample::Shape(look) => {
                    let class = match look {
                        Look::Person => "tb-person",
                        Look::Failure => "tb-catch",
                        _ => "tb-plain",
                    };
                    let _ = write!(self.out, "<g class=\"tb-legend {class}\">");
                    let area = Rect {
                        x,
                        y: y - 9.0,
                        width: 26.0,
                        height: 18.0,
                    };
                    sign::sample(&mut self.out, look, &area);
                    sign::icon(&mut self.out, look, x + 13.0, y);
                    self.out.push_str("</g>");
                }
                Sample::Error => {
                    let _ = write!(
                        self.out,
                        "<path class=\"tb-sample-line tb-error\" d=\"M{x:.1} {y:.1}h26\"/>"
                    );
                }
                Sample::Back => {
                    let _ = write!(
                        self.out,
                        "<path class=\"tb-sample-line tb-back\" d=\"M{x:.1} {y:.1}h26\"/>"
                    );
                }
                Sample::Link => {
                    let _ = write!(
                        self.out,
                        "<circle class=\"tb-link\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"{LINK:.0}\"/>",
                        x + 13.0
                    );
                    self.text(x + 13.0, y + 4.0, "middle", "tb-letter", "A");
                }
                Sample::Extended => {
                    self.text(x + 13.0, y + 4.0, "middle", "tb-title", EXTENDED);
                }
                Sample::Mark(mark) => {
                    let _ = write!(self.out, "<g class=\"tb-legend {}\">", sign::class(mark));
                    let _ = write!(
                        self.out,
                        "<rect class=\"tb-shape tb-sample\" x=\"{x:.1}\" y=\"{:.1}\" width=\"26\" height=\"18\" rx=\"3\"/>",
                        y - 9.0
                    );
                    sign::badge(&mut self.out, mark, x + 13.0, y);
                    self.out.push_str("</g>");
                }
            }
            self.text(x + 32.0, y + 4.0, "start", "tb-soft", item.word);
        }
    }

    fn rect(&mut self, class: &str, area: &Rect, radius: f64) {
        let _ = write!(
            self.out,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius:.0}\"/>",
            area.x, area.y, area.width, area.height
        );
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        if !text.is_empty() {
            let _ = write!(
                self.out,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>",
                escaped(text)
            );
        }
    }
}
