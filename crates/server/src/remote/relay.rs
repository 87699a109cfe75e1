//! The relay: a process in the place of a keyhost that is elsewhere.
//!
//! It connects once. When the stream ends or goes silent, so does the process, and the
//! supervisor starts another: there is no state to carry over, and what was under way is
//! the front's to ask of somebody else.

use std::{
    io,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use keyreeve_keyhost::{
    HostEnd, Sockets, clock_us,
    packet::PacketSocket,
    sandbox::{Sandbox, Syscalls},
};
use tokio::{
    io::{AsyncRead, BufReader, Interest, split, unix::AsyncFd},
    sync::mpsc,
    time::{interval, timeout},
};

use super::{
    stream::{Dialed, NotDialed, Remote, Stream},
    wire::Message,
};
use crate::control::{ControlSocket, FromKeyhost, ToKeyhost, watched};

/// How often the gate is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_millis(250);
/// Longest silence.
pub(super) const SILENCE: Duration = Duration::from_millis(1500);
/// Longest time until the keyhost there serves: that of its own supervisor and a little.
const READY_LIMIT: Duration = Duration::from_secs(29);
/// Longest packet.
const PACKET: usize = 129 * 1024;

/// Why there is no keyhost to relay to.
struct Failure {
    needs_operator: bool,
    message: String,
}

/// The longest calls over there, in milliseconds.
#[derive(Default)]
struct Ages {
    busiest: AtomicU64,
    slow: AtomicU64,
}

/// Runs until the supervisor, the front or the gate is gone.
pub(crate) fn run(control: ControlSocket, end: HostEnd, name: &str, remote: &Remote) -> ExitCode {
    // What is read, looked up and connected to, before files are out of reach.
    let dialed = Dialed::new(remote);
    let sandbox = Sandbox { network: true, syscalls: Syscalls::Network, ..Sandbox::default() };
    for protection in sandbox.apply().iter().filter(|protection| !protection.in_force) {
        let (what, why) = (&protection.name, &protection.detail);
        tracing::warn!(keyhost = name, what, why, "a protection is not in force");
    }
    let outcome = dialed
        .map_err(|error| match error {
            NotDialed::Configured(message) => Failure { needs_operator: true, message },
            NotDialed::Unanswered(error) => unreachable_gate(&error),
        })
        .and_then(|dialed| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| unreachable_gate(&error))?;
            runtime.block_on(relay(&control, end, dialed))
        });
    match outcome {
        Ok(why) => {
            tracing::error!(keyhost = name, why, "the remote keyhost is gone");
            ExitCode::FAILURE
        }
        Err(Failure { needs_operator, message }) => {
            let _ = control.send(&FromKeyhost::Failed { needs_operator, message });
            ExitCode::FAILURE
        }
    }
}

/// Connects and relays; why that ended.
async fn relay(control: &ControlSocket, end: HostEnd, dialed: Dialed) -> Result<String, Failure> {
    let Sockets { work, slow, replies } = end.into_sockets();
    let mut stream = dialed.prove().await.map_err(|error| unreachable_gate(&error))?;
    let greeted = timeout(READY_LIMIT, greet(&mut stream, replies.len())).await;
    greeted.unwrap_or_else(|_| Err(unreachable_gate(&io::ErrorKind::TimedOut.into())))?;

    let ages = Arc::new(Ages::default());
    let control = control.try_clone().map_err(|error| unreachable_gate(&error))?;
    let reported = Arc::clone(&ages);
    std::thread::Builder::new()
        .name("control".to_owned())
        .spawn(move || answer_pings(&control, &reported))
        .map_err(|error| unreachable_gate(&error))?;

    let (from, mut to) = split(stream);
    let (send, mut outgoing) = mpsc::channel::<Message>(64);
    let writing = async {
        while let Some(message) = outgoing.recv().await {
            message.send(&mut to).await?;
        }
        io::Result::Ok(())
    };
    let pinging = async {
        let mut ticks = interval(PING_EVERY);
        loop {
            ticks.tick().await;
            let ping = Message::Ping { clock_us: clock_us() };
            send.send(ping).await.map_err(io::Error::other)?;
        }
    };
    let working = pass_on(work, &send, Message::Work);
    let slowly = pass_on(slow, &send, Message::Slow);
    let answering = answer(from, replies, &ages);
    let ended: io::Result<()> = tokio::select! {
        ended = writing => ended,
        ended = pinging => ended,
        ended = working => ended,
        ended = slowly => ended,
        ended = answering => ended,
    };
    Ok(match ended {
        Ok(()) => "the stream ended".to_owned(),
        Err(error) => error.to_string(),
    })
}

