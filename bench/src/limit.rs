//! The database's own limit: the rows that the engine wrote for a workload, written again under other ids through the
//! same door, in full batches, without the engine.

use std::time::Instant;

use anyhow::Context;
use tongban_store::lists::{Filter, Seen};
use tongban_store::{
    Base, CandidateRow, CandidatesGone, Change, DecisionRow, HeadUpdate, HistoryRow, InstanceRow,
    MailLinkRow, MailRow, Next, Outcome, PartyRow, WorkItemRow,
};

use crate::figures::Figures;
use crate::node::Bench;
use crate::workload::per_second;

/// One finished instance of a workload, as it lies in the database.
struct Sample {
    head: InstanceRow,
    history: Vec<HistoryRow>,
    items: Vec<WorkItemRow>,
    decisions: Vec<DecisionRow>,
    parties: Vec<(String, String)>,
    mails: Vec<MailRow>,
    links: Vec<MailLinkRow>,
}

/// The limit of W1: a head and a history row each.
pub async fn five(
    bench: &Bench,
    instances: usize,
    in_flight: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let sample = sample(bench, "bench/five").await?;
    let changes = |at: usize| vec![ended(&sample, &id("five", at))];
    let rounds = rounds(bench, instances, in_flight, changes);
    let seconds = commit_all(bench, rounds).await?;
    let limit = per_second(instances, seconds);
    figures.put("W1 limit", limit, "instances/s");
    let reached = figures.value("W1 five steps").unwrap_or(0.0);
    figures.at_least("W1 against its limit", reached / limit, "times", 0.25);
    Ok(())
}

/// The limit of W2: a running state with an open item, then its end with a decision.
pub async fn approval(
    bench: &Bench,
    instances: usize,
    in_flight: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let sample = sample(bench, "bench/approval").await?;
    let body = state_body(bench).await?;
    let changes = |at: usize| {
        let id = id("approval", at);
        vec![waiting(&sample, &id, &body), decided(&sample, &id)]
    };
    let rounds = rounds(bench, instances, in_flight, changes);
    let seconds = commit_all(bench, rounds).await?;
    let limit = per_second(instances, seconds);
    figures.put("W2 limit", limit, "instances/s");
    let reached = figures.value("W2 approval").unwrap_or(0.0);
    figures.put("W2 against its limit", reached / limit, "times");
    Ok(())
}

/// Batches for one connection, in order.
type Batches = Vec<Vec<Change>>;

/// All changes, made before the clock runs: as many connections as the engine commits with, and as many changes in
/// their batches together as the workload had requests in flight.
fn rounds(
    bench: &Bench,
    instances: usize,
    in_flight: usize,
    changes: impl Fn(usize) -> Vec<Change>,
) -> Vec<Batches> {
    let connections = if bench.one_writer() { 1 } else { 2 };
    let batch = (in_flight / connections).clamp(1, 1000);
    let mut all: Vec<Batches> = vec![Vec::new(); connections];
    for (turn, first) in (0..instances).step_by(batch).enumerate() {
        let members: Vec<Vec<Change>> = (first..instances.min(first + batch))
            .map(&changes)
            .collect();
        let mut steps: Batches = Vec::new();
        for member in members {
            for (step, change) in member.into_iter().enumerate() {
                if steps.len() <= step {
                    steps.push(Vec::with_capacity(batch));
                }
                if let Some(of_step) = steps.get_mut(step) {
                    of_step.push(change);
                }
            }
        }
        if let Some(own) = all.get_mut(turn % connections) {
            own.extend(steps);
        }
    }
    all
}

