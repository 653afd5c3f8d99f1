//! The places of a rule file at which probes stand, and its text with them.

use super::source::{Kind, Tokens};

/// The function that a probe calls.
pub(super) const PROBE: &str = "__reached";

/// A part of a rule file that a run reaches or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub part: Part,
    /// The line of the file on which it stands, from 1; of an `else` that is not written the line of its `if`.
    pub line: usize,
}

/// What a place of a rule file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A statement.
    Statement,
    /// A function with its name; a closure has none.
    Function(String),
    /// What is done when the condition of an `if` holds.
    Then,
    /// What is done when it does not.
    Else,
    /// What is done when it does not, where no `else` is written.
    Otherwise,
    /// A case of a `switch`, as it is written.
    Arm(String),
    /// One round of a loop.
    Round,
    /// What catches an error.
    Catch,
}

/// What the next block belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Opens {
    Function(String),
    Then(usize),
    Else,
    Round,
    Catch,
    Arm(String),
    Switch,
}

/// What is open around a place.
#[derive(Debug, PartialEq, Eq)]
enum Around {
    /// The file, or a block; of the block of an `if` its line.
    Block(Option<usize>),
    Switch,
    /// Brackets of any other kind.
    Brackets,
}

struct Level {
    around: Around,
    opens: Option<Opens>,
    /// The word with which the statement begins.
    statement: String,
    /// Bodies that are no blocks and were made one: they end where the next part begins.
    bodies: usize,
    /// Where the pattern of a case begins.
    pattern: usize,
}

impl Level {
    fn new(around: Around, pattern: usize) -> Level {
        Level {
            around,
            opens: None,
            statement: String::new(),
            bodies: 0,
            pattern,
        }
    }
}

/// Gives the text with its probes, and what each stands for.
pub(super) fn places(source: &str) -> (String, Vec<Place>) {
    let mut writer = Writer {
        source,
        lines: source.match_indices('\n').map(|(at, _)| at).collect(),
        places: Vec::new(),
        written: Vec::new(),
        levels: vec![Level::new(Around::Block(None), 0)],
        parameters: false,
        past: 0,
    };
    writer.statement(0);
    for token in Tokens::new(source) {
        if token.at.start < writer.past {
            continue;
        }
        match token.kind {
            Kind::Name => writer.name(token.at.start, token.at.end),
            Kind::Symbol(_) => writer.symbol(token.at.start, token.at.end),
        }
    }
    writer.finish()
}

struct Writer<'s> {
    source: &'s str,
    /// Where lines end.
    lines: Vec<usize>,
    places: Vec<Place>,
    /// What is written where.
    written: Vec<(usize, String)>,
    levels: Vec<Level>,
    /// Within the parameters of a closure.
    parameters: bool,
    /// Tokens before this were read already.
    past: usize,
}

