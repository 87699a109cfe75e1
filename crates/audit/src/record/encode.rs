//! The record's encoding: one JSON object without spaces, members in this order, absent
//! ones left out (docs/formats.md, "Audit record").
//!
//! It is written by hand because it is written for every request: straight into the
//! sheaf that the record leaves in, and nothing on the way is on the heap.

use std::{io::Write as _, net::SocketAddr};

use serde::Serialize;

use super::{Decision, Ending, Object, Peer, Phase, Record, Word};

/// Longest entry, in bytes. Every record of version 1 is shorter; the tile format
/// would allow 65,535.
pub const MAX_ENTRY: usize = 32 * 1024;

pub(super) const VERSION: u8 = 1;

pub(super) fn encode(record: &Record, out: &mut Vec<u8>) {
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
    let (caller, action) = (&record.caller, &record.action);
    out.extend_from_slice(b"{");
    let mut members = Members { out, first: true };
    members.number("v", VERSION.into());
    members.number("time_us", record.time_us);
    members.plain("phase", phase);
    members.hex("request", &record.request.0);
    members.maybe(record.trace, |m, trace| m.hex("trace", &trace.0));
    members.maybe(caller.principal.as_ref(), |m, who| m.json("principal", who.as_str()));
    members.plain("auth", caller.method.name());
    members.maybe(caller.credential.as_ref(), |m, credential| {
        let (prefix, digits) = credential.parts();
        m.prefixed("credential", prefix, digits);
    });
    members.plain("operation", action.operation.as_str());
    members.object("object", &action.object);
    members.maybe(action.from.as_ref(), |m, from| m.object("from", from));
    members.word("algorithm", action.algorithm.as_ref());
    members.maybe(record.source.peer, |m, peer| m.peer("peer", peer));
    members.word("listener", record.source.listener.as_ref());
    members.plain("decision", decision);
    members.maybe(assignment, |m, id| m.hex("assignment", &id.0));
    members.maybe(result, |m, result| m.plain("result", result));
    members.word("reason", reason);
    members.maybe(latency_us, |m, latency| m.number("latency_us", latency));
    members.word("backend", record.backend.as_ref());
    members.maybe(record.number, |m, number| m.number("number", number));
    members.maybe(record.change.as_deref(), |m, change| m.json("change", change));
    out.extend_from_slice(b"}");
}

/// The members of an object that is being written.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn name(&mut self, name: &str) {
        let before: &[u8] = if self.first { b"\"" } else { b",\"" };
        self.first = false;
        self.out.extend_from_slice(before);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Text that JSON has nothing to escape in: words and names.
    fn plain(&mut self, name: &str, text: &str) {
        debug_assert!(!text.bytes().any(|b| matches!(b, 0..0x20 | b'"' | b'\\')));
        self.name(name);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    fn word(&mut self, name: &str, word: Option<&Word>) {
        self.maybe(word, |members, word| members.plain(name, word.as_str()));
    }

    /// Text that JSON may have to escape something in, and what is seldom there.
    fn json<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.name(name);
        serde_json::to_writer(&mut *self.out, value)
            .expect("strings and numbers written to memory cannot fail");
    }

    fn hex(&mut self, name: &str, bytes: &[u8; 16]) {
        self.prefixed(name, "", bytes);
    }

    fn prefixed(&mut self, name: &str, prefix: &str, bytes: &[u8; 16]) {
        let mut digits = [0; 32];
        hex::encode_to_slice(bytes, &mut digits).expect("two digits for each byte");
        self.name(name);
        self.out.push(b'"');
        self.out.extend_from_slice(prefix.as_bytes());
        self.out.extend_from_slice(&digits);
        self.out.push(b'"');
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        write!(self.out, "{number}").expect("writing to memory cannot fail");
    }

    fn peer(&mut self, name: &str, peer: Peer) {
        self.name(name);
        let written = match peer {
            Peer::Ip(address, port) => {
                write!(self.out, "\"{}\"", SocketAddr::new(address.to_canonical(), port))
            }
            Peer::Unix(user) => write!(self.out, "\"unix:{user}\""),
        };
        written.expect("writing to memory cannot fail");
    }

    fn object(&mut self, name: &str, object: &Object) {
        self.name(name);
        self.out.push(b'{');
        let mut members = Members { out: self.out, first: true };
        members.plain("kind", object.kind.name());
        members.maybe(object.vault.as_ref(), |m, vault| m.plain("vault", vault.as_str()));
        members.maybe(object.name.as_ref(), |m, name| m.plain("name", name.as_str()));
        members.maybe(object.id, |m, id| m.hex("id", &id.0));
        members.maybe(object.version, |m, version| m.hex("version", version.as_bytes()));
        self.out.push(b'}');
    }
}
