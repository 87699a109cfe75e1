//! A collector of OpenTelemetry's: OTLP over gRPC on a real socket, with or without TLS.
//!
//! It keeps the bytes of every message that it was sent, and understands none of them:
//! what is in them is for the test to say.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request, Response, body::Incoming, header::HeaderValue, server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// A running collector; its thread ends with the test's process.
pub struct Collector {
    address: SocketAddr,
    inside: Arc<Inside>,
}

/// A message, and the path of the method that it was sent to.
pub type Received = (String, Vec<u8>);

#[derive(Default)]
struct Inside {
    received: Mutex<Vec<Received>>,
    away: AtomicBool,
}

impl Collector {
    /// Starts one on a free port of this host.
    ///
    /// # Errors
    /// If there is no port or no thread.
    pub fn start(tls: Option<ServerConfig>) -> Result<Self> {
        let inside = Arc::new(Inside::default());
        let tls = tls.map(|mut tls| {
            tls.alpn_protocols = vec![b"h2".to_vec()];
            TlsAcceptor::from(Arc::new(tls))
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(&inside);
        thread::Builder::new().name("collector".into()).spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener)?;
                accept(listener, tls, shared).await;
                Ok::<_, std::io::Error>(())
            })
        })?;
        Ok(Self { address, inside })
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it takes nothing from now on: it answers `UNAVAILABLE`.
    pub fn set_away(&self, away: bool) {
        self.inside.away.store(away, Ordering::Relaxed);
    }

    /// What it was sent so far.
    pub fn received(&self) -> Vec<Received> {
        self.inside.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, inside: Arc<Inside>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, inside) = (tls.clone(), Arc::clone(&inside));
        tokio::spawn(async move {
            match tls {
                None => serve(stream, inside).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, inside).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, inside: Arc<Inside>) {
    let service = service_fn(move |request| {
        let inside = Arc::clone(&inside);
        async move { Ok::<_, Infallible>(take(request, &inside).await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new());
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// One unary call (gRPC over HTTP/2): a message behind five bytes, a status behind both.
async fn take(request: Request<Incoming>, inside: &Inside) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes().to_vec());
    let away = inside.away.load(Ordering::Relaxed);
    let message = body.ok().filter(|_| !away).and_then(|body| Some(body.get(5..)?.to_vec()));
    let taken = message.is_some();
    if let Some(message) = message {
        let mut received = inside.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.push((path, message));
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(if taken { "0" } else { "14" }));
    let answer = Bytes::from_static(if taken { &[0; 5] } else { &[] });
    let body = Full::new(answer).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(body.boxed_unsync());
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", grpc);
    response
}
