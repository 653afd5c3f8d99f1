//! The functions of this binary: the engine's own and those of the plugins that are built in.

use std::sync::Arc;

use tongban_http::{Connectors, Transport};
use tongban_plugin::Plugin;
use tongban_runtime::Functions;

/// The plugins with calls over HTTP going through `transport`.
pub fn plugins(transport: Arc<Transport>) -> Vec<Plugin> {
    vec![
        tongban_register::plugin(),
        tongban_catalogue::plugin(),
        tongban_http::plugin(transport),
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
