//! The workloads: W1 five steps, W2 approval, and latencies at concurrency 1.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::figures::{Figures, percentile};
use crate::node::Bench;

/// W1: starts that end in their first activation.
pub async fn five(
    bench: &Arc<Bench>,
    instances: usize,
    concurrency: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    in_flight(bench, instances / 10, concurrency, Job::Five).await?;
    let statements = bench.store.statement_count();
    let bytes = bench.file_bytes();
    let seconds = in_flight(bench, instances, concurrency, Job::Five).await?;
    figures.at_least(
        "W1 five steps",
        per_second(instances, seconds),
        "instances/s",
        5_000.0,
    );
    let sent = bench.store.statement_count() - statements;
    figures.put("W1 statements", ratio(sent, instances), "per instance");
    if let (Some(before), Some(after)) = (bytes, bench.file_bytes()) {
        figures.at_most(
            "W1 database and WAL",
            ratio(after.saturating_sub(before), instances),
            "bytes each",
            3_000.0,
        );
    }
    Ok(())
}

/// W2: start, decision, end.
pub async fn approval(
    bench: &Arc<Bench>,
    instances: usize,
    concurrency: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    in_flight(bench, instances / 10, concurrency, Job::Approval).await?;
    let statements = bench.store.statement_count();
    let seconds = in_flight(bench, instances, concurrency, Job::Approval).await?;
    figures.at_least(
        "W2 approval",
        per_second(instances, seconds),
        "instances/s",
        2_000.0,
    );
    let sent = bench.store.statement_count() - statements;
    figures.put("W2 statements", ratio(sent, instances), "per instance");
    Ok(())
}

/// Start and decision one at a time, beside `open` waiting instances.
pub async fn latencies(
    bench: &Arc<Bench>,
    open: usize,
    samples: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    in_flight(bench, open, 256, Job::Open).await?;
    let bare = figures.value("bare commit p50").unwrap_or(0.0);
    let (mut starts, mut decisions) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        let began = Instant::now();
        let started = bench.start("bench/approval").await?;
        starts.push(began.elapsed().as_secs_f64() * 1000.0);
        let began = Instant::now();
        bench.approve(&started.id).await?;
        decisions.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    for (name, mut taken) in [("start", starts), ("complete", decisions)] {
        let median = percentile(&mut taken, 0.5);
        figures.put(&format!("{name} p50, {open} open"), median, "ms");
        figures.at_most(
            &format!("{name} p99, {open} open"),
            percentile(&mut taken, 0.99),
            "ms",
            10.0,
        );
        figures.at_most(
            &format!("{name} p50 against a bare commit"),
            median / bare,
            "times",
            2.0,
        );
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Job {
    Five,
    Approval,
    Open,
}

/// Runs `count` jobs with at most `concurrency` in flight; gives the seconds.
async fn in_flight(
    bench: &Arc<Bench>,
    count: usize,
    concurrency: usize,
    job: Job,
) -> anyhow::Result<f64> {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..concurrency.min(count.max(1)) {
        let (bench, next) = (bench.clone(), next.clone());
        workers.push(tokio::spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < count {
                match job {
                    Job::Five => {
                        bench.start("bench/five").await?;
                    }
                    Job::Approval => {
                        let started = bench.start("bench/approval").await?;
                        bench.approve(&started.id).await?;
                    }
                    Job::Open => {
                        bench.start("bench/approval").await?;
                    }
                }
            }
            anyhow::Ok(())
        }));
    }
    for worker in workers {
        worker.await??;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Counts fit a float exactly at these sizes.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
pub fn per_second(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
fn ratio(total: u64, count: usize) -> f64 {
    total as f64 / count as f64
}
