//! The PKCS#11 module kryoptic, built once into the target directory.
//!
//! `crates/testkit/kryoptic` builds it, in a workspace of its own: with the OpenSSL that
//! it needs and Debian 12 lacks, it is a dependency of the tests alone.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::{self, cargo, output};

const PROJECT: &str = "crates/testkit/kryoptic/Cargo.toml";

/// Builds it if it is not there: some minutes, with OpenSSL.
pub(crate) fn run() -> Result<()> {
    let out = target()?.join("kryoptic");
    let module = out.join("libkryoptic_pkcs11.so");
    if module.is_file() {
        return Ok(());
    }
    let mut build = cargo();
    build.args(["run", "--quiet", "--locked", "--manifest-path", PROJECT, "--target-dir"]);
    build.arg(out.join("tool")).arg("--").arg(&out).arg(source()?).arg(&module);
    // For make, which openssl-src runs.
    build.env("MAKEFLAGS", "-j2");
    shell::run(&mut build)
}

/// The target directory of this build: TARGET/PROFILE/xtask runs.
fn target() -> Result<PathBuf> {
    let this = env::current_exe()?;
    let target = this.ancestors().nth(2).context("xtask was not built by cargo")?;
    Ok(target.to_owned())
}

/// Where cargo has put the manifest of kryoptic.
fn source() -> Result<PathBuf> {
    let metadata = output(cargo().args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--manifest-path",
        PROJECT,
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let kryoptic = packages.iter().find(|package| package["name"] == "kryoptic");
    let manifest = kryoptic.and_then(|package| package["manifest_path"].as_str());
    Ok(manifest.context("kryoptic is not among the packages")?.into())
}
