//! What to do about a text that YAML does not take.

/// The way out of too much nesting.
pub(super) const FLATTER: &str = "make tasks or files of the inner parts";

/// What usually lies behind a syntax error.
pub(super) fn syntax_help(info: &str, line: &str) -> String {
    let trimmed = line.trim_start();
    let help = if line.starts_with('\t') || trimmed.contains('\t') && info.contains("tab") {
        "indent with spaces; YAML does not allow tabs"
    } else if line.contains("${") && !line.contains("'${") && !line.contains("\"${") {
        "put the expression into single quotes: '${ … }'"
    } else if line.contains(['\u{ff1a}', '\u{201c}', '\u{201d}', '\u{ff5b}', '\u{ff5d}'])
        && (info.contains("expected") || info.contains("misplaced"))
    {
        "write the plain characters : { } \" instead of the full-width or curved ones"
    } else if info.contains("escape") {
        "in double quotes YAML reads `\\` itself: put the text into single quotes"
    } else if info.contains("mapping values are not allowed") {
        "quote a text that holds `: `, or begin a new line for the key"
    } else if info.contains("tab") {
        "indent with spaces; YAML does not allow tabs"
    } else if [
        "flow",
        "quoted",
        "end of stream",
        "unclosed",
        "misplaced bracket",
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
    } else if info.contains("recursion limit") {
        FLATTER
    } else if info.contains("unexpected character") {
        "a workflow is UTF-8 text without control characters; an office document is none: save it as plain text"
    } else {
        "look at this line and the one before it: a colon, a hyphen, a quote or the indentation is not as YAML wants it"
    };
    help.to_owned()
}
