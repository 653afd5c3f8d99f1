//! Functions that an expression of rhai calls: rhai finds them only when it runs, a case later.

use std::ops::Range;

use tongban_expr::Language;

use crate::codes;
use crate::definition::ExpressionSource;
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::checker::Checker;
use super::surroundings::Reference;
use super::syntax::{mark_of, on_purpose};

/// What rhai's packages and ours give to expressions.
const KNOWN: &[&str] = &[
    "abs",
    "acos",
    "acosh",
    "all",
    "append",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "basis",
    "bits",
    "bytes",
    "ceiling",
    "chars",
    "chop",
    "clear",
    "concat",
    "contains",
    "cos",
    "cosh",
    "crop",
    "date_ok",
    "days_after",
    "days_between",
    "dedup",
    "drain",
    "end",
    "ends_with",
    "exp",
    "extract",
    "fill_with",
    "filter",
    "find",
    "find_map",
    "first",
    "floor",
    "for_each",
    "fraction",
    "get",
    "get_bit",
    "get_bits",
    "hypot",
    "index_of",
    "insert",
    "int",
    "is_empty",
    "is_even",
    "is_exclusive",
    "is_finite",
    "is_inclusive",
    "is_infinite",
    "is_nan",
    "is_odd",
    "is_zero",
    "join",
    "keys",
    "last",
    "len",
    "ln",
    "log",
    "log10",
    "make_lower",
    "make_upper",
    "map",
    "matches",
    "max",
    "max_by",
    "min",
    "min_by",
    "mixin",
    "months_after",
    "months_between",
    "name",
    "normal",
    "order",
    "order_by",
    "order_desc",
    "organisation_code_ok",
    "pad",
    "parse_float",
    "parse_int",
    "pluck",
    "pop",
    "push",
    "range",
    "reduce",
    "reduce_rev",
    "remove",
    "replace",
    "resident_id_ok",
    "retain",
    "reverse",
    "round",
    "set",
    "set_bit",
    "shift",
    "sign",
    "since",
    "sin",
    "sinh",
    "some",
    "sort",
    "sort_by",
    "sort_desc",
    "splice",
    "split",
    "split_rev",
    "sqrt",
    "start",
    "starts_with",
    "sub_string",
    "sum_by",
    "tan",
    "tanh",
    "title",
    "to_array",
    "to_binary",
    "to_chars",
    "to_debug",
    "to_degrees",
    "to_float",
    "to_hex",
    "to_int",
    "to_json",
    "to_lower",
    "to_octal",
    "to_radians",
    "to_string",
    "to_upper",
    "trim",
    "truncate",
    "type_of",
    "unique",
    "unit",
    "unit_name",
    "uscc_ok",
    "values",
    "where",
    "years_after",
    "years_between",
    "zip",
    "E",
    "PI",
    "elapsed",
    "exit",
    "is_anonymous",
    // Functions of rule files alone: `rule` and its like are refused by rhai itself.
    "error",
    "judge",
    "rule",
    "warn",
];

/// What functions of other languages are called here.
const FOREIGN: &[(&str, &str)] = &[
    ("length", "len()"),
    ("size", "len()"),
    ("count", "len()"),
    ("includes", "contains(…)"),
    ("has", "contains(…)"),
    ("indexof", "index_of(…)"),
    ("touppercase", "to_upper()"),
    ("upper", "to_upper()"),
    ("tolowercase", "to_lower()"),
    ("lower", "to_lower()"),
    ("startswith", "starts_with(…)"),
    ("endswith", "ends_with(…)"),
    ("tostring", "to_string()"),
    ("str", "to_string()"),
    ("string", "to_string()"),
    ("parseint", "parse_int(…)"),
    ("number", "parse_float(…)"),
    ("parsefloat", "parse_float(…)"),
    ("substring", "sub_string(…)"),
    ("substr", "sub_string(…)"),
    ("isempty", "is_empty()"),
    ("empty", "is_empty()"),
    ("sum", "sum_by(\"FIELD\")"),
    ("avg", "sum_by(\"FIELD\") / LIST.len()"),
    ("ceil", "ceiling()"),
    ("select", "where(\"FIELD\", value)"),
    ("flatmap", "pluck(\"FIELD\")"),
    ("format", "`…${ … }…` (a text in backticks)"),
    ("coalesce", "a ?? b"),
    ("isnull", "a == ()"),
    ("ifnull", "a ?? b"),
    ("nvl", "a ?? b"),
];

