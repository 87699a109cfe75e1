//! A keyhost from its start to its end: open the backend, shut itself in, serve.
//!
//! The order matters. A module is loaded and logged in to while files can still be
//! opened; the sandbox comes before the first frame and before the second thread,
//! so that nothing the front sends is ever read without it.

use std::{fs, io, path::Path, process::ExitCode, sync::Arc};

use keyreeve_backend::{Error, KeyBackend};
use keyreeve_backend_pkcs11::{GroupConfig, Pkcs11Backend, Profile, SlotConfig, TokenSelector};
use keyreeve_backend_software::SoftwareBackend;
use keyreeve_keyhost::{
    HostEnd, Protection, RootKey,
    host::{Custody, Host, Pulse},
    sandbox::{Sandbox, Syscalls},
};
use keyreeve_memory::Holding;
use keyreeve_types::Secret;
use zeroize::Zeroizing;

use crate::{
    control::{BackendStart, ControlSocket, FromKeyhost, KeyhostStart, SlotGroup, ToKeyhost},
    log,
};

/// Longest PIN file, in bytes. PKCS#11 tokens take PINs of up to 255 characters.
const MAX_PIN_FILE: u64 = 1024;

/// Runs until the supervisor or the front is gone.
pub(super) fn run(control: ControlSocket) -> ExitCode {
    let (start, end) = match first_message(&control) {
        Ok(Some(first)) => first,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => return super::refuse(&error),
    };
    log::start(&start.log);
    // A keyhost whose thread panicked is in an unknown state; a fresh one is the cure.
    super::abort_on_panic(|| false);
    let KeyhostStart { name, backend, threads, log: _ } = start;
    if let BackendStart::Remote(remote) = &backend {
        return crate::remote::relay(control, end, &name, remote);
    }
    let service = Service { control, end, name, threads };
    match backend {
        // It was met above, and has no backend to open.
        BackendStart::Remote(_) => ExitCode::FAILURE,
        BackendStart::Software { root_key } => service.start(open_software(&root_key)),
        BackendStart::Slot { profile, token, pin_file, group } => {
            service.start(open_slot(&profile, token, &pin_file, group))
        }
    }
}

fn first_message(control: &ControlSocket) -> io::Result<Option<(KeyhostStart, HostEnd)>> {
    let Some((ToKeyhost::Start(start), fds)) = control.recv()? else { return Ok(None) };
    let end = HostEnd::from_fds(fds).ok_or_else(|| io::Error::other("no link came with Start"))?;
    Ok(Some((start, end)))
}

/// Why a backend does not open.
struct Failure {
    needs_operator: bool,
    message: String,
}

/// A backend that is open, and what it keeps of the system.
struct Opened<B> {
    backend: B,
    custody: Custody,
    sandbox: Sandbox,
    /// What protects it besides the sandbox.
    protections: Vec<Protection>,
}

fn open_software(root_key: &Path) -> Result<Opened<SoftwareBackend>, Failure> {
    // A file that is missing, exposed or damaged does not mend itself.
    let root = RootKey::load(root_key)
        .map_err(|error| Failure { needs_operator: true, message: error.to_string() })?;
    let sandbox = Sandbox { syscalls: Syscalls::OwnCode, lock_memory: true, ..Sandbox::default() };
    let keys = key_memory(root.holding());
    Ok(Opened {
        backend: SoftwareBackend::new(),
        custody: Custody::Root(root),
        sandbox,
        protections: vec![keys],
    })
}

fn open_slot(
    profile: &Path,
    token: Option<String>,
    pin_file: &Path,
    group: Option<SlotGroup>,
) -> Result<Opened<Pkcs11Backend>, Failure> {
    let profile = Profile::load(profile)
        .map_err(|error| Failure { needs_operator: true, message: error.to_string() })?;
    let pin = read_pin(pin_file).map_err(|error| Failure {
        needs_operator: true,
        message: format!("PIN file {}: {error}", pin_file.display()),
    })?;
    let reach = profile.sandbox.clone();
    let sandbox = Sandbox {
        read: reach.read.into_iter().chain(profile.module.iter().cloned()).collect(),
        write: reach.write,
        network: !reach.tcp_ports.is_empty(),
        tcp_ports: Some(reach.tcp_ports.clone()).filter(|ports| !ports.is_empty()),
        syscalls: match (reach.tcp_ports.is_empty(), reach.unix_sockets.is_empty()) {
            (false, _) => Syscalls::Network,
            (true, false) => Syscalls::ModuleWithUnixSockets,
            (true, true) => Syscalls::Module,
        },
        lock_memory: true,
    };
    let token = TokenSelector { label: token, serial: None };
    let config = SlotConfig { profile, token, pin };
    let opened = match group {
        None => Pkcs11Backend::open(config),
        Some(SlotGroup { name, keys }) => {
            let name = name.parse().map_err(|_| Failure {
                needs_operator: true,
                message: format!("`{name}` is no name of a slot group"),
            })?;
            Pkcs11Backend::open_in_group(config, &GroupConfig { name, keys })
        }
    };
    let backend = opened.map_err(|error| {
        let needs_operator = matches!(error, Error::NeedsOperator(_));
        Failure { needs_operator, message: error.to_string() }
    })?;
    Ok(Opened { backend, custody: Custody::Slot, sandbox, protections: Vec::new() })
}

