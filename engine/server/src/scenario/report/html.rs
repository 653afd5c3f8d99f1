//! The report as one page that needs nothing else: the scenarios, and every workflow's diagram coloured by coverage.

use std::fmt::Write as _;

use tongban_dsl::draw::{self, Marks, Names, Reading, Tongue, escaped};

use super::Report;
use crate::scenario::coverage::{Reached, VERDICTS};
use crate::scenario::rules::{Line, RuleFile};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn html(report: &Report<'_>, names: &Names) -> String {
    let mut page = String::new();
    let failed = report.failed();
    let passed = report.outcomes.len() - failed;
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>tongban test: {passed} passed, {failed} failed</title><style>{STYLE}</style></head><body><main>\
         <h1>流程测试与覆盖 · Scenarios and coverage</h1>"
    );
    summary(report, passed, failed, &mut page);
    scenarios(report, &mut page);
    for (workflow, reached) in &report.coverage.workflows {
        section(workflow, reached, names, &mut page);
    }
    rules(report, &mut page);
    page.push_str("</main></body></html>\n");
    page
}

fn meter((some, all): (usize, usize)) -> String {
    format!(
        "<td class=\"n\">{some} / {all}</td><td class=\"n\">{}</td><td><meter min=\"0\" max=\"{}\" value=\"{some}\">{some}/{all}</meter></td>",
        percent((some, all)),
        all.max(1)
    )
}

/// A share as people read it; nothing where there is nothing.
fn percent((some, all): (usize, usize)) -> String {
    match (some * 100).checked_div(all) {
        Some(share) => format!("{share} %"),
        None => "–".to_owned(),
    }
}

fn summary(report: &Report<'_>, passed: usize, failed: usize, page: &mut String) {
    let class = if failed > 0 { "bad" } else { "good" };
    let sign = if failed > 0 { "✗" } else { "✓" };
    let _ = write!(
        page,
        "<section><p class=\"{class}\">{sign} {passed} 通过 passed · {failed} 失败 failed · {:.1} s</p><table><tbody>\
         <tr><th scope=\"row\">环节 tasks</th>{}</tr><tr><th scope=\"row\">分支 branches</th>{}</tr>\
         <tr><th scope=\"row\">规则结论 verdicts of rules</th>{}</tr><tr><th scope=\"row\">规则行 lines of rules</th>{}</tr>\
         <tr><th scope=\"row\">规则分支 branches of rules</th>{}</tr></tbody></table></section><nav><h2>流程 Workflows</h2><table><thead><tr><th scope=\"col\">流程 workflow</th>\
         <th scope=\"col\" colspan=\"3\">环节 tasks</th><th scope=\"col\" colspan=\"3\">分支 branches</th></tr></thead><tbody>",
        report.millis as f64 / 1000.0,
        meter(report.tasks()),
        meter(report.branches()),
        meter(report.verdicts()),
        meter(report.lines()),
        meter(report.ways())
    );
    for (workflow, reached) in &report.coverage.workflows {
        let tasks = reached.tasks.len();
        let branches = reached.branches.all.len();
        let _ = write!(
            page,
            "<tr><td><a href=\"#{}\">{}</a> <span class=\"soft\">{}</span></td>{}{}</tr>",
            anchor(workflow),
            escaped(title(reached)),
            escaped(workflow),
            meter((tasks - reached.missed().count(), tasks)),
            meter((branches - reached.untaken().count(), branches))
        );
    }
    page.push_str("</tbody></table></nav>");
}

fn scenarios(report: &Report<'_>, page: &mut String) {
    page.push_str("<section><h2>用例 Scenarios</h2><table><tbody>");
    // What failed stands first: it is why one looks.
    let (failed, passed): (Vec<_>, Vec<_>) =
        (report.outcomes.iter()).partition(|outcome| outcome.failure.is_some());
    for outcome in failed.into_iter().chain(passed) {
        let file = escaped(&outcome.path.display().to_string());
        let (class, sign) = match outcome.failure {
            Some(_) => ("bad", "✗ 失败 failed"),
            None => ("good", "✓ 通过 passed"),
        };
        let _ = write!(
            page,
            "<tr><td class=\"{class}\">{sign}</td><td>{}<br><span class=\"soft\">{file}:{}</span>",
            escaped(&outcome.test),
            outcome.line
        );
        if let Some(failure) = &outcome.failure {
            let _ = write!(
                page,
                "<pre>{file}:{}: {}\n{}</pre>",
                failure.line,
                escaped(&failure.at),
                escaped(&failure.told())
            );
        }
        for warning in &outcome.warnings {
            let _ = write!(page, "<br><span class=\"soft\">{}</span>", escaped(warning));
        }
        let _ = write!(page, "</td><td class=\"n\">{} ms</td></tr>", outcome.millis);
    }
    page.push_str("</tbody></table></section>");
}

