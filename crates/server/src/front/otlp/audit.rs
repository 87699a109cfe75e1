//! Audit records on their way to a collector: OTLP logs.
//!
//! It reads the log as any auditor does, on a thread of its own, and keeps its place in
//! a file: so nobody waits for it, nothing is held in memory, and what a collector that
//! was away has missed is sent when it is back. A record may be sent twice, as after a
//! crash; it carries its index, by which it is known again.
//!
//! What can be lost is what was pruned before it was sent, and what the collector says
//! that it will never take. Both are counted.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use keyreeve_audit::{Entry, Outcome, Query, Reader};
use keyreeve_service::Shared;
use tokio::time::{sleep, timeout};

use super::{
    collector::{Collector, LIMIT},
    message::{ExportLogs, KeyValue, LogRecord, ResourceLogs, ScopeLogs, resource, scope},
};

/// How often to look for more.
const LOOK: Duration = Duration::from_millis(500);
/// How long to leave a collector alone that took nothing, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// Most records of one request.
const TOGETHER: usize = 512;
/// Most bytes of them: collectors take 4 MiB unless they are told otherwise.
const TOGETHER_BYTES: usize = 1024 * 1024;
/// `opentelemetry.proto.collector.logs.v1`.
const EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
/// `opentelemetry.proto.logs.v1`.
const INFO: i32 = 9;
const WARN: i32 = 13;

/// The file in the data directory that says what was sent.
const PLACE: &str = "audit.sent";

/// What sends the audit log.
pub(crate) struct AuditExport {
    shared: Arc<Shared>,
    collector: Collector,
    /// How old a record may get that is not outside; none if nothing hangs on it.
    within: Option<Duration>,
    place: PathBuf,
    away: bool,
}

impl AuditExport {
    pub(crate) fn new(
        shared: Arc<Shared>,
        collector: Collector,
        within: Option<Duration>,
        data_dir: &Path,
    ) -> Self {
        Self { shared, collector, within, place: data_dir.join(PLACE), away: false }
    }

    /// Sends the log for as long as the process lives.
    pub(crate) async fn run(mut self) {
        let mut pause = AGAIN.0;
        loop {
            // Not open yet, or not readable: the log says so itself.
            if let Ok(mut reader) = self.shared.audit().reader() {
                match self.follow(&mut reader, &mut pause).await {
                    Ok(never) => match never {},
                    Err(Stop::Log(why)) => {
                        tracing::warn!(why, "the audit log cannot be read to be sent");
                    }
                    Err(Stop::Another) => {}
                }
            }
            sleep(LOOK).await;
        }
    }

    async fn follow(
        &mut self,
        reader: &mut Reader,
        pause: &mut Duration,
    ) -> Result<std::convert::Infallible, Stop> {
        let failed = |error: keyreeve_audit::ReadError| Stop::Log(error.to_string());
        let log = reader.checkpoint().origin.clone();
        let mut next = self.sent(&log).filter(|next| *next <= reader.end()).unwrap_or(0);
        loop {
            let start = reader.start().map_err(failed)?;
            if next < start {
                // From the start is where one begins who has sent nothing.
                if next > 0 {
                    self.shared.outlet().count(0, start - next);
                }
                next = start;
            }
            let batch = batch(reader, next).map_err(failed)?;
            self.shared.outlet().set_waiting(reader.end().saturating_sub(next));
            let Some(oldest) = batch.first().map(|entry| entry.record.time_us) else {
                self.hold_if(false);
                sleep(LOOK).await;
                let end = reader.end();
                if reader.refresh().map_err(failed)? == end && self.is_another(&log) {
                    return Err(Stop::Another);
                }
                continue;
            };
            match self.send(&log, &batch).await {
                Some(rejected) => {
                    let count = batch.len() as u64;
                    let rejected = rejected.min(count);
                    self.shared.outlet().count(count - rejected, rejected);
                    next += count;
                    self.keep(&log, next);
                    *pause = AGAIN.0;
                }
                None => {
                    self.hold_if(self.within.is_some_and(|within| age(oldest) > within));
                    sleep(*pause).await;
                    *pause = (*pause * 2).min(AGAIN.1);
                }
            }
        }
    }

