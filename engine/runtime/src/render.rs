//! Mail and notice templates: front matter with the subject, a Markdown body, minijinja between. Both parts of a mail
//! come from one rendering, so that they say the same. What people typed is escaped as Markdown: it can never become a
//! link, a heading or HTML.

mod names;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use minijinja::{AutoEscape, Environment, Output, State};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use tongban_expr::Value;

pub use names::Named;

/// A rendered mail or notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line; empty for a notice.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part: the body only, without a document around it.
    pub html: String,
}

/// Why a template does not render; `line` counts from 1 in the template's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct RenderError {
    /// The line in the file.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// What the filters of a template ask for, in one language.
pub trait Words: Send + Sync {
    /// `zh-CN` or `en`.
    fn language(&self) -> &str;
    /// The name of a unit.
    fn unit(&self, id: &str) -> Option<String>;
    /// The title of a code in a list.
    fn code(&self, list: &str, code: &str) -> Option<String>;
    /// A date for people from ISO text or milliseconds, in the site's zone.
    fn date(&self, value: &Value) -> Option<String>;
}

/// The escaping of a Markdown body.
const MARKDOWN: Cow<'static, str> = Cow::Borrowed("markdown");

/// The front matter's subject and the body, with the line that the body begins on.
struct Parts<'a> {
    subject: &'a str,
    body: &'a str,
    body_line: usize,
}

/// Renders a template with the variables that it may see (`form steps data workflow to now notice`).
pub fn render(
    source: &str,
    variables: &Value,
    words: Arc<dyn Words>,
) -> Result<Rendered, RenderError> {
    let parts = split(source)?;
    let environment = environment(words);
    let subject = evaluate(&environment, parts.subject, variables, 2, AutoEscape::None)?;
    let markdown = evaluate(
        &environment,
        parts.body,
        variables,
        parts.body_line,
        AutoEscape::Custom(MARKDOWN),
    )?;
    Ok(Rendered {
        subject: one_line(&subject),
        text: plain(&markdown),
        html: html(&markdown),
    })
}

/// The filters of a template that is only read: nothing is asked of them.
struct Unasked;

impl Words for Unasked {
    fn language(&self) -> &str {
        "en"
    }
    fn unit(&self, _id: &str) -> Option<String> {
        None
    }
    fn code(&self, _list: &str, _code: &str) -> Option<String> {
        None
    }
    fn date(&self, _value: &Value) -> Option<String> {
        None
    }
}

/// Checks a template without rendering it: front matter and syntax.
pub fn check(source: &str) -> Result<(), RenderError> {
    let parts = split(source)?;
    let environment = environment(Arc::new(Unasked));
    for (text, line) in [(parts.subject, 2), (parts.body, parts.body_line)] {
        environment
            .template_from_str(text)
            .map_err(|error| located(&error, line))?;
    }
    Ok(())
}

/// The variables that a template reads, and the filters that do not exist; places count in
/// bytes of the file.
pub fn names(source: &str) -> (Vec<Named>, Vec<Named>) {
    let Ok(parts) = split(source) else {
        return (Vec::new(), Vec::new());
    };
    let environment = environment(Arc::new(Unasked));
    let (mut variables, mut filters) = (Vec::new(), Vec::new());
    // The body ends with the file, and nothing stands before the line of the subject.
    let subject_at = source.find(parts.subject).unwrap_or(0);
    let body_at = source.len().saturating_sub(parts.body.len());
    for (text, from) in [(parts.subject, subject_at), (parts.body, body_at)] {
        let placed = |named: Named| Named {
            at: named.at.start + from..named.at.end + from,
            ..named
        };
        let read = names::variables(&environment, text).into_iter();
        variables.extend(read.map(placed));
        let unknown = names::unknown_filters(&environment, text).into_iter();
        filters.extend(unknown.map(placed));
    }
    (variables, filters)
}

