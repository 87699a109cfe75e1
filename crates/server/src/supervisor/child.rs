//! One started process.

use std::{
    ffi::OsStr,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{self, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::unix::AsyncFd;

use crate::control::watched;

/// A process, killed at the latest when this is dropped.
pub(crate) struct Child {
    process: process::Child,
    pidfd: AsyncFd<OwnedFd>,
}

impl Child {
    /// Starts this very program as `keyreeve process ARGS` with `control` as its
    /// standard input and nothing in its environment but `environment`.
    ///
    /// It is a process group of its own, so that Ctrl-C at a terminal reaches the
    /// supervisor alone, which then ends everything in order.
    pub(crate) fn start<E, K, V>(
        args: &[&str],
        environment: E,
        control: OwnedFd,
    ) -> io::Result<Self>
    where
        E: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        // The link names the program that is running, also after an upgrade has
        // put another one in its place.
        let process = Command::new("/proc/self/exe")
            .arg0("keyreeve")
            .arg("process")
            .args(args)
            .env_clear()
            .envs(environment)
            .current_dir("/")
            .stdin(Stdio::from(control))
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pid = Pid::from_child(&process);
        let pidfd =
            pidfd_open(pid, PidfdFlags::NONBLOCK).map_err(io::Error::from).and_then(watched);
        match pidfd {
            Ok(pidfd) => Ok(Self { process, pidfd }),
            Err(error) => {
                let mut process = process;
                let _ = process.kill().and_then(|()| process.wait());
                Err(error)
            }
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        // A pidfd is readable once the process has ended.
        let _ready = self.pidfd.readable().await?;
        self.process.wait()
    }

    /// Kills it, also when it is stopped, and waits for its end.
    pub(crate) async fn kill(&mut self) -> io::Result<ExitStatus> {
        pidfd_send_signal(self.pidfd.get_ref(), Signal::KILL)
            .or_else(|error| if error == rustix::io::Errno::SRCH { Ok(()) } else { Err(error) })?;
        self.ended().await
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill().and_then(|()| self.process.wait());
        }
    }
}
