//! `cargo xtask check`: what the compiler does not see.
//!
//! Each check returns what it found, one line per fault, with the place and what to
//! do about it.

mod arrows;
mod deny;
mod dependencies;
mod manifests;
mod metadata;
mod sources;

use anyhow::{Result, bail};

use self::metadata::Workspace;

/// A fault, as one line.
pub(crate) type Fault = String;

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::read()?;
    let sources = sources::read(&workspace)?;
    let faults: Vec<Fault> = [
        arrows::check(&workspace),
        manifests::check(&workspace)?,
        dependencies::check(&workspace)?,
        deny::check(),
        sources::check(&sources),
    ]
    .concat();
    sources::report(&sources);
    for fault in &faults {
        eprintln!("    {fault}");
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} structural faults", faults.len())
}