fn split(source: &str) -> Result<Parts<'_>, RenderError> {
    let source = source.trim_start_matches('\u{feff}');
    let Some(rest) = source.strip_prefix("---\n") else {
        return Ok(Parts {
            subject: "",
            body: source,
            body_line: 1,
        });
    };
    let missing = || RenderError {
        line: 1,
        message: "the front matter is not closed: expected a line `---`".into(),
    };
    let (head, body) = rest.split_once("\n---\n").ok_or_else(missing)?;
    let mut subject = "";
    for (index, line) in head.lines().enumerate() {
        let text = line
            .strip_prefix("subject:")
            .map(str::trim)
            .ok_or_else(|| RenderError {
                line: index + 2,
                message: format!("expected `subject: …`, found `{line}`"),
            })?;
        subject = unquoted(text);
    }
    Ok(Parts {
        subject,
        body,
        body_line: head.lines().count() + 3,
    })
}

fn unquoted(text: &str) -> &str {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

fn environment(words: Arc<dyn Words>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(200_000));
    environment.set_formatter(escape_markdown);
    let unit = words.clone();
    environment.add_filter("unit", move |id: String| unit.unit(&id).unwrap_or(id));
    let code = words.clone();
    environment.add_filter("code", move |value: String, list: String| {
        code.code(&list, &value).unwrap_or(value)
    });
    let outcome = words.clone();
    environment.add_filter("outcome", move |value: String| {
        outcome.code("outcome", &value).unwrap_or(value)
    });
    let verdict = words.clone();
    environment.add_filter("verdict", move |value: String| {
        verdict_title(verdict.language(), &value)
    });
    environment.add_filter("date", move |value: minijinja::Value| {
        let value: Value = serde_json::to_string(&value)
            .ok()
            .and_then(|text| Value::from_json(&text).ok())
            .unwrap_or(Value::Null);
        words.date(&value).unwrap_or_default()
    });
    environment
}

/// What a rule found, in words: 符合 / 不符合 / 待核.
fn verdict_title(language: &str, value: &str) -> String {
    let title = match (language.starts_with("zh"), value) {
        (true, "fit") => "符合",
        (true, "unfit") => "不符合",
        (true, "undetermined") => "待核",
        (false, "fit") => "met",
        (false, "unfit") => "not met",
        (false, "undetermined") => "to be verified",
        _ => value,
    };
    title.to_string()
}

fn evaluate(
    environment: &Environment<'_>,
    text: &str,
    variables: &Value,
    first_line: usize,
    escape: AutoEscape,
) -> Result<String, RenderError> {
    let mut environment = environment.clone();
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment
        .render_named_str("template", text, minijinja::value::Serde(variables))
        .map_err(|error| located(&error, first_line))
}

fn located(error: &minijinja::Error, first_line: usize) -> RenderError {
    let line = error
        .line()
        .map_or(first_line, |line| line + first_line - 1);
    let message = error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| format!("{}: {detail}", error.kind()),
    );
    RenderError { line, message }
}

/// Writes a value so that Markdown reads it as plain text: every ASCII punctuation character may be escaped.
fn escape_markdown(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &minijinja::Value,
) -> Result<(), minijinja::Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(());
    }
    let text = value.to_string();
    if !matches!(state.auto_escape(), AutoEscape::Custom(name) if name == "markdown") {
        return out.write_str(&text).map_err(minijinja::Error::from);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            escaped.push_str("\\\n");
        }
        for character in line.trim_start().chars() {
            if character.is_ascii_punctuation() {
                escaped.push('\\');
            }
            escaped.push(character);
        }
    }
    out.write_str(&escaped).map_err(minijinja::Error::from)
}

fn events(markdown: &str) -> impl Iterator<Item = Event<'_>> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    })
}

fn html(markdown: &str) -> String {
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events(markdown));
    out
}

