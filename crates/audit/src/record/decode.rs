//! Reading an entry of the log.
//!
//! What was read is encoded once more and compared, so that two spellings of a record
//! cannot both be in the log.

use std::{borrow::Cow, fmt};

use keyreeve_types::FoldedName;
use serde::Deserialize;

use super::{
    Action, Caller, Change, Decision, Ending, Id, Kind, MAX_ENTRY, Method, Object, Peer, Phase,
    Record, Source, Word, encode::VERSION,
};

/// The bytes are not a record of this version in its one encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadEntry;

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an audit record of version 1")
    }
}

impl std::error::Error for BadEntry {}

pub(super) fn decode(entry: &[u8]) -> Result<Record, BadEntry> {
    if entry.len() > MAX_ENTRY {
        return Err(BadEntry);
    }
    let wire: Wire<'_> = serde_json::from_slice(entry).map_err(|_| BadEntry)?;
    let record = wire.read()?;
    if record.encode() == entry { Ok(record) } else { Err(BadEntry) }
}

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    v: u8,
    time_us: u64,
    #[serde(borrow)]
    phase: Cow<'a, str>,
    request: Cow<'a, str>,
    trace: Text<'a>,
    principal: Text<'a>,
    auth: Cow<'a, str>,
    credential: Text<'a>,
    operation: Cow<'a, str>,
    object: WireObject<'a>,
    from: Option<WireObject<'a>>,
    algorithm: Text<'a>,
    peer: Text<'a>,
    listener: Text<'a>,
    decision: Cow<'a, str>,
    assignment: Text<'a>,
    result: Text<'a>,
    reason: Text<'a>,
    latency_us: Option<u64>,
    backend: Text<'a>,
    number: Option<u64>,
    change: Option<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireObject<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    vault: Text<'a>,
    name: Text<'a>,
    id: Text<'a>,
    version: Text<'a>,
}

impl Wire<'_> {
    fn read(self) -> Result<Record, BadEntry> {
        if self.v != VERSION {
            return Err(BadEntry);
        }
        Ok(Record {
            time_us: self.time_us,
            phase: read_phase(&self.phase, self.result, self.reason, self.latency_us)?,
            request: read_id(&self.request)?,
            trace: optional(self.trace, read_id)?,
            caller: Caller {
                principal: optional(self.principal, |p| p.parse().map_err(|_| BadEntry))?,
                method: named(&self.auth, Method::ALL, Method::name)?,
                credential: optional(self.credential, str::parse)?,
            },
            action: Action {
                operation: read_word(&self.operation)?,
                object: self.object.read()?,
                from: self.from.map(WireObject::read).transpose()?,
                algorithm: optional(self.algorithm, read_word)?,
            },
            source: Source {
                peer: optional(self.peer, read_peer)?,
                listener: optional(self.listener, read_word)?,
            },
            decision: match (&*self.decision, optional(self.assignment, read_id)?) {
                ("none", None) => Decision::NotReached,
                ("allow", by) => Decision::Allowed(by),
                ("deny", by) => Decision::Denied(by),
                _ => return Err(BadEntry),
            },
            backend: optional(self.backend, read_word)?,
            number: self.number,
            change: self.change.map(Box::new),
        })
    }
}

impl WireObject<'_> {
    fn read(self) -> Result<Object, BadEntry> {
        let name = |text: &str| text.parse::<FoldedName>().map_err(|_| BadEntry);
        Ok(Object {
            kind: named(&self.kind, Kind::ALL, Kind::name)?,
            vault: optional(self.vault, name)?,
            name: optional(self.name, name)?,
            id: optional(self.id, read_id)?,
            version: optional(self.version, |v| v.parse().map_err(|_| BadEntry))?,
        })
    }
}

fn optional<T>(
    text: Text<'_>,
    read: impl FnOnce(&str) -> Result<T, BadEntry>,
) -> Result<Option<T>, BadEntry> {
    text.as_deref().map(read).transpose()
}

fn read_phase(
    phase: &str,
    result: Text<'_>,
    reason: Text<'_>,
    latency_us: Option<u64>,
) -> Result<Phase, BadEntry> {
    match (phase, result.as_deref(), optional(reason, read_word)?, latency_us) {
        ("intent", None, None, None) => Ok(Phase::Intent),
        ("outcome", Some("OK"), None, Some(latency_us)) => {
            Ok(Phase::Outcome { ending: Ending::Ok, latency_us })
        }
        ("outcome", Some(code), reason, Some(latency_us)) if code != "OK" => Ok(Phase::Outcome {
            ending: Ending::Failed { code: read_word(code)?, reason },
            latency_us,
        }),
        _ => Err(BadEntry),
    }
}

fn read_word(text: &str) -> Result<Word, BadEntry> {
    Word::configured(text).map_err(|_| BadEntry)
}

fn read_id(text: &str) -> Result<Id, BadEntry> {
    let mut id = [0; 16];
    hex::decode_to_slice(text, &mut id).map_err(|_| BadEntry)?;
    Ok(Id(id))
}

fn read_peer(text: &str) -> Result<Peer, BadEntry> {
    match text.strip_prefix("unix:") {
        Some(user) => user.parse().map(Peer::Unix).map_err(|_| BadEntry),
        None => {
            let address: std::net::SocketAddr = text.parse().map_err(|_| BadEntry)?;
            Ok(Peer::Ip(address.ip(), address.port()))
        }
    }
}

fn named<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, BadEntry> {
    all.into_iter().find(|one| name(*one) == text).ok_or(BadEntry)
}
