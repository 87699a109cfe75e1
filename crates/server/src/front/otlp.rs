//! Spans on their way to an OpenTelemetry collector: OTLP over gRPC. Audit records go
//! there in their own way ([`audit`]).
//!
//! It runs on a thread of its own and takes spans out of a queue that nobody waits for.
//! What the collector does not take in time is dropped and counted: a span is worth
//! less than room for the next one.
//!
//! The wire types are the few of OTLP 1.x that a span needs. The exporter of the
//! OpenTelemetry project would bring its SDK, a second set of the same types, and a
//! global to configure.

mod audit;
mod collector;
mod message;

use std::time::{Duration, UNIX_EPOCH};

pub(crate) use audit::AuditExport;
pub(crate) use collector::Collector;
use collector::LIMIT;
use keyreeve_service::{Shared, Span, Tier};
use message::{ExportRequest, KeyValue, ResourceSpans, ScopeSpans, Status, resource, scope};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

/// How many spans may wait.
const QUEUE: usize = 2048;
/// How many leave together.
const TOGETHER: usize = 512;
/// How long the first waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// `opentelemetry.proto.collector.trace.v1`.
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// `opentelemetry.proto.trace.v1`.
const SERVER: i32 = 2;
const STATUS_ERROR: i32 = 2;

/// Exports the spans of `shared` to `collector`, for as long as the
/// process lives; of requests that come without a trace, the part `sample`.
pub(crate) async fn export(shared: &Shared, collector: &Collector, sample: f64) {
    let (queue, mut spans) = mpsc::channel(QUEUE);
    shared.spans().send_to(queue, sample);
    let mut batch = Vec::with_capacity(TOGETHER);
    let mut is_away = false;
    while spans.recv_many(&mut batch, TOGETHER).await > 0 {
        gather(&mut spans, &mut batch).await;
        let count = batch.len() as u64;
        match timeout(LIMIT, collector.send(EXPORT, request(&batch))).await {
            Ok(Ok(refused)) => {
                let refused = refused.min(count);
                shared.spans().count(count - refused, refused);
                is_away = false;
            }
            failed => {
                shared.spans().count(0, count);
                if !is_away {
                    let why = match failed {
                        Ok(Err(status)) => format!("{:?}", status.code()),
                        _ => "no answer in time".to_owned(),
                    };
                    let address = &collector.address;
                    tracing::warn!(address, why, "the collector takes no spans; they are dropped");
                }
                is_away = true;
            }
        }
        batch.clear();
    }
}

/// Lets more come, for a while.
async fn gather(spans: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    let end = sleep(GATHER);
    tokio::pin!(end);
    while batch.len() < TOGETHER {
        let room = TOGETHER - batch.len();
        tokio::select! {
            count = spans.recv_many(batch, room) => if count == 0 { return },
            () = &mut end => return,
        }
    }
}

fn request(spans: &[Span]) -> ExportRequest {
    let scope_spans =
        vec![ScopeSpans { scope: Some(scope()), spans: spans.iter().map(span).collect() }];
    let resource = Some(resource());
    ExportRequest { resource_spans: vec![ResourceSpans { resource, scope_spans }] }
}

/// A span as it is sent. Every field of it is named here.
fn span(span: &Span) -> message::Span {
    let Span {
        trace,
        id,
        parent,
        began,
        took,
        operation,
        outcome,
        reason,
        tier,
        vault,
        object,
        request,
    } = span;
    let start = began.duration_since(UNIX_EPOCH).unwrap_or_default();
    let backend = match tier {
        None => "none",
        Some(Tier::Standard) => "standard",
        Some(Tier::Premium) => "premium",
    };
    let mut attributes = vec![
        KeyValue::new("rpc.system", "grpc"),
        KeyValue::new("rpc.method", operation),
        KeyValue::new("keyreeve.code", outcome),
        KeyValue::new("keyreeve.backend", backend),
        KeyValue::new("keyreeve.request", &request.to_string()),
    ];
    let more = [
        ("keyreeve.reason", *reason),
        ("keyreeve.vault", vault.as_deref()),
        ("keyreeve.object", object.as_deref()),
    ];
    let more = more.into_iter().filter_map(|(name, value)| Some(KeyValue::new(name, value?)));
    attributes.extend(more);
    message::Span {
        trace_id: trace.to_vec(),
        span_id: id.to_vec(),
        parent_span_id: parent.map(|parent| parent.to_vec()).unwrap_or_default(),
        name: (*operation).to_owned(),
        kind: SERVER,
        start_time_unix_nano: nanos(start),
        end_time_unix_nano: nanos(start + *took),
        attributes,
        // What the caller did wrong is no error of the service (OpenTelemetry semantic
        // conventions, gRPC).
        status: matches!(*outcome, "INTERNAL" | "UNAVAILABLE" | "DEADLINE_EXCEEDED")
            .then_some(Status { code: STATUS_ERROR }),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
