//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of the tree, as the
//! text of a signed note. Without extension lines: no monitor could check those.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{BadNote, Hash, VerifierKey};

/// The state of a log, in 32 bytes and a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// How many records it has.
    pub size: u64,
    /// The root over all of them (RFC 6962 section 2.1).
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a checkpoint that `key` signed.
    ///
    /// # Errors
    /// [`BadNote`] if it is none, or is of another log, or the signature is wrong.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, BadNote> {
        let checkpoint = Self::parse(key.open(note)?).ok_or(BadNote)?;
        if checkpoint.origin == key.name() { Ok(checkpoint) } else { Err(BadNote) }
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64_STANDARD.encode(self.root.0))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split_terminator('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = Hash::from_slice(&BASE64_STANDARD.decode(root).ok()?)?;
        let checkpoint = Self { origin: origin.to_owned(), size: size.parse().ok()?, root };
        (checkpoint.text() == text).then_some(checkpoint)
    }
}
