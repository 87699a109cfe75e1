//! `cargo xtask test`: everything that must pass before a change goes in.

use anyhow::Result;

use crate::{
    check, deps, image,
    shell::{self, cargo, succeeds},
    steps::Steps,
};

pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::new();
    steps.run("programs", deps::run);
    steps.run("fixture image", || image::run(false));
    steps.run("format", || shell::run(cargo().args(["fmt", "--all", "--check"])));
    steps.run("structure", check::run);
    steps.run("lints", || {
        shell::run(
            cargo().args(["clippy", "--workspace", "--all-targets"]).args(["--", "-D", "warnings"]),
        )
    });
    if succeeds(cargo().args(["nextest", "--version"])) {
        steps.run("tests", || shell::run(cargo().args(["nextest", "run", "--workspace"])));
    } else {
        steps.run("tests", || shell::run(cargo().args(["test", "--workspace", "--all-targets"])));
    }
    steps.run("documentation tests", || shell::run(cargo().args(["test", "--workspace", "--doc"])));
    steps.finish()
}
