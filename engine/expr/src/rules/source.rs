//! Reading rhai text: places of errors in bytes, messages for people, and
//! which variables an expression reads.

use std::ops::Range;

use rhai::{EvalAltResult, LexError, ParseError, ParseErrorType, Position};

use super::numbers::NotKnown;
use crate::{Limit, Part, Read, SyntaxError};

/// The longest text that a script makes.
pub(super) const STRING_BYTES_MAX: usize = 1 << 20;
/// The most entries of a list or an object that a script makes.
pub(super) const ENTRIES_MAX: usize = 20_000;

/// Symbols that reach outside, or call by a name made at run time.
pub(super) const DISABLED: [&str; 12] = [
    "eval",
    "Fn",
    "call",
    "curry",
    "import",
    "export",
    "sleep",
    "timestamp",
    "is_def_var",
    "is_def_fn",
    "is_shared",
    "exit",
];

/// Symbols of scripts alone: an expression has nowhere to print to.
pub(super) const PRINTING: [&str; 2] = ["print", "debug"];

/// Turns a line and a character column into the bytes of the word there.
pub(super) fn place(source: &str, position: Position) -> Option<Range<usize>> {
    let line = position.line()?;
    let column = position.position().unwrap_or(1);
    let before: usize = source
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = source.get(before..)?;
    let offset = rest
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(rest.len(), |(at, _)| at);
    let start = before + offset;
    let word = source.get(start..)?;
    let length = match word.chars().next() {
        None => 0,
        Some(first) if is_name(first) => word.find(|c| !is_name(c)).unwrap_or(word.len()),
        Some(first) => first.len_utf8(),
    };
    Some(start..start + length)
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Words that rhai keeps for itself: they cannot name a property after a dot.
const KEYWORDS: [&str; 47] = [
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "const",
    "continue",
    "default",
    "do",
    "else",
    "export",
    "false",
    "fn",
    "for",
    "global",
    "go",
    "goto",
    "if",
    "import",
    "in",
    "is",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "shared",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "until",
    "use",
];

/// Says what is wrong with a source that does not compile.
pub(super) fn unparsed(source: &str, error: &ParseError, known: &[&str]) -> SyntaxError {
    let at = place(source, error.position()).unwrap_or(source.len()..source.len());
    let word = source.get(at.clone()).unwrap_or_default();
    let before = source.get(..at.start).unwrap_or_default().trim_end();
    if KEYWORDS.contains(&word) && (before.ends_with('.') || before.ends_with("?.")) {
        let chain = before.trim_end_matches(['.', '?']);
        return SyntaxError {
            message: format!("`{word}` is a keyword and cannot follow a dot"),
            help: Some(format!("write `{}[\"{word}\"]`", last_word(chain))),
            at,
        };
    }
    let (message, help) = worded(error.err_type(), known);
    SyntaxError { message, at, help }
}

fn last_word(text: &str) -> &str {
    let start = text
        .rfind(|c| !is_name(c) && c != '.')
        .map_or(0, |at| at + 1);
    text.get(start..).unwrap_or(text)
}

fn worded(error: &ParseErrorType, known: &[&str]) -> (String, Option<String>) {
    let help = |text: &str| Some(text.to_owned());
    match error {
        ParseErrorType::VariableUndefined(name) => (
            format!("the variable `{name}` is not defined"),
            Some(format!("known here: {}", known.join(" "))),
        ),
        ParseErrorType::Reserved(name) => (
            format!("`{name}` is not available"),
            help("it is a reserved word, or reaches outside of the expression"),
        ),
        ParseErrorType::BadInput(LexError::MalformedChar(text)) => (
            format!("'{text}' is not one character"),
            help("write texts in double quotes or backticks"),
        ),
        ParseErrorType::BadInput(LexError::UnterminatedString) => {
            ("a text without its closing quote".to_owned(), None)
        }
        ParseErrorType::UnexpectedEOF => ("the text ends too early".to_owned(), None),
        ParseErrorType::ExprTooDeep => (
            "the expression nests too deep".to_owned(),
            help("divide it, or put the work into a rule file"),
        ),
        ParseErrorType::ExprExpected(what) => (
            format!("expected an expression, found a {what}"),
            help(
                "an expression has no statements, loops and functions; those belong into a rule file",
            ),
        ),
        ParseErrorType::FnDuplicatedDefinition(name, _) => {
            (format!("the function `{name}` is defined twice"), None)
        }
        other => (lowered(&other.to_string()), None),
    }
}

/// Makes a message of rhai begin as ours do.
fn lowered(message: &str) -> String {
    let mut characters = message.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), second) if second.is_none_or(|c| !c.is_uppercase()) => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => message.to_owned(),
    }
}

