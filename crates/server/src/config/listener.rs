//! `[[listener]]`: private listeners, each of which serves only the vaults that name it.

use std::{
    net::SocketAddr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use keyreeve_types::Name;
use serde::{Deserialize, Serialize};

use super::{Report, address};

/// Most private listeners. Their sockets travel to the front one by one.
const MAX_LISTENERS: usize = 16;
/// What the two listeners are called that are there for every vault.
const PUBLIC: [&str; 2] = ["grpc", "https"];
/// Longest path of a Unix socket, in bytes (unix(7)): one less than the kernel's array.
const MAX_PATH: usize = 107;

/// `[[listener]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerConfig {
    /// What network rules and the audit log call it: 1 to 64 of `0-9 a-z A-Z -`, and
    /// not `grpc` or `https`.
    pub name: String,
    /// Address and port, with TLS; or `unix:` and the path of a socket, without.
    pub listen: String,
    /// What it offers: `grpc` or `https`. Default `grpc`.
    #[serde(default)]
    pub door: Door,
}

/// What a listener offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The gRPC interface.
    #[default]
    Grpc,
    /// JWK sets, health and tokens.
    Https,
}

/// A private listener in which everything was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateListener {
    /// What network rules call it.
    pub name: Name,
    /// Where it listens.
    pub at: Place,
    /// What it offers.
    pub door: Door,
}

/// Where a private listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An address, with the certificate of `[tls]`.
    Tcp(SocketAddr),
    /// A Unix socket, without TLS: what goes through it never leaves the machine.
    Unix(PathBuf),
}

/// Looks at every listener. `taken` are the addresses of the two that are always there.
pub(super) fn check(
    report: &mut Report,
    given: &[ListenerConfig],
    base: &Path,
    taken: [Option<SocketAddr>; 2],
) -> Vec<PrivateListener> {
    if given.len() > MAX_LISTENERS {
        let wrong = format!("there are {}", given.len());
        report.add("listener", wrong, format!("there can be at most {MAX_LISTENERS}"));
    }
    let mut checked: Vec<PrivateListener> = Vec::new();
    for (index, one) in given.iter().enumerate() {
        let field = |name: &str| format!("listener[{index}].{name}");
        let name = one.name.parse::<Name>().ok().filter(|_| one.name.len() <= 64);
        let again = |name: &Name| {
            PUBLIC.contains(&name.folded()) || checked.iter().any(|other| other.name == *name)
        };
        match &name {
            None => report.add(
                field("name"),
                format!("`{}` is not a name", one.name),
                "use 1 to 64 of 0-9, a-z, A-Z and '-'",
            ),
            Some(name) if again(name) => report.add(
                field("name"),
                format!("`{name}` is the name of another listener"),
                "network rules go by the name: choose another one",
            ),
            Some(_) => {}
        }
        let at = place(report, &field("listen"), &one.listen, base);
        let same = |at: &Place| match at {
            // Port 0 is another one each time.
            Place::Tcp(address) if address.port() == 0 => false,
            Place::Tcp(address) if taken.contains(&Some(*address)) => true,
            at => checked.iter().any(|other| other.at == *at),
        };
        if at.as_ref().is_some_and(same) {
            let wrong = "is where another listener is";
            report.add(field("listen"), wrong, "choose another address or path");
        }
        if let (Some(name), Some(at)) = (name, at) {
            checked.push(PrivateListener { name, at, door: one.door });
        }
    }
    checked
}

fn place(report: &mut Report, field: &str, text: &str, base: &Path) -> Option<Place> {
    let Some(path) = text.strip_prefix("unix:") else {
        return address(report, field, text).map(Place::Tcp);
    };
    let path = base.join(path);
    let mend = "write it as unix:/run/keyreeve/inside.sock, in a directory that is there";
    if path.as_os_str().as_bytes().len() > MAX_PATH {
        report.add(field, format!("the path is longer than {MAX_PATH} bytes"), mend);
    } else if !path.parent().is_some_and(Path::is_dir) || path.file_name().is_none() {
        report.add(field, format!("{} cannot be made", path.display()), mend);
    }
    Some(Place::Unix(path))
}
