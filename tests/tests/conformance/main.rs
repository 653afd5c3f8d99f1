//! What the language promises, through the built binary: our own cases, the broken documents, and the kit's features.
//! Outside hosts are answered by a stub on this machine, to which `--resolve` leads.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a missing member of a JSON value is null; a test fails loudly"
)]

mod broken;
mod case;
mod cites;
mod contract;
mod expectations;
mod kinds;
mod kit;
mod page;
mod place;
mod reference;
mod run;
mod shows;
mod stub;

use libtest_mimic::Arguments;

fn main() {
    let arguments = Arguments::from_args();
    let port = stub::start();
    let files = case::files();
    let mut trials = case::trials(&files, port);
    trials.extend(cites::trials(&files));
    trials.extend(shows::trials(&files, port));
    trials.extend(kinds::trials(port));
    trials.extend(broken::trials());
    trials.extend(contract::trials());
    trials.extend(kit::trials(port));
    trials.extend(page::trials(&files, kit::names()));
    libtest_mimic::run(&arguments, trials).exit();
}
