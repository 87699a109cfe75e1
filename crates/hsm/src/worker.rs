//! The process with the module in it: loads it, shuts itself in, does what it is
//! asked, and ends with whoever asks.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::PathBuf,
    process::ExitCode,
};

use keyreeve_backend_pkcs11::{
    Profile,
    provision::{Module, Token, Transport, TransportKey},
};
use keyreeve_keyhost::sandbox::{Sandbox, Syscalls, no_core_files, not_dumpable};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Export, Failure,
    ask::{Ask, Load},
    check, init, provision, replicate, rotate,
};

/// Serves the socket that is the standard input, until its end.
pub fn run() -> ExitCode {
    // What cannot be had is not needed badly enough to refuse.
    let _ = [not_dumpable(), no_core_files()];
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut replies = socket.try_clone()?;
    let mut asked = BufReader::new(socket);
    let Some(load) = next::<Load>(&mut asked)? else { return Ok(()) };
    let module = match open(load) {
        Ok(module) => module,
        Err(failure) => return reply::<()>(&mut replies, Err(failure)),
    };
    reply(&mut replies, Ok(()))?;
    let mut worker = Worker { module, token: None, transport: None };
    while let Some(ask) = next::<Ask>(&mut asked)? {
        worker.answer(ask, &mut replies)?;
    }
    Ok(())
}

struct Worker {
    module: Module,
    token: Option<Token>,
    /// Of a transfer to this token.
    transport: Option<Transport>,
}

impl Worker {
    fn answer(&mut self, ask: Ask, replies: &mut impl Write) -> io::Result<()> {
        match ask {
            Ask::Inventory => reply(replies, self.module.inventory().map_err(Failure::from)),
            Ask::Initialize(ask) => reply(replies, init::in_worker(&self.module, &ask)),
            Ask::LogIn { token, pin } => {
                let logged_in = pin.read("user PIN").and_then(|pin| {
                    self.token = Some(self.module.log_in(token, &pin)?);
                    Ok(())
                });
                reply(replies, logged_in)
            }
            Ask::Provision(ask) => {
                reply(replies, self.token().and_then(|token| provision::in_worker(token, &ask)))
            }
            Ask::Check(ask) => {
                reply(replies, self.token().and_then(|token| check::in_worker(token, ask)))
            }
            Ask::ChangePin(ask) => reply(replies, rotate::in_worker(&self.module, ask)),
            Ask::WrappingKey(group) => reply(replies, self.wrapping_key(&group)),
            Ask::MakeTransport => reply(replies, self.make_transport()),
            Ask::WrapOut(ask) => reply(replies, replicate::wrap_out(&self.module, &ask)),
            Ask::TakeIn(ask) => {
                let transport = self.transport.as_ref();
                let taken =
                    self.token().and_then(|token| replicate::take_in(token, transport, &ask));
                reply(replies, taken)
            }
            Ask::Prove(ask) => {
                reply(replies, self.token().and_then(|token| replicate::prove(token, ask)))
            }
            Ask::Close(group) => reply(replies, self.close(&group)),
        }
    }

    fn wrapping_key(&self, group: &str) -> Result<Option<Export>, Failure> {
        Ok(self.token()?.wrapping_key(&provision::name(group, "group")?)?)
    }

    fn make_transport(&mut self) -> Result<TransportKey, Failure> {
        let transport = self.token()?.make_transport()?;
        Ok(self.transport.insert(transport).public.clone())
    }

    fn close(&self, group: &str) -> Result<bool, Failure> {
        Ok(self.token()?.close_wrapping_key(&provision::name(group, "group")?)?)
    }

    fn token(&self) -> Result<&Token, Failure> {
        self.token
            .as_ref()
            .ok_or_else(|| Failure::new("nobody is logged in to the token", "log in first"))
    }
}

fn open(load: Load) -> Result<Module, Failure> {
    let Load { profile, pins, confined } = load;
    let profile =
        Profile::parse(&profile).map_err(|error| Failure::new(error.to_string(), "mend it"))?;
    let reach = profile.sandbox.clone();
    let module = Module::load(profile)?;
    let root = PathBuf::from("/");
    let mut write = vec![PathBuf::from("/dev/tty")];
    if confined {
        write.extend(reach.write);
        write.extend(pins.iter().filter_map(|path| path.parent()).map(Into::into));
    } else {
        write.push(root.clone());
    }
    let network = !confined || !reach.tcp_ports.is_empty();
    let sandbox = Sandbox {
        read: vec![root],
        write,
        network,
        tcp_ports: Some(reach.tcp_ports).filter(|ports| !ports.is_empty()),
        syscalls: match (network, reach.unix_sockets.is_empty()) {
            (true, _) => Syscalls::Network,
            (false, false) => Syscalls::ModuleWithUnixSockets,
            (false, true) => Syscalls::Module,
        },
        lock_memory: true,
    };
    // An operator's own process: what the kernel lacks is no reason to refuse.
    let _ = sandbox.apply();
    Ok(module)
}

fn next<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    match from.read_until(b'\n', &mut line)? {
        0 => Ok(None),
        _ => serde_json::from_slice(&line).map(Some).map_err(io::Error::other),
    }
}

fn reply<T: Serialize>(to: &mut impl Write, answer: Result<T, Failure>) -> io::Result<()> {
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    to.write_all(&line)
}
