//! `cargo xtask image`: the container image of the SoftHSM fixture.
//!
//! It is built from a Dockerfile on `debian:bookworm-slim`. Where that cannot be
//! pulled, the base is made with debootstrap from the machine's own package sources.

use anyhow::{Context, Result};

use crate::{
    engine::{docker, ensure_running},
    shell::{self, as_root, command, output, succeeds},
};

pub(crate) fn run(rebuild: bool) -> Result<()> {
    ensure_running()?;
    if !rebuild && has(IMAGE) {
        return Ok(());
    }
    if !has(BASE) && !succeeds(&mut docker(&["pull", "--quiet", BASE])) {
        eprintln!("    {BASE} cannot be pulled; making it with debootstrap");
        bootstrap_base()?;
    }
    let context = "crates/testkit/softhsm";
    // The bridge may have no way out; the host's network has what the machine has.
    shell::run(&mut docker(&["build", "--network=host", "--tag", IMAGE, context]))
}

fn has(image: &str) -> bool {
    succeeds(&mut docker(&["image", "inspect", image]))
}

fn bootstrap_base() -> Result<()> {
    let directory = tempfile::tempdir().context("a directory for debootstrap")?;
    let target = directory.path().join("root");
    let archive = directory.path().join("root.tar");
    let mut debootstrap = as_root("debootstrap");
    debootstrap.args(["--variant=minbase", RELEASE]).arg(&target);
    if let Some(mirror) = mirror() {
        debootstrap.arg(mirror);
    }
    shell::run(&mut debootstrap)?;
    shell::run(as_root("tar").arg("-C").arg(&target).arg("-cf").arg(&archive).arg("."))?;
    shell::run(docker(&["import"]).arg(&archive).arg(BASE))?;
    // The tree belongs to root, and the directory is ours to remove.
    shell::run(as_root("rm").args(["-rf", "--one-file-system"]).arg(&target).arg(&archive))
}

/// Where this machine's apt gets the release from; `None` leaves it to debootstrap.
fn mirror() -> Option<String> {
    let targets = output(command("apt-get").args([
        "indextargets",
        "--format",
        "$(CODENAME) $(REPO_URI)",
        "Created-By: Packages",
    ]));
    let targets = targets.ok()?;
    targets
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(codename, _)| *codename == RELEASE)
        .map(|(_, uri)| uri.to_owned())
}

/// As the fixture names it.
const IMAGE: &str = "keyreeve-softhsm:test";
const BASE: &str = "debian:bookworm-slim";
const RELEASE: &str = "bookworm";