    /// How many the collector would not have; `None` if it is to be tried again.
    async fn send(&mut self, log: &str, batch: &[Entry]) -> Option<u64> {
        let sent = timeout(LIMIT, self.collector.send(EXPORT, request(log, batch))).await;
        let why = match sent {
            Ok(Ok(rejected)) => {
                if std::mem::take(&mut self.away) {
                    tracing::info!("the collector takes audit records again");
                }
                return Some(rejected);
            }
            // It says that these records are none, and would say it again.
            Ok(Err(status)) if status.code() == tonic::Code::InvalidArgument => {
                tracing::warn!("the collector takes no part of some audit records; not sent");
                return Some(u64::MAX);
            }
            Ok(Err(status)) => format!("{:?}", status.code()),
            Err(_) => "no answer in time".to_owned(),
        };
        if !std::mem::replace(&mut self.away, true) {
            let address = &self.collector.address;
            tracing::warn!(address, why, "the collector takes no audit records; they wait");
        }
        None
    }

    fn hold_if(&self, holds: bool) {
        if !self.shared.outlet().hold(holds) {
            return;
        }
        if holds {
            tracing::error!(
                "audit records have not reached the collector in time: nothing that needs a \
                 record is done until they have"
            );
        } else {
            tracing::warn!("audit records have reached the collector");
        }
    }

    /// Where to go on in `log`.
    fn sent(&self, log: &str) -> Option<u64> {
        let text = fs::read_to_string(&self.place).ok()?;
        let (of, next) = text.trim_end().split_once('\n')?;
        next.parse().ok().filter(|_| of == log)
    }

    /// Remembers where. What is not remembered is sent again.
    fn keep(&self, log: &str, next: u64) {
        let new = self.place.with_extension("new");
        let kept = fs::write(&new, format!("{log}\n{next}\n"));
        if let Err(error) = kept.and_then(|()| fs::rename(&new, &self.place)) {
            tracing::debug!(%error, "what was sent of the audit log is not remembered");
        }
    }

    /// Whether the open log is no longer the one that is read.
    fn is_another(&self, log: &str) -> bool {
        let open = self.shared.audit().reader();
        open.is_ok_and(|reader| reader.checkpoint().origin != log)
    }
}

/// Why reading begins anew.
enum Stop {
    Log(String),
    Another,
}

fn batch(reader: &Reader, next: u64) -> Result<Vec<Entry>, keyreeve_audit::ReadError> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for entry in reader.records(next, &Query::default()).take(TOGETHER) {
        let entry = entry?;
        bytes += entry.bytes.len();
        if bytes > TOGETHER_BYTES && !batch.is_empty() {
            break;
        }
        batch.push(entry);
    }
    Ok(batch)
}

fn age(time_us: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_micros(time_us))
}

fn request(log: &str, batch: &[Entry]) -> ExportLogs {
    let records = batch.iter().map(|entry| record(log, entry)).collect();
    let scope_logs = vec![ScopeLogs { scope: Some(scope()), log_records: records }];
    ExportLogs { resource_logs: vec![ResourceLogs { resource: Some(resource()), scope_logs }] }
}

/// A record as it is sent: its bytes as they are in the log, and what finds them there.
fn record(log: &str, entry: &Entry) -> LogRecord {
    let (severity_number, severity) = match Outcome::of(&entry.record) {
        Outcome::Intent | Outcome::Ok => (INFO, "INFO"),
        Outcome::Denied | Outcome::Failed => (WARN, "WARN"),
    };
    let record = &entry.record;
    LogRecord {
        time_unix_nano: record.time_us.saturating_mul(1000),
        observed_time_unix_nano: record.time_us.saturating_mul(1000),
        severity_number,
        severity_text: severity.to_owned(),
        // An entry that was decoded is JSON, and so text.
        body: Some(String::from_utf8_lossy(&entry.bytes).as_ref().into()),
        attributes: vec![
            KeyValue::new("keyreeve.audit.log", log),
            KeyValue::new("keyreeve.audit.index", &entry.index.to_string()),
        ],
        trace_id: record.trace.map(|trace| trace.0.to_vec()).unwrap_or_default(),
        event_name: "keyreeve.audit".to_owned(),
    }
}
