//! The gate: what `keyreeve keyhost serve` is, beside an HSM.
//!
//! For each stream of a relay it starts a keyhost, passes packets on between the two,
//! asks the keyhost for signs of life, and ends it with the stream. It is the supervisor
//! of these keyhosts, and as little else as that: it never reads a PIN.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use keyreeve_keyhost::{FrontEnd, Sockets, clock_us, link, packet::PacketSocket, retimed};
use tokio::{
    io::{AsyncRead, BufReader, Interest, split},
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::{
    relay::{SILENCE, next_packet, nonblocking},
    stream::{Incoming, Listener, Stream},
    wire::Message,
};
use crate::{
    config::CheckedKeyhost,
    control::{Channel, FromKeyhost},
    log,
    supervisor::{Child, StartMessage, watch_over},
};

/// Streams at a time, and so keyhosts.
const STREAMS: usize = 16;
/// Longest time to the first message of a stream.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// Longest time from the start of a keyhost until it serves.
const START_LIMIT: Duration = Duration::from_secs(25);
/// How long a keyhost may take to end when asked.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// Threads of a front, at most.
const MAX_SHARDS: u8 = 64;

/// What all streams share.
struct Gate {
    config: CheckedKeyhost,
    /// Keyhosts log in one after the other.
    starting: tokio::sync::Mutex<()>,
    /// Why an operator is needed: a PIN that was refused is not tried again by itself.
    refused: Mutex<Option<String>>,
}

/// Serves until SIGTERM or SIGINT. SIGHUP says that an operator has mended what a keyhost
/// was refused for.
///
/// # Errors
///
/// If nothing can be listened on.
pub fn serve(config: CheckedKeyhost) -> Result<(), GateError> {
    log::start(&config.log);
    crate::supervisor::harden();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Keyhosts are started from this very thread: their death signal is tied to it.
    runtime.block_on(accept(config))
}

async fn accept(config: CheckedKeyhost) -> Result<(), GateError> {
    let listener = listener(&config).await?;
    tracing::info!(slot = config.start.name, address = listener.address(), "the gate is open");
    let gate = Gate { config, starting: tokio::sync::Mutex::default(), refused: Mutex::default() };
    let gate = Arc::new(gate);
    let room = Arc::new(Semaphore::new(STREAMS));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let incoming = tokio::select! {
            incoming = listener.accept() => incoming,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => {
                *gate.refused() = None;
                continue;
            }
        };
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(from = incoming.from(), "there is no room for another connection");
            continue;
        };
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            gate.admit(incoming).await;
            drop(place);
        });
    }
}

async fn listener(config: &CheckedKeyhost) -> Result<Listener, GateError> {
    let failed = |error: String| GateError(format!("cannot listen: {error}"));
    match &config.tls {
        None => {
            let path = config.unix.as_ref().ok_or_else(|| failed("nowhere".to_owned()))?;
            Listener::unix(path).map_err(|error| failed(error.to_string()))
        }
        Some(tls) => Listener::tls(&tls.listen, &tls.certificate, &tls.key, &tls.client_ca)
            .await
            .map_err(failed),
    }
}