/// Commits all batches, each connection its own one after the other; gives the seconds.
async fn commit_all(bench: &Bench, rounds: Vec<Batches>) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut connections = Vec::new();
    for batches in rounds {
        let store = bench.store.clone();
        connections.push(tokio::spawn(async move {
            for batch in batches {
                committed(store.commit(batch).await)?;
            }
            anyhow::Ok(())
        }));
    }
    for connection in connections {
        connection.await??;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Bare commits, each of one change without the engine: what latencies are held against.
pub struct Bare {
    five: Sample,
    approval: Sample,
    body: String,
    next: usize,
}

/// The milliseconds of one bare commit of each kind.
pub struct Committed {
    /// The two rows of a whole W1.
    pub five: f64,
    /// The rows that the start of a W2 writes, into the same tables.
    pub start: f64,
    /// The rows that its decision writes.
    pub complete: f64,
}

impl Bare {
    /// Runs W1 and W2 once each, for their rows.
    pub async fn prepare(bench: &Bench) -> anyhow::Result<Bare> {
        bench.start("bench/five").await?;
        let started = bench.start("bench/approval").await?;
        bench.approve(&started.id).await?;
        Ok(Bare {
            five: sample(bench, "bench/five").await?,
            approval: sample(bench, "bench/approval").await?,
            body: state_body(bench).await?,
            next: 0,
        })
    }

    /// Commits the next of each kind.
    pub async fn commit(&mut self, bench: &Bench, run: usize) -> anyhow::Result<Committed> {
        let own = id(&format!("bare-approval-{run}"), self.next);
        let five = ended(&self.five, &id(&format!("bare-{run}"), self.next));
        self.next += 1;
        Ok(Committed {
            five: timed(bench, five).await?,
            start: timed(bench, waiting(&self.approval, &own, &self.body)).await?,
            complete: timed(bench, decided(&self.approval, &own)).await?,
        })
    }
}

async fn timed(bench: &Bench, change: Change) -> anyhow::Result<f64> {
    let began = Instant::now();
    committed(vec![bench.store.commit_one(change).await])?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

async fn sample(bench: &Bench, workflow: &str) -> anyhow::Result<Sample> {
    let filter = Filter {
        workflow: Some(workflow.to_string()),
        status: Some("completed".to_string()),
        ..Filter::default()
    };
    let found = bench.store.instances(Seen::All, &filter, None, 1).await?;
    let head = found
        .into_iter()
        .next()
        .context("the workload ran before its limit is measured")?;
    let history = bench.store.history(&head.id, 0, 10).await?;
    let items = bench.store.work_items(&head.id).await?;
    let decisions = bench.store.decisions(&head.id).await?;
    let parties = bench.store.parties(&head.id).await?;
    let mails = bench.store.mails_of(&head.id).await?;
    let links = bench.store.mail_links(&head.id, 1).await?;
    Ok(Sample {
        head,
        history,
        items,
        decisions,
        parties,
        mails,
        links,
    })
}

/// The stored state of a waiting instance.
async fn state_body(bench: &Bench) -> anyhow::Result<String> {
    let started = bench.start("bench/approval").await?;
    let states = bench.store.instance_states(&[&started.id]).await?;
    Ok(states
        .into_iter()
        .next()
        .context("a waiting instance has a state")?
        .body)
}

fn id(workload: &str, at: usize) -> String {
    format!("limit-{workload}-{at:024}")
}

fn ended(sample: &Sample, id: &str) -> Change {
    let mut change = Change::of_instance(id, Base::New, Next::Ended, sample.head.started_at_ms);
    change.add(InstanceRow {
        id: id.to_string(),
        ..sample.head.clone()
    });
    for row in sample.history.iter().take(1) {
        change.add(HistoryRow {
            instance_id: id.to_string(),
            ..row.clone()
        });
    }
    change
}

fn waiting(sample: &Sample, id: &str, body: &str) -> Change {
    let next = Next::Running {
        format: 1,
        body: body.to_string(),
    };
    let mut change = Change::of_instance(id, Base::New, next, sample.head.started_at_ms);
    change.add(InstanceRow {
        id: id.to_string(),
        status: "running".to_string(),
        ..sample.head.clone()
    });
    for row in sample.history.iter().take(1) {
        change.add(HistoryRow {
            instance_id: id.to_string(),
            ..row.clone()
        });
    }
    for row in &sample.items {
        change.add(WorkItemRow {
            instance_id: id.to_string(),
            ..row.clone()
        });
        change.add(CandidateRow {
            candidate: "person:officer".to_string(),
            instance_id: id.to_string(),
            n: row.n,
            ..CandidateRow::default()
        });
    }
    for (principal, why) in &sample.parties {
        change.add(PartyRow {
            principal: principal.clone(),
            instance_id: id.to_string(),
            why: why.clone(),
            at_ms: sample.head.started_at_ms,
        });
    }
    for row in &sample.mails {
        change.add(MailRow {
            id: format!("mail-{id}"),
            instance_id: Some(id.to_string()),
            ..row.clone()
        });
    }
    for row in &sample.links {
        change.add(MailLinkRow {
            nonce: format!("nonce-{id}"),
            instance_id: id.to_string(),
            ..row.clone()
        });
    }
    change
}

fn decided(sample: &Sample, id: &str) -> Change {
    let mut change =
        Change::of_instance(id, Base::Running(1), Next::Ended, sample.head.started_at_ms);
    change.add(HeadUpdate {
        id: id.to_string(),
        status: "completed".to_string(),
        output: sample.head.output.clone(),
        ..HeadUpdate::default()
    });
    for row in sample.history.iter().skip(1) {
        change.add(HistoryRow {
            instance_id: id.to_string(),
            ..row.clone()
        });
    }
    for row in &sample.items {
        change.add(WorkItemRow {
            instance_id: id.to_string(),
            ..row.clone()
        });
        change.add(CandidatesGone {
            instance_id: id.to_string(),
            n: row.n,
        });
    }
    for row in &sample.decisions {
        change.add(DecisionRow {
            instance_id: id.to_string(),
            ..row.clone()
        });
    }
    change
}

fn committed<E: std::fmt::Display>(answers: Vec<Result<Outcome, E>>) -> anyhow::Result<()> {
    for answer in answers {
        match answer {
            Ok(Outcome::Committed { .. }) => {}
            Ok(other) => anyhow::bail!("a change was not committed: {other:?}"),
            Err(error) => anyhow::bail!("a change failed: {error}"),
        }
    }
    Ok(())
}