impl Checker<'_> {
    /// Functions that do not exist, and levels of units that `unit(id, level)` names.
    pub(super) fn methods(&mut self, source: &ExpressionSource) {
        if source.language != Language::Rhai || !source.text.contains('(') {
            return;
        }
        for (at, method) in calls(&source.text) {
            let Some(name) = source.text.get(at.clone()) else {
                continue;
            };
            if name == "unit" {
                self.level(source, at.end);
            }
            if !KNOWN.contains(&name) {
                self.unknown_method(source, at.clone(), name, method);
            }
        }
    }

    fn unknown_method(
        &mut self,
        source: &ExpressionSource,
        at: Range<usize>,
        name: &str,
        method: bool,
    ) {
        let lower = name.to_lowercase().replace('_', "");
        let foreign = FOREIGN
            .iter()
            .find(|(foreign, _)| *foreign == lower)
            .map(|(_, ours)| {
                format!(
                    "write `{}{ours}`",
                    if method && ours.ends_with(')') {
                        "."
                    } else {
                        ""
                    }
                )
            });
        let foreign = on_purpose(mark_of(source.language), name).or(foreign);
        let near = suggest::nearest(name, KNOWN.iter().copied())
            .map(|near| format!("did you mean `{near}`?"));
        let sure = foreign.is_some() || near.is_some();
        let help = foreign.or(near).unwrap_or_else(|| {
            "the manual lists what expressions have; more belongs into a rule file".to_owned()
        });
        let message = format!("there is no function `{name}`");
        let span = self.place(source, &at);
        let fault = if sure {
            Diagnostic::error(codes::UNKNOWN_METHOD, span, message)
        } else {
            Diagnostic::warning(codes::UNKNOWN_METHOD, span, message)
        };
        self.faults.push(fault.help(help));
    }

    /// The last argument of `unit(id, "street")` and `id.unit("street")`.
    fn level(&mut self, source: &ExpressionSource, open: usize) {
        let Some(rest) = source.text.get(open..) else {
            return;
        };
        let Some(close) = rest.find(')') else { return };
        let arguments = rest.get(1..close).unwrap_or("");
        let last = arguments.rsplit(',').next().unwrap_or(arguments).trim();
        let text = last
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .filter(|text| !text.contains(['"', '\\', '(']));
        if let Some(text) = text {
            let start = open + 1 + arguments.rfind(last).unwrap_or(0);
            let span = self.place(source, &(start..start + last.len()));
            self.reference(Reference::Level, text, span);
        }
    }
}

/// The names in front of a parenthesis, outside of texts; and whether each stands behind a dot.
fn calls(text: &str) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut start: Option<usize> = None;
    for (at, letter) in text.char_indices() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if letter == '\\' {
                escaped = true;
            } else if letter == open {
                quote = None;
            }
            continue;
        }
        match letter {
            '"' | '`' | '\'' => {
                quote = Some(letter);
                start = None;
            }
            '(' => {
                if let Some(from) = start.take() {
                    let method = text.get(..from).is_some_and(|before| before.ends_with('.'));
                    let name = text.get(from..at).unwrap_or("");
                    if !matches!(name, "if" | "in" | "else" | "switch" | "while" | "return") {
                        found.push((from..at, method));
                    }
                }
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                start.get_or_insert(at);
            }
            _ => start = None,
        }
    }
    found
}
