//! Limit a: an empty tonic service that answers with the bytes it was sent.
//!
//! It is what tonic makes of a service when nothing is tuned: its own TLS, its own
//! HTTP/2 settings, one `current_thread` runtime.

use std::{
    convert::Infallible,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    thread,
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use rcgen::CertifiedKey;
use tonic::{
    Request, Response, Status,
    body::Body,
    client::Grpc as Client,
    codegen::{BoxFuture, Context, Poll, Service, http},
    server::{Grpc as Server, NamedService, UnaryService},
    transport::{
        Certificate, Channel, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig,
        server::TcpIncoming,
    },
};
use tonic_prost::ProstCodec;

use crate::{
    callers::{CONNECTIONS, Caller},
    child::{Child, pinned},
    this_program,
};

/// The role of the child.
pub(crate) const ROLE: &str = "role:echo";

/// On the wire a `google.protobuf.BytesValue`.
type Codec = ProstCodec<Bytes, Bytes>;

const PATH: &str = "/keyreeve.bench.Echo/Echo";

/// Serves until standard input ends. Prints the address it listens on, and then its
/// certificate.
pub(crate) fn serve() -> Result<()> {
    crate::install_tls_provider()?;
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
    let identity = Identity::from_pem(cert.pem(), signing_key.serialize_pem());
    // Not a task: reading standard input would put a second thread into the runtime.
    let (end, ended) = tokio::sync::oneshot::channel();
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = end.send(());
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .context("cannot listen on the loopback")?
            .with_nodelay(Some(true));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}\n{}", incoming.local_addr()?, cert.pem())?;
        out.flush()?;
        let serving = tonic::transport::Server::builder()
            .tls_config(ServerTlsConfig::new().identity(identity))?
            .add_service(Echo)
            .serve_with_incoming(incoming);
        tokio::select! {
            served = serving => served.context("the echo service failed"),
            _ = ended => Ok(()),
        }
    })
}

/// What the certificate vouches for.
const NAME: &str = "localhost";

/// The service, as tonic-build would have written it.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "keyreeve.bench.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                PATH => Server::new(Codec::default()).unary(Method, request).await,
                _ => Status::unimplemented("the service has one method").into_http(),
            })
        })
    }
}

struct Method;

impl UnaryService<Bytes> for Method {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

/// The running service and the connections to it.
pub(crate) struct EchoServer {
    channels: Vec<Channel>,
    child: Child,
    _stdin: std::process::ChildStdin,
}

impl EchoServer {
    /// Starts it and connects.
    pub(crate) async fn start() -> Result<Self> {
        let mut command = pinned(this_program()?);
        command.arg(ROLE).stdout(Stdio::piped());
        let mut child = Child::start(command)?;
        let (stdin, stdout) = child.pipes().context("the echo service has no pipes")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut line = || lines.next().context("the echo service did not start")?.context("stdout");
        let address = line()?;
        let mut certificate = String::new();
        while !certificate.contains("END CERTIFICATE") {
            certificate += &(line()? + "\n");
        }
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(certificate))
            .domain_name(NAME);
        let endpoint = Endpoint::from_shared(format!("https://{address}"))?.tls_config(tls)?;
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(endpoint.connect().await.context("cannot connect to the echo service")?);
        }
        Ok(Self { channels, child, _stdin: stdin })
    }

    /// The process whose time counts.
    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Callers that send `size` bytes.
    pub(crate) fn callers(&self, count: usize, size: usize) -> Vec<EchoCaller> {
        let payload = Bytes::from(vec![0xa5; size]);
        let channel = |n: usize| self.channels[n % self.channels.len()].clone();
        (0..count)
            .map(|n| EchoCaller { client: Client::new(channel(n)), payload: payload.clone() })
            .collect()
    }
}

/// One caller of the echo service.
pub(crate) struct EchoCaller {
    client: Client<Channel>,
    payload: Bytes,
}

impl Caller for EchoCaller {
    async fn call(&mut self) -> Result<u64> {
        self.client.ready().await?;
        let request = Request::new(self.payload.clone());
        let path = http::uri::PathAndQuery::from_static(PATH);
        let answer = self.client.unary(request, path, Codec::default()).await?.into_inner();
        ensure!(answer == self.payload, "the echo is not what was sent");
        Ok(1)
    }
}
