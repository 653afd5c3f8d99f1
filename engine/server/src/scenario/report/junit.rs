//! The report as JUnit XML, which build servers read.

use std::fmt::Write as _;

use tongban_dsl::draw::escaped;

use super::Report;
use crate::scenario::Outcome;

/// One suite for each file.
pub fn junit(report: &Report<'_>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuites name=\"tongban test\" tests=\"{}\" failures=\"{}\" time=\"{}\">",
        report.outcomes.len(),
        report.failed(),
        seconds(report.millis)
    );
    let mut rest = report.outcomes;
    while let Some(first) = rest.first() {
        let length = rest
            .iter()
            .take_while(|outcome| outcome.path == first.path)
            .count();
        let (suite, after) = rest.split_at(length);
        rest = after;
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{length}\" failures=\"{}\" time=\"{}\">",
            escaped(&first.path.display().to_string()),
            suite.iter().filter(|one| one.failure.is_some()).count(),
            seconds(suite.iter().map(|one| one.millis).sum())
        );
        for outcome in suite {
            case(outcome, &mut text);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(outcome: &Outcome, text: &mut String) {
    let file = escaped(&outcome.path.display().to_string());
    let _ = write!(
        text,
        "    <testcase classname=\"{file}\" name=\"{}\" file=\"{file}\" line=\"{}\" time=\"{}\"",
        escaped(&outcome.test),
        outcome.line,
        seconds(outcome.millis)
    );
    let Some(failure) = &outcome.failure else {
        text.push_str("/>\n");
        return;
    };
    let _ = writeln!(
        text,
        ">\n      <failure type=\"scenario\" message=\"line {}: {}\">{}</failure>\n    </testcase>",
        failure.line,
        escaped(&failure.at),
        escaped(&failure.told())
    );
}

fn seconds(millis: u128) -> String {
    format!("{:.3}", millis as f64 / 1000.0)
}
