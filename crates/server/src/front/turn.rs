//! What a connection writes in one turn leaves in one system call.
//!
//! HTTP/2 flushes after every larger frame, and each flush would be a system call
//! and a wake-up of the peer. A turn is one poll of the connection's task: what its
//! calls have answered since the last one is written into the [`Outbox`], below
//! TLS, and leaves when the turn ends. Nothing waits for longer than that, so a
//! connection with one call loses nothing.
//!
//! It refuses to grow without bound: a peer that does not read stops the writer.

use std::{
    cell::Cell,
    io::{self, ErrorKind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket::Stream;

/// A turn that writes more than this many bytes is more than one system call.
const LIMIT: usize = 48 * 1024;

thread_local! {
    /// The buffer of whichever connection has its turn on this thread: between
    /// turns nearly all have nothing to send, and none needs one of its own.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream whose writes gather until the end of a turn.
pub(super) struct TurnStream {
    outbox: Outbox,
}

/// What a turn has written and the socket it goes to. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outbox(Arc<Shared>);

struct Shared {
    stream: Stream,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    /// How many of them have left.
    sent: usize,
}

/// A connection's work, each poll of which is a turn.
pub(super) struct Turns<F> {
    work: Pin<Box<F>>,
    outbox: Outbox,
}

impl TurnStream {
    /// Wraps a connected stream; the outbox is for the [`Turns`].
    pub(super) fn new(stream: Stream) -> (Self, Outbox) {
        let outbox = Outbox(Arc::new(Shared { stream, written: Mutex::default() }));
        (Self { outbox: outbox.clone() }, outbox)
    }
}

impl Outbox {
    /// Runs `work`, and empties the outbox after each turn of it.
    pub(super) fn turns<F: Future<Output = ()>>(self, work: F) -> Turns<F> {
        Turns { work: Box::pin(work), outbox: self }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what was written. Pending while the peer does not read.
    fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut written = self.written();
        while written.sent < written.bytes.len() {
            match self.0.stream.try_write(&written.bytes[written.sent..]) {
                Ok(0) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Ok(count) => written.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.0.stream.poll_write_ready(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        written.put_away();
        Poll::Ready(Ok(()))
    }
}

impl Written {
    fn append(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.take();
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Everything has left.
    fn put_away(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        self.sent = 0;
        if bytes.capacity() > 0 {
            SPARE.set(bytes);
        }
    }
}

impl<F: Future<Output = ()>> Future for Turns<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let outcome = self.work.as_mut().poll(cx);
        match self.outbox.poll_send(cx) {
            // The peer is gone, or what it was to get cannot be sent.
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "a connection failed");
                Poll::Ready(())
            }
            // What is left when the work has ended was sent by its shutdown, or has
            // nobody to go to.
            _ => outcome,
        }
    }
}

impl AsyncRead for TurnStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &self.outbox.0.stream;
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for TurnStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.outbox.written().bytes.len() >= LIMIT {
            ready!(self.outbox.poll_send(cx))?;
        }
        self.outbox.written().append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.outbox.written().bytes.len() >= LIMIT {
            ready!(self.outbox.poll_send(cx))?;
        }
        let mut written = self.outbox.written();
        for slice in slices {
            written.append(slice);
        }
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Leaves it to the end of the turn.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.outbox.poll_send(cx))?;
        Poll::Ready(self.outbox.0.stream.end_writing())
    }
}
