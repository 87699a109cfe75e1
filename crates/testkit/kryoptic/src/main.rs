//! `keyreeve-kryoptic OUT KRYOPTIC_MANIFEST MODULE`: builds OpenSSL statically, and
//! kryoptic over it.
//!
//! kryoptic wants an OpenSSL of at least 3.2, which Debian 12 does not have, and finds
//! it by pkg-config. So OpenSSL is built from `openssl-src` first, without shared
//! libraries: the module then carries its own, and does not meet the system's in the
//! process that loads it.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let mut next = || arguments.next().context("usage: OUT KRYOPTIC_MANIFEST MODULE");
    let (out, manifest, module) = (next()?, next()?, next()?);
    let packages = openssl(&out.join("openssl"))?;
    kryoptic(&manifest, &out.join("build"), &packages)?;
    fs::copy(out.join("build/release/libkryoptic_pkcs11.so"), &module)
        .with_context(|| format!("writing {}", module.display()))?;
    Ok(())
}

/// Builds OpenSSL into `out`, unless it is there, and returns where its `.pc` files are.
fn openssl(out: &std::path::Path) -> Result<PathBuf> {
    let packages = out.join("install/lib/pkgconfig");
    if packages.join("openssl.pc").is_file() {
        return Ok(packages);
    }
    fs::create_dir_all(out)?;
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let mut build = openssl_src::Build::new();
    build.target(&target).host(&target).out_dir(out).openssl_dir("/etc/ssl");
    build.try_build().map_err(anyhow::Error::msg)?;
    Ok(packages)
}

fn kryoptic(
    manifest: &std::path::Path,
    target: &std::path::Path,
    packages: &std::path::Path,
) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--locked", "--lib", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .env("PKG_CONFIG_PATH", packages)
        .env("PKG_CONFIG_ALL_STATIC", "1")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "kryoptic does not build: {status}");
    Ok(())
}
