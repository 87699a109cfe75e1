//! What the supervisor and its processes say to each other.
//!
//! Each process has one packet socket to the supervisor, which it finds as its
//! standard input. The first packet is `Start`; the sockets a process works with
//! travel beside it. The end of the socket means that the other side is gone, and a
//! process whose supervisor is gone ends.
//!
//! Messages are JSON: few, small, and readable in a trace. None carries a secret:
//! a PIN and the root key are read from their files by the process that uses them.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::PathBuf,
    time::Duration,
};

use keyreeve_backend_pkcs11::KeysIn;
use keyreeve_keyhost::packet::PacketSocket;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::timeout,
};

use crate::{
    config::{AuditConfig, ClientCaConfig, Door, IssuerConfig, Limits, LogConfig, Telemetry},
    remote::Remote,
};

/// Longest message, in bytes: a front's start with as many tokens as there can be.
const MAX_MESSAGE: usize = 384 * 1024;
/// Longest time a process may take to make room for a message. The kernel queues
/// many, so one that has none left no longer reads.
const SEND_LIMIT: Duration = Duration::from_secs(2);

/// From the supervisor to a keyhost.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToKeyhost {
    /// Open the backend. Comes with the keyhost's ends of the link.
    Start(KeyhostStart),
    /// Say whether you make progress.
    Ping,
}

/// From a keyhost to the supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromKeyhost {
    /// The backend is open, the sandbox in force.
    Ready,
    /// The backend cannot be opened.
    Failed {
        /// Whether trying again could do harm, as with a wrong PIN.
        needs_operator: bool,
        /// For the log.
        message: String,
    },
    /// How long the longest call has been running, in milliseconds.
    Pong {
        /// Of the calls that must be quick.
        busiest_ms: u64,
        /// Of those that may take long: making, importing, destroying keys.
        slow_ms: u64,
    },
}

/// From the supervisor to the front.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToFront {
    /// Serve. Comes with the listening sockets: one for each thread for gRPC, then
    /// as many for HTTPS.
    Start(Box<FrontStart>),
    /// A private listener, of which [`FrontStart::listeners`] says how many follow it.
    /// Comes with its socket: one for each thread, or one of Unix for all.
    Listener(ListenerStart),
    /// The lists of revoked client certificates are others; comes with the file.
    Revoked,
    /// A keyhost has started; comes with the front's ends of the link.
    Link {
        /// Its place in [`FrontStart::keyhosts`].
        keyhost: usize,
    },
    /// A keyhost is gone.
    Down {
        /// Its place in [`FrontStart::keyhosts`].
        keyhost: usize,
    },
    /// Say whether you make progress.
    Ping,
    /// How the processes are: the front first, then the keyhosts.
    State(Vec<ProcessState>),
    /// Accept nothing more, finish what is in flight, end.
    Drain,
}

/// From the front to the supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromFront {
    /// Connections are being accepted.
    Ready,
    /// How long ago the thread that is furthest behind made progress, in
    /// milliseconds.
    Pong { stalest_ms: u64 },
    /// The front cannot serve.
    Failed {
        /// For the operator.
        message: String,
    },
}

/// What a keyhost needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyhostStart {
    pub name: String,
    pub backend: BackendStart,
    pub threads: usize,
    pub log: LogConfig,
}

/// Which backend, and where its secret is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum BackendStart {
    /// The software keystore.
    Software { root_key: PathBuf },
    /// A PKCS#11 slot.
    Slot {
        profile: PathBuf,
        token: Option<String>,
        pin_file: PathBuf,
        /// The group it is in; `None` for a slot that shares nothing.
        #[serde(default)]
        group: Option<SlotGroup>,
    },
    /// A PKCS#11 slot elsewhere: the process is a relay.
    Remote(Remote),
}

/// The group of a slot, as its keyhost is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SlotGroup {
    pub name: String,
    pub keys: KeysIn,
}

/// A slot group, as the front is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupStart {
    pub name: String,
    /// Its keyhosts: the place of each in [`FrontStart::keyhosts`], and its slot.
    pub members: Vec<(usize, String)>,
    pub min_replicas: usize,
}

