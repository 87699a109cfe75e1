//! The supervisor: what `keyreeve serve` is.
//!
//! It binds the listening sockets, joins the front and the keyhosts by sockets,
//! starts them, watches them, and starts anew what died or hangs. It reads neither
//! a PIN nor the root key, parses nothing that comes from the network, and runs on
//! one thread.
//!
//! ```text
//! start ── front ─ Ready ──────────────┬── died: all keyhosts end with it,
//!      └── keyhost ─ Ready ─┐          │   everything is started anew
//!               ▲           ├─ link ───┘
//!               └─ backoff ─┴─ died, or no answer: this one alone
//! ```
//!
//! A front gets new keyhosts because a link belongs to one pair: answers meant for
//! a dead front must never reach the next.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    path::PathBuf,
};

use keyreeve_keyhost::sandbox;
use keyreeve_types::Name;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
};

mod backoff;
mod child;
mod front;
mod keyhost;
mod lock;
mod pulse;
mod revoked;

pub use crate::control::{Phase, ProcessState};
use crate::{
    config::{Checked, Door, Place, PrivateListener},
    listen, log,
};
use backoff::Backoff;
pub(crate) use child::Child;
pub(crate) use keyhost::{StartMessage, watch_over};
pub use lock::Lock;

/// A service that has just become able to serve.
#[derive(Debug, Clone)]
pub struct Running {
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    /// Where HTTPS listens.
    pub https: SocketAddr,
    /// The front first, then the keyhosts.
    pub processes: Vec<ProcessState>,
}

/// Runs the service until SIGTERM or SIGINT, then ends it in order.
///
/// `lock` is that of the data directory; it is let go of last.
///
/// `on_ready` is called each time a front serves and every keyhost has started or
/// failed to: once after the start and once after each new front. It must not block.
pub fn run(
    config: &Checked,
    lock: Lock,
    on_ready: &mut dyn FnMut(&Running),
) -> Result<(), SupervisorError> {
    let _lock = lock;
    log::start(&config.log);
    harden();
    let sockets = Sockets::bind(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Processes are started from this very thread, which lives as long as the
    // supervisor: their death signal is tied to it.
    runtime.block_on(supervise(config, sockets, on_ready))
}

/// Asks the service that runs in this process to end, as SIGTERM does.
pub fn request_stop() {
    use rustix::process::{Signal, getpid, kill_process};
    // A process may always signal itself.
    let _ = kill_process(getpid(), Signal::TERM);
}

/// What the parts of the supervisor tell each other.
#[derive(Clone)]
struct Board {
    processes: watch::Sender<Vec<ProcessState>>,
    /// Becomes true when the service is to end.
    stop: watch::Receiver<bool>,
    /// Changes when an operator says that a cause was mended (SIGHUP).
    mended: watch::Receiver<u32>,
}

impl Board {
    fn update(&self, index: usize, change: impl FnOnce(&mut ProcessState)) {
        self.processes.send_modify(|processes| {
            if let Some(process) = processes.get_mut(index) {
                change(process);
            }
        });
    }
}

/// Besides its threads for connections the front has one that speaks with keyhosts: the
/// audit log's.
const AUDIT: usize = 1;

/// The listening sockets, as many of each kind as the front has threads.
struct Sockets {
    grpc: SocketAddr,
    https: SocketAddr,
    /// Emptied when the service ends, so that nobody new waits.
    listeners: Vec<TcpListener>,
    private: Vec<Private>,
}

/// The sockets of a private listener.
struct Private {
    name: Name,
    /// Where it is, for the log.
    address: String,
    door: Door,
    /// One for each thread of the front, or one of Unix for all of them.
    sockets: Vec<OwnedFd>,
    /// What is to be removed when the service ends.
    path: Option<PathBuf>,
}

impl Sockets {
    fn bind(config: &Checked) -> Result<Self, SupervisorError> {
        let bind =
            |field, address| {
                listen::bind(address, config.front_threads)
                    .map_err(|error| SupervisorError::Listen { field, address, error })
            };
        let (grpc, mut listeners) = bind("grpc.listen", config.grpc)?;
        let (https, more) = bind("https.listen", config.https)?;
        listeners.extend(more);
        let private = config.listeners.iter().map(|listener| Private::bind(config, listener));
        let private = private.collect::<Result<_, _>>()?;
        Ok(Self { grpc, https, listeners, private })
    }

    /// Nobody new comes in.
    fn close(&mut self) {
        self.listeners.clear();
        self.private.clear();
    }
}

impl Private {
    fn bind(config: &Checked, listener: &PrivateListener) -> Result<Self, SupervisorError> {
        let PrivateListener { name, at, door } = listener.clone();
        let failed =
            |address, error| SupervisorError::Private { name: name.to_string(), address, error };
        let (address, sockets, path) = match at {
            Place::Tcp(address) => {
                let bound = listen::bind(address, config.front_threads);
                let (at, sockets) = bound.map_err(|error| failed(address.to_string(), error))?;
                (at.to_string(), sockets.into_iter().map(OwnedFd::from).collect(), None)
            }
            Place::Unix(path) => {
                let address = format!("unix:{}", path.display());
                let bound = listen::bind_unix(&path);
                let socket = bound.map_err(|error| failed(address.clone(), error))?;
                (address, vec![socket.into()], Some(path))
            }
        };
        Ok(Self { name, address, door, sockets, path })
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // One that is left is replaced by the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

async fn supervise(
    config: &Checked,
    mut sockets: Sockets,
    on_ready: &mut dyn FnMut(&Running),
) -> Result<(), SupervisorError> {
    let (_mend, mended) = watch_signals_for_mending()?;
    let (_stop, stop) = watch_signals_for_stopping()?;
    let processes = watch::Sender::new(first_states(config));
    let board = Board { processes, stop, mended };
    let mut backoff = Backoff::default();

    loop {
        // 1. Everything is started; keyhosts hand their links to the front.
        let (to_front, from_keyhosts) = mpsc::channel(64);
        let (end_keyhosts, ended) = watch::channel(false);
        let mut keyhosts = JoinSet::new();
        for (index, plan) in keyhost::starts(config).into_iter().enumerate() {
            let keyhost = keyhost::Keyhost::new(index, plan, config.front_threads + AUDIT);
            keyhosts.spawn(keyhost.keep(board.clone(), to_front.clone(), ended.clone()));
        }

        // 2. The front runs until it dies or is told to end.
        let outcome = front::run(config, &mut sockets, &board, from_keyhosts, &mut *on_ready).await;

        // 3. No keyhost outlives its front.
        end_keyhosts.send_replace(true);
        while keyhosts.join_next().await.is_some() {}
        match outcome {
            front::Outcome::Stopped => return Ok(()),
            front::Outcome::Refused(message) => return Err(SupervisorError::Front(message)),
            front::Outcome::Died { why, served } => {
                tracing::error!(why, "the front died and is started anew");
                board.processes.send_modify(|processes| {
                    // A PIN that was refused is not tried again for this.
                    let waits = |process: &&mut ProcessState| process.phase != Phase::NeedsOperator;
                    for process in processes.iter_mut().filter(waits) {
                        process.phase = Phase::Restarting;
                        process.pid = 0;
                        process.restarts += 1;
                    }
                });
                let mut stop = board.stop.clone();
                tokio::select! {
                    () = backoff.wait(served) => {}
                    () = is_true(&mut stop) => return Ok(()),
                }
            }
        }
    }
}

/// Waits until the signal is given, or can no longer be.
async fn is_true(signal: &mut watch::Receiver<bool>) {
    let _ = signal.wait_for(|given| *given).await;
}

fn first_states(config: &Checked) -> Vec<ProcessState> {
    let names = ["front".to_owned(), keyhost::SOFTWARE.to_owned()].into_iter();
    let slots = config.slot_keyhosts().map(|keyhost| keyhost.name);
    names
        .chain(slots)
        .map(|name| ProcessState {
            name,
            pid: 0,
            phase: Phase::Starting,
            restarts: 0,
            detail: String::new(),
        })
        .collect()
}

type Signalled<T> = io::Result<(tokio::task::JoinHandle<()>, watch::Receiver<T>)>;

fn watch_signals_for_stopping() -> Signalled<bool> {
    let (tell, told) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let task = tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("ending: no new connections, calls in flight may finish");
        tell.send_replace(true);
        // Held so that receivers keep seeing the value.
        tell.closed().await;
    });
    Ok((task, told))
}

fn watch_signals_for_mending() -> Signalled<u32> {
    let (tell, told) = watch::channel(0);
    let mut hangup = signal(SignalKind::hangup())?;
    let task = tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tell.send_modify(|count| *count += 1);
        }
    });
    Ok((task, told))
}

