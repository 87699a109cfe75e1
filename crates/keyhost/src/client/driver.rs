//! The task that moves a client's packets.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    sync::{Arc, PoisonError},
    task::Waker,
    time::{Duration, Instant},
};

use keyreeve_memory::wipe;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc,
    time::{Sleep, sleep_until},
};

use super::{
    CallError, Way,
    connection::{Connection, Shared},
    queue::{Lane, Outlet},
};
use crate::{
    codec::{self, Body},
    deadline::{Deadline, monotonic_us},
    frame::{Description, MAX_PACKET, Request, Response},
    link::ClientLink,
    packet::PacketSocket,
};

/// How long a keyhost may take to say what it is.
const DESCRIBE_WITHIN: Duration = Duration::from_secs(60);

/// Does the work of one connection; to be spawned on its client's runtime.
pub struct Driver {
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    /// Whom to wake when the lock has gone; kept for its allocation.
    woken: Vec<Waker>,
}

/// A link, registered with the runtime.
struct Link {
    work: Outgoing,
    slow: Outgoing,
    reply: AsyncFd<PacketSocket>,
    /// The first question, until it is answered.
    describing: Option<Describing>,
    /// Set for when the first deadline passes; `None` while no call waits.
    expiry: Option<Pin<Box<Sleep>>>,
    /// While the breaker is open: closes it, once the canary has signed.
    probing: Option<Awaited<()>>,
}

/// A socket to the keyhost.
struct Outgoing {
    socket: AsyncFd<PacketSocket>,
    /// Whether the kernel's queue was full, which is when the keyhost has more to do
    /// than it can.
    full: bool,
}

type Describing = Awaited<Arc<Description>>;

type Awaited<T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send>>;

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
    Incoming(io::Result<()>),
    Outgoing,
    Room(Outlet, io::Result<()>),
    Described(Result<Arc<Description>, CallError>),
    Probed(Result<(), CallError>),
    Expiry,
}

impl Driver {
    pub(super) fn new(Connection(shared): Connection) -> Self {
        Self { shared, buffer: vec![0; MAX_PACKET + 1024], woken: Vec::new() }
    }

    /// Runs until `links` is closed: each `Some` is a keyhost that has just started,
    /// each `None` the news that there is none.
    pub async fn run(mut self, mut links: mpsc::Receiver<Option<ClientLink>>) {
        let mut link: Option<Link> = None;
        loop {
            let event = match &mut link {
                None => Event::Relink(links.recv().await),
                Some(link) => link.next_event(&self.shared, &mut links).await,
            };
            let event = match event {
                Event::Relink(None) => return,
                Event::Relink(Some(new)) => {
                    link = self.relink(new);
                    continue;
                }
                event => event,
            };
            let Some(current) = &mut link else { continue };
            if let Err(error) = self.serve(current, event) {
                tracing::warn!(keyhost = %self.shared.name, %error, "keyhost is gone");
                link = self.relink(None);
            }
        }
    }

    /// Does what an event asks for.
    fn serve(&mut self, link: &mut Link, event: Event) -> io::Result<()> {
        match event {
            Event::Relink(_) => Ok(()),
            Event::Incoming(ready) => ready.and_then(|()| self.receive(link)),
            Event::Outgoing => {
                link.set_expiry(&self.shared);
                self.send(&mut link.work, Outlet::Work)?;
                self.send(&mut link.slow, Outlet::Slow)
            }
            Event::Room(outlet, ready) => {
                let outgoing = match outlet {
                    Outlet::Work => &mut link.work,
                    Outlet::Slow => &mut link.slow,
                };
                outgoing.full = false;
                ready.and_then(|()| self.send(outgoing, outlet))
            }
            Event::Described(described) => {
                link.describing = None;
                self.describe(described);
                Ok(())
            }
            Event::Probed(signed) => {
                link.probing = None;
                match signed {
                    Ok(()) => {
                        self.shared.state().set_breaker(false);
                        tracing::info!(keyhost = %self.shared.name, "it answers again");
                    }
                    // Its end is seen elsewhere.
                    Err(error) => {
                        tracing::warn!(keyhost = %self.shared.name, %error, "it is unwell");
                    }
                }
                Ok(())
            }
            Event::Expiry => {
                let mut state = self.shared.state();
                let (woken, is_mute) = state.waiting.expire(Instant::now());
                if is_mute {
                    state.set_breaker(true);
                }
                drop(state);
                woken.into_iter().for_each(Waker::wake);
                if is_mute && link.probing.is_none() {
                    tracing::warn!(keyhost = %self.shared.name, "no answer for a second");
                    link.probing = Some(Box::pin(Connection(Arc::clone(&self.shared)).probe()));
                }
                link.expiry = None;
                link.set_expiry(&self.shared);
                Ok(())
            }
        }
    }