fn section(workflow: &str, reached: &Reached, names: &Names, page: &mut String) {
    let _ = write!(
        page,
        "<section id=\"{}\"><h2>{} <span class=\"soft\">{}</span></h2>",
        anchor(workflow),
        escaped(title(reached)),
        escaped(workflow)
    );
    let untaken: Vec<_> = reached.untaken().collect();
    if untaken.is_empty() {
        page.push_str("<p class=\"good\">✓ 分支全部走到 every branch was taken</p>");
    } else {
        let _ = write!(
            page,
            "<details open><summary>没有走到的分支 branches that were not taken: {}</summary><table><tbody>",
            untaken.len()
        );
        for branch in untaken {
            let _ = write!(
                page,
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&branch.path),
                branch.kind,
                escaped(&branch.label)
            );
        }
        page.push_str("</tbody></table></details>");
    }
    let mut marks = Marks {
        tongue: Tongue::Chinese,
        reading: Reading::Coverage,
        names: names.clone(),
        ..Marks::default()
    };
    for task in &reached.tasks {
        marks.by_path.insert(task.path.clone(), reached.mark(task));
        if task.entered > 0 {
            marks
                .notes
                .insert(task.path.clone(), format!("×{}", task.entered));
        }
    }
    let _ = write!(
        page,
        "<div class=\"picture\" tabindex=\"0\">{}</div></section>",
        draw::draw(&reached.definition, &marks)
    );
}

fn rules(report: &Report<'_>, page: &mut String) {
    if report.coverage.rules.is_empty() {
        return;
    }
    page.push_str("<section><h2>规则 Rules</h2>");
    for (path, file) in &report.coverage.rules {
        let _ = write!(
            page,
            "<h3>{} <span class=\"soft\">{} 个用例单独运行 scenarios ran it alone</span></h3>",
            escaped(path),
            file.scenarios
        );
        verdicts(file, page);
        listing(file, page);
    }
    page.push_str("</section>");
}

fn verdicts(file: &RuleFile, page: &mut String) {
    if file.rules.is_empty() {
        return;
    }
    page.push_str("<table><thead><tr><th scope=\"col\">规则 rule</th>");
    for verdict in VERDICTS {
        let _ = write!(page, "<th scope=\"col\">{verdict}</th>");
    }
    page.push_str("</tr></thead><tbody>");
    for (id, verdicts) in &file.rules {
        let _ = write!(page, "<tr><td>{}</td>", escaped(id));
        for verdict in VERDICTS {
            match verdicts.get(verdict) {
                Some(times) => {
                    let _ = write!(page, "<td class=\"good\">✓ ×{times}</td>");
                }
                None => page.push_str("<td class=\"bad\">✗ 未测到 never</td>"),
            }
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table>");
}

/// The text of a rule file, line by line: reached, in part, never, with the ways that were not taken.
fn listing(file: &RuleFile, page: &mut String) {
    if !file.is_measured() {
        page.push_str("<p class=\"soft\">无法测量 cannot be measured</p>");
        return;
    }
    let lines = file.lines();
    let ways = file.ways();
    page.push_str("<ol class=\"code\">");
    for (at, text) in file.source.lines().enumerate() {
        let line = at + 1;
        let missed: Vec<&str> = ways
            .iter()
            .filter(|way| way.line == line && way.taken == 0)
            .map(|way| way.what.as_str())
            .collect();
        let (class, sign, word) = match lines.get(&line) {
            None => ("", " ", ""),
            Some(Line::Missed) => ("no", "✗", "未执行 never"),
            Some(Line::Partly) => ("part", "◐", "部分执行 in part"),
            Some(Line::Covered) if !missed.is_empty() => ("part", "◐", "部分执行 in part"),
            Some(Line::Covered) => ("yes", "✓", "已执行 reached"),
        };
        let _ = write!(
            page,
            "<li class=\"{class}\"><span class=\"sign\" title=\"{word}\">{sign}</span><code>{}</code>",
            escaped(text)
        );
        if !missed.is_empty() && class == "part" {
            let told = escaped(&missed.join(" · "));
            let _ = write!(page, "<span class=\"way\">未走 not taken: {told}</span>");
        }
        page.push_str("</li>");
    }
    page.push_str("</ol>");
}

fn title(reached: &Reached) -> &str {
    let document = &reached.definition.document;
    document
        .title
        .as_ref()
        .map_or(document.name.value.as_str(), |title| title.value.as_str())
}

fn anchor(workflow: &str) -> String {
    workflow
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}