/// The first line of the file. What was read besides it is wiped.
fn read_pin(path: &Path) -> io::Result<Secret<String>> {
    if fs::metadata(path)?.len() > MAX_PIN_FILE {
        return Err(io::Error::other("is too long for a PIN"));
    }
    let bytes = Zeroizing::new(fs::read(path)?);
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let pin = std::str::from_utf8(line).map_err(|_| io::Error::other("is not UTF-8"))?;
    if pin.is_empty() {
        return Err(io::Error::other("has no PIN on its first line"));
    }
    Ok(Secret::new(pin.to_owned()))
}

/// The way to the supervisor and the front.
struct Service {
    control: ControlSocket,
    end: HostEnd,
    name: String,
    threads: usize,
}

impl Service {
    fn start<B: KeyBackend>(self, opened: Result<Opened<B>, Failure>) -> ExitCode {
        match opened {
            Ok(opened) => self.serve(opened),
            Err(Failure { needs_operator, message }) => {
                let _ = self.control.send(&FromKeyhost::Failed { needs_operator, message });
                ExitCode::FAILURE
            }
        }
    }

    fn serve<B: KeyBackend>(self, opened: Opened<B>) -> ExitCode {
        let Self { control, end, name, threads } = self;
        let Opened { backend, custody, sandbox, mut protections } = opened;
        protections.extend(sandbox.apply());
        for protection in protections.iter().filter(|protection| !protection.in_force) {
            let (what, why) = (&protection.name, &protection.detail);
            tracing::warn!(keyhost = name, what, why, "a protection is not in force");
        }
        let pulse = Arc::new(Pulse::new(threads));
        let reported = Arc::clone(&pulse);
        let answering = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || answer_pings(&control, &reported));
        if let Err(error) = answering {
            tracing::error!(keyhost = name, %error, "no thread for the control socket");
            return ExitCode::FAILURE;
        }
        match (Host { backend, custody, threads, protections }).serve(end, &pulse) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(keyhost = name, %error, "the keyhost cannot go on");
                ExitCode::FAILURE
            }
        }
    }
}

/// Says that the keyhost is ready, then answers the supervisor for as long as there
/// is one.
fn answer_pings(control: &ControlSocket, pulse: &Pulse) {
    let mut answer = FromKeyhost::Ready;
    while control.send(&answer).is_ok() {
        let Ok(Some((ToKeyhost::Ping, _))) = control.recv() else { break };
        answer = FromKeyhost::Pong {
            busiest_ms: super::millis(pulse.busiest()),
            slow_ms: super::millis(pulse.slow_busy()),
        };
    }
    // Nobody is left to serve, and calls in flight have nobody to answer.
    super::end(0)
}

/// How the kernel keeps the root key.
fn key_memory(holding: Holding) -> Protection {
    let (in_force, detail) = match holding {
        Holding::SecretMemory => (true, ""),
        Holding::Locked => (false, "the kernel has none; locked and out of dumps instead"),
        Holding::Unlocked => {
            (false, "the kernel has none, and RLIMIT_MEMLOCK is too low to lock memory")
        }
    };
    Protection { name: "memfd_secret".to_owned(), in_force, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a PIN with the newline an editor adds, which a token counts
    /// as a wrong attempt, and against trying a file that is no PIN.
    #[test]
    fn the_pin_is_the_first_line_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("pin");
        for text in ["12 34", "12 34\n", "12 34\r\n", "12 34\n# made by hand\n"] {
            fs::write(&path, text).expect("written");
            assert_eq!(read_pin(&path).expect("a PIN").expose(), "12 34");
        }
        for text in [&b""[..], b"\n", b"\xff\n", &[b'1'; 2000]] {
            fs::write(&path, text).expect("written");
            assert!(read_pin(&path).is_err());
        }
    }
}
