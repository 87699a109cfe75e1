//! Spans and audit records against a real receiver: OTLP over TCP, with and without TLS.

use std::sync::Arc;

use keyreeve_authz::{Listener, Principal, PrincipalKind, Role, Subject};
use keyreeve_service::{
    Backends, Caller, Clock, ConfiguredRole, Deadline, Identity, KeyName, Method, Service,
    Settings, Source, TraceId,
};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::{self as testkit, AuditLog};
use prost::Message as _;
use rustls_pki_types::PrivatePkcs8KeyDer;

use super::message::ExportLogs;
use super::*;
use crate::{config::CollectorAddress, tls};

/// What `collector` was sent at `path`, once that is something.
async fn sent<M: prost::Message + Default>(collector: &testkit::Collector, path: &str) -> Vec<M> {
    let look = async {
        loop {
            let received = collector.received();
            let to_it = received.iter().filter(|(to, _)| to == path);
            let found: Vec<M> = to_it.map(|(_, m)| M::decode(&m[..]).expect("OTLP")).collect();
            if !found.is_empty() {
                return found;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), look).await.expect("in time")
}

fn plain(collector: &testkit::Collector) -> Collector {
    let address = collector.address();
    let host = address.ip().to_string();
    let at = CollectorAddress { host, port: address.port(), tls: false };
    Collector::new(&at, None).expect("a collector")
}

/// A service without a keyhost, and somebody who may do everything.
async fn service() -> (Service, Arc<Shared>, Arc<Identity>, AuditLog) {
    let holder = Principal::new(PrincipalKind::Token, None, "canary-principal").expect("a name");
    let role = Role::find_built_in("Owner").expect("a role").id();
    let roles = vec![ConfiguredRole { holder: holder.clone(), role }];
    let settings = Settings { roles, ..Settings::default() };
    let audit = AuditLog::start().expect("an audit log");
    let store = Arc::new(MemoryStore::new());
    let opened = Shared::open(store, settings, Clock::system(), audit.recorder()).await;
    let (shared, _) = opened.unwrap_or_else(|error| panic!("{error}"));
    let (client, _driver) = keyreeve_keyhost::Client::new("software");
    let service = Service::new(Arc::clone(&shared), Backends::new(client, Vec::new(), None));
    let subject = Subject::new(holder, []).expect("a subject");
    (service, shared, Arc::new(Identity::proven(subject, Method::Token, None)), audit)
}

fn request_of(identity: &Arc<Identity>, trace: Option<&str>) -> Caller {
    let name = "canary-listener".parse().expect("a name");
    let source = Source { peer: None, listener: Arc::new(Listener { name, private: false }) };
    Caller::new(Arc::clone(identity), source, trace.and_then(TraceId::from_traceparent))
}

/// Looks up a key that there is not, which passes the gate or is denied.
async fn look_up(service: &Service, caller: &Caller) {
    let key = KeyName::new("books", "jwt", None).expect("a name");
    let deadline = Deadline::after(Duration::from_secs(10));
    service.get_key(caller, key, deadline).await.expect_err("there is none");
}

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-00";

/// Guards against spans that no collector understands, a trace that is cut off from its
/// caller's, sampling that is not as asked for, and anything in a span that is not
/// listed in docs/operations.md.
#[tokio::test]
async fn a_collector_gets_the_spans_of_sampled_requests_and_nothing_else() {
    let received = testkit::Collector::start(None).expect("a port");
    let collector = plain(&received);
    let (service, shared, identity, _audit) = service().await;
    let exporting = Arc::clone(&shared);
    tokio::spawn(async move { export(&exporting, &collector, 0.0).await });
    tokio::task::yield_now().await;

    look_up(&service, &request_of(&identity, Some(SAMPLED))).await;
    look_up(&service, &request_of(&identity, Some(NOT_SAMPLED))).await;
    look_up(&service, &request_of(&identity, None)).await;

    let request: ExportRequest = sent(&received, EXPORT).await.remove(0);
    assert!(!String::from_utf8_lossy(&request.encode_to_vec()).contains("canary"), "{request:?}");
    let [resource] = &request.resource_spans[..] else { panic!("{request:?}") };
    let [scope] = &resource.scope_spans[..] else { panic!("{request:?}") };
    let [span] = &scope.spans[..] else { panic!("{request:?}") };
    assert_eq!(hex::encode(&span.trace_id), &SAMPLED[3..35]);
    assert_eq!(hex::encode(&span.parent_span_id), &SAMPLED[36..52]);
    assert_eq!((span.span_id.len(), span.kind), (8, SERVER));
    assert_eq!(span.name, "GetKey");
    assert!(span.start_time_unix_nano > 0 && span.end_time_unix_nano >= span.start_time_unix_nano);
    let value = |name: &str| {
        let found = span.attributes.iter().find(|attribute| attribute.key == name);
        found.and_then(|found| found.value.clone()?.string_value).unwrap_or_default()
    };
    assert_eq!((value("rpc.method"), value("rpc.system")), ("GetKey".into(), "grpc".into()));
    assert_eq!(value("keyreeve.vault"), "books");
    assert_eq!(value("keyreeve.object"), "jwt");
    assert_eq!(value("keyreeve.code"), "PERMISSION_DENIED", "an Owner reads no key");
    assert_eq!(value("keyreeve.reason"), "FORBIDDEN");
    let documented = include_str!("../../../../../docs/operations.md");
    for attribute in &span.attributes {
        assert!(documented.contains(&format!("`{}`", attribute.key)), "{}", attribute.key);
    }
    while shared.spans().counted() != (1, 0) {
        tokio::task::yield_now().await;
    }
}

/// Guards against a collector that is slow or away and holds up requests, or memory.
#[tokio::test]
async fn what_a_collector_does_not_take_is_dropped_and_counted() {
    let (service, shared, identity, _audit) = service().await;
    // A queue that nobody empties.
    let (queue, _kept) = mpsc::channel(16);
    shared.spans().send_to(queue, 1.0);
    let requests = async {
        for _ in 0..100 {
            look_up(&service, &request_of(&identity, None)).await;
        }
    };
    timeout(Duration::from_secs(10), requests).await.expect("nobody waits");
    assert_eq!(shared.spans().counted(), (0, 84));
}

/// Guards against a sample that is another part of the requests than was asked for.
#[tokio::test]
async fn the_sample_is_as_large_as_asked_for() {
    let (service, shared, identity, _audit) = service().await;
    let (queue, mut spans) = mpsc::channel(10_000);
    shared.spans().send_to(queue, 0.1);
    for _ in 0..2_000 {
        look_up(&service, &request_of(&identity, None)).await;
    }
    let mut ids = std::collections::HashSet::new();
    while let Ok(span) = spans.try_recv() {
        assert_eq!(span.trace, span.request.bytes(), "a trace of its own");
        assert!(ids.insert(span.id));
    }
    assert!((120..=280).contains(&ids.len()), "{} of 2000", ids.len());
}

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// The indexes and the bodies of all records that `collector` was sent.
async fn logged(collector: &testkit::Collector) -> Vec<(u64, String)> {
    let requests: Vec<ExportLogs> = sent(collector, LOGS).await;
    let logs = requests.into_iter().flat_map(|request| request.resource_logs);
    let records = logs.flat_map(|logs| logs.scope_logs).flat_map(|scope| scope.log_records);
    let text = |value: Option<message::AnyValue>| {
        value.and_then(|value| value.string_value).expect("text")
    };
    let read = records.map(|record| {
        let index = record.attributes.into_iter().find(|one| one.key == "keyreeve.audit.index");
        let index = text(index.and_then(|index| index.value));
        (index.parse().expect("a number"), text(record.body))
    });
    read.collect()
}

/// Waits until `done`.
async fn until(done: impl Fn() -> bool) {
    let look = async {
        while !done() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), look).await.expect("in time");
}

