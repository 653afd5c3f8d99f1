//! `run: { shell }` and `run: { container }`: processes of this machine, only where the site allows them.
//!
//! A site that says nothing has neither function, and whoever names one is refused by name when the workflow is checked.
//! A process gets no environment but what the task gives it, a folder of its own that goes away with it, a limit on time
//! and on what it writes, and the idempotency key of its act: it may be run again after a crash.

mod arguments;
mod child;
mod container;
mod lifetime;
mod run;
mod settings;
mod shell;

pub use settings::{Containers, Limits, Processes, Runtime, Shell};

use tongban_plugin::Plugin;

/// Makes the plugin with the functions that the site allows.
#[must_use]
pub fn plugin(processes: &Processes) -> Plugin {
    let mut plugin = Plugin::new("process");
    if let Some(shell) = &processes.shell {
        plugin = plugin.act(shell::RunShell::new(shell.clone()));
    }
    if let Some(containers) = &processes.container {
        plugin = plugin.act(container::RunContainer::new(containers.clone()));
    }
    plugin
}
