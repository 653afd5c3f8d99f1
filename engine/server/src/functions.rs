//! The functions of this binary: the engine's own and those of the plugins that are built in.

use tongban_plugin::Plugin;
use tongban_runtime::Functions;

/// The plugins that need no settings of a site.
pub fn plugins() -> Vec<Plugin> {
    vec![tongban_register::plugin(), tongban_catalogue::plugin(), tongban_http::plugin()]
}

/// Every function that a process may name.
pub fn all() -> Functions {
    Functions::new(&plugins())
}
