//! Entry bundles: records one after the other, each behind its length in two bytes,
//! big-endian (C2SP tlog-tiles, "Log entries").

/// Appends an entry to a bundle's bytes.
pub(crate) fn push(bundle: &mut Vec<u8>, entry: &[u8]) {
    debug_assert!(entry.len() <= usize::from(u16::MAX));
    bundle.extend_from_slice(&(entry.len() as u16).to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// The entries of a bundle; `None` unless the bytes hold exactly `count`.
pub(crate) fn split(mut bytes: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    // Each entry takes two bytes at least: a count from a file reserves nothing more.
    if bytes.len() < count.checked_mul(2)? {
        return None;
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let (len, rest) = bytes.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}
