//! Secrets on their way out.

use bytes::Bytes;
use zeroize::Zeroizing;

/// A secret the caller asked for, as an answer carries it: wiped when the answer is
/// dropped.
pub(crate) fn to_bytes(secret: Zeroizing<Vec<u8>>) -> Bytes {
    Bytes::from_owner(Wiped(secret))
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
