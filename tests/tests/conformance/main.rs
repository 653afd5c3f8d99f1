//! What the language promises, through the built binary: our own cases, the broken documents, and the kit's features.
//! Outside hosts are answered by a stub on this machine, to which `--resolve` leads.

#![allow(
    clippy::indexing_slicing,
    reason = "a missing member of a JSON value is null"
)]

mod broken;
mod case;
mod kit;
mod run;
mod stub;

use libtest_mimic::Arguments;

fn main() {
    let arguments = Arguments::from_args();
    let port = stub::start();
    let mut trials = case::trials(port);
    trials.extend(broken::trials());
    trials.extend(kit::trials(port));
    libtest_mimic::run(&arguments, trials).exit();
}