impl Gate {
    fn refused(&self) -> MutexGuard<'_, Option<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn admit(&self, incoming: Incoming) {
        let from = incoming.from().to_owned();
        match incoming.prove().await {
            Ok(stream) => {
                tracing::info!(from, "a relay is here");
                let why = self.attend(stream).await;
                tracing::warn!(from, why, "the relay's keyhost has ended");
            }
            Err(error) => tracing::warn!(from, %error, "somebody did not prove who they are"),
        }
    }

    /// Serves one relay; why that ended.
    async fn attend(&self, mut stream: Stream) -> String {
        let hello = timeout(HELLO_LIMIT, Message::receive(&mut stream)).await;
        let Ok(Ok(Some(Message::Hello { version, shards, clock_us: theirs }))) = hello else {
            return "it did not say who it is".to_owned();
        };
        let offset = offset(theirs);
        let started = if version != env!("CARGO_PKG_VERSION") {
            Err((true, format!("this gate is of version {}", env!("CARGO_PKG_VERSION"))))
        } else if !(1..=MAX_SHARDS).contains(&shards) {
            Err((true, format!("it speaks for {shards} threads")))
        } else {
            self.start(shards).await
        };
        let (mut child, channel, end) = match started {
            Ok(started) => started,
            Err((needs_operator, why)) => {
                let refusal = Message::Refused { needs_operator, why: why.clone() };
                let _ = refusal.send(&mut stream).await;
                return why;
            }
        };
        if let Err(error) = Message::Ready.send(&mut stream).await {
            return error.to_string();
        }
        let why = tokio::select! {
            ended = self.pass_on(stream, end, offset, &channel) => ended,
            _ = child.ended() => "the keyhost ended".to_owned(),
        };
        // The end of its control socket tells it to go.
        drop(channel);
        if timeout(STOP_LIMIT, child.ended()).await.is_err() {
            let _ = child.kill().await;
        }
        why
    }

    /// Starts a keyhost, in its turn.
    async fn start(&self, shards: u8) -> Result<(Child, Channel, FrontEnd), (bool, String)> {
        let _turn = self.starting.lock().await;
        if let Some(why) = self.refused().clone() {
            return Err((true, why));
        }
        let spawned = async {
            let (front_end, host_end) = link(usize::from(shards))?;
            let (channel, control) = Channel::new()?;
            let start = &self.config.start;
            let environment = &self.config.environment;
            let child = Child::start(&["keyhost", &start.name], environment, control)?;
            channel.send(&StartMessage::Start(start), &host_end.fds()).await?;
            io::Result::Ok((child, channel, front_end))
        };
        let (mut child, channel, front_end) =
            spawned.await.map_err(|error| (false, format!("cannot be started: {error}")))?;
        match timeout(START_LIMIT, channel.recv()).await {
            Ok(Ok(Some(FromKeyhost::Ready))) => return Ok((child, channel, front_end)),
            Ok(Ok(Some(FromKeyhost::Failed { needs_operator, message }))) => {
                if needs_operator {
                    *self.refused() = Some(message.clone());
                }
                return Err((needs_operator, message));
            }
            _ => {}
        }
        let _ = child.kill().await;
        Err((false, "the keyhost did not become ready".to_owned()))
    }

    /// Passes packets on, both ways, until something ends; what it was.
    async fn pass_on(
        &self,
        stream: Stream,
        end: FrontEnd,
        offset: i64,
        channel: &Channel,
    ) -> String {
        let Sockets { work, slow, replies } = end.into_sockets();
        let (from, mut to) = split(stream);
        let (send, mut outgoing) = mpsc::channel::<Message>(64);
        let writing = async {
            while let Some(message) = outgoing.recv().await {
                message.send(&mut to).await?;
            }
            io::Result::Ok(())
        };
        let ages = Mutex::new((0, 0));
        let watching = async {
            let watched = watch_over(channel, self.config.call_limit, |busiest_ms, slow_ms| {
                *ages.lock().unwrap_or_else(PoisonError::into_inner) = (busiest_ms, slow_ms);
            });
            let why = watched.await.unwrap_or_else(|| "the keyhost ended".to_owned());
            io::Result::<()>::Err(io::Error::other(why))
        };
        let answering = async {
            let all = replies.into_iter().enumerate().map(|(shard, from)| {
                let send = send.clone();
                let shard = u8::try_from(shard).unwrap_or(u8::MAX);
                pass_answers(shard, from, send)
            });
            first_end(all.collect()).await
        };
        let asking = ask(from, work, slow, offset, &send, &ages);
        let ended: io::Result<()> = tokio::select! {
            ended = writing => ended,
            ended = watching => ended,
            ended = answering => ended,
            ended = asking => ended,
        };
        ended.map_or_else(|error| error.to_string(), |()| "the stream ended".to_owned())
    }
}

/// Packets of the relay, to the keyhost, and answers to its pings.
async fn ask(
    from: impl AsyncRead + Unpin,
    work: PacketSocket,
    slow: PacketSocket,
    mut clocks: i64,
    send: &mpsc::Sender<Message>,
    ages: &Mutex<(u64, u64)>,
) -> io::Result<()> {
    let (work, slow) = (nonblocking(work)?, nonblocking(slow)?);
    let mut from = BufReader::with_capacity(64 * 1024, from);
    loop {
        let silent = || Err(io::Error::new(io::ErrorKind::TimedOut, "the relay went silent"));
        let next = timeout(SILENCE, Message::receive(&mut from)).await;
        let (to, packet) = match next.unwrap_or_else(|_| silent())? {
            Some(Message::Work(packet)) => (&work, packet),
            Some(Message::Slow(packet)) => (&slow, packet),
            Some(Message::Ping { clock_us: theirs }) => {
                clocks = offset(theirs);
                let (busiest_ms, slow_ms) = *ages.lock().unwrap_or_else(PoisonError::into_inner);
                let pong = Message::Pong { busiest_ms, slow_ms };
                send.send(pong).await.map_err(io::Error::other)?;
                continue;
            }
            Some(_) => return Err(io::ErrorKind::InvalidData.into()),
            None => return Ok(()),
        };
        let packet = retimed(&packet, clocks)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no packet of frames"))?;
        to.async_io(Interest::WRITABLE, |socket| socket.send(&packet)).await?;
    }
}

async fn pass_answers(shard: u8, from: PacketSocket, to: mpsc::Sender<Message>) -> io::Result<()> {
    let from = nonblocking(from)?;
    while let Some(packet) = next_packet(&from).await? {
        to.send(Message::Reply { shard, packet }).await.map_err(io::Error::other)?;
    }
    Err(io::Error::other("the keyhost is gone"))
}

/// The outcome of the first to end.
async fn first_end<F: Future<Output = io::Result<()>> + Send + 'static>(
    all: Vec<F>,
) -> io::Result<()> {
    let mut running = tokio::task::JoinSet::new();
    for one in all {
        running.spawn(one);
    }
    match running.join_next().await {
        Some(Ok(ended)) => ended,
        _ => Err(io::Error::other("a task ended out of order")),
    }
}

/// What to add to a time of theirs to have it by our clock: too much by the time that
/// their message took.
fn offset(theirs_us: u64) -> i64 {
    i64::try_from(i128::from(clock_us()) - i128::from(theirs_us)).unwrap_or_default()
}

/// Why the gate is closed.
#[derive(Debug)]
pub struct GateError(String);

impl From<io::Error> for GateError {
    fn from(error: io::Error) -> Self {
        Self(format!("the system refused: {error}"))
    }
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GateError {}
