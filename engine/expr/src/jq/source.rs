//! Reading jq text: errors with their places, what is refused before it
//! runs, and which variables are read.

use std::ops::Range;

use jaq_core::load::lex::{self, StrPart, Tok, Token};
use jaq_core::load::parse::{self, BinaryOp, Def, Pattern, Term};
use jaq_core::load::{Lexer, Parser, span};
use jaq_core::path;

use super::natives;
use crate::{Part, Read, SyntaxError};

/// Parses `source`.
pub(super) fn parsed(source: &str) -> Result<Term<&str>, SyntaxError> {
    let tokens = Lexer::new(source).lex().map_err(|errors| {
        let first = errors.into_iter().next();
        first.map_or_else(|| nowhere("malformed"), |error| unlexed(source, &error))
    })?;
    refuse_directives(source, &tokens)?;
    refuse_many(source, &tokens)?;
    Parser::new(&tokens)
        .parse(|parser| parser.term())
        .map_err(|errors| {
            let first = errors.into_iter().next();
            first.map_or_else(
                || nowhere("malformed"),
                |(expected, found)| unparsed(source, &expected, Token::opt_as_str(found, source)),
            )
        })
}

fn nowhere(message: &str) -> SyntaxError {
    SyntaxError {
        message: message.to_owned(),
        at: 0..0,
        help: None,
    }
}

/// Gives the place of `part`, or the end of `source` when it is empty.
fn place(source: &str, part: &str) -> Range<usize> {
    if part.is_empty() {
        source.len()..source.len()
    } else {
        span(source, part)
    }
}

fn unlexed(source: &str, (expected, rest): &lex::Error<&str>) -> SyntaxError {
    let start = source.len() - rest.len();
    let first = rest.chars().next();
    let at = start..start + first.map_or(0, char::len_utf8);
    let found = first.map_or_else(|| "the end".to_owned(), |c| format!("`{c}`"));
    let expected = match expected {
        lex::Expect::Delim("(") => "a closing parenthesis",
        lex::Expect::Delim("[") => "a closing bracket",
        lex::Expect::Delim("{") => "a closing brace",
        lex::Expect::Delim(_) => "a closing quote",
        lex::Expect::Digit => "a digit",
        lex::Expect::Ident => "a name",
        lex::Expect::Escape => {
            "one of `\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u \\(` after the backslash"
        }
        lex::Expect::Unicode => "four hexadecimal digits",
        _ => "a filter or an operator",
    };
    let help = match first {
        Some('&') => Some("jq writes `and` for `&&`"),
        Some('!') => Some("jq negates with `| not`"),
        Some('\'') => Some("write texts in double quotes"),
        Some('`') => Some("jq fills texts in by \"\\(…)\""),
        Some(c) if !c.is_ascii() => Some("write texts in double quotes, keys as .[\"…\"]"),
        _ => None,
    };
    SyntaxError {
        message: format!("expected {expected}, found {found}"),
        at,
        help: help.map(str::to_owned),
    }
}

