//! A real `keyreeve dev` in a directory of its own.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{program::program, service::Service};

/// A service that serves. Its directory is `DIR/dev`; what it prints is in `DIR/log`.
/// Fields go in this order: the processes before their directory.
pub struct Keyreeve {
    service: Service,
    settings: BTreeMap<String, String>,
    directory: TempDir,
}

impl Keyreeve {
    /// Starts one in a new directory and waits until it serves.
    ///
    /// # Errors
    ///
    /// If it does not serve within a minute; with what it printed.
    pub fn start() -> Result<Self> {
        Self::start_in(tempfile::tempdir()?)
    }

    /// The same in the directory of one that was stopped or killed.
    ///
    /// # Errors
    ///
    /// As [`Keyreeve::start`].
    pub fn start_in(directory: TempDir) -> Result<Self> {
        let dev = directory.path().join("dev");
        let env_file = dev.join("dev.env");
        // One that a killed service left behind says nothing about this one.
        let _ = fs::remove_file(&env_file);
        let listen = ["--grpc-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"];
        let dev = dev.to_str().context("the temporary directory is not UTF-8")?;
        let arguments = ["dev", "--data-dir", dev].into_iter().chain(listen);
        let mut service =
            Service::start(arguments, directory.path(), directory.path().join("log"))?;
        let text = service.until(|| fs::read_to_string(&env_file).ok())?;
        let settings = text.lines().filter_map(|line| line.split_once('='));
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Self { service, settings, directory })
    }

    /// A value of `dev.env`, as `KEYREEVE_ADDR`.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    pub fn setting(&self, name: &str) -> &str {
        match self.settings.get(name) {
            Some(value) => value,
            None => panic!("dev.env has no {name}"),
        }
    }

    /// All of `dev.env`.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// `keyreeve` with this service's environment, and nothing of the caller's that
    /// it reads.
    ///
    /// # Panics
    ///
    /// If the program was deleted since the service was started.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program().expect("it runs"));
        command.env_remove("KEYREEVE_TOKEN_FILE").env_remove("KEYREEVE_SEAL_KEY");
        command.envs(&self.settings).current_dir(self.directory.path());
        command
    }

    /// The directory that everything is in.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What `keyreeve dev` was given as `--data-dir`.
    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("dev")
    }

    /// The file of what it prints.
    pub fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Its processes.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The front's process id.
    ///
    /// # Panics
    ///
    /// If `dev.env` does not hold one.
    pub fn front(&self) -> u32 {
        self.setting("KEYREEVE_FRONT_PID").parse().expect("a process id")
    }

    /// The process id of the keyhost of that name, `software` or `softhsm`, as its
    /// command line has it. `None` while there is none.
    pub fn keyhost(&self, name: &str) -> Option<u32> {
        let is_it = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
            words.next_back() == Some(name.as_bytes())
        };
        self.service.children().ok()?.into_iter().find(is_it)
    }

    /// Asks it to end, and keeps the directory.
    ///
    /// # Errors
    ///
    /// If it does not end in order.
    pub fn stop(self) -> Result<TempDir> {
        let (status, log) = self.service.stop()?;
        ensure!(status.success(), "keyreeve ended with {status}:\n{log}");
        Ok(self.directory)
    }

    /// Kills all its processes in one instant, and keeps the directory.
    ///
    /// # Errors
    ///
    /// If it has ended before.
    pub fn kill(self) -> Result<TempDir> {
        self.service.kill()?;
        Ok(self.directory)
    }
}
