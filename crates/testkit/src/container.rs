//! The container that serves a token on a mounted socket.

use std::{
    fs,
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use testcontainers::{
    GenericImage, ImageExt,
    core::{Mount, WaitFor},
    runners::SyncRunner,
};

use crate::softhsm::{TOKEN_LABEL, TOKEN_PIN, TOKEN_SO_PIN};

/// A running container; dropped, it is removed.
pub(crate) type Container = testcontainers::Container<GenericImage>;

/// Starts one that serves `directory`/p11.sock, as the owner of `directory`, without
/// a network.
pub(crate) fn start(directory: &Path) -> Result<Container> {
    let owner = fs::metadata(directory)?;
    let mount = Mount::bind_mount(directory.display().to_string(), "/run/keyreeve");
    let container = GenericImage::new(IMAGE, TAG)
        .with_wait_for(WaitFor::message_on_stdout(format!("serving {TOKEN_LABEL}")))
        .with_user(format!("{}:{}", owner.uid(), owner.gid()))
        .with_network("none")
        .with_mount(mount)
        .with_env_var("TOKEN_LABEL", TOKEN_LABEL)
        .with_env_var("TOKEN_PIN", TOKEN_PIN)
        .with_env_var("TOKEN_SO_PIN", TOKEN_SO_PIN)
        .with_startup_timeout(Duration::from_secs(60))
        .start()
        .with_context(|| format!("cannot start {IMAGE}:{TAG}; `cargo xtask image` makes it"))?;
    await_socket(&directory.join("p11.sock"))?;
    Ok(container)
}

fn await_socket(socket: &Path) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if UnixStream::connect(socket).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    bail!("the container started, but nothing listens on {}", socket.display())
}

/// As `cargo xtask image` names it.
const IMAGE: &str = "keyreeve-softhsm";
const TAG: &str = "test";