/// Says what happened at run time, and which limit stopped it.
pub(super) fn described(error: &EvalAltResult) -> (String, Option<Limit>) {
    let plain = |message: String| (message, None);
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => described(inner),
        EvalAltResult::ErrorRuntime(token, _) => {
            if let Some(missing) = token.read_lock::<NotKnown>() {
                return plain(missing.0.clone());
            }
            plain(token.to_string())
        }
        EvalAltResult::ErrorTooManyOperations(_) => limited(Limit::Operations),
        EvalAltResult::ErrorStackOverflow(_) => limited(Limit::Stack),
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            let most = if what.to_lowercase().contains("string") {
                format!("a text has at most {STRING_BYTES_MAX} bytes")
            } else {
                format!("a list or an object has at most {ENTRIES_MAX} entries")
            };
            let (message, limit) = limited(Limit::Weight);
            (format!("{message}: {most}"), limit)
        }
        EvalAltResult::ErrorTooManyVariables(_) => limited(Limit::Operations),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => plain(not_found(signature)),
        EvalAltResult::ErrorDotExpr(..) | EvalAltResult::ErrorIndexingType(..) => {
            plain(on_nothing(error))
        }
        EvalAltResult::ErrorMismatchDataType(expected, found, _) => plain(format!(
            "expected {}, found {}",
            worded_kind(expected),
            worded_kind(found)
        )),
        other => {
            let mut owned = other.to_string();
            // The place is told apart from the message.
            if let Some(at) = owned.rfind(" (line ") {
                owned.truncate(at);
            }
            plain(lowered(&owned))
        }
    }
}

fn limited(limit: Limit) -> (String, Option<Limit>) {
    (format!("the evaluation was stopped: {limit}"), Some(limit))
}

fn worded_kind(name: &str) -> &str {
    match name {
        "()" => "null",
        "bool" => "true or false",
        "i64" => "an integer",
        "f64" => "a number",
        "string" | "&str | ImmutableString | String" => "a text",
        "array" => "a list",
        "map" | "value" => "a list or an object",
        other => other,
    }
}

fn not_found(signature: &str) -> String {
    let (name, arguments) = signature
        .split_once('(')
        .map_or((signature, ""), |(name, rest)| {
            (name.trim(), rest.strip_suffix(')').unwrap_or(rest))
        });
    if name.starts_with("get$") || name.starts_with("index$get$") {
        return "a property was asked of a value that has none; use `?.` where it may be null"
            .into();
    }
    if arguments.is_empty() {
        return format!("there is no `{name}` without arguments");
    }
    let kinds: Vec<&str> = arguments
        .split(',')
        .map(|kind| worded_kind(kind.trim()))
        .collect();
    let advice = if kinds.contains(&"null") {
        "; use `?.` and `??` where a value may be null"
    } else {
        ""
    };
    format!("there is no `{name}` for {}{advice}", kinds.join(" and "))
}

fn on_nothing(error: &EvalAltResult) -> String {
    let text = error.to_string();
    if text.contains("()") {
        "a property was asked of null; use `?.` where it may be null".into()
    } else {
        let end = text.rfind(" (line ").unwrap_or(text.len());
        lowered(text.get(..end).unwrap_or(&text))
    }
}

/// Refuses calls of functions that reach outside, and chains of operators so long that walking them recursively would
/// overflow the stack.
pub(super) fn refuse_unsafe(source: &str, further: &[&str]) -> Result<(), SyntaxError> {
    const LENGTH_MAX: usize = 500;
    let mut length = 0;
    let mut name = None;
    for token in Tokens::new(source) {
        match token.kind {
            Kind::Name => {
                name = Some(token.at);
                continue;
            }
            Kind::Symbol("(") => {
                length += 1;
                refuse_call(source, name.take(), further)?;
            }
            Kind::Symbol(";" | "," | "{" | "}") => length = 0,
            Kind::Symbol(_) => length += 1,
        }
        name = None;
        if length > LENGTH_MAX {
            return Err(SyntaxError {
                message: format!("more than {LENGTH_MAX} operators in one expression"),
                at: token.at,
                help: Some("divide it".to_owned()),
            });
        }
    }
    Ok(())
}

fn refuse_call(
    source: &str,
    name: Option<Range<usize>>,
    further: &[&str],
) -> Result<(), SyntaxError> {
    let Some(at) = name else { return Ok(()) };
    let called = source.get(at.clone()).unwrap_or_default();
    if !DISABLED.contains(&called) && !further.contains(&called) {
        return Ok(());
    }
    Err(SyntaxError {
        message: format!("`{called}` is not available"),
        at,
        help: Some("a result must be the same on every run, on every machine".to_owned()),
    })
}

/// Gives every name read that is not a property, a function or a key, with
/// the literal properties after it.
pub(super) fn reads(source: &str) -> Vec<Read> {
    let tokens: Vec<Token> = Tokens::new(source).collect();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if !matches!(token.kind, Kind::Name) {
            continue;
        }
        let name = source.get(token.at.clone()).unwrap_or_default();
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let after = tokens.get(index + 1);
        let property = is_symbol(before, ".") || is_symbol(before, "?.");
        let function = is_symbol(after, "(");
        // `name:` within `#{ }` is a key.
        let key = is_symbol(after, ":");
        if property || function || key || KEYWORDS.contains(&name) {
            continue;
        }
        found.push(read(source, &tokens, index, name));
    }
    found
}