async fn greet(stream: &mut Stream, shards: usize) -> Result<(), Failure> {
    let failed = |error: io::Error| unreachable_gate(&error);
    let shards = u8::try_from(shards).map_err(|error| failed(io::Error::other(error)))?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let hello = Message::Hello { version, shards, clock_us: clock_us() };
    hello.send(stream).await.map_err(failed)?;
    match Message::receive(stream).await.map_err(failed)? {
        Some(Message::Ready) => Ok(()),
        Some(Message::Refused { needs_operator, why }) => {
            Err(Failure { needs_operator, message: why })
        }
        _ => Err(failed(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// Packets of the front, to the gate.
async fn pass_on(
    from: PacketSocket,
    to: &mpsc::Sender<Message>,
    message: fn(Vec<u8>) -> Message,
) -> io::Result<()> {
    let from = nonblocking(from)?;
    loop {
        let Some(packet) = next_packet(&from).await? else {
            return Err(io::Error::other("the front is gone"));
        };
        to.send(message(packet)).await.map_err(io::Error::other)?;
    }
}

/// Answers of the gate, to the front.
async fn answer(
    from: impl AsyncRead + Unpin,
    replies: Vec<PacketSocket>,
    ages: &Ages,
) -> io::Result<()> {
    let replies = replies.into_iter().map(nonblocking).collect::<io::Result<Vec<_>>>()?;
    let mut from = BufReader::with_capacity(64 * 1024, from);
    loop {
        let silent = || Err(io::Error::new(io::ErrorKind::TimedOut, "the gate went silent"));
        let next = timeout(SILENCE, Message::receive(&mut from)).await;
        match next.unwrap_or_else(|_| silent())? {
            Some(Message::Reply { shard, packet }) => {
                let Some(to) = replies.get(usize::from(shard)) else { continue };
                to.async_io(Interest::WRITABLE, |socket| socket.send(&packet)).await?;
            }
            Some(Message::Pong { busiest_ms, slow_ms }) => {
                ages.busiest.store(busiest_ms, Ordering::Relaxed);
                ages.slow.store(slow_ms, Ordering::Relaxed);
            }
            Some(_) => return Err(io::ErrorKind::InvalidData.into()),
            None => return Ok(()),
        }
    }
}

/// The next packet; `None` when the other end is closed.
pub(super) async fn next_packet(from: &AsyncFd<PacketSocket>) -> io::Result<Option<Vec<u8>>> {
    let mut packet = vec![0; PACKET];
    let len = from.async_io(Interest::READABLE, |socket| socket.recv(&mut packet)).await?;
    packet.truncate(len);
    Ok((len > 0).then_some(packet))
}

pub(super) fn nonblocking(socket: PacketSocket) -> io::Result<AsyncFd<PacketSocket>> {
    socket.set_nonblocking(true)?;
    watched(socket)
}

/// Says that the keyhost is ready, then how it is, for as long as somebody asks.
fn answer_pings(control: &ControlSocket, ages: &Ages) {
    let mut answer = FromKeyhost::Ready;
    while control.send(&answer).is_ok() {
        let Ok(Some((ToKeyhost::Ping, _))) = control.recv() else { break };
        answer = FromKeyhost::Pong {
            busiest_ms: ages.busiest.load(Ordering::Relaxed),
            slow_ms: ages.slow.load(Ordering::Relaxed),
        };
    }
    crate::process::end(0)
}

fn unreachable_gate(error: &io::Error) -> Failure {
    let message = format!("the gate of the remote keyhost cannot be reached: {error}");
    Failure { needs_operator: false, message }
}
