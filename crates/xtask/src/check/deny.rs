//! Licences, bans and sources of dependencies, by cargo-deny and `.deny.toml`.
//!
//! Without cargo-deny this says so and finds nothing. It does not look for advisories:
//! those are in a database that is fetched from a network, and a check of the sources
//! must give the same result without one.

use super::Fault;
use crate::shell::{self, cargo, succeeds};

pub(crate) fn check() -> Vec<Fault> {
    if !succeeds(cargo().args(["deny", "--version"])) {
        eprintln!(
            "    licences, bans and sources are not checked: cargo-deny is not installed (cargo \
             install --locked cargo-deny)"
        );
        return Vec::new();
    }
    let mut deny = cargo();
    // Two versions of one crate are worth a look now and then, not in every run.
    deny.args(["deny", "--log-level", "error", "check", "--allow", "duplicate"]);
    match shell::run(deny.args(["licenses", "bans", "sources"])) {
        Ok(()) => Vec::new(),
        Err(_) => vec!["cargo deny found faults, see above; .deny.toml holds the rules".to_owned()],
    }
}
