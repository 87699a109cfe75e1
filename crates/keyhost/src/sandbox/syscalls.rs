//! System calls, by seccomp.
//!
//! The software keyhost is our own code and is held to a list of what it needs. A
//! vendor's module is not, and a list that fits one does not fit the next, so a
//! slot's keyhost and the front are refused what none of them needs: other
//! programs, other processes' memory, kernel interfaces, and sockets of kinds that
//! were not granted. Over IP those granted are TCP and UDP and nothing else: the limit
//! on TCP ports that landlock sets does not hold for MPTCP, SMC or SCTP. A refused call
//! fails with `EPERM`; it does not kill, so that a module which merely asks goes on.

use std::collections::BTreeMap;

use libc::{c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter_all_threads,
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
    /// As `Module`, and sockets of Unix, TCP and UDP: for a module that talks to a
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
    /// Holds the process to it. `ports`: the TCP ports it may connect to are limited.
    pub(super) fn restrict(self, ports: bool) -> Protection {
        let applied = self
            .program(ports)
            .and_then(|program| apply_filter_all_threads(&program).map_err(|e| e.to_string()));
        super::report("seccomp", applied)
    }

    fn program(self, ports: bool) -> Result<BpfProgram, String> {
        let refuse = SeccompAction::Errno(libc::EPERM as u32);
        let all = |calls: &[c_long]| calls.iter().map(|call| (*call, Vec::new())).collect();
        let (rules, otherwise, matched) = match self {
            Self::OwnCode => (all(OWN_CODE), refuse, SeccompAction::Allow),
            Self::Module | Self::ModuleWithUnixSockets | Self::Network => {
                let mut rules: BTreeMap<_, _> = all(NEVER);
                let sockets = self.refused_sockets().map_err(|e| e.to_string())?;
                let change = change_of_protocol().map_err(|e| e.to_string())?;
                rules.extend([(libc::SYS_socket, sockets), (libc::SYS_setsockopt, vec![change])]);
                if ports {
                    rules.extend(unasked_connections().map_err(|e| e.to_string())?);
                }
                (rules, SeccompAction::Allow, refuse)
            }
        };
        let arch = std::env::consts::ARCH.try_into().map_err(|e| format!("{e}"))?;
        SeccompFilter::new(rules, otherwise, matched, arch)
            .and_then(TryInto::try_into)
            .map_err(|e: BackendError| e.to_string())
    }

    /// Rules of which any matches a `socket` call to refuse; no rule matches every call.
    fn refused_sockets(self) -> Result<Vec<SeccompRule>, BackendError> {
        let families: &[c_int] = match self {
            Self::OwnCode | Self::Module => return Ok(Vec::new()),
            Self::ModuleWithUnixSockets => &[libc::AF_UNIX],
            Self::Network => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
        };
        let other_family = all_of(families.iter().map(|family| is_not(FAMILY, *family)))?;
        // Those of Unix have one protocol, and of no type that matters here.
        let over_ip = || is_not(FAMILY, libc::AF_UNIX);
        let other_protocol =
            PROTOCOLS.iter().map(|protocol| is_not(PROTOCOL, *protocol)).chain([over_ip()]);
        let other_types = (0..=TYPE_MASK).filter(|of_type| !TYPES.contains(of_type));
        let mut rules = vec![other_family, all_of(other_protocol)?];
        for of_type in other_types {
            rules.push(all_of([over_ip(), is_type(of_type)])?);
        }
        Ok(rules)
    }
}

/// The arguments of `socket`.
const FAMILY: u8 = 0;
const TYPE: u8 = 1;
const PROTOCOL: u8 = 2;
/// Arguments of `setsockopt`.
const OPTION_LEVEL: u8 = 1;
const OPTION: u8 = 2;
/// The types granted over IP.
const TYPES: [c_int; 2] = [libc::SOCK_STREAM, libc::SOCK_DGRAM];
/// The protocols granted over IP. Zero is that of the type.
const PROTOCOLS: [c_int; 3] = [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP];
/// The bits of the argument that are the type; the others are flags.
const TYPE_MASK: c_int = 0xf;

/// Matches the option that turns a socket of TCP into one of another protocol.
fn change_of_protocol() -> Result<SeccompRule, BackendError> {
    all_of([is(OPTION_LEVEL, libc::IPPROTO_TCP), is(OPTION, libc::TCP_ULP)])
}

/// Matches what connects a socket of TCP without `connect`, the one call in which the
/// kernel looks at the port.
fn unasked_connections() -> Result<Vec<(c_long, Vec<SeccompRule>)>, BackendError> {
    let fast_open = SeccompCmpOp::MaskedEq(u64::from(libc::MSG_FASTOPEN.unsigned_abs()));
    [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)]
        .into_iter()
        .map(|(call, flags)| {
            let rule = all_of([compare(flags, fast_open.clone(), libc::MSG_FASTOPEN)])?;
            Ok((call, vec![rule]))
        })
        .collect()
}

type Condition = Result<SeccompCondition, BackendError>;

fn all_of(conditions: impl IntoIterator<Item = Condition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?)
}

fn is(argument: u8, value: c_int) -> Condition {
    compare(argument, SeccompCmpOp::Eq, value)
}

fn is_not(argument: u8, value: c_int) -> Condition {
    compare(argument, SeccompCmpOp::Ne, value)
}

fn is_type(value: c_int) -> Condition {
    compare(TYPE, SeccompCmpOp::MaskedEq(u64::from(TYPE_MASK.unsigned_abs())), value)
}

