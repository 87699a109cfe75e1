//! `AuditService`.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use keyreeve_audit::{Entry, Outcome, Query, Reader, Word};
use keyreeve_proto::v1::{
    AuditCheckpoint, AuditProof, AuditRecord, GetAuditCheckpointRequest, GetAuditProofRequest,
    QueryAuditRecordsRequest, audit_service_server::AuditService,
    query_audit_records_request::Outcome as WireOutcome,
};
use keyreeve_service::{Caller, Error, Service};
use tokio::sync::{Semaphore, mpsc};
use tonic::{Request, Response, Status};

use crate::{call::Call, name, to_status};

/// Most queries of one runtime at a time: each has a thread while it reads.
const MAX_QUERIES: usize = 16;

/// Records that wait for a caller who reads slowly.
const AHEAD: usize = 64;

/// How often to look for a later checkpoint.
const LOOK: Duration = Duration::from_millis(250);

/// When to try again if too many read at once.
const BUSY: Duration = Duration::from_secs(1);

/// Most records of `last`.
const MAX_LAST: usize = 10_000;

/// The door to the audit log.
pub(crate) struct AuditDoor {
    service: Service,
    room: Arc<Semaphore>,
}

impl AuditDoor {
    pub(crate) fn new(service: Service) -> Self {
        Self { service, room: Arc::new(Semaphore::new(MAX_QUERIES)) }
    }

    async fn query(&self, call: Call<QueryAuditRecordsRequest>) -> Result<Records, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = wanted(&message)?;
        let place = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            Error::busy("TOO_MANY_QUERIES", "too many read the audit log at once; try again", BUSY)
        })?;
        let reader = self.service.read_audit_log(&caller, deadline).await?;
        let (records, receiver) = mpsc::channel(AHEAD);
        let service = self.service.clone();
        #[expect(clippy::disallowed_methods, reason = "one thread for each of a few auditors")]
        tokio::task::spawn_blocking(move || {
            let _place = place;
            let sending = Sending { service, caller, records };
            if let Err(error) = sending.send(reader, &wanted) {
                let _ = sending.records.blocking_send(Err(to_status(&error)));
            }
        });
        Ok(Records(receiver))
    }

    async fn checkpoint(
        &self,
        call: Call<GetAuditCheckpointRequest>,
    ) -> Result<AuditCheckpoint, Error> {
        let Call { caller, deadline, .. } = call;
        let reader = self.service.read_audit_log(&caller, deadline).await?;
        Ok(AuditCheckpoint {
            note: reader.note().to_owned(),
            verifier_key: reader.key().to_string(),
        })
    }

    async fn proof(&self, call: Call<GetAuditProofRequest>) -> Result<AuditProof, Error> {
        let Call { caller, deadline, message } = call;
        let index = u64::try_from(message.index)
            .map_err(|_| Error::invalid("index", "an index is 0 or more"))?;
        let (entry, proof) = self.service.prove_audit_record(&caller, index, deadline).await?;
        Ok(AuditProof { record: Some(to_proto(entry)), proof: proof.to_string() })
    }
}

#[tonic::async_trait]
impl AuditService for AuditDoor {
    type QueryAuditRecordsStream = Records;

