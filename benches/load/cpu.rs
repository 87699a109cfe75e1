//! The CPU time of processes, from `/proc/PID/task/TID/schedstat`.
//!
//! Its first field is user and system time in nanoseconds, where `/proc/PID/stat`
//! counts in ticks of ten milliseconds.

use std::{collections::HashMap, fs, io, path::Path};

use anyhow::{Context, Result, ensure};

/// What the threads of some processes have used up to now.
pub(crate) struct Spent(HashMap<(u32, u32), u64>);

impl Spent {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If one of the processes is gone.
    pub(crate) fn by(pids: &[u32]) -> Result<Self> {
        let mut spent = HashMap::new();
        for &pid in pids {
            let threads = format!("/proc/{pid}/task");
            let gone = || format!("process {pid} ended while it was measured");
            for thread in fs::read_dir(&threads).with_context(gone)? {
                let thread = thread.with_context(gone)?.path();
                // A thread may end between the two looks.
                if let (Some(tid), Ok(time)) = (number(&thread), schedstat(&thread)) {
                    spent.insert((pid, tid), time);
                }
            }
        }
        Ok(Self(spent))
    }

    /// Nanoseconds that process `pid` used from `before` to `self`.
    pub(crate) fn since(&self, before: &Self, pid: u32) -> u64 {
        let of_process = self.0.iter().filter(|((process, _), _)| *process == pid);
        of_process
            .map(|(thread, time)| time.saturating_sub(before.0.get(thread).copied().unwrap_or(0)))
            .sum()
    }
}

/// The processes that `pid` started, and those that they started.
pub(crate) fn descendants(pid: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        if let Some(child) = number(&path)
            && let Some(parent) = parent(&path)
        {
            parents.push((child, parent));
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(child, _)| child));
        next += 1;
    }
    found.remove(0);
    ensure!(!found.is_empty(), "process {pid} has started no other");
    Ok(found)
}

fn schedstat(thread: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(thread.join("schedstat"))?;
    let time = text.split(' ').next().and_then(|time| time.parse().ok());
    time.ok_or_else(|| io::Error::other("schedstat has no first field"))
}

/// The fourth field of `/proc/PID/stat`; the second is a name in brackets that may
/// hold anything.
fn parent(process: &Path) -> Option<u32> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.parse().ok()
}
