//! A long list in columns, as text is set on pages: each column has its own heads of lanes, and reads from its top to
//! its bottom. Ways to another column end in a letter, which stands where they go on.

use super::block::{Block, Body, gap, measure};
use super::columns::column_width;
use super::figure::{Figure, Sequence};
use super::lanes::Lanes;
use super::ways::{Fall, Jump};

/// Higher pictures are set in columns.
const TALL: f64 = 2600.0;
/// Width to height of a picture in columns: a sheet that lies.
const SHEET: f64 = 1.5;
const COLUMNS_MAX: usize = 12;

/// A column.
pub(super) struct Page {
    pub figure: Figure,
    /// Whether the flow goes on to the next column.
    pub goes_on: bool,
}

/// Divides what is too high for one column.
pub(super) fn pages(figure: Figure, lanes: &Lanes) -> Vec<Page> {
    let breaks = breaks(&figure, lanes);
    match figure {
        Figure::Sequence(sequence) if !breaks.is_empty() => divided(sequence, &breaks),
        figure => vec![Page {
            figure,
            goes_on: false,
        }],
    }
}

/// The rows with which new columns begin.
fn breaks(figure: &Figure, lanes: &Lanes) -> Vec<usize> {
    let block = measure(figure, lanes);
    let Body::Sequence(rows) = &block.body else {
        return Vec::new();
    };
    if block.height <= TALL || rows.blocks.len() < 2 {
        return Vec::new();
    }
    let width = column_width(&block, lanes);
    let ratio = |columns: usize| columns as f64 * width / (block.height / columns as f64);
    let off = |columns: &usize| (ratio(*columns) / SHEET).ln().abs();
    let columns = (2..=COLUMNS_MAX.min(rows.blocks.len()))
        .min_by(|a, b| off(a).total_cmp(&off(b)))
        .unwrap_or(2);
    let heights: Vec<f64> = rows
        .blocks
        .iter()
        .enumerate()
        .map(|(row, block)| block.height + gap(rows.sequence, row))
        .collect();
    filled(&heights, columns)
}

/// Fills columns of about the same height.
fn filled(heights: &[f64], columns: usize) -> Vec<usize> {
    let total: f64 = heights.iter().sum();
    let mut breaks = Vec::new();
    let mut used = 0.0;
    for (row, height) in heights.iter().enumerate() {
        let wanted = total * (breaks.len() + 1) as f64 / columns as f64;
        // The row goes where more of it is.
        let over = used + height / 2.0 > wanted;
        if over && breaks.len() + 1 < columns && row > 0 {
            breaks.push(row);
        }
        used += height;
    }
    breaks.dedup();
    breaks
}

fn divided(sequence: Sequence, breaks: &[usize]) -> Vec<Page> {
    let end = sequence.rows.len();
    let page_of = |row: usize| breaks.iter().filter(|first| **first <= row).count();
    let last = breaks.len();
    let mut pages: Vec<Sequence> = (0..=last).map(|_| Sequence::default()).collect();
    let first = |page: usize| match page.checked_sub(1) {
        Some(before) => breaks.get(before).copied().unwrap_or(0),
        None => 0,
    };
    let mut targets: Vec<usize> = Vec::new();
    for jump in sequence.jumps {
        let (from, to) = (page_of(jump.from), page_of(jump.to.min(end - 1)));
        let leaves = jump.to == end;
        let Some(page) = pages.get_mut(from) else {
            continue;
        };
        let mut jump = Jump {
            from: jump.from - first(from),
            ..jump
        };
        if leaves {
            // From another column than the last the end is where the way is.
            jump.ends |= from != last;
        } else if from != to {
            let letter = targets.iter().position(|target| *target == jump.to);
            let letter = letter.unwrap_or_else(|| {
                targets.push(jump.to);
                targets.len() - 1
            });
            jump.link = Some(letters(letter));
        }
        jump.to = if leaves || jump.link.is_some() {
            // There is no such row in this column.
            usize::MAX
        } else {
            jump.to - first(from)
        };
        page.jumps.push(jump);
    }
    for (letter, target) in targets.iter().enumerate() {
        let page = page_of(*target);
        if let Some(sequence) = pages.get_mut(page) {
            let row = *target - first(page);
            sequence.arrivals.push((row, letters(letter)));
        }
    }
    let rows = sequence.rows.into_iter().zip(sequence.falls).enumerate();
    for (at, (row, fall)) in rows {
        if let Some(page) = pages.get_mut(page_of(at)) {
            page.rows.push(row);
            page.falls.push(fall);
        }
    }
    for page in &mut pages {
        let end = page.rows.len();
        for jump in page.jumps.iter_mut().filter(|jump| jump.to == usize::MAX) {
            jump.to = end;
        }
    }
    let pages = pages.into_iter().enumerate().map(|(at, page)| Page {
        goes_on: at < last && page.falls.last().is_some_and(|fall: &Fall| fall.on),
        figure: Figure::Sequence(page),
    });
    pages.collect()
}

/// `A` to `Z`, then `AA`.
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        let letter = char::from(b'A' + u8::try_from(number % 26).unwrap_or_default());
        text.insert(0, letter);
        match (number / 26).checked_sub(1) {
            Some(rest) => number = rest,
            None => return text,
        }
    }
}

/// Blocks of all columns, measured.
pub(super) fn measured<'a>(pages: &'a [Page], lanes: &Lanes) -> Vec<Block<'a>> {
    pages
        .iter()
        .map(|page| measure(&page.figure, lanes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{filled, letters};

    #[test]
    fn columns_are_of_about_the_same_height() {
        assert_eq!(filled(&[10.0; 10], 2), [5]);
        assert_eq!(filled(&[10.0, 10.0, 80.0, 10.0, 10.0], 3), [2, 3]);
        assert_eq!(filled(&[100.0, 1.0], 2), [1]);
    }

    #[test]
    fn letters_go_on_after_the_last() {
        let all: Vec<String> = [0, 25, 26, 27, 52].map(letters).to_vec();
        assert_eq!(all, ["A", "Z", "AA", "AB", "BA"]);
    }
}
