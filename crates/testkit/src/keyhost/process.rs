//! A keyhost process, started as the supervisor starts it.
//!
//! It is the product's own program, with the control socket as its standard input
//! and the ends of a link beside the first message; it opens its backend, shuts
//! itself in and serves. Nobody asks it for signs of life: a test that hangs ends by
//! its own time limit.

use std::{
    fs,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use keyreeve_keyhost::{ClientLink, FrontEnd, HostEnd, RootKey, link, packet::PacketSocket};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    program::program,
    softhsm::{SoftHsm, TOKEN_GROUP},
};

/// Threads of every keyhost: two, so that calls really run beside each other.
const THREADS: usize = 2;

/// A process that serves one backend. Dropped, it ends.
pub struct KeyhostProcess {
    process: Child,
    front: Option<FrontEnd>,
    /// The end of this socket is the end of the process.
    control: PacketSocket,
    _directory: TempDir,
}

impl KeyhostProcess {
    /// Starts the software keystore with a new root key. The process ends at the latest
    /// with the calling thread.
    ///
    /// # Errors
    ///
    /// If the program cannot be built or started, or its backend does not open.
    pub fn software() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let root_key = directory.path().join("root.key");
        RootKey::create(&root_key)?;
        Self::start("software", &json!({ "Software": { "root_key": root_key } }), &[], directory)
    }

    /// Starts a slot around `token`. The process ends at the latest with the calling
    /// thread.
    ///
    /// # Errors
    ///
    /// As [`KeyhostProcess::software`].
    pub fn slot(token: &SoftHsm) -> Result<Self> {
        Self::slot_of(token, &Value::Null)
    }

    /// Starts a slot of the group [`TOKEN_GROUP`] around `token`, which is provisioned
    /// for it: new keys leave it wrapped.
    ///
    /// # Errors
    ///
    /// As [`KeyhostProcess::software`].
    pub fn slot_in_group(token: &SoftHsm) -> Result<Self> {
        Self::slot_of(token, &json!({ "name": TOKEN_GROUP, "keys": "wrapped" }))
    }

    fn slot_of(token: &SoftHsm, group: &Value) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let profile = directory.path().join("profile.toml");
        fs::write(&profile, token.profile()?)?;
        let pin_file = directory.path().join("pin");
        write_private(&pin_file, &token.pin)?;
        let backend = json!({ "profile": profile, "token": token.label, "pin_file": pin_file, "group": group });
        let backend = json!({ "Slot": backend });
        Self::start("softhsm", &backend, &token.environment, directory)
    }

    fn start(
        name: &str,
        backend: &Value,
        environment: &[(String, String)],
        directory: TempDir,
    ) -> Result<Self> {
        let (front, host) = link(1)?;
        let (control, stdin) = PacketSocket::pair()?;
        let process = Command::new(program()?)
            .args(["process", "keyhost", name])
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::from(stdin.as_fd().try_clone_to_owned()?))
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start a keyhost")?;
        drop(stdin);
        let keyhost = Self { process, front: Some(front), control, _directory: directory };
        keyhost.open_backend(name, backend, host)?;
        Ok(keyhost)
    }

    fn open_backend(&self, name: &str, backend: &Value, host: HostEnd) -> Result<()> {
        let log = json!({ "format": "text", "level": "error" });
        let start = json!({ "name": name, "backend": backend, "threads": THREADS, "log": log });
        let message = json!({ "Start": start }).to_string();
        self.control.send_with_fds(message.as_bytes(), &host.fds())?;
        drop(host);
        let mut answer = [0; 4096];
        let len = self.control.recv(&mut answer)?;
        ensure!(len > 0, "the keyhost ended before it was ready");
        let answer: Value = serde_json::from_slice(&answer[..len])?;
        ensure!(answer == "Ready", "the keyhost does not open: {answer}");
        Ok(())
    }

    /// The front's link to it; there is one.
    ///
    /// # Errors
    ///
    /// If its sockets cannot be shared.
    ///
    /// # Panics
    ///
    /// When called a second time.
    pub fn take_link(&mut self) -> Result<ClientLink> {
        let front = self.front.take().expect("the link was taken before");
        front.shards()?.pop().context("the link has one shard")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for KeyhostProcess {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(())
}
