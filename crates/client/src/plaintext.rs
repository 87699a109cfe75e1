//! What the service returned in the clear, wiped when it is dropped.

use std::{fmt, ops::Deref};

use bytes::Bytes;
use zeroize::Zeroizing;

/// Secret bytes: a plaintext or a key. They are wiped on drop and never shown in
/// `Debug`. The network library's buffers they arrived in are beyond reach.
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for a type that wipes them as well.
    pub fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl From<Bytes> for Plaintext {
    /// Copies, then wipes the original if nothing else shares its buffer.
    fn from(bytes: Bytes) -> Self {
        let copy = Self::new(bytes.to_vec());
        if let Ok(mut original) = bytes.try_into_mut() {
            zeroize::Zeroize::zeroize(original.as_mut());
        }
        copy
    }
}

impl Deref for Plaintext {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Plaintext {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext(<{} bytes>)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a plaintext reaching a log through `{:?}`.
    #[test]
    fn debug_shows_the_length_alone() {
        let secret = Plaintext::from(Bytes::from_static(b"canary-2b77"));
        assert_eq!(format!("{secret:?}"), "Plaintext(<11 bytes>)");
        assert_eq!(&secret[..], b"canary-2b77");
    }
}
