//! What the YAML parser found, in plain words, and what to do about it.

/// The way out of too much nesting.
pub(super) const FLATTER: &str = "make tasks or files of the inner parts";

/// What the parser says, and the same in the words of somebody who writes documents.
const WORDS: &[(&str, &str)] = &[
    (
        "mapping values are not allowed",
        "a second `: ` stands in one value, or this line is indented too far",
    ),
    ("mapping keys are not allowed", "a key cannot stand here"),
    (
        "did not find expected ',' or '}'",
        "expected `,` or `}`: the object in braces goes on here",
    ),
    (
        "expected ',' or ']'",
        "expected `,` or `]`: the list in brackets goes on here",
    ),
    (
        "did not find expected key",
        "expected a key in the column of the keys above it",
    ),
    (
        "did not find expected '-' indicator",
        "expected `- ` in the column of the list above it",
    ),
    ("simple key expected ':'", "expected `: ` behind the key"),
    (
        "unclosed quote",
        "the quotation mark that opens here is never closed",
    ),
    (
        "trailing content after single-quoted",
        "the text in single quotes has ended, and something follows",
    ),
    (
        "trailing content after double-quoted",
        "the text in double quotes has ended, and something follows",
    ),
    (
        "unknown escape character",
        "`\\` and this letter mean nothing in double quotes",
    ),
    (
        "unclosed bracket",
        "the bracket that opens here is never closed",
    ),
    (
        "mismatched bracket",
        "a bracket is closed by one of another kind",
    ),
    (
        "only valid inside a block",
        "a hyphen cannot stand inside of brackets; one that opens above is not closed",
    ),
    (
        "unexpected character",
        "a text cannot begin with this sign unless it is quoted",
    ),
    (
        "misplaced bracket",
        "a bracket is closed that was never opened",
    ),
    ("EOF while parsing", "the text ends inside of a bracket"),
    ("did not find expected node content", "expected a value"),
    (
        "cannot start with '-'",
        "`-` and a bracket need a space between them",
    ),
    (
        "invalid indentation",
        "this line is not indented far enough for what it belongs to",
    ),
    ("tab", "a tab stands where the indentation is counted"),
    (
        "anchor or alias",
        "`&` and `*` begin an anchor and an alias, whose name is missing",
    ),
    (
        "expected <document start>",
        "the document has ended, and something follows",
    ),
    (
        "block scalar",
        "a text that begins with `|` or `>` stands in the lines below it",
    ),
];
/// The longest key in front of a colon.
const KEY_MAX: u32 = 1_024;

/// Whether the parser stumbled over a character that no text has.
pub(super) fn is_no_text(letter: char, info: &str) -> bool {
    info.contains("unexpected character") && letter.is_control() && letter != '\t'
}

/// The parser's finding in plain words, and what usually lies behind it.
pub(super) fn worded(info: &str, line: &str, column: u32) -> (String, &'static str) {
    if info.contains("mapping values are not allowed") && column > KEY_MAX {
        return (
            format!("a key has at most {KEY_MAX} characters"),
            "write a shorter name; people see `metadata.title`",
        );
    }
    let words = WORDS
        .iter()
        .find(|(found, _)| info.contains(found))
        .map_or(info, |(_, words)| words);
    (
        format!("this is not valid YAML: {words}"),
        usual(info, line),
    )
}

fn usual(info: &str, line: &str) -> &'static str {
    let trimmed = line.trim_start();
    if line.starts_with('\t') || trimmed.contains('\t') && info.contains("tab") {
        "indent with spaces; YAML does not allow tabs"
    } else if line.contains("${") && !line.contains("'${") && !line.contains("\"${") {
        "put the expression into single quotes: '${ … }'"
    } else if info.contains("unknown escape") || info.contains("escape code") {
        "in double quotes YAML reads `\\` itself: put the text into single quotes"
    } else if info.contains("trailing content after single-quoted") {
        "a `'` inside of the text is written twice: `''`"
    } else if info.contains("trailing content after double-quoted") {
        "a `\"` inside of the text is written `\\\"`, or put the whole text into single quotes"
    } else if info.contains("anchor or alias") {
        "quote a text that begins with `&` or `*`"
    } else if info.contains("mapping values are not allowed") {
        "quote a text that holds `: `, or bring this line into the column of the lines above it"
    } else if info.contains("tab") {
        "indent with spaces; YAML does not allow tabs"
    } else if info.contains("did not find expected '-' indicator") {
        "begin it with `- `, or indent it under the entry that it belongs to"
    } else if info.contains("misplaced bracket") {
        "take it away, or open it before"
    } else if info.contains("expected <document start>") {
        "take it away: a file holds one document, and nothing behind it"
    } else if info.contains("block scalar") {
        "write `|` or `>` alone at the end of the line, and the text indented below it"
    } else if info.contains("simple key expected") {
        "write `key: value`, with a space behind the colon"
    } else if [
        "flow",
        "quote",
        "end of stream",
        "unclosed",
        "bracket",
        "EOF",
    ]
    .iter()
    .any(|word| info.contains(word))
    {
        "close the bracket or the quote that was opened"
    } else if info.contains("expected <block end>")
        || info.contains("indent")
        || info.contains("did not find expected")
    {
        "bring the keys of one object to the same column"
    } else if info.contains("unexpected character") {
        "put the text into single quotes"
    } else {
        "look at this line and the one before it: a colon, a hyphen, a quote or the indentation is not as YAML wants it"
    }
}
