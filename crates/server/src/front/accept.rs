//! Accepting connections and the TLS handshake, the same for both doors.
//!
//! An error of `accept` never ends the loop and never makes it spin: out of file
//! descriptors, it waits. The number of connections is bounded before a connection
//! is accepted, so that what is too many waits in the kernel.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use keyreeve_authz::Listener;
use keyreeve_service::{Peer, Source};
use rustls::ServerConfig;
use tokio::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Guests, turn::TurnStream};

/// How long to wait when the system cannot give another descriptor.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How many bytes are taken from a connection at once. rustls asks for 4 KiB at a
/// time, which is a system call for each; what waits here is still encrypted.
const READ_AHEAD: usize = 32 * 1024;

/// An open connection, past its handshake.
pub(super) type Connection = TlsStream<BufReader<TurnStream>>;

/// One listening socket and what is done before its connections are served.
pub(super) struct Door {
    /// What network rules call it.
    pub(super) name: Arc<Listener>,
    pub(super) listener: std::net::TcpListener,
    pub(super) tls: Arc<ServerConfig>,
    pub(super) handshake: Duration,
    /// Connections that may be open, for all doors and threads together.
    pub(super) room: Arc<Semaphore>,
    /// How many of them come from where.
    pub(super) guests: Arc<Guests>,
    /// Becomes true when nothing more is to be accepted.
    pub(super) drain: watch::Receiver<bool>,
}

impl Door {
    /// Serves each connection with `serve` until told to drain, and then until the
    /// last has ended. `serve` watches the same signal.
    pub(super) async fn open<S, F>(self, serve: S) -> io::Result<()>
    where
        S: Fn(Connection, Source, watch::Receiver<bool>) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { name, listener, tls, handshake, room, guests, drain } = self;
        let listener = TcpListener::from_std(listener)?;
        let acceptor = TlsAcceptor::from(tls);
        let mut connections = JoinSet::new();
        let mut ending = drain.clone();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = ending.wait_for(|drain| *drain) => break,
                Some(_) = connections.join_next() => continue,
                accepted = next(&listener, &room) => accepted,
            };
            let (stream, peer, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            };
            let (acceptor, serve, drain) = (acceptor.clone(), serve.clone(), drain.clone());
            // An IPv4 peer of a socket for both families is an IPv4 peer.
            let (address, port) = (peer.ip().to_canonical(), peer.port());
            let Some(guest) = Arc::clone(&guests).welcome(address) else {
                tracing::debug!(%address, "too many connections from one address");
                continue;
            };
            let peer = Some(Peer::Ip(address, port));
            let source = Source { peer, listener: Arc::clone(&name) };
            // What leaves at the end of a turn waits for nothing.
            let _ = stream.set_nodelay(true);
            let (stream, outbox) = TurnStream::new(stream);
            connections.spawn(outbox.turns(async move {
                let _place = (place, guest);
                let stream = BufReader::with_capacity(READ_AHEAD, stream);
                match timeout(handshake, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => serve(stream, source, drain).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }));
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
        Ok(())
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// A connection that was gone before it was accepted is nothing; anything else is
/// a shortage, and trying again at once would burn a core.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::warn!(%error, "no connection can be accepted now");
    sleep(EXHAUSTED).await;
}
