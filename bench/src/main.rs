//! `tongban-bench`: what the engine costs, each figure beside the limit of the database for the same bytes.

mod expression;
mod figures;
mod limit;
mod node;
mod space;
mod workload;

use std::sync::Arc;

use clap::Parser;

use figures::Figures;
use node::Bench;

/// The counting allocator of the product, so that the figures include it.
#[global_allocator]
static ALLOCATOR: tongban_expr::alloc::Counting<std::alloc::System> =
    tongban_expr::alloc::Counting::new(std::alloc::System);

/// How many wait while latencies are measured first.
const FEW_OPEN: usize = 1_000;

#[derive(Parser)]
#[command(
    name = "tongban-bench",
    about = "Benchmarks of Tongban, each beside its limit"
)]
struct Arguments {
    /// `sqlite` (a file in a temporary folder), or a URL `postgres://…` of an empty database
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// Instances of the workload W1, half as many of W2; 0 leaves them and their limits out, for the memory
    #[arg(long, default_value_t = 20_000)]
    instances: usize,
    /// Requests in flight
    #[arg(long, default_value_t = 512)]
    concurrency: usize,
    /// Open instances while latencies are measured; above 1000 they are measured beside 1000 first
    #[arg(long, default_value_t = 1_000)]
    open: usize,
    /// Requests of each latency
    #[arg(long, default_value_t = 1_000)]
    samples: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Exit with 1 when an aim that `README.md` marks as first is missed
    #[arg(long)]
    assert: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let executor = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let Arguments { json, assert, .. } = arguments;
    // In a task, as the server's requests are.
    let figures = executor.block_on(executor.spawn(async move { measure(&arguments).await }))??;
    if json {
        println!("{}", figures.json());
    } else {
        print!("{}", figures.text());
    }
    let missed = figures.missed();
    if assert && !missed.is_empty() {
        anyhow::bail!("missed: {}", missed.join("; "));
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Figures> {
    let mut figures = Figures::new();
    expression::measure(&mut figures)?;
    let bench = Arc::new(Bench::open(&arguments.database).await?);
    figures.of(&bench.version().await?);
    figures.put("memory at the start", space::resident_mb(), "MB");
    let (instances, in_flight) = (arguments.instances, arguments.concurrency);
    if instances > 0 {
        workload::five(&bench, instances, in_flight, &mut figures).await?;
        limit::five(&bench, instances, in_flight, &mut figures).await?;
        workload::approval(&bench, instances / 2, in_flight, &mut figures).await?;
        limit::approval(&bench, instances / 2, in_flight, &mut figures).await?;
    }
    let samples = arguments.samples;
    let (few, many) = (FEW_OPEN.min(arguments.open), arguments.open);
    workload::open(&bench, few, in_flight).await?;
    workload::latencies(&bench, few, samples, &mut figures).await?;
    if many > few {
        workload::open(&bench, many - few, in_flight).await?;
        workload::latencies(&bench, many, samples, &mut figures).await?;
        for name in ["bare commit of a start", "start", "complete"] {
            let of = |open: usize| figures.value(&format!("{name} p99, {open} open"));
            let ratio = of(many)
                .zip(of(few))
                .map_or(f64::NAN, |(many, few)| many / few);
            let name = format!("{name} p99, {many} open against {few}");
            figures.at_most(&name, ratio, "times", 2.0);
        }
    }
    let name = format!("memory of the process, {many} open");
    figures.at_most(&name, space::resident_mb(), "MB", 200.0);
    bench.close().await;
    Ok(figures)
}