fn is_symbol(token: Option<&Token>, symbol: &str) -> bool {
    matches!(token, Some(Token { kind: Kind::Symbol(found), .. }) if *found == symbol)
}

/// Follows the properties after the name at `index`.
fn read(source: &str, tokens: &[Token], index: usize, name: &str) -> Read {
    let text = |token: &Token| source.get(token.at.clone()).unwrap_or_default().to_owned();
    let mut at = tokens
        .get(index)
        .map(|token| token.at.clone())
        .unwrap_or_default();
    let mut path = Vec::new();
    let mut next = index + 1;
    loop {
        let optional = is_symbol(tokens.get(next), "?.");
        if !(optional || is_symbol(tokens.get(next), ".")) {
            break;
        }
        let Some(property) = tokens.get(next + 1) else {
            break;
        };
        if !matches!(property.kind, Kind::Name) || is_symbol(tokens.get(next + 2), "(") {
            // `params.basis("NAME")` reads NAME.
            if let Some(part) = named_parameter(source, name, property) {
                path.push(part);
            }
            break;
        }
        at.end = property.at.end;
        path.push(Part {
            name: text(property),
            optional,
        });
        next += 2;
    }
    Read {
        root: name.to_owned(),
        path,
        at,
    }
}

/// Reads the literal argument of a method of `params`.
fn named_parameter(source: &str, root: &str, method: &Token) -> Option<Part> {
    if root != "params" {
        return None;
    }
    let call = source
        .get(method.at.end..)?
        .trim_start()
        .strip_prefix('(')?;
    let text = call.trim_start().strip_prefix('"')?;
    let (name, _) = text.split_once('"')?;
    Some(Part {
        name: name.to_owned(),
        optional: false,
    })
}

pub(super) enum Kind {
    Name,
    Symbol(&'static str),
}

pub(super) struct Token {
    pub kind: Kind,
    pub at: Range<usize>,
}

/// Cuts rhai text into names and symbols. Texts, numbers and comments are
/// skipped, but what stands in `${…}` of a backtick text is not.
pub(super) struct Tokens<'s> {
    source: &'s str,
    at: usize,
    /// For every open brace, whether it was opened by `${`.
    braces: Vec<bool>,
}

impl<'s> Tokens<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            at: 0,
            braces: Vec::new(),
        }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Skips a text up to and with its closing `quote`.
    fn skip_text(&mut self, quote: char) {
        let mut escaped = false;
        for (offset, character) in self.rest().char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    self.at += offset + c.len_utf8();
                    return;
                }
                _ => {}
            }
        }
        self.at = self.source.len();
    }

    /// Skips a backtick text up to its end, or into the next `${`.
    fn skip_template(&mut self) {
        loop {
            let rest = self.rest();
            let end = rest.find('`').unwrap_or(rest.len());
            match rest.find("${") {
                // `\${` is text.
                Some(open) if open < end && rest.get(..open).is_some_and(|b| b.ends_with('\\')) => {
                    self.at += open + 2;
                }
                Some(open) if open < end => {
                    self.at += open + 2;
                    self.braces.push(true);
                    return;
                }
                _ => {
                    self.at = (self.at + end + 1).min(self.source.len());
                    return;
                }
            }
        }
    }

    /// Skips a raw text (`#"…"#`) when one begins here.
    fn skip_raw_text(&mut self) -> bool {
        let rest = self.rest();
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let Some(text) = rest.get(hashes..).and_then(|rest| rest.strip_prefix('"')) else {
            return false;
        };
        let end = ["\"", &"#".repeat(hashes)].concat();
        let length = text.find(&end).map_or(text.len(), |at| at + end.len());
        self.at += hashes + 1 + length;
        true
    }

    fn skip_comment(&mut self) {
        let rest = self.rest();
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        };
        self.at += length;
    }
}

const SYMBOLS: [&str; 8] = ["?.", ".", "(", ":", ";", ",", "{", "}"];

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let rest = self.rest();
            let first = rest.chars().next()?;
            let start = self.at;
            if rest.starts_with("//") || rest.starts_with("/*") {
                self.skip_comment();
            } else if first == '#' && self.skip_raw_text() {
                // It held no names.
            } else if first == '"' || first == '\'' {
                self.at += 1;
                self.skip_text(first);
            } else if first == '`' {
                self.at += 1;
                self.skip_template();
            } else if first.is_ascii_digit() {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                self.at += end.unwrap_or(rest.len());
            } else if is_name(first) {
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                self.at += end;
                return Some(Token {
                    kind: Kind::Name,
                    at: start..self.at,
                });
            } else if first.is_whitespace() {
                self.at += first.len_utf8();
            } else {
                let known = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                self.at += known.map_or(first.len_utf8(), |symbol| symbol.len());
                match known {
                    Some(&"{") => self.braces.push(false),
                    Some(&"}") if self.braces.pop() == Some(true) => {
                        self.skip_template();
                        continue;
                    }
                    _ => {}
                }
                return Some(Token {
                    kind: Kind::Symbol(known.copied().unwrap_or("")),
                    at: start..self.at,
                });
            }
        }
    }
}
