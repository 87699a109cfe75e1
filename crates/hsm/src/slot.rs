//! A worker, from the side of who asks: a process for one module, killed when it
//! does not answer in time, which is the only way to end a PKCS#11 call.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use keyreeve_backend_pkcs11::{Profile, TokenSelector};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Failure, Inventory, Pin, TokenEntry,
    ask::{Ask, Load},
    pin::absolute,
};

/// Longest time of one act: making an RSA key in a slow token takes a minute.
pub(crate) const ACT: Duration = Duration::from_secs(120);

/// How to load a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// By a profile, as in `hsm-config/`.
    Profile(PathBuf),
    /// The module itself, with nothing known about it and with this program's
    /// environment.
    Module(PathBuf),
}

/// A token: how to load its module, and which of the module's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The module.
    pub source: Source,
    /// The token. Where it says nothing, the profile decides.
    pub token: TokenSelector,
}

/// A process with the module in it.
pub(crate) struct Slot {
    child: Child,
    lines: BufReader<UnixStream>,
    pub(crate) token: TokenSelector,
}

impl Slot {
    /// Starts the process. `pins` are the files of PINs that it will read or write.
    pub(crate) fn start(target: &Target, pins: &[&Path]) -> Result<Self, Failure> {
        let (profile, confined) = match &target.source {
            Source::Profile(path) => {
                let text = fs::read_to_string(path).map_err(|error| {
                    Failure::new(
                        format!("the profile {} cannot be read: {error}", path.display()),
                        "start from one in hsm-config/",
                    )
                })?;
                (text, true)
            }
            Source::Module(path) => (bare(&absolute(path)?), false),
        };
        let parsed = Profile::parse(&profile).map_err(|error| {
            Failure::new(format!("the profile is not one: {error}"), "start from hsm-config/")
        })?;
        let pins = pins.iter().map(|path| absolute(path)).collect::<Result<Vec<_>, _>>()?;
        let (ours, theirs) = UnixStream::pair().map_err(|e| Failure::io("no socket", &e))?;
        let mut command = Command::new("/proc/self/exe");
        command.args(["process", "hsm"]).stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
        if confined {
            command.env_clear().envs(&parsed.environment);
        }
        let child = command.spawn().map_err(|e| Failure::io("no process for the module", &e))?;
        let token = target.token.clone().or(&parsed.token);
        let mut slot = Self { child, lines: BufReader::new(ours), token };
        slot.exchange::<()>(&Load { profile, pins, confined }, ACT)?;
        Ok(slot)
    }

    /// Logs in as the user.
    pub(crate) fn log_in(&mut self, pin: &Pin) -> Result<(), Failure> {
        let pin = match pin {
            Pin::File(path) => Pin::File(absolute(path)?),
            Pin::Terminal => Pin::Terminal,
        };
        // Typing takes as long as it takes.
        let limit = if pin == Pin::Terminal { 10 * ACT } else { ACT };
        self.exchange(&Ask::LogIn { token: self.token.clone(), pin }, limit)
    }

    /// What the module says of the token that is meant, without a login.
    pub(crate) fn token_entry(&mut self) -> Result<TokenEntry, Failure> {
        let inventory: Inventory = self.ask(&Ask::Inventory)?;
        let TokenSelector { label, serial } = &self.token;
        let is_it = |token: &TokenEntry| {
            token.initialized
                && label.as_ref().is_none_or(|label| *label == token.label)
                && serial.as_ref().is_none_or(|serial| *serial == token.serial)
        };
        let tokens = inventory.slots.into_iter().filter_map(|slot| slot.token);
        tokens.into_iter().find(is_it).ok_or_else(|| {
            Failure::new("the module shows no such token", "see `keyreeve hsm list`")
        })
    }

    /// Asks, and waits for the answer at most [`ACT`].
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, ask: &Ask) -> Result<T, Failure> {
        self.exchange(ask, ACT)
    }

    /// Asks, and waits for the answer at most `limit`; then the process is killed.
    pub(crate) fn exchange<T: DeserializeOwned>(
        &mut self,
        ask: &impl Serialize,
        limit: Duration,
    ) -> Result<T, Failure> {
        let gone = |error: &dyn std::fmt::Display| {
            Failure::new(
                format!("the module took its process down: {error}"),
                "run the command again; if it happens again, ask the module's vendor",
            )
        };
        let mut line = serde_json::to_vec(ask).map_err(|error| gone(&error))?;
        line.push(b'\n');
        let stream = self.lines.get_mut();
        stream.set_read_timeout(Some(limit)).map_err(|error| gone(&error))?;
        stream.write_all(&line).map_err(|error| gone(&error))?;
        let mut answer = Vec::new();
        match self.lines.read_until(b'\n', &mut answer) {
            Ok(0) => Err(gone(&"it ended without an answer")),
            Ok(_) => serde_json::from_slice::<Result<T, Failure>>(&answer)
                .map_err(|error| gone(&error))
                .and_then(|answer| answer),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let _ = self.child.kill();
                Err(Failure::new(
                    format!("the module did not answer within {} s", limit.as_secs()),
                    "see that the device is reachable; the call was ended with its process",
                ))
            }
            Err(error) => Err(gone(&error)),
        }
    }
}

impl Drop for Slot {
    /// The end of the socket ends the process; it is killed if it hangs in the module.
    fn drop(&mut self) {
        let _ = self.lines.get_mut().shutdown(std::net::Shutdown::Both);
        for _ in 0..50 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A profile that knows nothing: safe defaults.
fn bare(module: &Path) -> String {
    let path = toml::Value::from(module.display().to_string());
    format!("name = \"PKCS#11 module\"\nmodule = [{path}]\n")
}
