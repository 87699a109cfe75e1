//! The service without a transport: vaults, keys and what keys are for.
//!
//! Both doors call it and nothing else. Every operation passes the gate, which asks
//! `keyreeve-authz`, takes the [`Caller`] first and a [`Deadline`] last, and is a file
//! of its own under [`vaults`], [`keys`], [`crypto`], [`roles`] and [`assignments`].
//!
//! All records are in memory, as snapshots that are read without a lock; the store
//! is written before a change is acknowledged and read by nothing on the way of an
//! operation with a key. Private keys are in keyhosts: what this process holds of
//! them is sealed.
//!
//! This crate refuses to know gRPC, HTTP, tokens and files.

pub mod assignments;
pub mod crypto;
#[cfg(feature = "fuzz")]
pub mod fuzzing;
pub mod identities;
pub mod keys;
pub mod roles;
pub mod settings;
pub mod vaults;

mod access;
mod audit_log;
mod backends;
mod caller;
mod clock;
mod commit;
mod directory;
mod draw;
mod early;
mod error;
mod gate;
mod limit;
mod meter;
mod name;
mod outlet;
mod page;
mod record;
mod registry;
mod service;
mod status;
mod usable;
mod whoami;

pub use access::ConfiguredRole;
pub use backends::{Backends, Tier};
pub use caller::{Caller, Identity, RequestId, Source, TraceId};
pub use clock::Clock;
pub use crypto::Jwks;
pub use directory::{
    Account, CertificateCredential, ClientSecret, FederatedCredential, IssuedToken, TokenOwner,
};
pub use early::Unproven;
pub use error::{Error, Kind};
/// How callers are named in the audit log.
pub use keyreeve_audit::record::{Credential, Id, Method, Peer};
pub use keyreeve_authz as authz;
pub use keyreeve_keyhost::Deadline;
pub use limit::{Debtor, Rate, Rates, Throttled};
pub use meter::{Authentication, Expiring, LATENCY_US, Latencies, Requests, Span, Spans, Totals};
pub use name::{KeyName, VaultName};
pub use outlet::Outlet;
pub use page::{Page, PageRequest};
pub use registry::{Follower, KeyVersion, LoadError, Vault};
pub use service::{Service, Shared};
pub use settings::Settings;
pub use whoami::WhoAmI;
