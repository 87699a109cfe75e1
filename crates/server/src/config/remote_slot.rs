//! `[[remote_slot]]`: a slot whose keyhosts run beside the HSM, on another host.

use std::{collections::BTreeSet, path::Path, time::Duration};

use keyreeve_types::Name;
use serde::Deserialize;

use super::{Report, file, slot};
use crate::remote::{Remote, RemoteTls};

/// Longest call over there, before the relay is taken for hung: the gate has ended it
/// long since.
const CALL_LIMIT: Duration = Duration::from_secs(70);

/// `[[remote_slot]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteSlotConfig {
    /// As a `[[slot]]`'s.
    pub name: String,
    /// Where `keyreeve keyhost serve` listens: `{ unix = "…" }`, or `{ address = "…",
    /// ca = "…", certificate = "…", key = "…" }`.
    pub gate: Remote,
    /// How many keyhosts are asked for, 1 to 16. Default 1.
    pub keyhosts: Option<usize>,
}

/// A remote slot in which everything was looked at.
#[derive(Debug, Clone)]
pub struct RemoteSlot {
    /// Its name, and that of its first keyhost.
    pub name: Name,
    /// Where its gate is. All paths are absolute.
    pub gate: Remote,
    /// How many keyhosts are asked for.
    pub keyhosts: usize,
    /// Longest operation.
    pub call_limit: Duration,
}

pub(super) fn check(
    report: &mut Report,
    slots: &[RemoteSlotConfig],
    taken: &mut BTreeSet<Name>,
    base: &Path,
    data_dir: &Path,
) -> Vec<RemoteSlot> {
    let mut checked = Vec::new();
    for (index, remote) in slots.iter().enumerate() {
        let field = |name: &str| format!("remote_slot[{index}].{name}");
        let name = slot::name(report, &field("name"), &remote.name, taken);
        let keyhosts = slot::keyhosts(report, &field("keyhosts"), remote.keyhosts);
        let gate = check_gate(report, &field, &remote.gate, base, data_dir);
        checked.extend(name.map(|name| RemoteSlot {
            name,
            gate,
            keyhosts,
            call_limit: CALL_LIMIT,
        }));
    }
    checked
}

fn check_gate(
    report: &mut Report,
    field: &dyn Fn(&str) -> String,
    gate: &Remote,
    base: &Path,
    data_dir: &Path,
) -> Remote {
    let tls = match gate {
        Remote::Unix { unix } => return Remote::Unix { unix: base.join(unix) },
        Remote::Tls(tls) => tls,
    };
    let [ca, certificate, key] = [&tls.ca, &tls.certificate, &tls.key].map(|path| base.join(path));
    let port = tls.address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if port.is_none() {
        report.add(
            field("gate.address"),
            format!("`{}` has no port", tls.address),
            "write it as hsm-b.example:7445",
        );
    }
    for (name, path) in [("gate.ca", &ca), ("gate.certificate", &certificate)] {
        file::check_readable(report, &field(name), path, "name the PEM file");
    }
    file::check_secret(report, &field("gate.key"), &key, "name the PEM file of the private key");
    file::check_outside(report, &field("gate.key"), &key, data_dir);
    let (address, server_name) = (tls.address.clone(), tls.server_name.clone());
    Remote::Tls(RemoteTls { address, server_name, ca, certificate, key })
}