impl Writer<'_> {
    fn finish(mut self) -> (String, Vec<Place>) {
        self.written.sort_by_key(|(at, _)| *at);
        let mut text = String::with_capacity(self.source.len() * 2);
        let mut from = 0;
        for (at, inserted) in &self.written {
            text.push_str(self.source.get(from..*at).unwrap_or_default());
            text.push_str(inserted);
            from = *at;
        }
        text.push_str(self.source.get(from..).unwrap_or_default());
        (text, self.places)
    }

    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|end| *end < at) + 1
    }

    /// A new place; gives the call that tells that it was reached.
    fn place(&mut self, part: Part, line: usize) -> String {
        let number = self.places.len();
        self.places.push(Place { part, line });
        format!("{PROBE}({number});")
    }

    fn probe(&mut self, at: usize, part: Part) {
        let line = self.line(at);
        let call = self.place(part, line);
        self.written.push((at, call));
    }

    /// A body that is one expression becomes a block.
    fn body(&mut self, at: usize, part: Part) {
        let line = self.line(at);
        let call = self.place(part, line);
        self.written.push((at, format!("{{{call}")));
        if let Some(level) = self.levels.last_mut() {
            level.bodies += 1;
        }
    }

    /// Closes the bodies of the level that end here.
    fn end_bodies(&mut self, at: usize) {
        if let Some(level) = self.levels.last_mut()
            && level.bodies > 0
        {
            let closed = "}".repeat(std::mem::take(&mut level.bodies));
            self.written.push((at, closed));
        }
    }

    /// Where the next thing stands that is no space and no comment.
    fn next(&self, mut at: usize) -> usize {
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let spaces = rest.len() - rest.trim_start().len();
            let rest = rest.trim_start();
            at += spaces;
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return at;
            };
            at += length;
        }
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.source.get(at..)?.chars().next()
    }

    fn word_at(&self, at: usize) -> &str {
        let rest = self.source.get(at..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }

    /// A statement may begin after this.
    fn statement(&mut self, after: usize) {
        let at = self.next(after);
        let word = self.word_at(at).to_owned();
        let begins = self
            .char_at(at)
            .is_some_and(|first| !matches!(first, '}' | ';' | ')'));
        // What defines a function is no step of a run.
        if begins && !matches!(word.as_str(), "fn" | "private") {
            self.probe(at, Part::Statement);
        }
        if let Some(level) = self.levels.last_mut() {
            level.statement = word;
            level.opens = None;
        }
    }

    fn name(&mut self, start: usize, end: usize) {
        let name = self.source.get(start..end).unwrap_or_default();
        let line = self.line(start);
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        let opens = match name {
            "if" => Opens::Then(line),
            "else" => Opens::Else,
            "while" | "for" | "loop" | "do" => Opens::Round,
            "catch" => Opens::Catch,
            "switch" => Opens::Switch,
            "fn" => Opens::Function(String::new()),
            _ => {
                if let Some(Opens::Function(known)) = &mut level.opens
                    && known.is_empty()
                {
                    name.clone_into(known);
                }
                return;
            }
        };
        level.opens = Some(opens);
    }

    fn symbol(&mut self, start: usize, end: usize) {
        let first = self.char_at(start).unwrap_or_default();
        if self.parameters {
            if first == '|' {
                self.parameters = false;
                self.closure(end);
            }
            return;
        }
        match first {
            '{' => self.open_brace(start, end),
            '}' => self.close_brace(start, end),
            '(' | '[' => self.levels.push(Level::new(Around::Brackets, end)),
            ')' | ']' => {
                self.end_bodies(start);
                if self.levels.len() > 1 {
                    self.levels.pop();
                }
            }
            ',' => {
                self.end_bodies(start);
                if let Some(level) = self.levels.last_mut() {
                    level.opens = None;
                    level.pattern = end;
                }
            }
            ';' => {
                self.end_bodies(start);
                if matches!(self.levels.last(), Some(level) if matches!(level.around, Around::Block(_)))
                {
                    self.statement(end);
                }
            }
            '=' if self.char_at(end) == Some('>') => self.arm(start, end + 1),
            '|' if self.is_operand(start) => {
                if self.char_at(end) == Some('|') {
                    self.past = end + 1;
                    self.closure(end + 1);
                } else {
                    self.parameters = true;
                }
            }
            _ => {}
        }
    }

    /// Whether an operand is expected here: then a bar begins a closure.
    fn is_operand(&self, at: usize) -> bool {
        let before = self.source.get(..at).unwrap_or_default().trim_end();
        before
            .chars()
            .next_back()
            .is_none_or(|last| matches!(last, '(' | ',' | '=' | '{' | '[' | ':' | ';' | '>' | '?'))
            || before.ends_with("return")
    }

    /// After the parameters of a closure.
    fn closure(&mut self, after: usize) {
        let at = self.next(after);
        if self.char_at(at) == Some('{') {
            self.opens(Opens::Function(String::new()));
        } else {
            self.body(at, Part::Function(String::new()));
        }
    }

    /// After the arrow of a case.
    fn arm(&mut self, start: usize, after: usize) {
        let Some(level) = self.levels.last() else {
            return;
        };
        if level.around != Around::Switch {
            return;
        }
        let from = self.next(level.pattern);
        let pattern = self.source.get(from..start).unwrap_or_default();
        let pattern = pattern.trim().to_owned();
        let at = self.next(after);
        if self.char_at(at) == Some('{') {
            self.opens(Opens::Arm(pattern));
        } else {
            self.opens_nothing();
            self.body(at, Part::Arm(pattern));
        }
    }

    fn opens(&mut self, opens: Opens) {
        if let Some(level) = self.levels.last_mut() {
            level.opens = Some(opens);
        }
    }

    fn opens_nothing(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.opens = None;
        }
    }

    fn open_brace(&mut self, start: usize, end: usize) {
        if self
            .source
            .get(..start)
            .is_some_and(|before| before.ends_with('#'))
        {
            self.levels.push(Level::new(Around::Brackets, end));
            return;
        }
        let opens = self.levels.last_mut().and_then(|level| level.opens.take());
        let (part, condition) = match opens {
            Some(Opens::Switch) => {
                self.levels.push(Level::new(Around::Switch, end));
                return;
            }
            Some(Opens::Function(name)) => (Some(Part::Function(name)), None),
            Some(Opens::Then(line)) => (Some(Part::Then), Some(line)),
            Some(Opens::Else) => (Some(Part::Else), None),
            Some(Opens::Round) => (Some(Part::Round), None),
            Some(Opens::Catch) => (Some(Part::Catch), None),
            Some(Opens::Arm(pattern)) => (Some(Part::Arm(pattern)), None),
            None => (None, None),
        };
        self.levels.push(Level::new(Around::Block(condition), end));
        if let Some(part) = part {
            self.probe(end, part);
        }
        self.statement(end);
    }

    fn close_brace(&mut self, start: usize, end: usize) {
        self.end_bodies(start);
        if self.levels.len() < 2 {
            return;
        }
        let Some(closed) = self.levels.pop() else {
            return;
        };
        let next = self.next(end);
        if closed.around == Around::Brackets || self.word_at(next) == "else" {
            return;
        }
        if let Around::Block(Some(line)) = closed.around {
            let call = self.place(Part::Otherwise, line);
            self.written.push((end, format!(" else {{{call}}}")));
        }
        self.past_block(next, end);
    }

    /// After a block that may be the last of its statement.
    fn past_block(&mut self, next: usize, end: usize) {
        let word = self.word_at(next);
        let Some(level) = self.levels.last() else {
            return;
        };
        let whole = matches!(level.around, Around::Block(_))
            && level.bodies == 0
            && matches!(
                level.statement.as_str(),
                "if" | "while" | "for" | "loop" | "fn" | "private" | "try" | "switch" | ""
            );
        let follows = match self.char_at(next) {
            // Anything else may belong to the statement still: its line is not told.
            Some(first) => first.is_alphabetic() || matches!(first, '_' | '"' | '`' | '#'),
            None => false,
        };
        if whole && follows && !matches!(word, "else" | "catch") {
            self.statement(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, places};

    fn told(source: &str) -> Vec<String> {
        let (_, places) = places(source);
        let told = places.iter().map(|place| {
            let part = match &place.part {
                Part::Function(name) if name.is_empty() => "closure".to_owned(),
                Part::Function(name) => format!("fn {name}"),
                Part::Arm(pattern) => format!("arm {pattern}"),
                other => format!("{other:?}").to_lowercase(),
            };
            format!("{} {part}", place.line)
        });
        told.collect()
    }

    #[test]
    fn statements_blocks_and_arms_have_places() {
        let source = "// a comment; with { braces }
let found = [];
for (item, at) in input.items {
    if item.n == 1 { found.push(`x${at}`); } else if item.n == 2 { found.push(\"a;b\"); }
}
fn double(x) { x * 2 }
let kind = switch input.kind { \"a\" | \"b\" => 1, _ if found.len() > 1 => { 2 } };
#{ found: found, kind: double(kind) }
";
        assert_eq!(
            told(source),
            [
                "2 statement",
                "3 statement",
                "3 round",
                "4 statement",
                "4 then",
                "4 statement",
                "4 then",
                "4 statement",
                "4 otherwise",
                "6 fn double",
                "6 statement",
                "7 statement",
                "7 arm \"a\" | \"b\"",
                "7 arm _ if found.len() > 1",
                "7 statement",
                "8 statement",
            ]
        );
    }

    #[test]
    fn closures_have_places_and_bars_between_operands_do_not() {
        assert_eq!(
            told(
                "let a = input.b || input.c;\nlet f = |x| x + 1;\n[1].map(|x, y| if x > 1 { 2 } else { 3 }, || { 4 })"
            ),
            [
                "1 statement",
                "2 statement",
                "2 closure",
                "3 statement",
                "3 closure",
                "3 then",
                "3 statement",
                "3 else",
                "3 statement",
                "3 closure",
                "3 statement",
            ]
        );
    }
}