fn unparsed(source: &str, expected: &parse::Expect<&str>, found: &str) -> SyntaxError {
    let expected = match expected {
        parse::Expect::Just(word) => format!("`{word}`"),
        parse::Expect::Term => "a filter".to_owned(),
        parse::Expect::Nothing => "the end".to_owned(),
        parse::Expect::ElseOrEnd => "`else` or `end`".to_owned(),
        parse::Expect::Key => "a key".to_owned(),
        other => format!("a {}", other.as_str()),
    };
    let shown = match found {
        "" => "the end".to_owned(),
        text => format!("`{}`", shortened(text)),
    };
    let help = match found {
        "||" => Some("jq writes `or` for `||`"),
        "=" | "==" => Some("jq compares with `==` between two filters"),
        "?" => Some("jq chooses with `if … then … else … end`"),
        "|" | "," | "and" | "or" => Some("a filter is missing beside the operator"),
        _ => None,
    };
    SyntaxError {
        message: format!("expected {expected}, found {shown}"),
        at: place(source, found),
        help: help.map(str::to_owned),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Refuses `module`, `import` and `include`: an expression stands alone.
fn refuse_directives(source: &str, tokens: &[Token<&str>]) -> Result<(), SyntaxError> {
    match tokens.first() {
        Some(Token(word @ ("module" | "import" | "include"), _)) => Err(SyntaxError {
            message: format!("`{word}` is not allowed: an expression stands alone"),
            at: span(source, word),
            help: Some("define the filter in the expression itself with `def`".to_owned()),
        }),
        _ => Ok(()),
    }
}

/// Parser and compiler recurse for many kinds of tokens, such as `-` and `|`.
const TOKENS_MAX: usize = 4_000;

fn refuse_many(source: &str, tokens: &[Token<&str>]) -> Result<(), SyntaxError> {
    let found = count(tokens);
    if found <= TOKENS_MAX {
        return Ok(());
    }
    Err(SyntaxError {
        message: format!("the expression has {found} tokens, at most {TOKENS_MAX} are allowed"),
        at: 0..source.len(),
        help: Some("put the work into a rule file".to_owned()),
    })
}

fn count(tokens: &[Token<&str>]) -> usize {
    let within = |Token(_, token): &Token<&str>| match token {
        Tok::Block(inner) => count(inner),
        Tok::Str(parts) => parts
            .iter()
            .map(|part| match part {
                StrPart::Term(inner) => count(std::slice::from_ref(inner)),
                StrPart::Str(_) | StrPart::Char(_) => 1,
            })
            .sum(),
        _ => 0,
    };
    tokens.iter().map(|token| 1 + within(token)).sum()
}

/// Says what is wrong with a name that does not resolve.
pub(super) fn undefined(source: &str, name: &str, kind: &str, known: &[String]) -> SyntaxError {
    let help = if natives::ABSENT.contains(&name) {
        Some(
            "it does not exist here: a result must be the same on every run, on every machine"
                .to_owned(),
        )
    } else if kind == "variable" {
        Some(format!("known here: {}", known.join(" ")))
    } else {
        None
    };
    SyntaxError {
        message: format!("the {kind} `{name}` is not defined"),
        at: place(source, name),
        help,
    }
}

/// Refuses definitions that call themselves and paths of many parts: both
/// nest closures that overflow the stack where no meter sees it.
pub(super) fn refuse_recursion(source: &str, term: &Term<&str>) -> Result<(), SyntaxError> {
    Recursion {
        source,
        open: Vec::new(),
    }
    .term(term)
}

const PATH_LENGTH_MAX: usize = 100;

struct Recursion<'s> {
    source: &'s str,
    /// Definitions and parameters whose scope encloses the current place,
    /// by name and number of arguments; `true` while inside the body of a
    /// definition.
    open: Vec<(&'s str, usize, bool)>,
}

impl<'s> Recursion<'s> {
    fn term(&mut self, term: &Term<&'s str>) -> Result<(), SyntaxError> {
        match term {
            Term::Call(name, arguments) => {
                let called = (*name, arguments.len());
                let nearest = self.open.iter().rev().find(|(n, a, _)| (*n, *a) == called);
                if let Some((_, _, true)) = nearest {
                    return Err(SyntaxError {
                        message: format!("the definition `{name}` calls itself"),
                        at: span(self.source, name),
                        help: Some(
                            "use `recurse`, `reduce`, `foreach`, `until` or `while` instead"
                                .to_owned(),
                        ),
                    });
                }
                arguments
                    .iter()
                    .try_for_each(|argument| self.term(argument))
            }
            Term::Def(definitions, rest) => {
                let before = self.open.len();
                for definition in definitions {
                    self.definition(definition)?;
                    self.open
                        .push((definition.name, definition.args.len(), false));
                }
                self.term(rest)?;
                self.open.truncate(before);
                Ok(())
            }
            Term::Path(_, path) if path.0.len() > PATH_LENGTH_MAX => Err(SyntaxError {
                message: format!("a path of more than {PATH_LENGTH_MAX} parts"),
                at: 0..self.source.len(),
                help: None,
            }),
            other => children(other, &mut |child| self.term(child)),
        }
    }

    fn definition(&mut self, definition: &Def<&'s str>) -> Result<(), SyntaxError> {
        let before = self.open.len();
        self.open
            .push((definition.name, definition.args.len(), true));
        for argument in &definition.args {
            self.open.push((argument.trim_start_matches('$'), 0, false));
        }
        self.term(&definition.body)?;
        self.open.truncate(before);
        Ok(())
    }
}

/// Calls `f` on every term directly within `term`.
fn children<'t, 's, E>(
    term: &'t Term<&'s str>,
    f: &mut dyn FnMut(&'t Term<&'s str>) -> Result<(), E>,
) -> Result<(), E> {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => Ok(()),
        Term::Str(_, parts) => parts.iter().try_for_each(|part| match part {
            StrPart::Term(inner) => f(inner),
            StrPart::Str(_) | StrPart::Char(_) => Ok(()),
        }),
        Term::Arr(inner) => inner.iter().try_for_each(|inner| f(inner)),
        Term::Obj(entries) => entries.iter().try_for_each(|(key, value)| {
            f(key)?;
            value.iter().try_for_each(&mut *f)
        }),
        Term::Neg(inner) | Term::Label(_, inner) => f(inner),
        Term::BinOp(left, operator, right) => {
            f(left)?;
            if let BinaryOp::Pipe(Some(pattern)) = operator {
                pattern_terms(pattern, f)?;
            }
            f(right)
        }
        Term::Fold(_, over, pattern, steps) => {
            f(over)?;
            pattern_terms(pattern, f)?;
            steps.iter().try_for_each(f)
        }
        Term::TryCatch(tried, caught) => {
            f(tried)?;
            caught.iter().try_for_each(|caught| f(caught))
        }
        Term::IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                f(condition)?;
                f(then)?;
            }
            otherwise.iter().try_for_each(|otherwise| f(otherwise))
        }
        Term::Def(definitions, rest) => {
            definitions
                .iter()
                .try_for_each(|definition| f(&definition.body))?;
            f(rest)
        }
        Term::Call(_, arguments) => arguments.iter().try_for_each(f),
        Term::Path(from, path) => {
            f(from)?;
            path.0.iter().try_for_each(|(part, _)| match part {
                path::Part::Index(index) => f(index),
                path::Part::Range(start, end) => start.iter().chain(end).try_for_each(&mut *f),
            })
        }
    }
}

