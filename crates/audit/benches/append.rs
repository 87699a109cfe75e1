//! Durable records per second, alone and together, and what one costs.
//!
//! Closed loop: each caller waits for its answer before the next record. Callers run
//! on tasks that share two threads with a runtime each, as in the front. The limit
//! beside them is one write and one sync in a file of the same disk, since the disk
//! and the load of a machine decide the figures. CPU is that of the whole process,
//! tiles and checkpoints included. Prints medians of three runs.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use keyreeve_audit::record::{
    Action, Caller, Credential, Decision, Ending, Id, Kind, Method, Object, Peer, Phase, Source,
};
use keyreeve_audit::{Ed25519Signer, Log, Record, Settings, Word, verify};
use keyreeve_types::Secret;
use rustix::time::{ClockId, clock_gettime};

const RUN: Duration = Duration::from_secs(2);
const RUNS: usize = 3;
const RUNTIMES: usize = 2;

fn main() {
    println!("one write and sync: {:.3} ms", median((0..RUNS).map(|_| bare_sync_ms()).collect()));
    println!("entry: {} bytes", record(0).encode().len());
    for callers in [1, 64, 256] {
        let runs: Vec<_> = (0..RUNS).map(|_| run(callers)).collect();
        println!(
            "{callers:>4} callers: {:>8.0} records/s, {:.2} µs CPU each",
            median(runs.iter().map(|run| run.0).collect()),
            median(runs.iter().map(|run| run.1).collect()),
        );
    }
    println!("verify: {:.0} records/s", verified_per_second());
}

/// Records per second, and microseconds of CPU for each.
fn run(callers: usize) -> (f64, f64) {
    let directory = tempfile::tempdir().expect("a directory");
    let log = open(directory.path());
    let done = AtomicU64::new(0);
    let cpu = cpu_us();
    let start = Instant::now();
    thread::scope(|scope| {
        for runtime in 0..RUNTIMES {
            let mine = callers / RUNTIMES + usize::from(runtime < callers % RUNTIMES);
            let (log, done) = (&log, &done);
            scope.spawn(move || serve(log, done, mine, start));
        }
    });
    let (elapsed, cpu) = (start.elapsed().as_secs_f64(), cpu_us() - cpu);
    let done = done.load(Ordering::Relaxed) as f64;
    (done / elapsed, cpu / done)
}

fn serve(log: &Arc<Log>, done: &AtomicU64, callers: usize, start: Instant) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..callers {
            let log = Arc::clone(log);
            tasks.spawn(async move {
                let mut count = 0;
                while start.elapsed() < RUN {
                    log.append(&record(count)).await.expect("the log runs");
                    count += 1;
                }
                count
            });
        }
        done.fetch_add(tasks.join_all().await.into_iter().sum(), Ordering::Relaxed);
    });
}

fn verified_per_second() -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let log = open(directory.path());
    let done = AtomicU64::new(0);
    serve(&log, &done, 256, Instant::now());
    drop(log);
    let signer = Ed25519Signer::from_seed("bench", &Secret::new([1; 32])).expect("a signer");
    let start = Instant::now();
    let report = verify(directory.path(), keyreeve_audit::CheckpointSigner::key(&signer), None);
    assert!(report.is_clean(), "{report:?}");
    report.records as f64 / start.elapsed().as_secs_f64()
}

fn open(directory: &std::path::Path) -> Arc<Log> {
    let signer = Ed25519Signer::from_seed("bench", &Secret::new([1; 32])).expect("a signer");
    Arc::new(Log::open(directory, Arc::new(signer), Settings::default()).expect("a log"))
}

fn bare_sync_ms() -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let file = File::create(directory.path().join("bare")).expect("a file");
    file.write_all_at(&vec![0; 4 << 20], 0).expect("room");
    file.sync_all().expect("a disk");
    let mut times: Vec<f64> = Vec::new();
    for i in 0..1000 {
        let start = Instant::now();
        file.write_all_at(&[1; 600], i * 600).expect("room");
        file.sync_data().expect("a disk");
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    median(times)
}

fn record(number: u64) -> Record {
    Record {
        time_us: 1_800_000_000_000_000 + number,
        phase: Phase::Outcome { ending: Ending::Ok, latency_us: 212 },
        request: Id([number as u8; 16]),
        trace: Some(Id([3; 16])),
        caller: Caller {
            principal: "spiffe://corp.example/ns/payments/sa/signer".parse().ok(),
            method: Method::Token,
            credential: Some(Credential::assigned(Id([4; 16]))),
        },
        action: Action {
            operation: Word::new("Sign"),
            object: Object {
                version: Some(keyreeve_types::VersionId::from_bytes([5; 16])),
                ..Object::in_vault(
                    Kind::Key,
                    "prod".parse().expect("a name"),
                    "invoices".parse().expect("a name"),
                )
            },
            from: None,
            algorithm: Some(Word::new("ES256")),
        },
        source: Source {
            peer: Some(Peer::Ip([10, 0, 0, 7].into(), 40_000)),
            listener: Some(Word::new("grpc")),
        },
        decision: Decision::Allowed(Some(Id([6; 16]))),
        backend: Some(Word::new("software")),
        number: None,
        change: None,
    }
}

fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
