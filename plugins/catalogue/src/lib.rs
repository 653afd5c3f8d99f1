//! The catalogue and the grants: `catalogue.publish`, `catalogue.withdraw`, `grant.issue`,
//! `grant.extend`, `grant.revoke`.

mod extend;
mod grant;
mod issue;
mod publish;
mod revoke;
mod withdraw;

use tongban_plugin::Plugin;

/// Makes the plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::new("catalogue")
        .write(publish::Publish::new())
        .write(withdraw::Withdraw::new())
        .write(issue::Issue::new())
        .write(extend::Extend::new())
        .write(revoke::Revoke::new())
}
