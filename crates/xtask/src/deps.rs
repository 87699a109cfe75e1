//! `cargo xtask deps`: the programs that tests need, installed where missing.
//!
//! What is there is left alone, so that on a machine with everything in place this
//! needs neither root nor a network.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::shell::{self, as_root, cargo, is_installed, succeeds};

pub(crate) fn run() -> Result<()> {
    let missing: Vec<_> = PACKAGES.iter().filter(|package| !package.is_there()).collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|package| package.name).collect();
        install(&names)?;
        if let Some(package) = missing.iter().find(|package| !package.is_there()) {
            bail!("{} was installed, but {:?} is not there", package.name, package.shows);
        }
    }
    install_nextest();
    Ok(())
}

fn install(names: &[&str]) -> Result<()> {
    ensure!(
        is_installed("apt-get"),
        "install these by hand, this is not a Debian machine: {}",
        names.join(", ")
    );
    shell::run(as_root("apt-get").args(["update", "--quiet"]))?;
    let mut command = as_root("env");
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--quiet"]);
    shell::run(command.arg("--no-install-recommends").args(names))
}

/// A test runner, not a need: `cargo test` stands in for it.
fn install_nextest() {
    if succeeds(cargo().args(["nextest", "--version"])) {
        return;
    }
    if shell::run(cargo().args(["install", "--locked", "cargo-nextest"])).is_err() {
        eprintln!("    cargo-nextest cannot be installed; `cargo test` stands in for it");
    }
}

/// A Debian package, and how to see that it is there.
struct Package {
    name: &'static str,
    shows: Shows,
}

#[derive(Debug)]
enum Shows {
    Program(&'static str),
    AnyFile(&'static [&'static str]),
}

impl Package {
    fn is_there(&self) -> bool {
        match self.shows {
            Shows::Program(program) => is_installed(program),
            Shows::AnyFile(paths) => paths.iter().any(|path| Path::new(path).exists()),
        }
    }
}

const PACKAGES: &[Package] = &[
    Package { name: "softhsm2", shows: Shows::Program("softhsm2-util") },
    Package { name: "opensc", shows: Shows::Program("pkcs11-tool") },
    Package { name: "p11-kit", shows: Shows::Program("p11-kit") },
    Package {
        name: "p11-kit-modules",
        shows: Shows::AnyFile(&[
            "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
            "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
        ]),
    },
    Package { name: "openssl", shows: Shows::Program("openssl") },
    Package { name: "debootstrap", shows: Shows::Program("debootstrap") },
    Package { name: "docker.io", shows: Shows::Program("dockerd") },
];
