//! The properties of every picture: nothing is cut, nothing lies over anything else, every way leads from something to
//! something.

/// A rectangle: left, top, right, bottom.
pub type Area = [f64; 4];
pub type Points = Vec<(f64, f64)>;

/// An attribute of a tag.
pub fn attribute(tag: &str, name: &str) -> Option<f64> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"')?.0.parse().ok()
}

fn tags<'a>(svg: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    svg.split('<').filter(move |tag| tag.starts_with(start))
}

pub fn areas(svg: &str, class: &str) -> Vec<Area> {
    let start = format!("rect class=\"{class}\"");
    let area = |tag: &str| {
        let at = |name| attribute(tag, name).expect("a rectangle has a place and a size");
        let (x, y) = (at("x"), at("y"));
        [x, y, x + at("width"), y + at("height")]
    };
    tags(svg, &start).map(area).collect()
}

/// The corners of the paths of a class: `M`, `L` and `H` with absolute places.
fn paths(svg: &str, class: &str) -> Vec<Points> {
    let start = format!("path class=\"{class}");
    let points = |tag: &str| {
        let data = tag.split_once(" d=\"").expect("a path has data").1;
        let data = data.split_once('"').expect("closed").0;
        let mut found = Points::new();
        for part in data.trim_end_matches('Z').split_inclusive(['M', 'L', 'H']) {
            let numbers = part.trim_end_matches(['M', 'L', 'H']);
            if numbers.is_empty() {
                continue;
            }
            let mut numbers = numbers
                .split(' ')
                .map(|n| n.parse::<f64>().expect("a number"));
            let x = numbers.next().expect("a number");
            let y = numbers.next().or_else(|| found.last().map(|(_, y)| *y));
            found.push((x, y.expect("a path begins at a place")));
        }
        found
    };
    tags(svg, &start).map(points).collect()
}

/// What surrounds points.
fn hull(points: &Points) -> Area {
    points
        .iter()
        .fold([f64::MAX, f64::MAX, 0.0, 0.0], |a, (x, y)| {
            [a[0].min(*x), a[1].min(*y), a[2].max(*x), a[3].max(*y)]
        })
}

/// The outlines of steps: rectangles, and what surrounds the choices.
pub fn boxes(svg: &str) -> Vec<Area> {
    let choices = paths(svg, "tb-shape tb-box\"").iter().map(hull).collect();
    [areas(svg, "tb-shape tb-box"), choices].concat()
}

fn between(value: f64, a: f64, b: f64) -> bool {
    value > a.min(b) - 0.6 && value < a.max(b) + 0.6
}

/// Whether a point lies on the border of an area, or as far inside as the corner of a choice goes.
fn on_border((x, y): (f64, f64), area: &Area, corner: f64) -> bool {
    let [left, top, right, bottom] = *area;
    let beside = |edge: f64| (x - edge).abs() < 0.6 + corner;
    let upon = |edge: f64| (y - edge).abs() < 0.6;
    (between(y, top, bottom) && (beside(left) || beside(right)))
        || (between(x, left, right) && (upon(top) || upon(bottom)))
}

fn on_line((x, y): (f64, f64), line: &Points) -> bool {
    line.windows(2)
        .any(|pair| between(x, pair[0].0, pair[1].0) && between(y, pair[0].1, pair[1].1))
}

/// The properties of every picture: nothing is cut, no box lies over another, no way crosses a box, every way begins
/// and ends at something.
pub fn sound(svg: &str, name: &str) {
    let view = svg
        .split_once("viewBox=\"0 0 ")
        .expect("a picture has a size")
        .1;
    let (width, height) = view
        .split_once('"')
        .expect("closed")
        .0
        .split_once(' ')
        .expect("two");
    let (width, height): (f64, f64) = (width.parse().unwrap(), height.parse().unwrap());
    let boxes = boxes(svg);
    let frames = areas(svg, "tb-shape");
    for a in boxes.iter().chain(&frames) {
        assert!(
            a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= width && a[3] <= height,
            "{name}: {a:?} is inside {width} x {height}"
        );
    }
    for (at, a) in boxes.iter().enumerate() {
        for b in boxes.iter().skip(at + 1) {
            assert!(
                a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1],
                "{name}: {a:?} and {b:?} are apart"
            );
        }
        for frame in &frames {
            let apart =
                a[2] <= frame[0] || frame[2] <= a[0] || a[3] <= frame[1] || frame[3] <= a[1];
            let inside = a[0] > frame[0] && a[2] < frame[2] && a[1] > frame[1] && a[3] < frame[3];
            assert!(
                apart || inside,
                "{name}: {a:?} is cut by the frame {frame:?}"
            );
        }
    }
    let ways = paths(svg, "tb-line");
    for way in &ways {
        for pair in way.windows(2) {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            assert!(
                (x1 - x2).abs() < 0.1 || (y1 - y2).abs() < 0.1,
                "{name}: {way:?} is straight"
            );
            let crossed = boxes.iter().find(|area| {
                x1.max(x2) > area[0] + 13.0
                    && x1.min(x2) < area[2] - 13.0
                    && y1.max(y2) > area[1] + 0.6
                    && y1.min(y2) < area[3] - 0.6
            });
            assert!(crossed.is_none(), "{name}: {way:?} crosses {crossed:?}");
        }
    }
    ends_are_somewhere(svg, name, &ways, &boxes, &frames);
}

fn ends_are_somewhere(svg: &str, name: &str, ways: &[Points], boxes: &[Area], frames: &[Area]) {
    let circles: Vec<Area> = tags(svg, "circle class=\"tb-")
        .filter(|tag| tag.contains(" cx="))
        .map(|tag| {
            let at = |name| attribute(tag, name).expect("a circle has a place");
            let (x, y, r) = (at("cx"), at("cy"), at("r"));
            [x - r, y - r, x + r, y + r]
        })
        .collect();
    let bars = [areas(svg, "tb-bar"), areas(svg, "tb-region")].concat();
    let rules = paths(svg, "tb-rule");
    for (at, way) in ways.iter().enumerate() {
        // The samples of the legend are written without a place to go to.
        for end in [way[0], way[way.len() - 1]] {
            let others = ways.iter().enumerate().filter(|(other, _)| *other != at);
            let held = boxes.iter().any(|area| on_border(end, area, 12.0))
                || frames
                    .iter()
                    .chain(&bars)
                    .chain(&circles)
                    .any(|area| on_border(end, area, 0.0))
                || rules
                    .iter()
                    .chain(others.map(|(_, line)| line))
                    .any(|line| on_line(end, line));
            assert!(held, "{end:?} of {way:?} is nowhere: {name}");
        }
    }
}

/// Tags open and close in order: what an XML parser would want at least.
pub fn well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("every tag closes");
        assert!(
            !text.contains('&') || text.split('&').skip(1).all(|entity| entity.contains(';')),
            "{text}"
        );
        let name = tag
            .split([' ', '/'])
            .find(|part| !part.is_empty())
            .expect("a name");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (_, true) => {}
            _ => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
