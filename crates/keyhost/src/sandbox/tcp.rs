//! TCP ports, by landlock.
//!
//! A second set of rules, so that its effect can be told from that of the files':
//! a kernel before 6.7 has the one and not the other. It says nothing of UDP, nor
//! of which host a port belongs to, and nothing of MPTCP, SMC and SCTP, which have
//! ports too: sockets of those are refused as system calls.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
};

use crate::frame::Protection;

/// The first rules that know TCP.
const SINCE: ABI = ABI::V4;

/// Leaves the calling thread, and those it starts, connections to `ports`, and no
/// listening.
pub(super) fn restrict(ports: &[u16]) -> Protection {
    let (in_force, detail) = match enforce(ports) {
        Ok(RulesetStatus::FullyEnforced) => (true, listed(ports)),
        Ok(RulesetStatus::PartiallyEnforced | RulesetStatus::NotEnforced) => (
            false,
            "the kernel cannot limit TCP ports (6.7 and later can): any port is open".into(),
        ),
        Err(error) => (false, error.to_string()),
    };
    Protection { name: "tcp ports".into(), in_force, detail }
}

fn enforce(ports: &[u16]) -> Result<RulesetStatus, Box<dyn std::error::Error>> {
    let rules =
        ports.iter().map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    // Every set of rules forbids to move files between directories, unless it says
    // otherwise (landlock(7), LANDLOCK_ACCESS_FS_REFER). Which files is for the other set.
    let anywhere = PathBeneath::new(PathFd::new("/")?, AccessFs::Refer);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessNet::from_all(SINCE))?
        .handle_access(AccessFs::Refer)?
        .create()?
        .add_rules(rules)?
        .add_rule(anywhere)?
        .restrict_self()?;
    Ok(status.ruleset)
}

fn listed(ports: &[u16]) -> String {
    if ports.is_empty() {
        return "none".to_owned();
    }
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    format!("only {}", ports.join(", "))
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use super::*;

    fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
        TcpStream::connect(to)
    }

    /// Guards against rules about ports that keep files from being moved, as the audit log
    /// moves what it publishes.
    #[test]
    fn files_are_moved_as_before() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["from", "to"] {
            std::fs::create_dir(path(name)).expect("made");
        }
        std::fs::write(path("from/file"), "x").expect("written");
        let (from, to) = (path("from/file"), path("to/file"));
        let moved = std::thread::spawn(move || {
            restrict(&[]);
            std::fs::rename(from, to)
        });
        moved.join().expect("no panic").expect("moved");
    }

    /// Guards against a list without a port that is taken for no list.
    #[test]
    fn without_a_named_port_none_is_reached() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let confined = std::thread::spawn(move || (restrict(&[]), connect(at).is_ok()));
        let (protection, reached) = confined.join().expect("no panic");
        assert_eq!(reached, !protection.in_force, "{protection:?}");
        // What was listened on before is still accepted from.
        connect(at).expect("reached by others");
        listener.accept().expect("accepted");
    }

    /// Guards against a profile whose ports are read and not enforced, and against a
    /// protection that is said to be in force and is not.
    #[test]
    fn a_thread_reaches_the_named_ports_alone() {
        let [named, other] = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let [named_at, other_at] =
            [&named, &other].map(|listener| listener.local_addr().expect("an address"));
        let confined = std::thread::spawn(move || {
            let protection = restrict(&[named_at.port()]);
            let named = connect(named_at).is_ok();
            let other = connect(other_at).is_ok();
            let listens = TcpListener::bind("127.0.0.1:0").is_ok();
            (protection, named, other, listens)
        });
        let (protection, named, other, listens) = confined.join().expect("no panic");
        assert!(named, "{protection:?}");
        assert_eq!(other, !protection.in_force, "{protection:?}");
        assert_eq!(listens, !protection.in_force, "{protection:?}");
        assert!(!protection.detail.is_empty());
    }
}
