//! The stream between relay and gate, and how both sides prove who they are.

use std::{
    io,
    net::{TcpStream as StdTcpStream, ToSocketAddrs},
    os::unix::net::UnixStream as StdUnixStream,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use rustls_pki_types::ServerName;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::tls;

/// Longest time to connect, or to shake hands.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Where the gate of a slot is, and how to prove oneself to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub enum Remote {
    /// On this machine, as the same user.
    Unix {
        /// Its socket.
        unix: PathBuf,
    },
    /// On another one, over TLS 1.3 with certificates on both sides.
    Tls(RemoteTls),
}

/// A gate over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteTls {
    /// IP address or name, and port, as `hsm-b.example:7445`.
    pub address: String,
    /// What its certificate is for. Default: the host of `address`.
    pub server_name: Option<String>,
    /// PEM file with the authority of both certificates, and of nothing else.
    pub ca: PathBuf,
    /// PEM file with the certificate of this side.
    pub certificate: PathBuf,
    /// PEM file with its key, not accessible to group or others.
    pub key: PathBuf,
}

/// A connection to a gate, made while files and names can be looked up.
pub(super) enum Dialed {
    Unix(StdUnixStream),
    Tls { socket: StdTcpStream, name: ServerName<'static>, connector: TlsConnector },
}

/// Why there is none.
pub(super) enum NotDialed {
    /// What is configured cannot be used.
    Configured(String),
    /// Nobody answers there now.
    Unanswered(io::Error),
}

impl From<io::Error> for NotDialed {
    fn from(error: io::Error) -> Self {
        Self::Unanswered(error)
    }
}

/// What a gate listens on.
pub(super) enum Listener {
    Unix(UnixListener),
    Tls { listener: TcpListener, acceptor: TlsAcceptor },
}

/// A stream whose other side has proven itself.
pub(super) struct Stream(Box<dyn Duplex>);

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Dialed {
    /// Connects. Blocks.
    pub(super) fn new(remote: &Remote) -> Result<Self, NotDialed> {
        let RemoteTls { address, server_name, ca, certificate, key } = match remote {
            Remote::Unix { unix } => {
                let socket = StdUnixStream::connect(unix)?;
                socket.set_nonblocking(true)?;
                return Ok(Self::Unix(socket));
            }
            Remote::Tls(remote) => remote,
        };
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = server_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name.clone()).map_err(|_| {
            NotDialed::Configured(format!("`{name}` is neither a name nor an IP address"))
        })?;
        let config = tls::mutual_client(ca, certificate, key).map_err(NotDialed::Configured)?;
        let mut failed = io::Error::other("its name is not known");
        for address in address.to_socket_addrs()? {
            match StdTcpStream::connect_timeout(&address, CONNECT_LIMIT) {
                Ok(socket) => {
                    socket.set_nodelay(true)?;
                    socket.set_nonblocking(true)?;
                    return Ok(Self::Tls { socket, name, connector: TlsConnector::from(config) });
                }
                Err(error) => failed = error,
            }
        }
        Err(failed.into())
    }

    /// Has both sides prove who they are.
    pub(super) async fn prove(self) -> io::Result<Stream> {
        match self {
            Self::Unix(socket) => same_user(UnixStream::from_std(socket)?),
            Self::Tls { socket, name, connector } => {
                let shaken = connector.connect(name, TcpStream::from_std(socket)?);
                let stream =
                    timeout(CONNECT_LIMIT, shaken).await.unwrap_or_else(|_| Err(slow()))?;
                Ok(Stream(Box::new(stream)))
            }
        }
    }
}

impl Listener {
    /// Over a Unix socket at `path`, in the place of one that nobody listens on.
    pub(super) fn unix(path: &Path) -> io::Result<Self> {
        if StdUnixStream::connect(path).is_err() {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        UnixListener::bind(path).map(Self::Unix)
    }

    /// Over TLS.
    pub(super) async fn tls(
        address: &str,
        certificate: &Path,
        key: &Path,
        ca: &Path,
    ) -> Result<Self, String> {
        let config = tls::mutual_server(ca, certificate, key)?;
        let listener = TcpListener::bind(address).await.map_err(|error| error.to_string())?;
        Ok(Self::Tls { listener, acceptor: TlsAcceptor::from(config) })
    }

    /// Where it listens, for the log.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Unix(listener) => listener.local_addr().map_or_else(
                |error| error.to_string(),
                |address| format!("{:?}", address.as_pathname().unwrap_or(Path::new("?"))),
            ),
            Self::Tls { listener, .. } => listener
                .local_addr()
                .map_or_else(|error| error.to_string(), |address| address.to_string()),
        }
    }

    /// Takes the next connection; the handshake is for [`Incoming::prove`].
    pub(super) async fn accept(&self) -> io::Result<Incoming> {
        Ok(match self {
            Self::Unix(listener) => Incoming::Unix(listener.accept().await?.0),
            Self::Tls { listener, acceptor } => {
                let (socket, from) = listener.accept().await?;
                socket.set_nodelay(true)?;
                Incoming::Tls { socket, from: from.to_string(), acceptor: acceptor.clone() }
            }
        })
    }
}

/// A connection from somebody.
pub(super) enum Incoming {
    Unix(UnixStream),
    Tls { socket: TcpStream, from: String, acceptor: TlsAcceptor },
}

impl Incoming {
    pub(super) fn from(&self) -> &str {
        match self {
            Self::Unix(_) => "this machine",
            Self::Tls { from, .. } => from,
        }
    }

    /// Has the other side prove who it is.
    pub(super) async fn prove(self) -> io::Result<Stream> {
        match self {
            Self::Unix(stream) => same_user(stream),
            Self::Tls { socket, acceptor, .. } => {
                let shaken = timeout(CONNECT_LIMIT, acceptor.accept(socket)).await;
                let stream = shaken.unwrap_or_else(|_| Err(slow()))?;
                Ok(Stream(Box::new(stream)))
            }
        }
    }
}

fn same_user(stream: UnixStream) -> io::Result<Stream> {
    let ours = rustix::process::geteuid().as_raw();
    if stream.peer_cred()?.uid() == ours {
        Ok(Stream(Box::new(stream)))
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "the other side is another user"))
    }
}

fn slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it takes too long")
}

/// What TLS carries, so that nothing else is taken for it (RFC 7301).
pub(crate) const PROTOCOL: &[u8] = b"keyreeve-keyhost/1";

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
