//! The audit log: what was asked of the service, by whom, and how it ended, so that
//! nobody can change it afterwards without its showing.
//!
//! ```text
//! Record ──► sheaf ──► writer ──one frame, one sync──► journal ─► the caller goes on
//!                      │
//!                      └─► publisher ──► tiles ──► signer ──► checkpoint
//! ```
//!
//! A record is durable before [`Log::append`] returns. Tiles and checkpoints follow
//! within a second: a Merkle tree (RFC 6962) in files (C2SP tlog-tiles), under notes
//! signed with Ed25519. Whoever has the public key can verify a copy of the directory
//! with this crate or with any other reader of the format; whoever keeps a checkpoint
//! can tell whether the log was rewritten since.
//!
//! What cannot be seen: that records were cut off which no checkpoint covered yet,
//! and, by somebody who kept no checkpoint, that the whole log was rewritten by
//! whoever has its key.
//!
//! This crate refuses to know what is worth recording, and how a record is asked for.

mod appender;
mod atomic;
mod bundle;
mod commit;
mod error;
mod files;
mod inclusion;
mod journal;
mod layout;
mod lock;
mod log;
mod ocsf;
mod publisher;
mod query;
mod read;
pub mod record;
mod recorder;
mod recover;
mod retention;
mod scribe;
mod sheaf;
mod signer;
mod state;
mod tile;
mod tiles;
mod tray;
mod tree;
mod verify;
mod writer;

pub use appender::Appender;
pub use commit::Durable;
pub use error::{Contradiction, OpenError, ReadError, Stopped};
pub use files::{DiskFiles, Files, Listed, Writable};
pub use inclusion::{BadProof, InclusionProof, prove};
pub use keyreeve_tlog::{
    BadNote, Checkpoint, Hash, VerifierKey, check_consistency, check_inclusion,
};
pub use log::{CheckpointError, Log, Settings};
pub use ocsf::to_ocsf;
pub use query::{Outcome, Query};
pub use read::{Entry, Reader};
pub use record::{Record, Word};
pub use recorder::{Opening, Recorder, Standing, Unrecorded};
pub use retention::{PRUNE, PruneError};
pub use scribe::{Scribe, ScribeDriver};
pub use signer::{CheckpointSigner, Ed25519Signer, SigningError, SigningRequest};
pub use state::Health;
pub use tree::Tree;
pub use verify::{Fault, Problem, Report, verify};
