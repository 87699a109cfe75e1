//! A running service: the supervisor and what it started.
//!
//! It cannot outlive the thread that started it: the kernel then kills the
//! supervisor, and the supervisor's end ends the rest. So a test that is cut off by
//! a time limit leaves nothing behind.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::program::program;

/// What `keyreeve` was started as. Dropped, all its processes are killed.
pub struct Service {
    supervisor: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `keyreeve` with `arguments` in `directory`; what it prints goes to the
    /// end of the file `log`.
    ///
    /// # Errors
    ///
    /// If there is no program to start or no log to write.
    pub fn start<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
        directory: &Path,
        log: PathBuf,
    ) -> Result<Self> {
        let output = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program()?).args(arguments);
        // A group of its own, so that all of it can be killed in one instant.
        command.current_dir(directory).process_group(0);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let supervisor = command.spawn().context("cannot start setpriv: it is in util-linux")?;
        Ok(Self { supervisor, log })
    }

    /// The supervisor's process id: setpriv becomes the program.
    pub fn pid(&self) -> u32 {
        self.supervisor.id()
    }

    /// What the supervisor started, oldest first.
    ///
    /// # Errors
    ///
    /// If the supervisor is gone.
    pub fn children(&self) -> Result<Vec<u32>> {
        let mut children = Vec::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            let list = fs::read_to_string(thread?.path().join("children"))?;
            for word in list.split_whitespace() {
                children.push(word.parse()?);
            }
        }
        children.sort_unstable();
        Ok(children)
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until `is_ready` gives something.
    ///
    /// # Errors
    ///
    /// If the service ends before, or after a minute; with what it printed.
    pub fn until<T>(&mut self, mut is_ready: impl FnMut() -> Option<T>) -> Result<T> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(ready) = is_ready() {
                return Ok(ready);
            }
            if let Some(status) = self.supervisor.try_wait()? {
                bail!("keyreeve ended with {status}:\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("keyreeve was not ready after {PATIENCE:?}:\n{}", self.log())
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// If it does not end within a minute.
    pub fn end(mut self) -> Result<(ExitStatus, String)> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(status) = self.supervisor.try_wait()? {
                return Ok((status, self.log()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("keyreeve did not end within {PATIENCE:?}:\n{}", self.log())
    }

    /// Asks it to end, and waits.
    ///
    /// # Errors
    ///
    /// As [`Service::end`].
    pub fn stop(self) -> Result<(ExitStatus, String)> {
        kill_process(Pid::from_child(&self.supervisor), Signal::TERM)?;
        self.end()
    }

    /// Kills all its processes in one instant, as a power cut does, and waits until
    /// they are gone.
    ///
    /// # Errors
    ///
    /// If it has ended before.
    pub fn kill(mut self) -> Result<()> {
        let children = self.children()?;
        kill_process_group(Pid::from_child(&self.supervisor), Signal::KILL)?;
        self.supervisor.wait()?;
        while children.iter().any(|pid| lives(*pid)) {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// Whether the process is more than an entry that nobody has asked about yet.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Ok(None) = self.supervisor.try_wait() {
            let _ = kill_process_group(Pid::from_child(&self.supervisor), Signal::KILL);
            let _ = self.supervisor.wait();
        }
    }
}

/// A slow machine's start, with a SoftHSM token to be made; or its orderly end.
const PATIENCE: Duration = Duration::from_secs(60);
