//! Registers as functions: `register.get`, `register.find`, `register.put`, `register.amend`.
//!
//! [`writing`] is the one way in which a record comes to be: other plugins that write records
//! (the catalogue) use it too, so that schema, keys, numbers, provenance and locks hold everywhere.

mod amend;
mod arguments;
mod draft;
mod find;
mod frame;
mod get;
mod guards;
mod identity;
mod lens;
mod put;
mod reading;
mod schema;
mod text;
mod writing;

pub use arguments::Arguments;
pub use frame::{Writing, Written};
pub use lens::Lens;
pub use reading::{definition, existing};
pub use writing::write;

use tongban_plugin::Plugin;

/// Makes the plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::new("register")
        .read(get::Get::new())
        .read(find::Find::new())
        .write(put::Put::new())
        .write(amend::Amend::new())
}
