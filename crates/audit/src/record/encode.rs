//! The record's encoding: one JSON object without spaces, members in the order of
//! [`Wire`], absent ones left out (docs/formats.md, "Audit record").
//!
//! There is one encoding for each record. Reading encodes what was read once more
//! and compares, so that two spellings of a record cannot both be in the log.

use std::{borrow::Cow, fmt, net::SocketAddr};

use keyreeve_types::Name;
use serde::{Deserialize, Serialize};

use super::{
    Action, Caller, Decision, Ending, Id, Kind, Method, Object, Peer, Phase, Record, Source, Word,
};

/// Longest entry, in bytes. Every record of version 1 is shorter; the tile format
/// would allow 65,535.
pub const MAX_ENTRY: usize = 4096;

const VERSION: u8 = 1;

/// The bytes are not a record of this version in its one encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadEntry;

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an audit record of version 1")
    }
}

impl std::error::Error for BadEntry {}

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    serde_json::to_writer(&mut out, &Wire::from(record))
        .expect("strings and numbers written to memory cannot fail");
    out
}

pub(super) fn decode(entry: &[u8]) -> Result<Record, BadEntry> {
    if entry.len() > MAX_ENTRY {
        return Err(BadEntry);
    }
    let wire: Wire<'_> = serde_json::from_slice(entry).map_err(|_| BadEntry)?;
    let record = wire.read()?;
    if encode(&record) == entry { Ok(record) } else { Err(BadEntry) }
}

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    v: u8,
    time_us: u64,
    #[serde(borrow)]
    phase: Cow<'a, str>,
    request: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Text<'a>,
    auth: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Text<'a>,
    operation: Cow<'a, str>,
    object: WireObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<WireObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listener: Text<'a>,
    decision: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireObject<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Text<'a>,
}

impl<'a> From<&'a Record> for Wire<'a> {
    fn from(record: &'a Record) -> Self {
        let (phase, result, reason, latency_us) = match &record.phase {
            Phase::Intent => ("intent", None, None, None),
            Phase::Outcome { ending: Ending::Ok, latency_us } => {
                ("outcome", Some("OK"), None, Some(*latency_us))
            }
            Phase::Outcome { ending: Ending::Failed { code, reason }, latency_us } => {
                ("outcome", Some(code.as_str()), reason.as_ref(), Some(*latency_us))
            }
        };
        let (decision, assignment) = match record.decision {
            Decision::NotReached => ("none", None),
            Decision::Allowed(by) => ("allow", by),
            Decision::Denied(by) => ("deny", by),
        };
        Self {
            v: VERSION,
            time_us: record.time_us,
            phase: phase.into(),
            request: hex::encode(record.request.0).into(),
            trace: record.trace.map(|id| hex::encode(id.0).into()),
            principal: record.caller.principal.as_ref().map(|p| p.as_str().into()),
            auth: record.caller.method.name().into(),
            credential: record.caller.credential.map(|c| c.to_string().into()),
            operation: record.action.operation.as_str().into(),
            object: WireObject::from(&record.action.object),
            from: record.action.from.as_ref().map(WireObject::from),
            algorithm: word(record.action.algorithm.as_ref()),
            peer: record.source.peer.map(|peer| write_peer(peer).into()),
            listener: word(record.source.listener.as_ref()),
            decision: decision.into(),
            assignment: assignment.map(|id| hex::encode(id.0).into()),
            result: result.map(Cow::from),
            reason: word(reason),
            latency_us,
            backend: word(record.backend.as_ref()),
            number: record.number,
        }
    }
}

impl<'a> From<&'a Object> for WireObject<'a> {
    fn from(object: &'a Object) -> Self {
        Self {
            kind: object.kind.name().into(),
            // Folded: one object has one spelling in the log, as it has one record.
            vault: object.vault.as_ref().map(|name| name.folded().into()),
            name: object.name.as_ref().map(|name| name.folded().into()),
            id: object.id.map(|id| hex::encode(id.0).into()),
            version: object.version.map(|version| version.to_string().into()),
        }
    }
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
        })
    }
}

impl WireObject<'_> {
    fn read(self) -> Result<Object, BadEntry> {
        let name = |text: &str| text.parse::<Name>().map_err(|_| BadEntry);
        Ok(Object {
            kind: named(&self.kind, Kind::ALL, Kind::name)?,
            vault: optional(self.vault, name)?,
            name: optional(self.name, name)?,
            id: optional(self.id, read_id)?,
            version: optional(self.version, |v| v.parse().map_err(|_| BadEntry))?,
        })
    }
}

fn word(word: Option<&Word>) -> Text<'_> {
    word.map(|word| word.as_str().into())
}

fn write_peer(peer: Peer) -> String {
    match peer {
        Peer::Ip(address, port) => SocketAddr::new(address.to_canonical(), port).to_string(),
        Peer::Unix(user) => format!("unix:{user}"),
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
            let address: SocketAddr = text.parse().map_err(|_| BadEntry)?;
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