    async fn query_audit_records(
        &self,
        request: Request<QueryAuditRecordsRequest>,
    ) -> Result<Response<Records>, Status> {
        let records = self.query(Call::unbounded(request)?).await;
        records.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn get_audit_checkpoint(
        &self,
        request: Request<GetAuditCheckpointRequest>,
    ) -> Result<Response<AuditCheckpoint>, Status> {
        let checkpoint = self.checkpoint(Call::new(request)?).await;
        checkpoint.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn get_audit_proof(
        &self,
        request: Request<GetAuditProofRequest>,
    ) -> Result<Response<AuditProof>, Status> {
        let proof = self.proof(Call::new(request)?).await;
        proof.map(Response::new).map_err(|e| to_status(&e))
    }
}

/// Records on their way to one caller.
pub(crate) struct Records(mpsc::Receiver<Result<AuditRecord, Status>>);

impl Stream for Records {
    type Item = Result<AuditRecord, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

/// What a request asks for.
struct Wanted {
    query: Query,
    from: u64,
    last: Option<usize>,
    follow: bool,
}

/// The thread that reads for one caller.
struct Sending {
    service: Service,
    caller: Caller,
    records: mpsc::Sender<Result<AuditRecord, Status>>,
}

impl Sending {
    fn send(&self, mut reader: Reader, wanted: &Wanted) -> Result<(), Error> {
        let failed = |error| Error::from_reading(&error);
        let mut from = wanted.from.max(reader.start().map_err(failed)?);
        if let Some(last) = wanted.last {
            for entry in reader.last(last, from, &wanted.query).map_err(failed)? {
                if !self.give(entry) {
                    return Ok(());
                }
            }
            from = from.max(reader.end());
        }
        loop {
            for entry in reader.records(from, &wanted.query) {
                if !self.give(entry.map_err(failed)?) {
                    return Ok(());
                }
            }
            from = from.max(reader.end());
            if !wanted.follow {
                return Ok(());
            }
            while reader.end() <= from {
                std::thread::sleep(LOOK);
                if self.records.is_closed() || !self.service.may_read_audit_log(&self.caller) {
                    return Ok(());
                }
                reader.refresh().map_err(failed)?;
            }
        }
    }

    /// False if nobody reads any more.
    fn give(&self, entry: Entry) -> bool {
        self.records.blocking_send(Ok(to_proto(entry))).is_ok()
    }
}

fn to_proto(entry: Entry) -> AuditRecord {
    // An entry that was decoded is JSON, and so text.
    let record = String::from_utf8(entry.bytes).unwrap_or_default();
    AuditRecord { index: i64::try_from(entry.index).unwrap_or(i64::MAX), record }
}

fn wanted(request: &QueryAuditRecordsRequest) -> Result<Wanted, Error> {
    let mut query = Query::default();
    if !request.principal.is_empty() {
        let bad = |_| Error::invalid("principal", "principal is not a name as the log has it");
        query.principal = Some(request.principal.parse().map_err(bad)?);
    }
    if !request.operation.is_empty() {
        let bad = |_| Error::invalid("operation", "operation is a name like Sign or CreateKey");
        query.operation = Some(Word::configured(&request.operation).map_err(bad)?);
    }
    if !request.object.is_empty() {
        object(&mut query, &request.object)?;
    }
    query.from_us = request.start_time.map(|time| micros("start_time", time)).transpose()?;
    query.before_us = request.end_time.map(|time| micros("end_time", time)).transpose()?;
    query.outcome = match WireOutcome::try_from(request.outcome) {
        Ok(WireOutcome::Unspecified) => None,
        Ok(WireOutcome::Intent) => Some(Outcome::Intent),
        Ok(WireOutcome::Ok) => Some(Outcome::Ok),
        Ok(WireOutcome::Denied) => Some(Outcome::Denied),
        Ok(WireOutcome::Failed) => Some(Outcome::Failed),
        Err(_) => return Err(Error::invalid("outcome", "outcome is none of the interface's")),
    };
    let from = u64::try_from(request.start_index)
        .map_err(|_| Error::invalid("start_index", "an index is 0 or more"))?;
    let last = usize::try_from(request.last).ok().filter(|last| *last <= MAX_LAST);
    let last = last.ok_or_else(|| Error::invalid("last", format!("last is 0 to {MAX_LAST}")))?;
    Ok(Wanted { query, from, last: (last > 0).then_some(last), follow: request.follow })
}

/// `vaults/prod`, or `vaults/prod/keys/jwt`.
fn object(query: &mut Query, text: &str) -> Result<(), Error> {
    let bad = || Error::invalid("object", "object is vaults/{vault}, or vaults/{vault}/keys/{key}");
    if let Ok(key) = name::key("object", text) {
        query.vault = Some(key.vault().to_name());
        query.name = Some(key.to_name());
    } else {
        query.vault = Some(name::vault("object", text).map_err(|_| bad())?.to_name());
    }
    Ok(())
}

fn micros(field: &'static str, time: prost_types::Timestamp) -> Result<u64, Error> {
    let seconds = u64::try_from(time.seconds).ok();
    let nanos = u64::try_from(time.nanos).ok();
    seconds
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .zip(nanos)
        .and_then(|(micros, nanos)| micros.checked_add(nanos / 1000))
        .ok_or_else(|| Error::invalid(field, "the time is before 1970 or out of range"))
}
