//! The workloads: W1 five steps, W2 approval, and latencies at concurrency 1.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::figures::{Figures, percentile};
use crate::limit::Bare;
use crate::node::Bench;
use crate::space::{Space, cpu_seconds, float};

/// W1: starts that end in their first activation.
pub async fn five(
    bench: &Arc<Bench>,
    instances: usize,
    concurrency: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    in_flight(bench, instances / 10, concurrency, Job::Five).await?;
    let measured = Measured::begin(bench).await?;
    let seconds = in_flight(bench, instances, concurrency, Job::Five).await?;
    figures.at_least(
        "W1 five steps",
        per_second(instances, seconds),
        "instances/s",
        5_000.0,
    );
    let bytes = measured.end(bench, "W1", instances, figures).await?;
    figures.at_most("W1 database", bytes, "bytes each", 3_000.0);
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
    let measured = Measured::begin(bench).await?;
    let seconds = in_flight(bench, instances, concurrency, Job::Approval).await?;
    figures.at_least(
        "W2 approval",
        per_second(instances, seconds),
        "instances/s",
        2_000.0,
    );
    let bytes = measured.end(bench, "W2", instances, figures).await?;
    figures.put("W2 database", bytes, "bytes each");
    Ok(())
}

/// Leaves instances that wait for a person.
pub async fn open(bench: &Arc<Bench>, count: usize, concurrency: usize) -> anyhow::Result<()> {
    in_flight(bench, count, concurrency, Job::Open)
        .await
        .map(drop)
}

/// Bare commits, a start and a decision, one after the other, beside `open` waiting instances.
///
/// They take turns, so that whatever else the machine does slows all alike.
pub async fn latencies(
    bench: &Arc<Bench>,
    open: usize,
    samples: usize,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut commits = Bare::prepare(bench).await?;
    let mut bare: [Vec<f64>; 3] = Default::default();
    let (mut starts, mut decisions) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        let alone = commits.commit(bench, open).await?;
        for (kind, taken) in bare
            .iter_mut()
            .zip([alone.five, alone.start, alone.complete])
        {
            kind.push(taken);
        }
        let began = Instant::now();
        let started = bench.start("bench/approval").await?;
        starts.push(began.elapsed().as_secs_f64() * 1000.0);
        let began = Instant::now();
        bench.approve(&started.id).await?;
        decisions.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let [mut five, mut start, mut complete] = bare;
    let smallest = percentile(&mut five, 0.5);
    figures.put(
        &format!("bare commit of W1 p50, {open} open"),
        smallest,
        "ms",
    );
    for (name, mut taken, alone) in [
        ("start", starts, &mut start),
        ("complete", decisions, &mut complete),
    ] {
        let median = percentile(&mut taken, 0.5);
        let limit = percentile(alone, 0.5);
        let tail = percentile(alone, 0.99);
        figures.put(
            &format!("bare commit of a {name} p50, {open} open"),
            limit,
            "ms",
        );
        figures.put(
            &format!("bare commit of a {name} p99, {open} open"),
            tail,
            "ms",
        );
        figures.put(&format!("{name} p50, {open} open"), median, "ms");
        let worst = percentile(&mut taken, 0.99);
        figures.at_most(&format!("{name} p99, {open} open"), worst, "ms", 10.0);
        let ratio = format!("{name} p50 against a bare commit, {open} open");
        figures.at_most(&ratio, median / limit, "times", 2.0);
        let ratio = format!("{name} p50 against a bare commit of W1, {open} open");
        figures.put(&ratio, median / smallest, "times");
    }
    Ok(())
}

/// How things stood when the clock of a workload began to run.
struct Measured {
    space: Space,
    statements: u64,
    cpu: f64,
}

impl Measured {
    async fn begin(bench: &Bench) -> anyhow::Result<Measured> {
        Ok(Measured {
            space: bench.space().await?,
            statements: bench.store.statement_count(),
            cpu: cpu_seconds()?,
        })
    }

    /// Puts what each instance has cost; gives its bytes in the database.
    async fn end(
        self,
        bench: &Bench,
        name: &str,
        instances: usize,
        figures: &mut Figures,
    ) -> anyhow::Result<f64> {
        let count = float_of(instances);
        let cpu = cpu_seconds()? - self.cpu;
        let sent = bench.store.statement_count() - self.statements;
        let space = bench.space().await?;
        figures.put(
            &format!("{name} processor time of this process"),
            cpu * 1e6 / count,
            "µs each",
        );
        figures.put(
            &format!("{name} statements"),
            float(sent.cast_signed()) / count,
            "per instance",
        );
        let (tables, rows) = space.rows_since(&self.space, count);
        figures.put(&format!("{name} rows ({tables})"), rows, "per instance");
        figures.put(
            &format!("{name} {}", bench.written_word()),
            float(space.written - self.space.written) / count,
            "bytes each",
        );
        Ok(float(space.bytes - self.space.bytes) / count)
    }
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
                        let started = bench.start("bench/five").await?;
                        anyhow::ensure!(
                            started.status == "completed",
                            "expected W1 to complete at once, found {}",
                            started.status
                        );
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

/// Instances a second.
pub fn per_second(count: usize, seconds: f64) -> f64 {
    float_of(count) / seconds
}

fn float_of(count: usize) -> f64 {
    i64::try_from(count).map_or(f64::MAX, float)
}