/// Guards against records that are changed on their way, sent twice without need, or lost
/// while a collector is away or the service is started anew; and against a server that is
/// taken for the collector though its certificate is another's.
#[tokio::test]
async fn a_collector_gets_every_audit_record_as_it_is_in_the_log() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .and_then(|params| params.self_signed(&key))
        .expect("a certificate");
    let config = rustls::ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        );
    let received = testkit::Collector::start(Some(config.expect("a pair"))).expect("a port");
    let directory = tempfile::tempdir().expect("a directory");
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, certificate.pem()).expect("written");
    let at = |host: &str| CollectorAddress {
        host: host.to_owned(),
        port: received.address().port(),
        tls: true,
    };
    let (service, shared, identity, audit) = service().await;
    let start = |host: &str| {
        let collector = Collector::new(&at(host), Some(&ca)).expect("a collector");
        let shared = Arc::clone(&shared);
        tokio::spawn(AuditExport::new(shared, collector, None, directory.path()).run())
    };

    // An address that is not in its certificate.
    let wrong = start("127.0.0.1");
    look_up(&service, &request_of(&identity, Some(SAMPLED))).await;
    sleep(Duration::from_secs(2)).await;
    assert!(received.received().is_empty());
    wrong.abort();

    let first = start("localhost");
    until(|| shared.outlet().counted().0 == 1).await;
    received.set_away(true);
    look_up(&service, &request_of(&identity, None)).await;
    until(|| shared.outlet().counted().2 == 1).await;
    first.abort();
    let _second = start("localhost");
    look_up(&service, &request_of(&identity, None)).await;
    received.set_away(false);
    until(|| shared.outlet().counted().0 == 3).await;

    let sent = logged(&received).await;
    let records = audit.records().expect("a log");
    let there: Vec<_> = records
        .into_iter()
        .map(|entry| (entry.index, String::from_utf8(entry.bytes).expect("JSON")))
        .collect();
    assert_eq!(sent, there);
    assert_eq!(shared.outlet().counted(), (3, 0, 0));
}

/// Guards against a collector that is away and stops the service though nobody asked for
/// that, and against one that does not though somebody did.
#[tokio::test]
async fn a_collector_that_is_away_stops_what_it_was_told_to_stop_and_nothing_else() {
    let received = testkit::Collector::start(None).expect("a port");
    received.set_away(true);
    let (service, shared, identity, _audit) = service().await;
    let caller = request_of(&identity, None);
    let key = || KeyName::new("books", "jwt", None).expect("a name");
    let reason = async || {
        let deadline = Deadline::after(Duration::from_secs(10));
        service.get_key(&caller, key(), deadline).await.expect_err("there is none").reason()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let start = |within| {
        let (shared, collector) = (Arc::clone(&shared), plain(&received));
        tokio::spawn(AuditExport::new(shared, collector, within, directory.path()).run())
    };
    let patient = start(None);
    assert_eq!(reason().await, "FORBIDDEN");
    until(|| shared.outlet().counted().2 > 0).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(reason().await, "FORBIDDEN", "nobody waits");
    patient.abort();

    let _strict = start(Some(Duration::from_secs(1)));
    until(|| shared.outlet().holds()).await;
    assert_eq!(reason().await, "AUDIT_UNAVAILABLE");
    let status = service.get_status(&caller, || (), Deadline::after(Duration::from_secs(10)));
    status.await.expect("how it is can be asked");
    received.set_away(false);
    until(|| !shared.outlet().holds()).await;
    assert_eq!(reason().await, "FORBIDDEN");
}
