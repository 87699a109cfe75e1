//! The task that moves a client's packets.

use std::{
    io::{self, ErrorKind},
    sync::{Arc, PoisonError},
    time::Duration,
};

use keyreeve_memory::wipe;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{mpsc, oneshot},
};

use super::{Client, Shared, parse, queue::Lane};
use crate::{
    codec,
    codec::Body,
    deadline::Deadline,
    frame::{Description, MAX_PACKET, Request, Response},
    link::ClientLink,
    packet::PacketSocket,
};

/// Does the work of one [`Client`]; to be spawned on the client's runtime.
pub struct Driver {
    shared: Arc<Shared>,
    buffer: Vec<u8>,
}

/// A link, registered with the runtime.
struct Link {
    work: AsyncFd<PacketSocket>,
    slow: AsyncFd<PacketSocket>,
    reply: AsyncFd<PacketSocket>,
    /// The answer to the first question, and whether it has come.
    description: Option<oneshot::Receiver<Body>>,
}

#[expect(
    deprecated,
    reason = "the replacement is unsafe for types that may change their descriptor; a PacketSocket \
              owns one and never does"
)]
fn register(socket: PacketSocket, interest: Interest) -> io::Result<AsyncFd<PacketSocket>> {
    socket.set_nonblocking(true)?;
    AsyncFd::with_interest(socket, interest)
}

/// What woke the driver.
enum Event {
    Relink(Option<Option<ClientLink>>),
    Outgoing,
    Incoming(io::Result<()>),
    Described(Option<Body>),
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, buffer: vec![0; MAX_PACKET + 1024] }
    }

    /// Runs until `links` is closed: each `Some` is a keyhost that has just started,
    /// each `None` the news that there is none.
    pub async fn run(mut self, mut links: mpsc::Receiver<Option<ClientLink>>) {
        let mut link: Option<Link> = None;
        loop {
            let event = match &mut link {
                None => Event::Relink(links.recv().await),
                Some(link) => Self::next_event(&self.shared, link, &mut links).await,
            };
            let moved = match event {
                Event::Relink(None) => return,
                Event::Relink(Some(new)) => {
                    link = self.relink(new);
                    Ok(())
                }
                Event::Outgoing => match &link {
                    Some(link) => self.send(link).await,
                    None => Ok(()),
                },
                Event::Incoming(ready) => match &link {
                    Some(link) => ready.and_then(|()| self.receive(link)),
                    None => Ok(()),
                },
                Event::Described(body) => {
                    if let Some(link) = &mut link {
                        link.description = None;
                    }
                    self.describe(body);
                    Ok(())
                }
            };
            if let Err(error) = moved {
                tracing::warn!(keyhost = %self.shared.name, %error, "keyhost is gone");
                link = None;
                self.shared.queue().relink(None);
            }
        }
    }

    async fn next_event(
        shared: &Shared,
        link: &mut Link,
        links: &mut mpsc::Receiver<Option<ClientLink>>,
    ) -> Event {
        let described = async {
            match &mut link.description {
                Some(answer) => answer.await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            new = links.recv() => Event::Relink(new),
            ready = link.reply.readable() => {
                // Readiness is taken back in `receive`, when a read would block.
                Event::Incoming(ready.map(|mut guard| guard.retain_ready()))
            }
            () = shared.filled.notified() => Event::Outgoing,
            body = described => Event::Described(body),
        }
    }

    fn relink(&self, new: Option<ClientLink>) -> Option<Link> {
        let registered = new.map(|new| {
            let ClientLink { work, slow, reply, shard } = new;
            let link = Link {
                work: register(work, Interest::WRITABLE)?,
                slow: register(slow, Interest::WRITABLE)?,
                reply: register(reply, Interest::READABLE)?,
                description: None,
            };
            io::Result::Ok((link, shard))
        });
        let (link, shard) = match registered {
            None => (None, None),
            Some(Ok((link, shard))) => (Some(link), Some(shard)),
            Some(Err(error)) => {
                tracing::error!(keyhost = %self.shared.name, %error, "keyhost cannot be reached");
                (None, None)
            }
        };
        self.shared.queue().relink(shard);
        let mut link = link?;
        let client = Client(Arc::clone(&self.shared));
        let deadline = Deadline::after(Duration::from_secs(60));
        link.description = client
            .enqueue(Lane::Heavy, None, Request::Describe, deadline)
            .ok()
            .map(|asked| asked.answer);
        Some(link)
    }

    fn describe(&self, body: Option<Body>) {
        let described = body.as_ref().and_then(|body| match parse(body) {
            Ok(Response::Description(description)) => Some(description),
            _ => None,
        });
        let Some(description) = described else { return };
        let description: Arc<Description> = Arc::new(*description);
        *self.shared.description.lock().unwrap_or_else(PoisonError::into_inner) = Some(description);
    }

    /// Sends what has gathered. Waits only when the kernel's queue is full, which is
    /// when the keyhost has more to do than it can.
    async fn send(&mut self, link: &Link) -> io::Result<()> {
        loop {
            let Some(packet) = self.shared.queue().pop_packet() else { return Ok(()) };
            let socket = if packet.slow { &link.slow } else { &link.work };
            match socket.get_ref().send(&packet.bytes) {
                Ok(()) => self.shared.queue().recycle(packet),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.shared.queue().unpop_packet(packet);
                    tokio::select! {
                        ready = socket.writable() => ready?.clear_ready(),
                        ready = link.reply.readable() => {
                            ready?.retain_ready();
                            self.receive(link)?;
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes all answers that are there.
    fn receive(&mut self, link: &Link) -> io::Result<()> {
        loop {
            let taken = link
                .reply
                .try_io(Interest::READABLE, |socket| socket.recv_waiting(&mut self.buffer));
            match taken {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => self.hand_out(len)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn hand_out(&mut self, len: usize) -> io::Result<()> {
        let packet = &mut self.buffer[..len];
        let mut queue = self.shared.queue();
        let mut broken = false;
        for body in codec::bodies(packet) {
            // The id comes first; the rest is the caller's to read.
            match body.map(postcard::take_from_bytes::<u64>) {
                Some(Ok((id, rest))) => queue.answer(id, Body::copy_of(rest)),
                _ => broken = true,
            }
        }
        drop(queue);
        wipe(packet);
        if broken { Err(ErrorKind::InvalidData.into()) } else { Ok(()) }
    }
}
