//! Hashing as RFC 6962 section 2.1 has it: SHA-256, with one byte in front that
//! keeps a leaf from ever passing for a node.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// A SHA-256 hash in the tree: of a record, of a subtree, or of the whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The root of the tree without records: the hash of nothing.
    pub fn of_empty_tree() -> Self {
        sha256(&[])
    }

    /// The hash of one record's encoding: `SHA-256(00 ‖ entry)`.
    pub fn of_leaf(entry: &[u8]) -> Self {
        let mut input = Vec::with_capacity(1 + entry.len());
        input.push(0);
        input.extend_from_slice(entry);
        sha256(&input)
    }

    /// The hash over two subtrees: `SHA-256(01 ‖ left ‖ right)`.
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let mut input = [1; 65];
        input[1..33].copy_from_slice(&left.0);
        input[33..].copy_from_slice(&right.0);
        sha256(&input)
    }

    /// The hash in `bytes`; `None` unless there are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Plain SHA-256.
pub fn sha256(input: &[u8]) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, input).as_ref());
    Hash(out)
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
