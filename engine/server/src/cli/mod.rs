//! The command line. What other programs script against: `check` exits 0 or 2; `run` prints one object and exits
//! 0 completed, 1 faulted or cancelled, 2 invalid, 3 still waiting; `test` exits 0 or 1.

mod accounts;
mod beside;
mod check;
mod draw;
mod explain;
mod files;
mod run;
mod serving;
mod test;
mod verify;
mod watch;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

pub use files::{PackFolder, read_packs};

/// Success.
pub(crate) const DONE: u8 = 0;
/// It ran and failed.
pub(crate) const FAILED: u8 = 1;
/// The input is invalid.
pub(crate) const INVALID: u8 = 2;
/// It still waits.
pub(crate) const WAITING: u8 = 3;

#[derive(Parser)]
#[command(
    name = "tongban",
    version,
    about = "Tongban (通办): workflows of a city's shared data",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For code scanning (`check` only).
    Sarif,
}

/// How a list is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// A line each, its columns divided by tabulators
    Text,
    /// One JSON value
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run the main job on the embedded database with sample data
    Demo(serving::DemoArguments),
    /// Serve the API and the console
    Serve(serving::ServeArguments),
    /// Check workflows and packs; exits 0 or 2
    Check(check::CheckArguments),
    /// Run one workflow in memory and print one object
    Run(run::RunArguments),
    /// Run scenario files (*.test.yaml)
    Test(test::TestArguments),
    /// Draw a workflow as SVG or as an outline
    Draw(draw::DrawArguments),
    /// Explain the code of a diagnostic
    Explain(explain::ExplainArguments),
    /// Manage the accounts of people
    #[command(subcommand)]
    User(accounts::UserCommand),
    /// Manage API keys
    #[command(subcommand)]
    Key(accounts::KeyCommand),
    /// Read back what the database and its audit promise; exits 0 or 1
    Verify(SiteArguments),
    /// Check packs or evaluate scripts for another process, over stdin and stdout
    #[command(hide = true)]
    Sandbox {
        /// What it does
        work: crate::sandbox::Work,
    },
}

/// Where a site's settings are.
#[derive(clap::Args, Clone)]
pub(crate) struct SiteArguments {
    /// The site's folder: `config/` and `workflows/` lie in it
    #[arg(long, default_value = ".", env = "TONGBAN_SITE")]
    pub site: PathBuf,
}

/// Parses the arguments, runs the command, gives its exit code.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { INVALID } else { DONE });
        }
    };
    match dispatch(arguments.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(INVALID)
        }
    }
}

/// Prints on standard output; a reader that has seen enough (`| head`) is no fault.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn dispatch(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Demo(arguments) => serving::demo(arguments),
        Command::Serve(arguments) => serving::serve(arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Test(arguments) => test::test(&arguments),
        Command::Draw(arguments) => draw::draw(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::User(command) => accounts::user(command),
        Command::Key(command) => accounts::key(command),
        Command::Verify(site) => verify::verify(&site),
        Command::Sandbox { work } => {
            crate::sandbox::serve(work, std::io::stdin(), std::io::stdout())?;
            Ok(DONE)
        }
    }
}
