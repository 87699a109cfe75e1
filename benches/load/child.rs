//! Processes that serve: pinned, and gone when whoever started them is.
//!
//! Three things end a child: dropping it here; its standard input, which ends with
//! this process; and the signal that the kernel sends when this process is killed.

use std::{
    env,
    ffi::OsStr,
    process::{self, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::SERVER_CORE;

/// Which role this process was started in, if not the first.
pub(crate) fn role() -> Option<String> {
    let role = env::args().nth(1)?;
    role.starts_with(ROLE_PREFIX).then_some(role)
}

/// No filter of the command line looks like this.
const ROLE_PREFIX: &str = "role:";

/// A command for `program` on the servers' core.
pub(crate) fn pinned(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "--cpu-list", &SERVER_CORE.to_string()]);
    command.arg(program);
    command
}

/// A running child; dropped, it is stopped and waited for.
pub(crate) struct Child {
    child: process::Child,
}

impl Child {
    /// Starts it, with its standard input held open.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let child = command.stdin(Stdio::piped()).spawn().context(
            "cannot start setpriv, which pins what is measured; it comes with util-linux",
        )?;
        Ok(Self { child })
    }

    /// Its process id: setpriv and taskset become the program.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The pipes to it.
    pub(crate) fn pipes(&mut self) -> Option<(process::ChildStdin, process::ChildStdout)> {
        Some((self.child.stdin.take()?, self.child.stdout.take()?))
    }

    /// Fails if it has ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended with {status}"),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a child may take to end when asked.
const PATIENCE: Duration = Duration::from_secs(10);
