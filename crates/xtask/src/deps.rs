//! `cargo xtask deps`: the programs that tests need, installed where missing.
//!
//! What is there is left alone, so that on a machine with everything in place this
//! needs neither root nor a network.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::{
    kryoptic,
    shell::{self, as_root, cargo, is_installed, succeeds},
};

pub(crate) fn run() -> Result<()> {
    ensure_installed(PACKAGES)?;
    install_nextest();
    kryoptic::run()
}

/// What one campaign needs beside what every test run does.
pub(crate) fn tpm2() -> Result<()> {
    ensure_installed(TPM2)
}

fn ensure_installed(packages: &[Package]) -> Result<()> {
    let missing: Vec<_> = packages.iter().filter(|package| !package.is_there()).collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|package| package.name).collect();
        install(&names)?;
        if let Some(package) = missing.iter().find(|package| !package.is_there()) {
            bail!("{} was installed, but {:?} is not there", package.name, package.shows);
        }
    }
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
    Package { name: "opencryptoki", shows: Shows::Program("pkcsslotd") },
    // For building kryoptic and its OpenSSL.
    Package { name: "pkg-config", shows: Shows::Program("pkg-config") },
    Package { name: "make", shows: Shows::Program("make") },
    Package { name: "perl", shows: Shows::Program("perl") },
    Package {
        name: "libclang-dev",
        shows: Shows::AnyFile(&[
            "/usr/lib/llvm-14/lib/libclang.so",
            "/usr/lib/llvm-19/lib/libclang.so",
        ]),
    },
    Package { name: "openssl", shows: Shows::Program("openssl") },
    Package { name: "debootstrap", shows: Shows::Program("debootstrap") },
    Package { name: "docker.io", shows: Shows::Program("dockerd") },
];

const TPM2: &[Package] = &[
    Package { name: "swtpm", shows: Shows::Program("swtpm") },
    Package { name: "tpm2-abrmd", shows: Shows::Program("tpm2-abrmd") },
    Package { name: "tpm2-tools", shows: Shows::Program("tpm2_getrandom") },
    Package { name: "dbus", shows: Shows::Program("dbus-run-session") },
    Package { name: "libtpm2-pkcs11-tools", shows: Shows::Program("tpm2_ptool") },
    Package {
        name: "libtpm2-pkcs11-1",
        shows: Shows::AnyFile(&[
            "/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1",
            "/usr/lib/aarch64-linux-gnu/libtpm2_pkcs11.so.1",
        ]),
    },
    Package {
        name: "libtss2-tcti-tabrmd0",
        shows: Shows::AnyFile(&[
            "/usr/lib/x86_64-linux-gnu/libtss2-tcti-tabrmd.so.0",
            "/usr/lib/aarch64-linux-gnu/libtss2-tcti-tabrmd.so.0",
        ]),
    },
];
