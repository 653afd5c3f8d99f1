//! The functions of this binary: the engine's own and those of the plugins that are built in.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tongban_http::{Connectors, Transport};
use tongban_plugin::Plugin;
use tongban_process::Processes;
use tongban_runtime::Functions;

use crate::config::Config;

/// The processes of this machine that workflows may run.
static PROCESSES: OnceLock<Processes> = OnceLock::new();

/// Says what the site that is being served allows.
pub fn allow(processes: &Processes) {
    // A process serves one site; whoever comes later (tests) serves the same.
    let _ = PROCESSES.set(processes.clone());
}

/// What is allowed: as the served site says, or the site in whose folder a command of the command line was given.
fn processes() -> &'static Processes {
    PROCESSES.get_or_init(|| {
        let Ok(config) = Config::load(Path::new(".")) else {
            // Whoever serves or tests the site is told what is wrong with its settings.
            return Processes::default();
        };
        config.run
    })
}

/// The plugins with calls over HTTP going through `transport`.
pub fn plugins(transport: Arc<Transport>) -> Vec<Plugin> {
    vec![
        tongban_register::plugin(),
        tongban_catalogue::plugin(),
        tongban_http::plugin(transport),
        tongban_process::plugin(processes()),
    ]
}

/// Calls over HTTP that reach nobody: checks and scenarios.
pub fn nowhere() -> Arc<Transport> {
    Arc::new(Transport::new(Connectors::default()))
}

/// Every function that a process may name.
pub fn all() -> Functions {
    Functions::new(&plugins(nowhere()))
}
