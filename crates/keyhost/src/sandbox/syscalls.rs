//! System calls, by seccomp.
//!
//! The software keyhost is our own code and is held to a list of what it needs. A
//! vendor's module is not, and a list that fits one does not fit the next, so a
//! slot's keyhost and the front are refused what none of them needs: other
//! programs, other processes' memory, kernel interfaces, and sockets of kinds that
//! were not granted. A refused call fails with `EPERM`; it does not kill, so that a
//! module which merely asks goes on.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};

use crate::frame::Protection;

/// Which system calls a process may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Syscalls {
    /// Only what the software keyhost needs: no file, no socket, no program.
    #[default]
    OwnCode,
    /// All but what no keyhost needs; no sockets.
    Module,
    /// As `Module`, and Unix sockets: for a module that talks to a daemon.
    ModuleWithUnixSockets,
    /// As `Module`, and sockets of IP and Unix: for a module that talks to a
    /// network HSM, and for the front.
    Network,
}

/// What our own code needs once it serves.
const OWN_CODE: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_close,
    libc::SYS_futex,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_mlock,
    libc::SYS_brk,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_getcpu,
    libc::SYS_prctl,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What no process of Keyreeve needs.
const NEVER: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_perf_event_open,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
];

impl Syscalls {
    pub(super) fn restrict(self) -> Protection {
        let applied = self
            .program()
            .and_then(|program| apply_filter_all_threads(&program).map_err(|e| e.to_string()));
        super::report("seccomp", applied)
    }

    fn program(self) -> Result<BpfProgram, String> {
        let refuse = SeccompAction::Errno(libc::EPERM as u32);
        let all = |calls: &[c_long]| calls.iter().map(|call| (*call, Vec::new())).collect();
        let (rules, otherwise, matched) = match self {
            Self::OwnCode => (all(OWN_CODE), refuse, SeccompAction::Allow),
            Self::Module | Self::ModuleWithUnixSockets | Self::Network => {
                let mut rules: BTreeMap<_, _> = all(NEVER);
                rules.insert(libc::SYS_socket, self.refused_sockets()?);
                (rules, SeccompAction::Allow, refuse)
            }
        };
        let arch = std::env::consts::ARCH.try_into().map_err(|e| format!("{e}"))?;
        SeccompFilter::new(rules, otherwise, matched, arch)
            .and_then(TryInto::try_into)
            .map_err(|e: seccompiler::BackendError| e.to_string())
    }

    /// Rules that match a `socket` call to refuse; no rule matches every call.
    fn refused_sockets(self) -> Result<Vec<SeccompRule>, String> {
        let granted: &[libc::c_int] = match self {
            Self::OwnCode | Self::Module => return Ok(Vec::new()),
            Self::ModuleWithUnixSockets => &[libc::AF_UNIX],
            Self::Network => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
        };
        // The conditions of one rule are joined by "and": none of the granted.
        let conditions: Result<Vec<_>, _> = granted
            .iter()
            .map(|family| {
                SeccompCondition::new(
                    0,
                    SeccompCmpArgLen::Dword,
                    SeccompCmpOp::Ne,
                    u64::from(family.unsigned_abs()),
                )
            })
            .collect();
        conditions.and_then(SeccompRule::new).map(|rule| vec![rule]).map_err(|e| e.to_string())
    }
}
