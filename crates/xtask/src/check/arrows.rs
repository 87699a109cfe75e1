//! Arrows between our crates: only those of the table in docs/architecture.md.
//!
//! A crate may also use what those it may use are built on. Tests look at a crate
//! from outside and may use any other, so dev-dependencies are free.

use super::{Fault, metadata::Workspace};

pub(crate) fn check(workspace: &Workspace) -> Vec<Fault> {
    let mut faults = Vec::new();
    for package in &workspace.packages {
        let name = package.short_name();
        if row(name).is_none() {
            faults.push(format!(
                "{name} is not in the table of crates; add it to docs/architecture.md and to \
                 crates/xtask/src/check/arrows.rs"
            ));
            continue;
        }
        for dependency in package.dependencies.iter().filter(|d| d.is_ours && !d.is_dev) {
            let target = dependency.short_name();
            if !may(name, target) {
                faults.push(format!("{name} must not depend on {target}: arrows never go up"));
            }
        }
    }
    faults
}

/// Whether there is a way from `from` down to `to`.
fn may(from: &str, to: &str) -> bool {
    row(from).is_some_and(|targets| targets.iter().any(|t| *t == to || may(t, to)))
}

fn row(name: &str) -> Option<&'static [&'static str]> {
    TABLE.iter().find(|(crate_, _)| *crate_ == name).map(|(_, targets)| *targets)
}

/// Each crate and what it may depend on, beside what those may.
const TABLE: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("memory", &[]),
    ("proto", &[]),
    ("tlog", &[]),
    ("pkcs11-raw", &[]),
    ("pkcs11-shim", &[]),
    ("testkit", &["audit", "keyhost", "backend-software"]),
    ("xtask", &[]),
    ("backend", &["types"]),
    ("publickey", &["backend", "types"]),
    ("import", &["publickey"]),
    ("backend-software", &["backend", "publickey"]),
    ("backend-pkcs11", &["backend", "publickey", "pkcs11-raw"]),
    ("keyhost", &["backend", "memory", "publickey", "import", "tlog"]),
    ("store", &["types"]),
    ("store-redb", &["store"]),
    ("authz", &["types"]),
    ("audit", &["tlog", "types"]),
    ("identity", &["publickey", "authz"]),
    ("service", &["backend", "publickey", "keyhost", "store", "authz", "audit", "identity"]),
    ("grpc", &["service", "proto"]),
    ("azure", &["service"]),
    ("client", &["proto"]),
    ("server", &["grpc", "azure", "backend-pkcs11", "backend-software", "store-redb", "memory"]),
    ("hsm", &["backend-pkcs11", "keyhost"]),
    ("keyreeve", &["server", "client", "hsm"]),
    ("acceptance", &["keyreeve", "testkit"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a table that allows a circle, in which any arrow would pass.
    #[test]
    fn nothing_in_the_table_leads_back() {
        for (name, targets) in TABLE {
            assert!(targets.iter().all(|target| row(target).is_some()), "{name}");
            assert!(!reaches(name, name, TABLE.len()), "{name} leads to itself");
        }
    }

    /// Guards against a check that lets everything pass.
    #[test]
    fn arrows_up_are_refused() {
        assert!(may("service", "types"));
        assert!(!may("types", "backend"));
        assert!(!may("backend", "backend-software"));
        assert!(!may("grpc", "server"));
        assert!(!may("service", "import-of-nothing"));
    }

    fn reaches(from: &str, to: &str, depth: usize) -> bool {
        depth > 0
            && row(from).is_some_and(|targets| {
                targets.iter().any(|t| *t == to || reaches(t, to, depth - 1))
            })
    }
}
