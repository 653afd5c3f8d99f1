//! `tongban demo` and `tongban serve`.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::{DONE, SiteArguments};
use crate::{Config, DemoOptions};

/// How long a server that has stopped waits for its threads.
const LEFT: Duration = Duration::from_secs(1);

/// Arguments of `demo`.
#[derive(clap::Args)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    site: SiteArguments,
    /// The folder of the demonstration's data; it may be removed at any time
    #[arg(long, default_value = "data/demo")]
    data: PathBuf,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", env = "TONGBAN_LISTEN")]
    listen: SocketAddr,
}

/// Arguments of `serve`.
#[derive(clap::Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    site: SiteArguments,
    /// Log as JSON lines
    #[arg(long)]
    log_json: bool,
}

/// Brings the demonstration up.
pub(crate) fn demo(arguments: DemoArguments) -> anyhow::Result<u8> {
    log(false);
    let options = DemoOptions {
        site: arguments.site.site,
        data: arguments.data,
        listen: arguments.listen,
        ..DemoOptions::default()
    };
    until_stopped(crate::demo(options))
}

/// Serves a site.
pub(crate) fn serve(arguments: ServeArguments) -> anyhow::Result<u8> {
    log(arguments.log_json);
    let config = Config::load(&arguments.site.site)?;
    until_stopped(crate::serve(config))
}

/// Runs a server to its end. Threads that still wait for the system then, to look up a name for instance, are left.
fn until_stopped(server: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<u8> {
    let executor = executor()?;
    let ended = executor.block_on(server);
    executor.shutdown_timeout(LEFT);
    ended.map(|()| DONE)
}

/// The executor of servers: as many threads as there are cores.
pub(crate) fn executor() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// Logs to standard error; `RUST_LOG` chooses, `info` by default.
fn log(json: bool) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second initialisation fails, which can only be a test's: the first one stays.
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}