/// The text part: paragraphs with blank lines between, links as `text: address`.
fn plain(markdown: &str) -> String {
    let mut out = String::new();
    let mut address = None;
    for event in events(markdown) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text),
            Event::SoftBreak | Event::HardBreak => out.push('\n'),
            Event::Start(Tag::Item) => out.push_str("- "),
            Event::Start(Tag::Link { dest_url, .. }) => address = Some(dest_url),
            Event::End(TagEnd::Link) => {
                if let Some(address) = address.take() {
                    let _ = write!(out, ": {address}");
                }
            }
            Event::End(TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead) => out.push('\n'),
            Event::End(TagEnd::TableCell) => out.push_str("  "),
            Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::List(_) | TagEnd::Table,
            ) => out.push_str("\n\n"),
            Event::Rule => out.push_str("----\n\n"),
            _ => {}
        }
    }
    out.trim_end().to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct English;
    impl Words for English {
        fn language(&self) -> &str {
            "en"
        }
        fn unit(&self, id: &str) -> Option<String> {
            (id == "police").then(|| "Police".to_string())
        }
        fn code(&self, list: &str, code: &str) -> Option<String> {
            (list == "refusal" && code == "law").then(|| "forbidden by law".to_string())
        }
        fn date(&self, value: &Value) -> Option<String> {
            value.as_str().map(|text| text.chars().take(10).collect())
        }
    }

    fn rendered(source: &str, variables: &str) -> Result<Rendered, RenderError> {
        render(
            source,
            &Value::from_json(variables).unwrap(),
            Arc::new(English),
        )
    }

    #[test]
    fn both_parts_say_the_same() {
        let mail = rendered(
            "---\nsubject: '[Refused] {{ name }}'\n---\n{{ unit | unit }}: **{{ code | code(\"refusal\") }}** on {{ at | date }}.\n\n[Open]({{ url }})\n",
            r#"{"name": "Vehicles", "unit": "police", "code": "law", "at": "2026-05-13T09:00:00Z", "url": "https://example.org/a_b?c=1"}"#,
        )
        .unwrap();
        assert_eq!(mail.subject, "[Refused] Vehicles");
        assert_eq!(
            mail.text,
            "Police: forbidden by law on 2026-05-13.\n\nOpen: https://example.org/a_b?c=1"
        );
        assert!(
            mail.html
                .contains(r#"<a href="https://example.org/a_b?c=1">Open</a>"#),
            "{}",
            mail.html
        );
        assert!(mail.html.contains("<strong>forbidden by law</strong>"));
    }

    #[test]
    fn what_people_typed_stays_text() {
        let mail = rendered(
            "---\nsubject: 'x {{ comment }}'\n---\nComment: {{ comment }}\n",
            r#"{"comment": "<script>alert(1)</script>\n# big [click](https://evil.example)\r\nBcc: a@b"}"#,
        )
        .unwrap();
        assert!(
            !mail.html.contains("<script")
                && !mail.html.contains("<a ")
                && !mail.html.contains("<h1"),
            "{}",
            mail.html
        );
        assert!(
            mail.text
                .contains("<script>alert(1)</script>\n# big [click](https://evil.example)"),
            "{}",
            mail.text
        );
        assert!(!mail.subject.contains('\n') && !mail.subject.contains('\r'));
    }

    #[test]
    fn faults_name_the_line_of_the_file() {
        let error = rendered("---\nsubject: a\n---\nfine\n{{ x | nofilter }}\n", "{}").unwrap_err();
        assert_eq!(error.line, 5);
        assert_eq!(rendered("---\nsubject: a\n", "{}").unwrap_err().line, 1);
        assert_eq!(rendered("---\ntitle: a\n---\n", "{}").unwrap_err().line, 2);
    }

    #[test]
    fn an_endless_template_is_stopped() {
        let source = "---\nsubject: a\n---\n{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(rendered(source, "{}").unwrap_err().message.contains("fuel"));
    }
}
