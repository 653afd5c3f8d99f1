//! What lists show of a case beside its head: the rows of the people's side and the search fields, as differences to
//! what they were.

use tongban_expr::Value;
use tongban_store::{
    CandidateGone, CandidateRow, Change, ClockRow, NO_DUE_MS, SearchGone, SearchRow, WorkItemRow,
};
use tongban_work::Rows;

use crate::activation::Activation;
use crate::change::Before;

impl Activation<'_> {
    /// Work items, candidates and clocks that are not as they were.
    pub(crate) fn add_desk(&self, change: &mut Change, before: &Before) {
        let rows = self.state.desk.rows();
        self.add_items(change, &before.rows, &rows);
        self.add_candidates(change, &before.rows, &rows);
        self.add_clocks(change, &before.rows, &rows);
    }

    fn add_items(&self, change: &mut Change, before: &Rows, rows: &Rows) {
        for item in rows
            .items
            .iter()
            .filter(|item| !before.items.contains(item))
        {
            // For lists an item is either waiting for somebody or not.
            let waits = matches!(item.status.as_str(), "open" | "held" | "correcting");
            change.add(WorkItemRow {
                instance_id: self.id().to_owned(),
                n: i64::from(item.n),
                run_id: item.run_id.clone(),
                round: i64::from(item.round),
                kind: item.kind.clone(),
                title: item.title.clone(),
                form: item.form.as_ref().map(Value::to_json),
                status: if waits { "open" } else { "closed" }.to_owned(),
                unit_id: item.unit_id.clone(),
                due_at_ms: item.due_at_ms,
                provisional: i64::from(item.provisional),
                card: item.card.clone(),
                opened_at_ms: item.opened_at_ms,
                closed_at_ms: item.closed_at_ms,
                outcome: item.outcome.clone(),
            });
        }
    }

    fn add_candidates(&self, change: &mut Change, before: &Rows, rows: &Rows) {
        for gone in &before.candidates {
            if !rows
                .candidates
                .iter()
                .any(|row| row.candidate == gone.candidate && row.n == gone.n)
            {
                change.add(CandidateGone {
                    candidate: gone.candidate.clone(),
                    instance_id: self.id().to_owned(),
                    n: i64::from(gone.n),
                });
            }
        }
        for row in &rows.candidates {
            if before.candidates.contains(row) {
                continue;
            }
            change.add(CandidateRow {
                candidate: row.candidate.clone(),
                instance_id: self.id().to_owned(),
                n: i64::from(row.n),
                opened_at_ms: row.opened_at_ms,
                due_at_ms: row.due_at_ms.unwrap_or(NO_DUE_MS),
                claimed: row
                    .claimed
                    .then(|| row.candidate.trim_start_matches("person:").to_owned()),
            });
        }
    }

    fn add_clocks(&self, change: &mut Change, before: &Rows, rows: &Rows) {
        for row in rows
            .clocks
            .iter()
            .filter(|row| !before.clocks.contains(row))
        {
            change.add(ClockRow {
                instance_id: self.id().to_owned(),
                id: row.id.clone(),
                basis: row.basis.clone(),
                budget: row.budget.to_string(),
                unit: row.unit.clone(),
                calendar: Some(row.calendar.clone()),
                started_at_ms: row.started_at_ms,
                due_at_ms: row.due_at_ms,
                provisional: i64::from(row.provisional),
                closed_at_ms: row.due_at_ms.is_none().then_some(self.now_ms),
            });
        }
    }

    /// Search fields that are not as they were.
    pub(crate) fn add_search(&self, change: &mut Change, before: &Before) {
        let (workflow, id) = (&self.state.head.workflow, self.id());
        let now = &self.state.memory.search;
        for (name, value) in before.search.iter().filter(|field| !now.contains(field)) {
            change.add(SearchGone {
                workflow: workflow.clone(),
                name: name.clone(),
                value: value.clone(),
                instance_id: id.to_owned(),
            });
        }
        for (name, value) in now.iter().filter(|field| !before.search.contains(field)) {
            change.add(SearchRow {
                workflow: workflow.clone(),
                name: name.clone(),
                value: value.clone(),
                instance_id: id.to_owned(),
            });
        }
    }
}
