//! Named steps with their times, and what came of them.

use std::time::Instant;

use anyhow::{Result, bail};

/// Runs steps one after another; a failed one does not stop those after it, so that
/// one run shows everything that is wrong.
pub(crate) struct Steps {
    started: Instant,
    failed: Vec<String>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), failed: Vec::new() }
    }

    /// Runs a step.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        eprintln!("==> {name}");
        let started = Instant::now();
        let result = step();
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(()) => eprintln!("<== {name}: ok, {seconds:.1} s"),
            Err(error) => {
                eprintln!("<== {name}: FAILED, {seconds:.1} s: {error:#}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// The verdict over all of them.
    pub(crate) fn finish(self) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        if self.failed.is_empty() {
            eprintln!("all steps passed, {seconds:.1} s");
            return Ok(());
        }
        bail!("{} failed, {seconds:.1} s", self.failed.join(", "))
    }
}