/// What the front needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FrontStart {
    pub data_dir: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub threads: usize,
    /// The software keystore first, then the slots.
    pub keyhosts: Vec<String>,
    pub groups: Vec<GroupStart>,
    /// Which group holds premium vaults.
    pub premium: Option<String>,
    /// Who may call.
    pub tokens: Vec<TokenStart>,
    pub issuers: Vec<IssuerConfig>,
    pub client_ca: Option<ClientCaConfig>,
    /// Where those outside find the HTTPS door.
    pub https_url: Option<String>,
    pub limits: Limits,
    pub audit: AuditConfig,
    pub open_metrics: bool,
    pub telemetry: Telemetry,
    pub log: LogConfig,
    pub allow_rsa1_5: bool,
    /// How many private listeners follow.
    pub listeners: usize,
}

/// A private listener.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListenerStart {
    /// What network rules call it.
    pub name: String,
    /// What it offers.
    pub door: Door,
    /// Whether it is a Unix socket.
    pub unix: bool,
}

/// A bearer token, as the front is told of it. Short, because there may be many.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TokenStart {
    /// Who has it.
    pub name: String,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// What it holds at `/`: places in `Role::built_in()`.
    pub roles: Vec<usize>,
}

/// How one process is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessState {
    /// `front`, or the keyhost's name.
    pub name: String,
    /// 0 while there is none.
    pub pid: u32,
    /// What it is doing.
    pub phase: Phase,
    /// How often it was started anew.
    pub restarts: u32,
    /// Why it is not serving, for the operator.
    pub detail: String,
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Being started for the first time.
    Starting,
    /// Serving.
    Serving,
    /// Being started anew.
    Restarting,
    /// Waiting for a person.
    NeedsOperator,
}

/// The supervisor's end.
pub(crate) struct Channel(AsyncFd<PacketSocket>);

impl Channel {
    /// A channel, and the end to give to the process as its standard input.
    pub(crate) fn new() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = PacketSocket::pair()?;
        ours.set_nonblocking(true)?;
        let theirs = theirs.as_fd().try_clone_to_owned()?;
        Ok((Self(watched(ours)?), theirs))
    }

    /// Sends one message with its descriptors. `TimedOut` if the process does not
    /// read.
    pub(crate) async fn send(
        &self,
        message: &impl Serialize,
        fds: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let packet = encode(message)?;
        let sent = self.0.async_io(Interest::WRITABLE, |socket| socket.send_with_fds(&packet, fds));
        timeout(SEND_LIMIT, sent).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Receives one message; `None` if the process has ended.
    pub(crate) async fn recv<T: DeserializeOwned>(&self) -> io::Result<Option<T>> {
        // What processes answer is short.
        let mut buffer = [0; 4096];
        let len = self.0.async_io(Interest::READABLE, |socket| socket.recv(&mut buffer)).await;
        match len {
            Ok(0) => Ok(None),
            Ok(len) => decode(&buffer[..len]).map(Some),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Lets the runtime watch a descriptor.
#[expect(
    deprecated,
    reason = "its successor is unsafe; what it demands holds: the owned descriptor never changes"
)]
pub(crate) fn watched<T: AsRawFd>(owner: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::new(owner)
}

/// A process' end. Blocks.
pub(crate) struct ControlSocket(PacketSocket);

impl ControlSocket {
    /// Takes the standard input, which nobody else in the process reads.
    pub(crate) fn from_stdin() -> io::Result<Self> {
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Self(PacketSocket::from_fd(socket)))
    }

    /// Another handle on the same end.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Sends one message.
    pub(crate) fn send(&self, message: &impl Serialize) -> io::Result<()> {
        self.0.send(&encode(message)?)
    }

    /// Receives one message with its descriptors; `None` if the supervisor is gone.
    pub(crate) fn recv<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut buffer = vec![0; MAX_MESSAGE];
        match self.0.recv_with_fds(&mut buffer) {
            Ok((0, _)) => Ok(None),
            Ok((len, fds)) => Ok(Some((decode(&buffer[..len])?, fds))),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let packet = serde_json::to_vec(message)?;
    if packet.len() > MAX_MESSAGE {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "control message too long"));
    }
    Ok(packet)
}

fn decode<T: DeserializeOwned>(packet: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(packet)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a supervisor that waits for ever for a process that does not
    /// read.
    #[tokio::test]
    async fn a_process_that_does_not_read_does_not_hold_up_the_supervisor() {
        let (channel, _control) = Channel::new().expect("a socket pair");
        let since = std::time::Instant::now();
        let error = loop {
            assert!(since.elapsed() < 5 * SEND_LIMIT, "nothing is bounded");
            if let Err(error) = channel.send(&"x".repeat(10_000), &[]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