/// The supervisor holds no key, but it could be asked for its children's
/// descriptors.
pub(crate) fn harden() {
    for protection in [sandbox::not_dumpable(), sandbox::no_core_files()] {
        if !protection.in_force {
            let (what, why) = (protection.name, protection.detail);
            tracing::warn!(what, why, "a protection of the supervisor is not in force");
        }
    }
}

/// Why the service ended, or did not begin.
#[derive(Debug)]
pub enum SupervisorError {
    /// Another service works on the data directory.
    InUse(PathBuf),
    /// An address cannot be bound.
    Listen {
        /// The field of the configuration.
        field: &'static str,
        /// What it says.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// A private listener cannot be bound.
    Private {
        /// Its name.
        name: String,
        /// Where it is to listen.
        address: String,
        /// Why not.
        error: io::Error,
    },
    /// The front refused to serve; the text is its own.
    Front(String),
    /// The system refused something the supervisor needs.
    System(io::Error),
}

impl From<io::Error> for SupervisorError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl fmt::Display for SupervisorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(
                f,
                "another service is running on {}; end it first, or use another directory",
                path.display()
            ),
            Self::Listen { field, address, error } => {
                write!(f, "{field}: cannot listen on {address}: {error}; ")?;
                match error.kind() {
                    io::ErrorKind::AddrInUse => f.write_str(
                        "end what uses the port, or choose another; port 0 takes a free one",
                    ),
                    io::ErrorKind::AddrNotAvailable => {
                        f.write_str("use an address of this machine, or 0.0.0.0 or [::] for all")
                    }
                    io::ErrorKind::PermissionDenied => {
                        f.write_str("ports below 1024 need CAP_NET_BIND_SERVICE")
                    }
                    _ => f.write_str("choose another address"),
                }
            }
            Self::Private { name, address, error } => write!(
                f,
                "listener `{name}`: cannot listen on {address}: {error}; end what uses it, remove \
                 what is in its place, or choose another"
            ),
            Self::Front(message) => write!(f, "the front cannot serve: {message}"),
            Self::System(error) => write!(f, "the system refused: {error}"),
        }
    }
}

impl std::error::Error for SupervisorError {}