    fn relink(&self, new: Option<ClientLink>) -> Option<Link> {
        let registered = new.map(|new| {
            let ClientLink { work, slow, reply, shard } = new;
            let link = Link {
                work: Outgoing::register(work)?,
                slow: Outgoing::register(slow)?,
                reply: register(reply, Interest::READABLE)?,
                describing: Some(Box::pin(describe(Connection(Arc::clone(&self.shared))))),
                expiry: None,
                probing: None,
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
        let woken = self.shared.state().relink(shard);
        woken.into_iter().for_each(Waker::wake);
        link
    }

    fn describe(&self, described: Result<Arc<Description>, CallError>) {
        // Without one, the keyhost is gone or about to be.
        let Ok(described) = described else { return };
        *self.shared.description.lock().unwrap_or_else(PoisonError::into_inner) = Some(described);
    }

    /// Sends what has gathered, as far as there is room.
    fn send(&self, outgoing: &mut Outgoing, outlet: Outlet) -> io::Result<()> {
        while !outgoing.full {
            let Some(packet) = self.shared.state().queue.pop(outlet) else { return Ok(()) };
            match outgoing.send(&packet.bytes) {
                Ok(()) => self.shared.state().queue.recycle(packet),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.shared.state().queue.unpop(outlet, packet);
                    outgoing.full = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
                Err(error) => {
                    // A packet that was too long is here in part.
                    wipe(&mut self.buffer);
                    return Err(error);
                }
            }
        }
    }

    /// Gives each answer of a packet to its caller.
    fn hand_out(&mut self, len: usize) -> io::Result<()> {
        let packet = &mut self.buffer[..len];
        let mut state = self.shared.state();
        let mut broken = false;
        for body in codec::bodies(packet) {
            // The id comes first; the rest is the caller's to read.
            match body.map(postcard::take_from_bytes::<u64>) {
                Some(Ok((id, rest))) => {
                    self.woken.extend(state.waiting.answer(id, Body::copy_of(rest)));
                }
                _ => broken = true,
            }
        }
        state.waiting.learn(monotonic_us());
        drop(state);
        self.woken.drain(..).for_each(Waker::wake);
        wipe(packet);
        if broken { Err(ErrorKind::InvalidData.into()) } else { Ok(()) }
    }
}

impl Drop for Driver {
    /// Without a driver nobody is answered, and nobody's deadline passes.
    fn drop(&mut self) {
        let woken = self.shared.state().relink(None);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Link {
    async fn next_event(
        &mut self,
        shared: &Shared,
        links: &mut mpsc::Receiver<Option<ClientLink>>,
    ) -> Event {
        let described = async {
            match &mut self.describing {
                Some(describing) => describing.await,
                None => std::future::pending().await,
            }
        };
        let probed = async {
            match &mut self.probing {
                Some(probing) => probing.await,
                None => std::future::pending().await,
            }
        };
        let expired = async {
            match &mut self.expiry {
                Some(expiry) => expiry.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            new = links.recv() => Event::Relink(new),
            // Readiness is taken back where a read or a write would block.
            ready = self.reply.readable() => {
                Event::Incoming(ready.map(|mut guard| guard.retain_ready()))
            }
            () = shared.filled.notified() => Event::Outgoing,
            ready = self.work.socket.writable(), if self.work.full => {
                Event::Room(Outlet::Work, ready.map(|mut guard| guard.retain_ready()))
            }
            ready = self.slow.socket.writable(), if self.slow.full => {
                Event::Room(Outlet::Slow, ready.map(|mut guard| guard.retain_ready()))
            }
            described = described => Event::Described(described),
            signed = probed => Event::Probed(signed),
            () = expired => Event::Expiry,
        }
    }

    /// Sees to it that the driver wakes up when the first deadline passes.
    fn set_expiry(&mut self, shared: &Shared) {
        let Some(earliest) = shared.state().waiting.earliest() else { return };
        let earliest = tokio::time::Instant::from(earliest);
        match &mut self.expiry {
            None => self.expiry = Some(Box::pin(sleep_until(earliest))),
            Some(expiry) if earliest < expiry.deadline() => expiry.as_mut().reset(earliest),
            Some(_) => {}
        }
    }
}

impl Outgoing {
    fn register(socket: PacketSocket) -> io::Result<Self> {
        Ok(Self { socket: register(socket, Interest::WRITABLE)?, full: false })
    }

    fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.socket.try_io(Interest::WRITABLE, |socket| socket.send(packet))
    }
}

/// Asks a keyhost that has just started what it is.
async fn describe(connection: Connection) -> Result<Arc<Description>, CallError> {
    let deadline = Deadline::after(DESCRIBE_WITHIN);
    let way = Way { lane: Lane::Heavy, deadline, can_move: false };
    connection
        .call(way, None, Request::Describe, |_, response| match response {
            Response::Description(description) => Ok(Arc::new(*description)),
            _ => Err(CallError::Protocol),
        })
        .await
}
