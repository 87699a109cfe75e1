//! Ways to call the service: with the SDK, with bare gRPC (no retry, no check on this
//! side), with the command line, over HTTPS.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Output,
    sync::Arc,
    time::Duration,
};

use keyreeve_client::Client;
use keyreeve_testkit::Keyreeve;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::pem::PemObject,
};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

/// Runs `body` on a runtime of its own.
pub(crate) fn block_on<T>(body: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(body)
}

/// The SDK. Call it on a runtime.
pub(crate) fn client(service: &Keyreeve) -> Client {
    Client::builder()
        .address(service.setting("KEYREEVE_ADDR"))
        .ca_certificate_file(service.setting("KEYREEVE_CACERT"))
        .token(service.setting("KEYREEVE_TOKEN"))
        .deadline(Duration::from_secs(30))
        .build()
        .expect("a client")
}

/// Bare gRPC: every status comes through as it was sent.
#[derive(Clone)]
pub(crate) struct Bare {
    pub(crate) channel: Channel,
    authorization: MetadataValue<Ascii>,
}

impl Bare {
    pub(crate) async fn connect(service: &Keyreeve) -> Self {
        let ca = std::fs::read(service.setting("KEYREEVE_CACERT")).expect("a certificate");
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
        let address = service.setting("KEYREEVE_ADDR").to_owned();
        let endpoint = Endpoint::from_shared(address).and_then(|endpoint| endpoint.tls_config(tls));
        let channel = endpoint.expect("an address").connect().await.expect("it listens");
        let authorization = format!("Bearer {}", service.setting("KEYREEVE_TOKEN"));
        Self { channel, authorization: authorization.parse().expect("printable") }
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

/// Runs the command line; its standard output, if it succeeds.
pub(crate) fn keyreeve(service: &Keyreeve, arguments: &[&str]) -> String {
    let output = run(service, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs the command line.
pub(crate) fn run(service: &Keyreeve, arguments: &[&str]) -> Output {
    service.command().args(arguments).output().expect("it runs")
}

/// What HTTPS answered: the status, the headers in lower case, the body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| *found == name).map(|(_, value)| value).next()
    }
}

/// GET over HTTP/1.1, with more header lines if any.
pub(crate) fn get(url: &str, ca: &str, path: &str, more: &str) -> Answer {
    exchange(url, ca, &format!("GET {path}"), more, "")
}

/// POST of a form.
pub(crate) fn post(url: &str, ca: &str, path: &str, form: &str) -> Answer {
    let length = form.len();
    let more =
        format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n");
    exchange(url, ca, &format!("POST {path}"), &more, form)
}

fn exchange(url: &str, ca: &str, request: &str, more: &str, body: &str) -> Answer {
    let address = url.strip_prefix("https://").expect("an https address");
    let mut roots = RootCertStore::empty();
    let ca = rustls::pki_types::CertificateDer::from_pem_file(ca).expect("a certificate");
    roots.add(ca).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.expect("TLS").with_root_certificates(roots).with_no_client_auth();
    let host = address.rsplit_once(':').expect("a port").0.to_owned().try_into().expect("a host");
    let connection = ClientConnection::new(Arc::new(tls), host).expect("TLS");
    let socket = TcpStream::connect(address).expect("it listens");
    let mut stream = StreamOwned::new(connection, socket);
    let common = format!("host: {address}\r\nconnection: close\r\n");
    write!(stream, "{request} HTTP/1.1\r\n{common}{more}\r\n{body}").expect("sent");
    let mut answer = Vec::new();
    // A peer that ends without close_notify is noticed here, after the answer.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.replace("\r\n", "\n"), body: body.to_owned() }
}
