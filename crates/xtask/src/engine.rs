//! The container engine: Docker, started here when none answers.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::shell::{self, as_root, is_installed, is_root, root, succeeds};

/// Makes sure that an engine answers.
pub(crate) fn ensure_running() -> Result<()> {
    if answers() {
        return Ok(());
    }
    ensure!(is_installed("dockerd"), "no container engine is installed: cargo xtask deps");
    // Asks for a password now, if one is needed, and not behind the daemon's back.
    shell::run(&mut as_root("true"))?;
    let log = root().join("target").join("dockerd.log");
    fs::create_dir_all(root().join("target"))?;
    // From what works on a whole machine to what works inside a container.
    for options in [
        &[][..],
        &["--iptables=false", "--bridge=none"],
        &["--iptables=false", "--bridge=none", "--storage-driver=vfs"],
    ] {
        eprintln!("    starting dockerd {}", options.join(" "));
        let output = File::create(&log).with_context(|| format!("writing {}", log.display()))?;
        let mut daemon = as_root("dockerd")
            .args(options)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // It outlives this command, and the interrupt key.
            .process_group(0)
            .spawn()
            .context("cannot start dockerd")?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline && daemon.try_wait()?.is_none() {
            if answers() {
                open_socket()?;
                return Ok(());
            }
            thread::sleep(Duration::from_millis(200));
        }
        // Under sudo this ends the daemon through it.
        if daemon.try_wait()?.is_none() {
            daemon.kill()?;
            daemon.wait()?;
        }
    }
    bail!("dockerd does not start; {} says why", log.display())
}

/// `docker` with the given arguments, as a user the engine lets in.
pub(crate) fn docker(arguments: &[&str]) -> Command {
    let direct = succeeds(shell::command("docker").arg("version"));
    let mut command = if direct { shell::command("docker") } else { as_root("docker") };
    command.args(arguments);
    command
}

fn answers() -> bool {
    succeeds(as_root("docker").arg("version")) || succeeds(shell::command("docker").arg("version"))
}

/// Tests talk to the engine as the user who runs them, who is in no new group until
/// the next login.
fn open_socket() -> Result<()> {
    if is_root() || succeeds(shell::command("docker").arg("version")) {
        return Ok(());
    }
    shell::run(as_root("chmod").args(["666", "/var/run/docker.sock"]))
}
