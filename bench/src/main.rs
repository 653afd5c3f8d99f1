//! `tongban-bench`: what the engine costs, each figure beside the limit of the database for the same bytes.

mod expression;
mod figures;
mod limit;
mod node;
mod workload;

use std::sync::Arc;

use clap::Parser;

use figures::Figures;
use node::Bench;

/// The counting allocator of the product, so that the figures include it.
#[global_allocator]
static ALLOCATOR: tongban_expr::alloc::Counting<std::alloc::System> =
    tongban_expr::alloc::Counting::new(std::alloc::System);

#[derive(Parser)]
#[command(
    name = "tongban-bench",
    about = "Benchmarks of Tongban, each beside its limit"
)]
struct Arguments {
    /// `sqlite` (a file in a temporary folder), or a URL `postgres://…` of an empty database
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// Instances of the workloads W1 and W2
    #[arg(long, default_value_t = 20_000)]
    instances: usize,
    /// Requests in flight
    #[arg(long, default_value_t = 512)]
    concurrency: usize,
    /// Open instances while latencies are measured
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
    let figures = executor.block_on(measure(&arguments))?;
    if arguments.json {
        println!("{}", figures.json());
    } else {
        print!("{}", figures.text());
    }
    let missed = figures.missed();
    if arguments.assert && !missed.is_empty() {
        anyhow::bail!("missed: {}", missed.join("; "));
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Figures> {
    let mut figures = Figures::new(&arguments.database);
    expression::measure(&mut figures)?;
    let bench = Arc::new(Bench::open(&arguments.database).await?);
    workload::five(
        &bench,
        arguments.instances,
        arguments.concurrency,
        &mut figures,
    )
    .await?;
    limit::five(&bench, arguments.instances, &mut figures).await?;
    workload::approval(
        &bench,
        arguments.instances / 2,
        arguments.concurrency,
        &mut figures,
    )
    .await?;
    limit::approval(&bench, arguments.instances / 2, &mut figures).await?;
    limit::bare_commit(&bench, arguments.samples, &mut figures).await?;
    workload::latencies(&bench, arguments.open, arguments.samples, &mut figures).await?;
    figures.put("memory of the process", node::resident_mb(), "MB");
    bench.close().await;
    Ok(figures)
}
