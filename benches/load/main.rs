//! What an operation costs, beside the limits it cannot go under.
//!
//! ```sh
//! cargo build --release -p keyreeve
//! cargo bench --bench load -- [FILTER]... [--json FILE]
//! ```
//!
//! and for what the audit log costs, with a build that has none:
//!
//! ```sh
//! cp target/release/keyreeve /tmp/keyreeve
//! KEYREEVE_BENCH=unaudited cargo build --release -p keyreeve --features bench-unaudited
//! KEYREEVE_BIN=/tmp/keyreeve cargo bench --bench load -- --unaudited target/release/keyreeve
//! ```
//!
//! In one go, and turn by turn so that a busy machine disturbs all three alike:
//!
//! - **a**: an empty tonic service that echoes bytes, on one `current_thread`
//!   runtime over TLS;
//! - **b**: Keyreeve's operation over gRPC, against a real `keyreeve dev` on a
//!   directory of its own;
//! - **c**: the same primitive in a loop on one thread: the backend without a
//!   keyhost, or the PKCS#11 module without anything.
//!
//! The cost is the CPU time, user and system, of the serving processes per
//! operation: steadier than throughput, and it cannot be hidden by using more
//! cores. What serves is pinned to core 0 and the callers to core 1: 64 of them on
//! 4 connections. Every answer is checked, and a sample of signatures and
//! ciphertexts is verified.
//!
//! It refuses to count an answer that it has not checked, and to leave a process
//! behind.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use mimalloc::MiMalloc;
use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::signal::unix::{SignalKind, signal};

use crate::{arguments::Arguments, bench::Bench};

mod arguments;
mod bare;
mod bench;
mod callers;
mod child;
mod cpu;
mod echo;
mod keyreeve;
mod report;
mod row;
mod work;

// The product allocates from mimalloc as well, and wipes what it frees. The limits
// do not wipe: they are limits.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Where everything that serves runs.
const SERVER_CORE: usize = 0;
/// Where the callers run.
const CALLER_CORE: usize = 1;

fn main() -> ExitCode {
    let result = match child::role().as_deref() {
        Some(echo::ROLE) => echo::serve(),
        Some(bare::ROLE) => bare::serve(),
        _ => run(&Arguments::parse()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let rows = arguments.rows()?;
    if arguments.list {
        for row in rows {
            writeln!(io::stdout(), "{}: {}", row.name, row.title)?;
        }
        return Ok(());
    }
    if cfg!(debug_assertions) {
        say("this is a debug build: it shows that everything works, and its figures say nothing");
    }
    let mut callers = CpuSet::new();
    callers.set(CALLER_CORE);
    sched_setaffinity(None, &callers).context(
        "cannot pin the callers to core 1; this needs a machine of two cores, both allowed",
    )?;
    install_tls_provider()?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        // Returning, and not dying at once, is what stops the children.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            report = measure(arguments, &rows) => report,
            _ = interrupt.recv() => anyhow::bail!("interrupted"),
            _ = terminate.recv() => anyhow::bail!("terminated"),
        }
    })?;

    write!(io::stdout(), "\n{report}")?;
    if let Some(file) = &arguments.json {
        std::fs::write(file, format!("{:#}\n", report.json()))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    ensure!(!arguments.check || report.met(), "a target is missed");
    Ok(())
}

/// Measures the rows in turn, as often as asked.
async fn measure(arguments: &Arguments, rows: &[&'static row::Row]) -> Result<report::Report> {
    let mut bench = Bench::start(rows, !arguments.limits, arguments.unaudited.as_deref()).await?;
    say("warming up");
    for row in rows {
        bench.measure(row, WARM_UP).await.with_context(|| format!("{}, warming up", row.name))?;
    }
    let mut report = report::Report::new(rows);
    for round in 1..=arguments.rounds {
        for (index, row) in rows.iter().enumerate() {
            say(&format!("round {round} of {}: {}", arguments.rounds, row.title));
            let measured = bench.measure(row, arguments.window()).await;
            report.add(index, measured.with_context(|| row.name)?);
        }
    }
    Ok(report)
}

/// For a while, each of a, b and c: caches fill, and keys are opened.
const WARM_UP: Duration = Duration::from_millis(700);

/// rustls takes the only provider there is; other tests of this package bring a
/// second one.
fn install_tls_provider() -> Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))
}

fn say(what: &str) {
    let _ = writeln!(io::stderr(), "load: {what}");
}

/// This program, to be started again in another role.
fn this_program() -> Result<std::path::PathBuf> {
    env::current_exe().context("cannot find this program's own file")
}
