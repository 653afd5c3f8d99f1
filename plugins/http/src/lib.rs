//! `call: http` and `call: openapi`, and the guarded HTTP port for other plugins.
//!
//! Everything goes through [`Transport`]: no host that `config/connectors.yaml` does not list for
//! the department is ever connected, whether it stands in an endpoint, an authority, a document or
//! a redirect.

mod address;
mod answer;
mod authentication;
mod body;
mod call;
mod circuit;
mod connectors;
mod digest;
mod gate;
mod grant;
mod line;
mod openapi;
mod probe;
mod random;
mod request;
mod resolver;
mod reveal;
mod texts;
mod token;
mod transport;

use std::sync::Arc;

pub use address::Network;
pub use connectors::{Breaker, Connector, Connectors, Mapping, Rate, Scheme, Timeouts};
pub use transport::Transport;

use tongban_plugin::Plugin;

/// Makes the plugin on a transport, which the server also hands out as the HTTP port.
#[must_use]
pub fn plugin(transport: Arc<Transport>) -> Plugin {
    let sender = Arc::new(call::Sender::new(transport));
    Plugin::new("http")
        .act(call::Http::new(sender.clone()))
        .act(openapi::OpenApi::new(sender))
}
