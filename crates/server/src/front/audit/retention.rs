//! Removing old records, once a day.
//!
//! Whole bundles of 256 records go, after a record that says so; hashes stay, and
//! with them the proofs of every record that was ever in the log.

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::rand;
use keyreeve_audit::{
    Log, PRUNE, Reader, Record, VerifierKey,
    record::{Action, Caller, Decision, Ending, Id, Kind, Method, Object, Phase, Source},
};

/// When the first time is due after the log was opened, and how often from then on.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// How long records are kept, and where.
pub(super) struct Retention {
    /// `None`: for ever.
    keep: Option<Duration>,
    log: Option<(PathBuf, VerifierKey)>,
    due: Option<Instant>,
}

impl Retention {
    /// Keeps records for so many days; `None` for ever.
    pub(super) fn of_days(days: Option<u32>) -> Self {
        let keep = days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
        Self { keep, log: None, due: None }
    }

    /// Begins with a log that was just opened.
    pub(super) fn begin(&mut self, directory: PathBuf, key: VerifierKey) {
        self.log = Some((directory, key));
        // A log that is opened again and again is pruned once a day all the same.
        self.due.get_or_insert_with(|| Instant::now() + FIRST);
    }

    /// Removes what is too old, if it is time to.
    pub(super) fn tend(&mut self, log: &Log) {
        let (Some(keep), Some(due)) = (self.keep, self.due) else { return };
        if Instant::now() < due {
            return;
        }
        self.due = Some(Instant::now() + EVERY);
        match self.prune(log, keep) {
            Ok(None) => {}
            Ok(Some(minimum)) => {
                tracing::info!(minimum, "old records of the audit log are removed")
            }
            Err(error) => tracing::warn!(error, "old records of the audit log stay for a day"),
        }
    }

    /// Gives the first index that is left, if anything was removed.
    fn prune(&self, log: &Log, keep: Duration) -> Result<Option<u64>, String> {
        let Some((directory, key)) = &self.log else { return Ok(None) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let reader = Reader::open(directory, key).map_err(|error| error.to_string())?;
        let oldest = micros(now.saturating_sub(keep));
        let before = reader.first_bundle_since(oldest).map_err(|error| error.to_string())?;
        if before <= reader.start().map_err(|error| error.to_string())? {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let pruned = runtime.block_on(log.prune(before, record(micros(now))?));
        pruned.map(Some).map_err(|error| error.to_string())
    }
}

/// What the log keeps of it; its number is set by the log.
fn record(time_us: u64) -> Result<Record, String> {
    let mut request = [0; 16];
    rand::fill(&mut request).map_err(|_| "no random bytes")?;
    Ok(Record {
        time_us,
        phase: Phase::Outcome { ending: Ending::Ok, latency_us: 0 },
        request: Id(request),
        trace: None,
        caller: Caller { principal: None, method: Method::Internal, credential: None },
        action: Action {
            operation: PRUNE,
            object: Object::of_kind(Kind::AuditLog),
            from: None,
            algorithm: None,
        },
        source: Source { peer: None, listener: None },
        decision: Decision::NotReached,
        backend: None,
        number: None,
        change: None,
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keyreeve_audit::{Ed25519Signer, Query, Settings, verify};
    use keyreeve_types::Secret;

    use super::*;

    const DAY_US: u64 = 24 * 3600 * 1_000_000;

    /// Guards against old records that stay, young ones that go, and a log that no
    /// longer verifies afterwards or does not say what was done.
    #[test]
    fn records_older_than_the_limit_go_and_the_log_says_so() {
        let dir = tempfile::tempdir().expect("a directory");
        let signer = Ed25519Signer::from_seed("audit.example", &Secret::new([7; 32]));
        let signer = Arc::new(signer.expect("a name"));
        let key = keyreeve_audit::CheckpointSigner::key(&*signer).clone();
        let log = Log::open(dir.path(), signer, Settings::default()).expect("opened");
        let now = micros(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            for i in 0..600 {
                let age = if i < 300 { 10 * DAY_US } else { DAY_US };
                log.append(&record(now - age).expect("a record")).await.expect("durable");
            }
            log.checkpoint().await.expect("signed");
        });
        let mut retention = Retention::of_days(Some(5));
        retention.begin(dir.path().to_owned(), key.clone());
        retention.tend(&log);
        assert_eq!(Reader::open(dir.path(), &key).expect("a log").start().expect("read"), 0);

        retention.due = Some(Instant::now());
        retention.tend(&log);
        assert!(retention.due > Some(Instant::now() + EVERY / 2), "not again today");
        drop(log);
        let reader = Reader::open(dir.path(), &key).expect("a log");
        assert_eq!(reader.start().expect("read"), 256);
        let query = Query { operation: Some(PRUNE), from_us: Some(now), ..Query::default() };
        let said: Vec<_> = reader.records(256, &query).map(|entry| entry.expect("read")).collect();
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].record.number, Some(256));
        let report = verify(dir.path(), &key, None);
        assert!(report.is_clean() && report.minimum_index == 256, "{report:?}");
    }
}
