//! How calls are made: deadlines, repetition, tokens. A service on a real TLS socket
//! answers by script, since a real one cannot be told to fail at a given moment.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use keyreeve_client::{Client, Fault, v1};
use keyreeve_proto::v1::vault_service_server::{VaultService, VaultServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Code, Request, Response, Status,
    transport::{Identity, Server, ServerTlsConfig},
};
use tonic_types::{ErrorDetails, StatusExt};

/// What to answer: `None` is success, and after the script all is success.
#[derive(Clone, Default)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<Option<Status>>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    delay: Duration,
}

/// What a request carried.
#[derive(Debug, Clone)]
struct Seen {
    token: String,
    timeout: String,
}

impl Scripted {
    fn failing(answers: impl IntoIterator<Item = Option<Status>>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    fn calls(&self) -> usize {
        self.seen.lock().expect("not poisoned").len()
    }

    async fn answer<T>(&self, request: Request<T>) -> Result<Response<v1::Vault>, Status> {
        let header = |name: &str| {
            let value = request.metadata().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let seen = Seen { token: header("authorization"), timeout: header("grpc-timeout") };
        self.seen.lock().expect("not poisoned").push(seen);
        tokio::time::sleep(self.delay).await;
        match self.answers.lock().expect("not poisoned").pop_front().flatten() {
            Some(status) => Err(status),
            None => Ok(Response::new(v1::Vault::default())),
        }
    }
}

#[tonic::async_trait]
impl VaultService for Scripted {
    async fn create_vault(
        &self,
        request: Request<v1::CreateVaultRequest>,
    ) -> Result<Response<v1::Vault>, Status> {
        self.answer(request).await
    }

    async fn get_vault(
        &self,
        request: Request<v1::GetVaultRequest>,
    ) -> Result<Response<v1::Vault>, Status> {
        self.answer(request).await
    }

    async fn list_vaults(
        &self,
        _: Request<v1::ListVaultsRequest>,
    ) -> Result<Response<v1::ListVaultsResponse>, Status> {
        Ok(Response::new(v1::ListVaultsResponse::default()))
    }
}

/// A listening service, and the PEM certificate to trust.
async fn serve(service: Scripted) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let pem = made.cert.pem();
    let identity = Identity::from_pem(&pem, made.signing_key.serialize_pem());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let tls = ServerTlsConfig::new().identity(identity);
    let mut server = Server::builder().tls_config(tls).expect("the certificate is good");
    let router = server.add_service(VaultServiceServer::new(service));
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    (address, pem)
}

async fn client(service: &Scripted) -> Client {
    let (address, pem) = serve(service.clone()).await;
    let builder = Client::builder().address(format!("https://localhost:{}", address.port()));
    builder.ca_certificate_pem(pem).token("t0ken").build().expect("the settings are good")
}

fn unavailable(hint: Duration) -> Option<Status> {
    let details = ErrorDetails::with_retry_info(Some(hint));
    Some(Status::with_error_details(Code::Unavailable, "restarting", details))
}

/// Guards against an outage of a moment reaching the caller, and against asking again
/// sooner than the service said.
#[tokio::test]
async fn a_read_is_repeated_after_the_wait_the_service_asks_for() {
    let wait = Duration::from_millis(120);
    let service = Scripted::failing([unavailable(wait), unavailable(wait)]);
    let client = client(&service).await;
    let start = Instant::now();
    client.vault("prod").get().await.expect("the third attempt succeeds");
    assert_eq!(service.calls(), 3);
    assert!(start.elapsed() >= wait * 2, "{:?}", start.elapsed());
}

/// Guards against a second vault, key or version made by a repetition.
#[tokio::test]
async fn what_makes_something_is_sent_once() {
    let service = Scripted::failing([unavailable(Duration::from_millis(1))]);
    let client = client(&service).await;
    let error = client.vault("prod").create(v1::vault::Tier::Standard).await;
    let error = error.expect_err("the one attempt fails");
    assert_eq!((error.code(), error.fault()), (Some(Code::Unavailable), Fault::Service));
    assert_eq!(service.calls(), 1);
}

/// Guards against repeating what was refused.
#[tokio::test]
async fn a_refusal_is_final() {
    let service = Scripted::failing([Some(Status::permission_denied("no"))]);
    let client = client(&service).await;
    let error = client.vault("prod").get().await.expect_err("it is refused");
    assert_eq!((error.code(), error.message()), (Some(Code::PermissionDenied), "no"));
    assert_eq!(service.calls(), 1);
}

/// Guards against a caller that waits longer than it said, and against a service that
/// works on for somebody who has left: the deadline is sent with the request.
#[tokio::test]
async fn the_deadline_holds_and_is_sent_along() {
    let service = Scripted { delay: Duration::from_secs(60), ..Scripted::default() };
    let client = client(&service).await.with_deadline(Duration::from_millis(300));
    let start = Instant::now();
    let error = client.vault("prod").get().await.expect_err("nobody answers");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(error.code(), Some(Code::DeadlineExceeded));
    let seen = service.seen.lock().expect("not poisoned")[0].clone();
    assert!(!seen.timeout.is_empty(), "{seen:?}");
    assert_eq!(seen.token, "Bearer t0ken");
}

/// Guards against a program that must be restarted when its token is replaced.
#[tokio::test]
async fn a_refused_token_is_read_again_from_its_file() {
    let service = Scripted::failing([Some(Status::unauthenticated("expired"))]);
    let (address, pem) = serve(service.clone()).await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "old").expect("it is writable");
    let builder = Client::builder().address(format!("localhost:{}", address.port()));
    let client = builder.ca_certificate_pem(pem).token_file(file.path()).build().expect("good");
    std::fs::write(file.path(), "new").expect("it is writable");
    client.vault("prod").create(v1::vault::Tier::Standard).await.expect("the new one is good");
    let seen = service.seen.lock().expect("not poisoned").clone();
    let tokens: Vec<&str> = seen.iter().map(|seen| seen.token.as_str()).collect();
    assert_eq!(tokens, ["Bearer old", "Bearer new"]);
}

/// Guards against a token sent to whoever listens at the address: another authority's
/// certificate ends the connection before any request.
#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let service = Scripted::default();
    let (address, _) = serve(service.clone()).await;
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let builder = Client::builder().address(format!("localhost:{}", address.port()));
    let builder = builder.ca_certificate_pem(other.cert.pem()).token("t0ken");
    let client = builder.deadline(Duration::from_secs(2)).build().expect("good");
    let error = client.vault("prod").get().await.expect_err("not our authority");
    assert_eq!(error.fault(), Fault::Connection, "{error}");
    assert!(!format!("{error} {error:?}").contains("t0ken"));
    assert_eq!(service.calls(), 0);
}

/// Guards against a client that hangs, or blames the service, when nothing listens.
#[tokio::test]
async fn nothing_there_is_told_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let pem = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let builder = Client::builder().address(address.to_string());
    let client = builder.ca_certificate_pem(pem.cert.pem()).build().expect("good");
    let start = Instant::now();
    let error = client.vault("prod").get().await.expect_err("nothing listens");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(error.fault(), Fault::Connection, "{error}");
    assert!(error.to_string().contains("KEYREEVE_ADDR"), "{error}");
}

/// Guards against a slip in a name that is sent to find out.
#[tokio::test]
async fn a_name_that_is_none_is_not_sent() {
    let service = Scripted::default();
    let client = client(&service).await;
    let error = client.vault("no/such").get().await.expect_err("no name");
    assert_eq!(error.fault(), Fault::Caller);
    assert!(client.key("prod").get().await.is_err());
    assert_eq!(service.calls(), 0);
}
