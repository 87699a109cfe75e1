//! Accepting connections and the TLS handshake, the same for both doors.
//!
//! An error of `accept` never ends the loop and never makes it spin: out of file
//! descriptors, it waits. The number of connections is bounded before a connection
//! is accepted, so that what is too many waits in the kernel.

use std::{future::Future, io, sync::Arc, time::Duration};

use keyreeve_authz::Listener;
use keyreeve_service::{Peer, Source};
use rustls::ServerConfig;
use tokio::{
    io::BufReader,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Guests,
    socket::{Listening, Socket, Stream},
    turn::TurnStream,
};

/// How long to wait when the system cannot give another descriptor.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How many bytes are taken from a connection at once. rustls asks for 4 KiB at a
/// time, which is a system call for each; what waits here is still encrypted.
const READ_AHEAD: usize = 32 * 1024;

/// An open connection.
pub(super) enum Connection {
    /// Past its handshake.
    Tls(Box<TlsStream<BufReader<TurnStream>>>),
    /// Of a Unix socket, which needs none.
    Local(BufReader<TurnStream>),
}

/// One listening socket and what is done before its connections are served.
pub(super) struct Door {
    /// What network rules call it.
    pub(super) name: Arc<Listener>,
    pub(super) listener: Socket,
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
        let acceptor = (!listener.is_local()).then(|| TlsAcceptor::from(tls));
        let listener = listener.listen()?;
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
            let Some(guest) = Arc::clone(&guests).welcome(peer) else {
                tracing::debug!(?peer, "too many connections from one address");
                continue;
            };
            let source = Source { peer: Some(peer), listener: Arc::clone(&name) };
            let (stream, outbox) = TurnStream::new(stream);
            connections.spawn(outbox.turns(async move {
                let _place = (place, guest);
                let stream = BufReader::with_capacity(READ_AHEAD, stream);
                let Some(acceptor) = acceptor else {
                    return serve(Connection::Local(stream), source, drain).await;
                };
                match timeout(handshake, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => serve(Connection::Tls(Box::new(stream)), source, drain).await,
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

async fn next(listener: &Listening, room: &Arc<Semaphore>) -> io::Result<(Stream, Peer, Place)> {
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
