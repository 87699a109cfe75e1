//! The part of an output buffer that an operation is still writing.
//!
//! An operation appends to a buffer it does not own and may fail halfway. What it
//! wrote by then may be a plaintext that did not authenticate. This type wipes and
//! removes it unless the operation says that it is complete.

use zeroize::Zeroize;

/// Bytes appended to a buffer and not yet released.
pub(crate) struct Written<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Written<'a> {
    /// Appends `len` zero bytes to `out`.
    pub(crate) fn zeros(out: &'a mut Vec<u8>, len: usize) -> Self {
        let start = out.len();
        out.resize(start + len, 0);
        Self { out, start }
    }

    /// Appends a copy of `bytes` to `out`, and room for `extra` more.
    pub(crate) fn copy_of(out: &'a mut Vec<u8>, bytes: &[u8], extra: usize) -> Self {
        let start = out.len();
        out.reserve(bytes.len() + extra);
        out.extend_from_slice(bytes);
        Self { out, start }
    }

    /// What was appended.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.out[self.start..]
    }

    /// Appends `count` copies of `byte` more.
    pub(crate) fn append(&mut self, byte: u8, count: usize) {
        self.out.resize(self.out.len() + count, byte);
    }

    /// Releases the first `len` bytes to the owner of the buffer; the rest is wiped.
    pub(crate) fn release(mut self, len: usize) {
        self.start += len;
    }

    /// Releases everything.
    pub(crate) fn release_all(mut self) {
        self.start = self.out.len();
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        self.out[self.start..].zeroize();
        self.out.truncate(self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a rejected plaintext left behind a truncated length.
    #[test]
    fn what_is_not_released_is_removed_and_wiped() {
        let mut out = b"before".to_vec();
        out.reserve(64);
        let mut written = Written::zeros(&mut out, 8);
        written.bytes().copy_from_slice(b"secret!!");
        drop(written);
        assert_eq!(out, b"before");
        out.resize(14, 0xee);
        out.truncate(6);
        let mut written = Written::copy_of(&mut out, b"secret", 2);
        written.append(b'!', 2);
        written.release(4);
        assert_eq!(out, b"beforesecr");
    }
}
