//! Sockets that connections come by: TCP, or a Unix socket of this machine.

use std::{
    io,
    os::fd::OwnedFd,
    task::{Context, Poll},
};

use keyreeve_service::Peer;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A listening socket, not yet on a runtime.
#[derive(Debug)]
pub(crate) enum Socket {
    /// An address.
    Tcp(std::net::TcpListener),
    /// A path.
    Unix(std::os::unix::net::UnixListener),
}

/// A listening socket on a runtime.
pub(super) enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// One connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// The listening socket `fd`, which does not block.
    pub(crate) fn of(fd: OwnedFd, unix: bool) -> Self {
        if unix { Self::Unix(fd.into()) } else { Self::Tcp(fd.into()) }
    }

    /// The same socket once more, for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
        })
    }

    /// Whether its connections never leave the machine, and so go without TLS.
    pub(super) const fn is_local(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    pub(super) fn listen(self) -> io::Result<Listening> {
        Ok(match self {
            Self::Tcp(listener) => Listening::Tcp(TcpListener::from_std(listener)?),
            Self::Unix(listener) => Listening::Unix(UnixListener::from_std(listener)?),
        })
    }
}

impl Listening {
    /// The next connection, and who is at its other end, as the kernel says.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // What leaves at the end of a turn waits for nothing.
                let _ = stream.set_nodelay(true);
                // An IPv4 peer of a socket for both families is an IPv4 peer.
                let peer = Peer::Ip(peer.ip().to_canonical(), peer.port());
                Ok((Stream::Tcp(stream), peer))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let peer = Peer::Unix(stream.peer_cred()?.uid());
                Ok((Stream::Unix(stream), peer))
            }
        }
    }
}

impl Stream {
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buffer),
            Self::Unix(stream) => stream.try_read(buffer),
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(cx),
            Self::Unix(stream) => stream.poll_write_ready(cx),
        }
    }

    /// Nothing more will be sent.
    pub(super) fn end_writing(&self) -> io::Result<()> {
        let socket = match self {
            Self::Tcp(stream) => socket2::SockRef::from(stream),
            Self::Unix(stream) => socket2::SockRef::from(stream),
        };
        socket.shutdown(std::net::Shutdown::Write)
    }
}
