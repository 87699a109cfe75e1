//! The `keyreeve` program under test, and the libraries that tests load.
//!
//! Cargo tells a test where the programs of its own package are, and no others. But
//! all of a build lies in one directory: `TARGET/PROFILE/deps/TEST` is run beside
//! `TARGET/PROFILE/keyreeve`. A program that is missing, or older than a file it was
//! made of, is built first: a test of yesterday's program proves nothing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

use anyhow::{Context, Result, bail, ensure};

/// Where the shared library of `package` is, built from the sources as they are now.
///
/// # Errors
///
/// If this is not a test that cargo built, or the library cannot be built.
pub(crate) fn library(package: &str) -> Result<PathBuf> {
    let profile = profile_directory()?;
    let library = profile.join(format!("lib{}.so", package.replace('-', "_")));
    if !is_fresh(&library) {
        build(package, &profile)?;
    }
    ensure!(library.is_file(), "{} was built elsewhere", library.display());
    Ok(library)
}

/// Where the program is, built from the sources as they are now; or `$KEYREEVE_BIN`.
///
/// # Errors
///
/// If this is not a test that cargo built, or the program cannot be built.
pub fn program() -> Result<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program);
    }
    if let Some(path) = env::var_os("KEYREEVE_BIN") {
        return Ok(PROGRAM.get_or_init(|| path.into()));
    }
    let profile = profile_directory()?;
    let program = profile.join("keyreeve");
    if !is_fresh(&program) {
        build("keyreeve", &profile)?;
    }
    ensure!(program.is_file(), "{} was built elsewhere", program.display());
    Ok(PROGRAM.get_or_init(|| program))
}

/// `TARGET/PROFILE`.
fn profile_directory() -> Result<PathBuf> {
    let this = env::current_exe()?;
    let profile = this.ancestors().nth(2).context("this test was not built by cargo")?;
    Ok(profile.to_owned())
}

/// Whether no source is newer. Cargo lists the sources in `keyreeve.d`, as
/// `PROGRAM: SOURCE SOURCE …`, with blanks in names escaped by a backslash.
fn is_fresh(program: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let Some(built) = modified(program) else { return false };
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else { return false };
    let sources = list.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, all)| {
        all.replace("\\ ", "\0")
            .split_whitespace()
            .map(|source| PathBuf::from(source.replace('\0', " ")))
            .collect::<Vec<_>>()
    });
    let newer = |source: PathBuf| modified(&source).is_none_or(|at: SystemTime| at > built);
    !sources.into_iter().any(newer)
}

/// `cargo build` of the same profile into the same directory. Tests that come here
/// at the same time wait for cargo's own lock.
fn build(package: &str, profile: &Path) -> Result<()> {
    let target = profile.parent().context("this test was not built by cargo")?;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", package, "--target-dir"]).arg(target);
    cargo.current_dir(workspace.context("there is no workspace")?);
    // The job slots of the cargo that runs this test are not ours to wait for.
    cargo.env_remove("CARGO_MAKEFLAGS").env_remove("MAKEFLAGS");
    match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") => {}
        Some(name) => {
            cargo.args(["--profile", name]);
        }
        None => bail!("{} names no profile", profile.display()),
    }
    let output = cargo.output().context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{package} cannot be built:\n{said}");
    Ok(())
}
