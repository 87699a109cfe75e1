//! Logs to test with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyreeve_audit::record::{
    Action, Caller, Decision, Ending, Id, Kind, Method, Object, Phase, Source,
};
use keyreeve_audit::{
    CheckpointSigner, Ed25519Signer, Files, Log, OpenError, Record, Settings, Stopped, VerifierKey,
    Word,
};
use keyreeve_types::Secret;

pub(crate) const NAME: &str = "audit.example/node-1";

pub(crate) fn signer() -> Arc<dyn CheckpointSigner> {
    Arc::new(Ed25519Signer::from_seed(NAME, &Secret::new([7; 32])).unwrap())
}

pub(crate) fn key() -> VerifierKey {
    signer().key().clone()
}

/// Checkpoints only when asked for.
pub(crate) fn on_request() -> Settings {
    Settings {
        checkpoint_interval: Duration::from_secs(3600),
        checkpoint_records: u64::MAX,
        segment_bytes: 512 * 1024,
    }
}

pub(crate) fn open(directory: &Path) -> Log {
    Log::open(directory, signer(), on_request()).unwrap()
}

pub(crate) fn open_on(files: Arc<dyn Files>, directory: &Path) -> Result<Log, OpenError> {
    Log::open_on(files, directory, signer(), on_request())
}

/// The record that `number` stands for.
pub(crate) fn record(number: u64) -> Record {
    let mut request = [0; 16];
    request[8..].copy_from_slice(&number.to_be_bytes());
    Record {
        time_us: 1_800_000_000_000_000 + number,
        phase: Phase::Outcome { ending: Ending::Ok, latency_us: 5 },
        request: Id(request),
        trace: None,
        caller: Caller {
            principal: Some(format!("user-{}", number % 5).parse().unwrap()),
            method: Method::Token,
            credential: None,
        },
        action: Action {
            operation: Word::new("Sign"),
            object: Object::in_vault(
                Kind::Key,
                "prod".parse().unwrap(),
                format!("key-{}", number % 7).parse().unwrap(),
            ),
            from: None,
            algorithm: Some(Word::new("ES256")),
        },
        source: Source { peer: None, listener: None },
        decision: Decision::Allowed(None),
        backend: Some(Word::new("software")),
        number: None,
        change: None,
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Appends records in their order, without waiting for one before the next.
pub(crate) async fn append_together(log: &Log, records: &[Record]) -> Result<(), Stopped> {
    let mut appending = tokio::task::JoinSet::new();
    for record in records {
        let (appender, record) = (log.appender(), record.clone());
        appending.spawn(async move { appender.append(&record).await });
    }
    let appended = appending.join_all().await;
    appended.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
}

/// Appends records `from..to`, one after the other.
pub(crate) fn append(log: &Log, numbers: std::ops::Range<u64>) {
    block_on(async {
        for number in numbers {
            assert_eq!(log.append(&record(number)).await.unwrap(), number);
        }
    });
}

/// A directory with a log of `records` records that was closed, with checkpoints at
/// `at` in between.
pub(crate) fn closed(records: u64, at: &[u64]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let mut from = 0;
    for checkpoint in at {
        append(&log, from..*checkpoint);
        block_on(log.checkpoint()).unwrap();
        from = *checkpoint;
    }
    append(&log, from..records);
    assert_eq!(log.close().signed, records);
    directory
}

/// All files below `directory`, by their paths below it.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut rest = vec![directory.to_owned()];
    while let Some(next) = rest.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                rest.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(directory).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in files(from) {
        let target = to.path().join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(file), target).unwrap();
    }
    to
}