fn pattern_terms<'t, 's, E>(
    pattern: &'t Pattern<&'s str>,
    f: &mut dyn FnMut(&'t Term<&'s str>) -> Result<(), E>,
) -> Result<(), E> {
    match pattern {
        Pattern::Var(_) => Ok(()),
        Pattern::Arr(parts) => parts.iter().try_for_each(|part| pattern_terms(part, f)),
        Pattern::Obj(entries) => entries.iter().try_for_each(|(key, part)| {
            f(key)?;
            pattern_terms(part, f)
        }),
    }
}

/// Gives the names of all filters called, and of the formats of texts.
pub(super) fn calls<'s>(term: &Term<&'s str>, into: &mut Vec<&'s str>) {
    match term {
        Term::Call(name, _) => into.push(name),
        Term::Str(Some(format), _) => into.push(format),
        Term::Recurse => into.push("recurse"),
        _ => {}
    }
    let done: Result<(), std::convert::Infallible> = children(term, &mut |child| {
        calls(child, into);
        Ok(())
    });
    match done {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// Gives every variable read, with the literal keys after it.
pub(super) fn reads(source: &str, term: &Term<&str>, into: &mut Vec<Read>) {
    let from = match term {
        Term::Var(name) => Some((name.trim_start_matches('$'), span(source, name), None)),
        Term::Path(from, path) => match &**from {
            Term::Var(name) => Some((name.trim_start_matches('$'), span(source, name), Some(path))),
            Term::Id => Some((".", 0..0, Some(path))),
            _ => None,
        },
        _ => None,
    };
    if let Some((root, at, path)) = from {
        into.push(read(source, root, at, path));
    }
    let inner: Result<(), std::convert::Infallible> = children(term, &mut |child| {
        // The variable at the head of a path was read with its path above.
        if !(matches!(term, Term::Path(..)) && matches!(child, Term::Var(_))) {
            reads(source, child, into);
        }
        Ok(())
    });
    match inner {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

fn read(
    source: &str,
    root: &str,
    mut at: Range<usize>,
    path: Option<&path::Path<Term<&str>>>,
) -> Read {
    let mut parts = Vec::new();
    for (part, optional) in path.into_iter().flat_map(|path| &path.0) {
        let path::Part::Index(Term::Str(None, text)) = part else {
            break;
        };
        let [StrPart::Str(name)] = text.as_slice() else {
            break;
        };
        let name_at = span(source, name);
        if at.is_empty() {
            // jq's own argument has no name: its read begins at the dot.
            at.start = name_at.start.saturating_sub(1);
        }
        at.end = name_at.end;
        parts.push(Part {
            name: (*name).to_owned(),
            optional: matches!(optional, path::Opt::Optional),
        });
    }
    Read {
        root: root.to_owned(),
        path: parts,
        at,
    }
}
