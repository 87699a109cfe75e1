//! Closed-loop load: so many callers, each of which sends its next call when the
//! last one is answered.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::cpu::Spent;

/// Connections, over which the callers are spread evenly.
pub(crate) const CONNECTIONS: usize = 4;
/// Callers, unless one is alone.
pub(crate) const CALLERS: usize = 64;

/// One of them.
pub(crate) trait Caller: Send + 'static {
    /// Makes one call and checks its answer. Returns how many operations it was.
    fn call(&mut self) -> impl Future<Output = Result<u64>> + Send;
}

/// What was seen while the load was steady.
pub(crate) struct Window {
    /// Operations answered.
    pub(crate) operations: u64,
    /// Nanoseconds of CPU time for each of the processes, in their order.
    pub(crate) cpu: Vec<u64>,
    /// How long each call took.
    pub(crate) latencies: Vec<Duration>,
    /// How long it was.
    pub(crate) length: Duration,
}

impl Window {
    /// Operations per second.
    pub(crate) fn rate(&self) -> f64 {
        self.operations as f64 / self.length.as_secs_f64()
    }

    /// Microseconds of CPU time per operation, of each process.
    pub(crate) fn cost(&self) -> Vec<f64> {
        self.cpu.iter().map(|ns| *ns as f64 / 1e3 / self.operations as f64).collect()
    }

    /// The median latency in microseconds.
    pub(crate) fn median_latency(&self) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).map_or(f64::NAN, |median| median.as_secs_f64() * 1e6)
    }
}

/// Lets `callers` call for `length` and measures `processes` meanwhile. The callers
/// are running before and after, so that both edges of the window look alike.
/// Returns the callers, whose samples can then be checked at nobody's expense.
pub(crate) async fn run<C: Caller>(
    callers: Vec<C>,
    processes: &[u32],
    length: Duration,
) -> Result<(Window, Vec<C>)> {
    let shared = Arc::new(Shared::default());
    let mut tasks: JoinSet<_> =
        callers.into_iter().map(|caller| keep_calling(caller, Arc::clone(&shared))).collect();

    sleep(RUN_IN).await;
    let before = Spent::by(processes)?;
    let first = shared.operations.load(Relaxed);
    shared.measuring.store(true, Relaxed);
    sleep(length).await;
    shared.measuring.store(false, Relaxed);
    let operations = shared.operations.load(Relaxed) - first;
    let after = Spent::by(processes)?;
    shared.stop.store(true, Relaxed);

    let mut latencies = Vec::new();
    let mut callers = Vec::new();
    while let Some(ended) =
        timeout(PATIENCE, tasks.join_next()).await.context("a call is not answered")?
    {
        let (caller, mut seen) = ended.context("a caller panicked")??;
        callers.push(caller);
        latencies.append(&mut seen);
    }
    ensure!(operations > 0, "no call was answered in {length:?}");
    let cpu = processes.iter().map(|pid| after.since(&before, *pid)).collect();
    Ok((Window { operations, cpu, latencies, length }, callers))
}

#[derive(Default)]
struct Shared {
    operations: AtomicU64,
    measuring: AtomicBool,
    stop: AtomicBool,
}

async fn keep_calling<C: Caller>(mut caller: C, shared: Arc<Shared>) -> Result<(C, Vec<Duration>)> {
    let mut latencies = Vec::new();
    while !shared.stop.load(Relaxed) {
        let start = Instant::now();
        let done = caller.call().await?;
        if shared.measuring.load(Relaxed) {
            latencies.push(start.elapsed());
        }
        shared.operations.fetch_add(done, Relaxed);
    }
    Ok((caller, latencies))
}

/// How long the callers run before anything is measured.
const RUN_IN: Duration = Duration::from_millis(200);
/// How long a call may take to be answered once no new ones are sent.
const PATIENCE: Duration = Duration::from_secs(20);
