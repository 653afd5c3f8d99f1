//! Expected work items.

use std::collections::BTreeSet;

use tongban_expr::Value;
use tongban_runtime::CaseView;
use tongban_work::ItemRow;

use super::same;
use crate::scenario::expected::OpenItem;
use crate::scenario::matching::{Difference, differences};
use crate::scenario::play::{Wrong, is_step, path_of};
use crate::scenario::stage::Stage;

/// The open items, all of them.
pub(super) fn open(
    stage: &Stage,
    expected: &[OpenItem],
    case: &CaseView,
    all: &mut Vec<Difference>,
) -> Result<(), Wrong> {
    let rows = case.desk.rows();
    let items: Vec<&ItemRow> = rows
        .items
        .iter()
        .filter(|item| item.closed_at_ms.is_none() && item.status != "held")
        .collect();
    for wanted in expected {
        let of_step = |item: &&&ItemRow| is_step(&item.run_id, &wanted.step);
        match items.iter().rev().find(of_step) {
            Some(item) => open_item(stage, wanted, case, item, all)?,
            None => {
                let found: Vec<String> = items.iter().map(|item| path_of(&item.run_id)).collect();
                let found = if found.is_empty() {
                    "no open item".to_string()
                } else {
                    format!("open are: {}", found.join(", "))
                };
                let path = format!("open.{}", wanted.step);
                all.push(Difference::at(path, "an open item", found));
            }
        }
    }
    for item in &items {
        let named = |wanted: &OpenItem| is_step(&item.run_id, &wanted.step);
        if !expected.iter().any(named) {
            all.push(Difference::at(
                "open",
                "no other open item",
                path_of(&item.run_id),
            ));
        }
    }
    Ok(())
}

/// Who has an open item, until when, with what.
fn open_item(
    stage: &Stage,
    wanted: &OpenItem,
    case: &CaseView,
    item: &ItemRow,
    all: &mut Vec<Difference>,
) -> Result<(), Wrong> {
    let path = format!("open.{}", wanted.step);
    if let Some(people) = &wanted.to {
        let rows = case.desk.rows();
        let found = rows
            .candidates
            .iter()
            .filter(|candidate| candidate.n == item.n)
            .map(|candidate| candidate.candidate.trim_start_matches("person:"));
        let found: BTreeSet<&str> = found.collect();
        let people: BTreeSet<&str> = people.iter().map(String::as_str).collect();
        same(&format!("{path}.to"), &people, &found, all);
    }
    if let Some(due) = &wanted.due {
        let found = item.due_at_ms.map(|ms| stage.date(ms));
        let found = found.unwrap_or_else(|| "no time limit".to_string());
        same(&format!("{path}.due"), due, &found, all);
    }
    let view = stage.item_view(case, item.n)?;
    let shown = view.get("show");
    for title in wanted.shows.iter().flatten() {
        if shown.is_none_or(|show| show.get(title).is_none()) {
            let found: Vec<String> = shown
                .into_iter()
                .flat_map(Value::entries)
                .map(|(title, _)| title.to_string())
                .collect();
            let found = if found.is_empty() {
                "nothing is shown".to_string()
            } else {
                found.join(", ")
            };
            all.push(Difference::at(format!("{path}.shows"), title, found));
        }
    }
    for (field, value) in &wanted.prefilled {
        let found = view.get("data").and_then(|data| data.at(field)).cloned();
        let inner = format!("{path}.prefilled.{field}");
        all.extend(differences(&inner, value, &found.unwrap_or(Value::Null)));
    }
    Ok(())
}
