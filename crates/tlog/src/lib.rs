//! Hashes, proofs and signed checkpoints of a tiled log (RFC 6962, C2SP).
//!
//! The log and whoever signs for it are different processes, and the signer must not
//! take the log's word for anything. So what both need is here: hashing a tree,
//! checking that one tree goes on from another, reading and writing the notes that
//! are signed.
//!
//! This crate refuses to know files, records and where a key is kept.

mod checkpoint;
mod hash;
mod note;
mod proof;

pub use checkpoint::Checkpoint;
pub use hash::{Hash, sha256};
pub use note::{BadNote, VerifierKey};
pub use proof::{Subtrees, check_consistency, check_inclusion, consistency, inclusion, root};