fn compare(argument: u8, operator: SeccompCmpOp, value: c_int) -> Condition {
    let value = u64::from(value.unsigned_abs());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use rustix::{
        io::Errno,
        net::{
            AddressFamily, Protocol, SendFlags, SocketFlags, SocketType, ipproto, send, sendto,
            socket_with, sockopt,
        },
    };
    use seccompiler::apply_filter;

    use super::*;

    type Opened = Result<OwnedFd, Errno>;

    fn open(family: AddressFamily, of_type: SocketType, protocol: Option<Protocol>) -> Opened {
        socket_with(family, of_type, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, protocol)
    }

    /// Does `work` on a thread that is held to `syscalls`, alone.
    fn held_to<T: Send>(syscalls: Syscalls, work: impl FnOnce() -> T + Send) -> T {
        let program = syscalls.program(true).expect("a filter");
        let confined = || {
            apply_filter(&program).expect("the kernel takes it");
            work()
        };
        std::thread::scope(|scope| scope.spawn(confined).join().expect("no panic"))
    }

    /// Guards against a way around the limit on TCP ports, and against a front or a
    /// module that can no longer speak TCP, UDP or to a daemon.
    #[test]
    fn over_ip_there_are_tcp_and_udp_alone() {
        let smc = Protocol::from_raw(256.try_into().expect("not zero"));
        let opened = |family, of_type, protocol| {
            held_to(Syscalls::Network, || open(family, of_type, protocol))
        };
        for family in [AddressFamily::INET, AddressFamily::INET6] {
            for (of_type, protocol) in [
                (SocketType::STREAM, None),
                (SocketType::STREAM, Some(ipproto::TCP)),
                (SocketType::DGRAM, None),
                (SocketType::DGRAM, Some(ipproto::UDP)),
            ] {
                let opened = opened(family, of_type, protocol);
                // A machine may be without IPv6.
                let fine = opened.is_ok() || opened.as_ref().err() == Some(&Errno::AFNOSUPPORT);
                assert!(fine, "{family:?} {of_type:?} {protocol:?}: {opened:?}");
            }
            for (of_type, protocol) in [
                (SocketType::STREAM, Some(ipproto::MPTCP)),
                (SocketType::STREAM, Some(ipproto::SCTP)),
                (SocketType::STREAM, Some(smc)),
                (SocketType::SEQPACKET, Some(ipproto::SCTP)),
                (SocketType::SEQPACKET, None),
                (SocketType::DGRAM, Some(ipproto::ICMP)),
                (SocketType::DGRAM, Some(ipproto::UDPLITE)),
                (SocketType::RAW, Some(ipproto::TCP)),
                (SocketType::RAW, Some(ipproto::UDP)),
                (SocketType::from_raw(6), None),
                (SocketType::from_raw(10), None),
            ] {
                let refused = opened(family, of_type, protocol).expect_err("not granted");
                assert_eq!(refused, Errno::PERM, "{family:?} {of_type:?} {protocol:?}");
            }
        }
        for of_type in [SocketType::STREAM, SocketType::DGRAM, SocketType::SEQPACKET] {
            opened(AddressFamily::UNIX, of_type, None).expect("granted");
        }
        for family in [AddressFamily::NETLINK, AddressFamily::PACKET, AddressFamily::VSOCK] {
            let refused = opened(family, SocketType::DGRAM, None).expect_err("not granted");
            assert_eq!(refused, Errno::PERM, "{family:?}");
        }
    }

    /// Guards against a module that was granted its daemon and gets the network.
    #[test]
    fn unix_sockets_are_not_the_network() {
        let (unix, tcp, none) = held_to(Syscalls::ModuleWithUnixSockets, || {
            let unix = open(AddressFamily::UNIX, SocketType::STREAM, None);
            let tcp = open(AddressFamily::INET, SocketType::STREAM, None);
            (unix, tcp, held_to(Syscalls::Module, unix_stream))
        });
        unix.expect("granted");
        assert_eq!(tcp.expect_err("not granted"), Errno::PERM);
        assert_eq!(none.expect_err("not granted"), Errno::PERM);
    }

    fn unix_stream() -> Opened {
        open(AddressFamily::UNIX, SocketType::STREAM, None)
    }

    /// Guards against a limit on ports that holds for `connect` alone: data sent at
    /// once (RFC 7413) connects too.
    #[test]
    fn no_socket_connects_by_sending() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        held_to(Syscalls::Network, || {
            let socket = || open(AddressFamily::INET, SocketType::STREAM, None).expect("granted");
            let at_once = SendFlags::from_bits_retain(libc::MSG_FASTOPEN.unsigned_abs());
            let refused = sendto(socket(), b"x", at_once, &at).expect_err("it connects");
            assert_eq!(refused, Errno::PERM);
            let connected = std::net::TcpStream::connect(at).expect("granted");
            assert_eq!(send(&connected, b"x", SendFlags::NOSIGNAL), Ok(1));
        });
    }

    /// Guards against a front that can no longer set the options of its connections,
    /// because one of them is refused.
    #[test]
    fn the_options_of_tcp_can_be_set() {
        held_to(Syscalls::Network, || {
            let socket = open(AddressFamily::INET, SocketType::STREAM, None).expect("granted");
            sockopt::set_tcp_nodelay(&socket, true).expect("granted");
            sockopt::set_socket_keepalive(&socket, true).expect("granted");
        });
    }
}
