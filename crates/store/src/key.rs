//! Keys: ordered bytes, built from path segments.
//!
//! ```text
//! key     = segment*
//! segment = byte* 00 01      where a 00 inside the bytes is written 00 FF
//! ```
//!
//! Every segment ends with a mark, so that the key of `["vaults"]` is a prefix of
//! the keys below it and of no other: `["vaults-old"]` is never scanned by
//! mistake. The mark sorts below every byte that could stand in its place, so keys
//! sort as their lists of segments do.

use std::fmt;

use bytes::Bytes;

const MARK: [u8; 2] = [0x00, 0x01];
const ESCAPED_ZERO: [u8; 2] = [0x00, 0xff];

/// A key, or the prefix of keys. Ordered bytewise; cheap to clone.
///
/// A key that is stored has 1 to [`crate::MAX_KEY_BYTES`] bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(Bytes);

impl Key {
    /// The prefix of every key. Not itself a key that can be stored.
    pub const ROOT: Self = Self(Bytes::new());

    /// The key of a path. Two different lists of segments never give the same
    /// bytes, and the key of a list is a prefix of exactly the keys that continue it.
    pub fn new<S: AsRef<[u8]>>(segments: impl IntoIterator<Item = S>) -> Self {
        let mut bytes = Vec::new();
        for segment in segments {
            push_segment(&mut bytes, segment.as_ref());
        }
        Self(bytes.into())
    }

    /// The key of this path with one segment more.
    pub fn child(&self, segment: impl AsRef<[u8]>) -> Self {
        let segment = segment.as_ref();
        let mut bytes = Vec::with_capacity(self.0.len() + segment.len() + MARK.len());
        bytes.extend_from_slice(&self.0);
        push_segment(&mut bytes, segment);
        Self(bytes.into())
    }

    /// A key of exactly these bytes. For engines, which read keys back; everything
    /// else builds keys from segments.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, as stored and ordered.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The segments that make this key, or `None` if it was not built from segments.
    pub fn segments(&self) -> Option<Vec<Vec<u8>>> {
        let mut segments = Vec::new();
        let mut segment = Vec::new();
        let mut rest = self.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            if byte != 0 {
                segment.push(byte);
                rest = tail;
            } else if let Some(tail) = rest.strip_prefix(&MARK) {
                segments.push(std::mem::take(&mut segment));
                rest = tail;
            } else {
                rest = rest.strip_prefix(&ESCAPED_ZERO)?;
                segment.push(0);
            }
        }
        segment.is_empty().then_some(segments)
    }

    /// Whether this key lies under `prefix`. Every key lies under itself and under
    /// [`Key::ROOT`].
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The smallest byte string above every key with this prefix; `None` if there
    /// is none, that is if the prefix is empty or all `FF`. For engines that scan by
    /// range.
    pub fn prefix_end(&self) -> Option<Vec<u8>> {
        let last = self.0.iter().rposition(|&byte| byte != 0xff)?;
        let mut end = self.0[..=last].to_vec();
        end[last] += 1;
        Some(end)
    }
}

fn push_segment(bytes: &mut Vec<u8>, segment: &[u8]) {
    for &byte in segment {
        match byte {
            0 => bytes.extend_from_slice(&ESCAPED_ZERO),
            byte => bytes.push(byte),
        }
    }
    bytes.extend_from_slice(&MARK);
}

/// Segments separated by `/`, or the raw bytes if there are none; what is not
/// printable ASCII, and `/` and `\` inside a segment, is written `\xNN`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.segments() {
            Some(segments) => {
                for (position, segment) in segments.iter().enumerate() {
                    if position > 0 {
                        f.write_str("/")?;
                    }
                    write_escaped(f, segment)?;
                }
                Ok(())
            }
            None => {
                f.write_str("raw:")?;
                write_escaped(f, self.as_bytes())
            }
        }
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for &byte in bytes {
        match byte {
            b'/' | b'\\' => write!(f, "\\x{byte:02x}")?,
            b' '..=b'~' => write!(f, "{}", char::from(byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    Ok(())
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn segments() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let byte = prop_oneof![Just(0_u8), Just(1), Just(0xff), Just(b'/'), any::<u8>()];
        vec(vec(byte, 0..5), 0..4)
    }

    proptest! {
        /// Guards against two paths that share a key, which would let one object
        /// overwrite another.
        #[test]
        fn segments_come_back_as_they_went_in(segments in segments()) {
            prop_assert_eq!(Key::new(&segments).segments(), Some(segments));
        }

        /// Guards against an escape that changes the order, so that a page token
        /// skips entries.
        #[test]
        fn keys_sort_as_their_segments_do(a in segments(), b in segments()) {
            prop_assert_eq!(Key::new(&a).cmp(&Key::new(&b)), a.cmp(&b));
        }

        /// Guards against a scan of one vault that returns another's entries.
        #[test]
        fn a_prefix_holds_exactly_the_paths_that_continue_it(a in segments(), b in segments()) {
            prop_assert_eq!(Key::new(&b).starts_with(&Key::new(&a)), b.starts_with(&a));
        }

        /// Guards against a range end that cuts off or overshoots a prefix.
        #[test]
        fn the_prefix_end_splits_inside_from_above(
            prefix in vec(prop_oneof![Just(0xff_u8), any::<u8>()], 0..4),
            key in vec(prop_oneof![Just(0xff_u8), any::<u8>()], 0..6),
        ) {
            let prefix = Key::from_bytes(prefix);
            let key = Key::from_bytes(key);
            let below_end = prefix.prefix_end().is_none_or(|end| key.as_bytes() < &end[..]);
            prop_assert_eq!(key >= prefix && below_end, key.starts_with(&prefix));
        }

        /// Guards against a panic or a false path from bytes that an engine read back.
        #[test]
        fn bytes_are_a_path_only_if_the_path_gives_the_same_bytes(
            bytes in vec(prop_oneof![Just(0_u8), Just(1), Just(0xff), any::<u8>()], 0..12),
        ) {
            let key = Key::from_bytes(bytes);
            if let Some(segments) = key.segments() {
                prop_assert_eq!(Key::new(segments), key);
            }
        }
    }

    /// Guards against control characters or a forged separator in logs.
    #[test]
    fn display_escapes_what_is_not_plain_text() {
        assert_eq!(Key::new(["vaults", "prod"]).to_string(), "vaults/prod");
        assert_eq!(Key::new([&b"a/b"[..], b"\n\\"]).to_string(), "a\\x2fb/\\x0a\\x5c");
        assert_eq!(Key::from_bytes(&b"ab\x00"[..]).to_string(), "raw:ab\\x00");
    }
}
