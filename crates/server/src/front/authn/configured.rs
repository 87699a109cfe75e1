//! The tokens of the configuration. They never change while a front lives.

use std::{collections::HashMap, sync::Arc};

use keyreeve_identity::secret;
use keyreeve_service::Identity;

/// Everybody whom the configuration lets in.
///
/// The look-up goes by the SHA-256 of what was presented. Its time can tell
/// something about that hash, which tells nothing about a token that has 256
/// random bits; the comparison that admits takes the same time for every hash.
pub(crate) struct Tokens {
    known: HashMap<u64, Vec<Known>>,
}

/// The SHA-256 of a token, and whom the token proves.
type Known = ([u8; 32], Arc<Identity>);

impl Tokens {
    /// From identities and SHA-256 of the tokens that prove them.
    pub(crate) fn new(identities: impl IntoIterator<Item = (Identity, [u8; 32])>) -> Self {
        let mut known: HashMap<u64, Vec<_>> = HashMap::new();
        for (identity, hash) in identities {
            known.entry(prefix(&hash)).or_default().push((hash, Arc::new(identity)));
        }
        Self { known }
    }

    pub(super) fn find(&self, hash: &[u8; 32]) -> Option<Arc<Identity>> {
        let candidates = self.known.get(&prefix(hash))?;
        let (_, identity) = candidates.iter().find(|(known, _)| secret::same(known, hash))?;
        Some(Arc::clone(identity))
    }
}

fn prefix(hash: &[u8; 32]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first)
}
