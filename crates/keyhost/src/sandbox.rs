//! What a process gives up before it serves.
//!
//! A keyhost needs its sockets, memory and time; a vendor's module needs its own
//! files as well. Everything else is given up while the process is still alone with
//! its configuration, and what the kernel then reports is passed on, because a
//! protection that is assumed is none: [`Sandbox::apply`] returns what is really in
//! force, and `keyreeve status` shows it.
//!
//! Nothing here makes the process refuse to start: what a kernel lacks is reported,
//! and the operator decides.

mod files;
mod memory;
mod syscalls;
mod tcp;

use std::path::PathBuf;

use rustix::{
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit},
    thread::set_no_new_privs,
};

pub use syscalls::Syscalls;

use crate::frame::Protection;

/// What a process keeps.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    /// Files and directories it may read.
    pub read: Vec<PathBuf>,
    /// Directories and files it may read, write and make files in.
    pub write: Vec<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
    /// The TCP ports it may then connect to; `None`: any. With a list, it may listen on
    /// nothing that it does not listen on already.
    pub tcp_ports: Option<Vec<u16>>,
    /// Which system calls it may make.
    pub syscalls: Syscalls,
    /// Whether all its memory is to be kept out of swap.
    pub lock_memory: bool,
}

impl Sandbox {
    /// Gives the rest up. To be called before the process has other threads: file
    /// restrictions hold for the calling thread and those it starts.
    pub fn apply(&self) -> Vec<Protection> {
        let mut protections = vec![not_dumpable(), no_core_files()];
        if self.lock_memory {
            protections.push(memory::lock());
        }
        protections.push(report("no new privileges", set_no_new_privs(true)));
        protections.push(files::restrict(&self.read, &self.write, self.network));
        let ports = self.tcp_ports.as_ref().filter(|_| self.network);
        protections.extend(ports.map(|ports| tcp::restrict(ports)));
        protections.push(self.syscalls.restrict(ports.is_some()));
        protections
    }
}

/// Keeps others of the same user from attaching or reading memory, and the kernel
/// from dumping it. The first thing that every process of Keyreeve does.
pub fn not_dumpable() -> Protection {
    report("not dumpable", set_dumpable_behavior(DumpableBehavior::NotDumpable))
}

/// Sets the limit for core files to zero, for good.
pub fn no_core_files() -> Protection {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    report("no core files", setrlimit(Resource::Core, none))
}

fn report<E: std::fmt::Display>(name: &str, done: Result<(), E>) -> Protection {
    let detail = done.as_ref().err().map(E::to_string).unwrap_or_default();
    Protection { name: name.into(), in_force: done.is_ok(), detail }
}
