//! Memory that is not swapped.

use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

use crate::frame::Protection;

/// A process that may lock less than this would later be refused memory.
const ENOUGH: u64 = 512 * 1024 * 1024;

/// Bit of `CAP_IPC_LOCK`, which lifts the limit.
const CAP_IPC_LOCK: u32 = 14;

/// Locks what the process has and will have.
pub(super) fn lock() -> Protection {
    let name = "memory locked";
    let limit = getrlimit(Resource::Memlock);
    // The soft limit may be raised as far as the hard one; if not, it stays.
    let _ = setrlimit(Resource::Memlock, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if limit.maximum.is_some_and(|max| max < ENOUGH) && !may_lock_any() {
        return Protection {
            name: name.into(),
            in_force: false,
            detail: "the limit on locked memory is too low: set LimitMEMLOCK=infinity".into(),
        };
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    super::report(name, mlockall(flags))
}

fn may_lock_any() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_some_and(|bits| bits & (1 << CAP_IPC_LOCK) != 0)
}
