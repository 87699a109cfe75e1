//! Wiping at the speed of `memset`.
//!
//! On the path of every request buffers of some kilobytes are wiped several times.
//! A loop of volatile stores costs a cycle for each byte; `explicit_bzero` is the C
//! library's `memset` with the promise that it is not left out.

/// Writes zeros over `bytes`; the optimiser may not leave it out.
pub fn wipe(bytes: &mut [u8]) {
    // SAFETY: the slice is valid for writes of its length.
    unsafe { libc::explicit_bzero(bytes.as_mut_ptr().cast(), bytes.len()) };
}

/// Wipes what a buffer holds and empties it. Its capacity stays; what lay beyond
/// its length must have been wiped when it was cut.
pub fn wipe_and_clear(buffer: &mut Vec<u8>) {
    wipe(buffer);
    buffer.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a wipe that the optimiser takes for a dead store, and one that
    /// frees the buffer that is to be filled again.
    #[test]
    fn a_wiped_buffer_is_empty_and_keeps_its_room() {
        let mut bytes = [0xA5; 100];
        wipe(&mut bytes[..99]);
        assert_eq!((bytes[..99].iter().max(), bytes[99]), (Some(&0), 0xA5));

        let mut buffer = vec![0xA5; 100];
        wipe_and_clear(&mut buffer);
        assert!(buffer.is_empty() && buffer.capacity() >= 100);
        buffer.resize_with(1, Default::default);
    }
}
