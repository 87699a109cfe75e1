//! Appending, together and alone; reading back; exporting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyreeve_audit::record::{Decision, Ending, Phase, Word};
use keyreeve_audit::{
    CheckpointError, CheckpointSigner, Log, Outcome, Query, Reader, Settings, SigningError,
    SigningRequest, VerifierKey, to_ocsf, verify,
};

use crate::support::{NAME, append, block_on, closed, key, on_request, record, signer};

/// Guards against an index given twice, a record lost or an answer mixed up when many
/// callers share a frame.
#[test]
fn callers_together_each_get_their_own_index() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { checkpoint_records: 500, ..on_request() };
    let log = Arc::new(Log::open(directory.path(), signer(), settings).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let given = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for caller in 0..64u64 {
            let log = Arc::clone(&log);
            tasks.spawn(async move {
                let mut given = Vec::new();
                for i in 0..50 {
                    let number = caller * 1000 + i;
                    given.push((log.append(&record(number)).await.unwrap(), number));
                }
                given
            });
        }
        tasks.join_all().await
    });
    drop(runtime);
    let health = Arc::into_inner(log).unwrap().close();
    assert_eq!((health.durable, health.signed, health.stopped), (3200, 3200, None));
    let reader = Reader::open(directory.path(), &key()).unwrap();
    for (index, number) in given.into_iter().flatten() {
        assert_eq!(reader.record(index).unwrap().record, record(number));
    }
    assert!(verify(directory.path(), &key(), None).is_clean());
}

/// Guards against records that stay unsigned because nobody appends any more.
#[test]
fn a_checkpoint_follows_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let interval = Duration::from_millis(20);
    let settings = Settings { checkpoint_interval: interval, ..on_request() };
    let log = Log::open(directory.path(), signer(), settings).unwrap();
    let mut reader = Reader::open(directory.path(), &key()).unwrap();
    append(&log, 0..3);
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while reader.refresh().unwrap() < 3 {
        assert!(std::time::Instant::now() < patience, "{:?}", log.health());
        std::thread::sleep(interval);
    }
}

/// A signer that can be switched off.
struct Switched {
    inner: Arc<dyn CheckpointSigner>,
    off: AtomicBool,
}

impl CheckpointSigner for Switched {
    fn key(&self) -> &VerifierKey {
        self.inner.key()
    }

    fn sign(&self, request: &SigningRequest<'_>) -> Result<[u8; 64], SigningError> {
        if self.off.load(Ordering::Relaxed) {
            return Err(SigningError::Unavailable);
        }
        self.inner.sign(request)
    }
}

/// Guards against a keyhost's restart that stops the log or leaves a hole in it.
#[test]
fn records_are_durable_while_the_signer_is_away() {
    let directory = tempfile::tempdir().unwrap();
    let switched = Arc::new(Switched { inner: signer(), off: AtomicBool::new(false) });
    let log = Log::open(
        directory.path(),
        Arc::clone(&switched) as Arc<dyn CheckpointSigner>,
        on_request(),
    )
    .unwrap();
    append(&log, 0..10);
    block_on(log.checkpoint()).unwrap();
    switched.off.store(true, Ordering::Relaxed);
    append(&log, 10..700);
    let failed = Err(CheckpointError::Signing(SigningError::Unavailable));
    assert_eq!(block_on(log.checkpoint()), failed);
    let health = log.health();
    assert_eq!((health.durable, health.signed), (700, 10));
    assert_eq!((health.signing, health.stopped), (Some(SigningError::Unavailable), None));
    append(&log, 700..720);
    let report = verify(directory.path(), &key(), None);
    assert!(report.is_sound() && report.unsigned == 710, "{report:?}");
    switched.off.store(false, Ordering::Relaxed);
    assert_eq!(block_on(log.checkpoint()).unwrap().size, 720);
    assert_eq!(log.health().signing, None);
    drop(log);
    assert!(verify(directory.path(), &key(), None).is_clean());
}

/// Guards against a filter that leaves out what was asked for, or shows more.
#[test]
fn queries_find_what_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let log = crate::support::open(directory.path());
    append(&log, 0..600);
    let mut denied = record(600);
    denied.decision = Decision::Denied(None);
    denied.phase = Phase::Outcome {
        ending: Ending::Failed { code: Word::new("PERMISSION_DENIED"), reason: None },
        latency_us: 1,
    };
    let mut intent = record(601);
    intent.phase = Phase::Intent;
    block_on(async {
        log.append(&denied).await.unwrap();
        log.append(&intent).await.unwrap();
    });
    drop(log);
    let reader = Reader::open(directory.path(), &key()).unwrap();
    let count = |from, query: Query| reader.records(from, &query).map(Result::unwrap).count();
    let all = Query::default;
    assert_eq!(count(0, all()), 602);
    assert_eq!(count(500, all()), 102);
    assert_eq!(count(602, all()), 0);
    let user = Some("user-3".parse().unwrap());
    assert_eq!(count(0, Query { principal: user, ..all() }), 120);
    assert_eq!(count(0, Query { name: Some("KEY-6".parse().unwrap()), ..all() }), 86);
    assert_eq!(count(0, Query { vault: Some("other".parse().unwrap()), ..all() }), 0);
    assert_eq!(count(0, Query { operation: Some(Word::new("Sign")), ..all() }), 602);
    let start = 1_800_000_000_000_000;
    let range = Query { from_us: Some(start + 10), before_us: Some(start + 20), ..all() };
    assert_eq!(count(0, range), 10);
    for (outcome, expected) in
        [(Outcome::Ok, 600), (Outcome::Denied, 1), (Outcome::Intent, 1), (Outcome::Failed, 0)]
    {
        assert_eq!(count(0, Query { outcome: Some(outcome), ..all() }), expected);
    }
}

/// Guards against an export that a SIEM files under the wrong class or cannot trace
/// back to the record.
#[test]
fn records_are_exported_as_api_activity() {
    let log = closed(3, &[]);
    let reader = Reader::open(log.path(), &key()).unwrap();
    let line = to_ocsf(&reader.record(2).unwrap(), NAME);
    assert!(!line.contains('\n'));
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["class_uid"], 6003);
    assert_eq!(json["type_uid"], 600_399);
    assert_eq!(json["time"], 1_800_000_000_000u64);
    assert_eq!(json["status"], "Success");
    assert_eq!(json["actor"]["user"]["name"], "user-2");
    assert_eq!(json["api"]["operation"], "Sign");
    assert_eq!(json["resources"][0]["name"], "vaults/prod/keys/key-2");
    assert_eq!(json["metadata"]["uid"], format!("{NAME}/2"));
}
