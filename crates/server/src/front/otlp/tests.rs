//! Spans against a real receiver: a tonic service of the OTLP interface, over TCP.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use keyreeve_authz::{Listener, Principal, PrincipalKind, Role, Subject};
use keyreeve_service::{
    Backends, Caller, Clock, ConfiguredRole, Deadline, Identity, KeyName, Method, Service,
    Settings, Source, TraceId,
};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::AuditLog;
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::{
    Response, body::Body, codegen::BoxFuture, codegen::http, server::NamedService,
    transport::server::TcpIncoming,
};

use super::*;

/// A collector that passes on what it is sent.
#[derive(Clone)]
struct Collector(mpsc::UnboundedSender<ExportRequest>);

impl NamedService for Collector {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl tower::Service<http::Request<Body>> for Collector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        assert_eq!(request.uri().path(), EXPORT);
        let codec = tonic_prost::ProstCodec::<ExportResponse, ExportRequest>::default();
        let this = self.clone();
        Box::pin(async move { Ok(tonic::server::Grpc::new(codec).unary(this, request).await) })
    }
}

impl tonic::server::UnaryService<ExportRequest> for Collector {
    type Response = ExportResponse;
    type Future = BoxFuture<Response<ExportResponse>, tonic::Status>;

    fn call(&mut self, request: Request<ExportRequest>) -> Self::Future {
        let _ = self.0.send(request.into_inner());
        Box::pin(async { Ok(Response::new(ExportResponse::default())) })
    }
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
    let service = Service::new(Arc::clone(&shared), Backends::new(client, None));
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
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (passed_on, mut received) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder().add_service(Collector(passed_on));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let (service, shared, identity, _audit) = service().await;
    let exporting = Arc::clone(&shared);
    tokio::spawn(async move { export(&exporting, &address, 0.0).await });
    tokio::task::yield_now().await;

    look_up(&service, &request_of(&identity, Some(SAMPLED))).await;
    look_up(&service, &request_of(&identity, Some(NOT_SAMPLED))).await;
    look_up(&service, &request_of(&identity, None)).await;

    let request = timeout(Duration::from_secs(20), received.recv()).await.expect("in time");
    let request = request.expect("a request");
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
