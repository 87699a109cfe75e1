//! One record: who asked for what, from where, what was decided and how it ended.
//!
//! A record is built from types that have no room for a secret: names that passed
//! the name rule, ids of fixed length, numbers, words that are part of this program
//! or of its configuration, and fingerprints that are hashed here. There is no
//! field for text of a caller's choice, none for a payload, and none for a message.
//! The one free text is the name of a principal, which its issuer chose; it is bounded
//! and what could mislead a reader of the log is escaped.
//!
//! This module refuses to know what operations exist: they are words.

mod change;
mod credential;
mod decode;
mod encode;
mod object;
mod principal;
mod term;
mod word;

use std::net::IpAddr;

pub use change::{Change, Digest, PolicyEntry};
pub use credential::Credential;
pub use decode::BadEntry;
pub use encode::MAX_ENTRY;
pub use object::{Kind, Object};
pub use principal::{BadPrincipal, PrincipalName};
pub use term::{BadTerm, Term};
pub use word::{BadWord, Word};

/// 128 bits that identify a request, a trace, an assignment or an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub [u8; 16]);

/// What is written about one request, or about one job of the service's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub time_us: u64,
    /// Before the deed or after it.
    pub phase: Phase,
    /// The request; an intent and its outcome share it.
    pub request: Id,
    /// The trace the request belongs to (W3C trace context), if the caller sent one.
    pub trace: Option<Id>,
    /// Who asked.
    pub caller: Caller,
    /// What for.
    pub action: Action,
    /// Where from.
    pub source: Source,
    /// Whether it was allowed.
    pub decision: Decision,
    /// The backend or slot that did it: a name of the configuration.
    pub backend: Option<Word>,
    /// What the operation counts: records of a summary, or the minimum index of a prune.
    pub number: Option<u64>,
    /// What it sets of who may do what.
    pub change: Option<Box<Change>>,
}

/// Whether a record announces a deed or tells how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Written before anything is changed or destroyed. An intent without an outcome
    /// is a deed that a crash interrupted: it may or may not have been done.
    Intent,
    /// Written before the answer leaves.
    Outcome {
        /// How it ended.
        ending: Ending,
        /// From the request's arrival to this record, in microseconds.
        latency_us: u64,
    },
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The caller gets what was asked for.
    Ok,
    /// The caller gets an error.
    Failed {
        /// The status code, such as `PERMISSION_DENIED`.
        code: Word,
        /// The reason beside it, such as `KEY_DISABLED`, if there is one.
        reason: Option<Word>,
    },
}

/// Who asked, and how we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The proven principal. `None` if nothing was presented or the proof failed.
    pub principal: Option<PrincipalName>,
    /// The scheme that was tried.
    pub method: Method,
    /// Which credential, never the credential itself.
    pub credential: Option<Credential>,
}

/// How a caller proves who they are. Texts in the log are those of [`Method::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Nothing was presented.
    NotPresented,
    /// A bearer token that Keyreeve issued.
    Token,
    /// A client secret, at the token endpoint.
    ClientSecret,
    /// An assertion that the client signed, at the token endpoint.
    ClientAssertion,
    /// A token of another issuer, presented for one of Keyreeve at the token endpoint.
    Federated,
    /// A client certificate.
    MutualTls,
    /// A JWT of a configured issuer.
    Oidc,
    /// The credentials of a Unix socket's peer.
    PeerCredentials,
    /// Nobody asked: the service's own job.
    Internal,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 9] = [
        Self::NotPresented,
        Self::Token,
        Self::ClientSecret,
        Self::ClientAssertion,
        Self::Federated,
        Self::MutualTls,
        Self::Oidc,
        Self::PeerCredentials,
        Self::Internal,
    ];

    /// The word in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPresented => "none",
            Self::Token => "token",
            Self::ClientSecret => "client-secret",
            Self::ClientAssertion => "client-assertion",
            Self::Federated => "federated",
            Self::MutualTls => "mtls",
            Self::Oidc => "oidc",
            Self::PeerCredentials => "peer",
            Self::Internal => "internal",
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The operation, by the name of its RPC, such as `Sign`.
    pub operation: Word,
    /// What it is asked of.
    pub object: Object,
    /// The second object of an operation that needs two, such as the key to
    /// re-encrypt from.
    pub from: Option<Object>,
    /// The algorithm, by its JOSE name.
    pub algorithm: Option<Word>,
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The other end of the connection.
    pub peer: Option<Peer>,
    /// The listener it came in by: a name of the configuration.
    pub listener: Option<Word>,
}

/// The other end of a connection, as the kernel names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An IP address and a port.
    Ip(IpAddr, u16),
    /// A process of this machine, by user id.
    Unix(u32),
}

/// What the roles said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The request ended before the roles were asked.
    NotReached,
    /// Allowed, by this assignment.
    Allowed(Option<Id>),
    /// Denied, by this assignment, or because none allows it.
    Denied(Option<Id>),
}

impl Record {
    /// The record's one encoding, which the log's hashes are over. At most
    /// [`MAX_ENTRY`] bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut entry = Vec::with_capacity(512);
        self.encode_into(&mut entry);
        entry
    }

    /// Appends the encoding to `out`.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        encode::encode(self, out);
    }

    /// Reads an entry of the log.
    ///
    /// # Errors
    /// Whatever is not byte for byte what [`Record::encode`] writes is refused.
    pub fn decode(entry: &[u8]) -> Result<Self, BadEntry> {
        decode::decode(entry)
    }

    /// Whether the request ended well; `None` for an intent.
    pub const fn succeeded(&self) -> Option<bool> {
        match self.phase {
            Phase::Intent => None,
            Phase::Outcome { ending: Ending::Ok, .. } => Some(true),
            Phase::Outcome { ending: Ending::Failed { .. }, .. } => Some(false),
        }
    }
}

#[cfg(test)]
mod tests;
