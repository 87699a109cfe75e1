//! Frames to bytes and back.
//!
//! ```text
//! to a keyhost    packet = since (8, big-endian) ‖ frame …
//! from a keyhost  packet = frame …
//!                 frame  = length (4, big-endian) ‖ postcard body
//! ```
//!
//! `since` is when the first call of the packet was made, in microseconds of
//! `CLOCK_MONOTONIC`. It tells the keyhost how long calls wait for it.

use bytes::Bytes;
use keyreeve_memory::wipe;
use postcard::{Result, ser_flavors::Flavor};
use serde::Serialize;

const LENGTH: usize = 4;

/// How long the head of a packet to a keyhost is, in bytes.
pub(crate) const HEAD: usize = 8;

/// Begins a packet to a keyhost in an empty buffer.
pub(crate) fn begin(packet: &mut Vec<u8>, since_us: u64) {
    debug_assert!(packet.is_empty(), "a packet begins with its head");
    packet.extend_from_slice(&since_us.to_be_bytes());
}

/// Takes off the head: since when the packet's first call waits, and its frames.
/// `None` if there is no whole head.
pub(crate) fn split_head(packet: &[u8]) -> Option<(u64, &[u8])> {
    let (since, frames) = packet.split_first_chunk::<HEAD>()?;
    Some((u64::from_be_bytes(*since), frames))
}

/// Appends `body` as one frame.
///
/// # Panics
///
/// Never: frames have no type that postcard cannot write.
pub(crate) fn append<T: Serialize>(packet: &mut Vec<u8>, body: &T) {
    let start = packet.len();
    packet.extend_from_slice(&[0; LENGTH]);
    postcard::serialize_with_flavor(body, Appender(packet)).expect("frames can be written");
    let len = u32::try_from(packet.len() - start - LENGTH).expect("a frame is below 4 GiB");
    packet[start..start + LENGTH].copy_from_slice(&len.to_be_bytes());
}

/// The bodies of the frames in a packet. Ends early, with `None`, at a length that
/// runs past the packet.
pub(crate) fn bodies(packet: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = Some(packet);
    std::iter::from_fn(move || {
        let bytes = rest.filter(|bytes| !bytes.is_empty())?;
        let body = split(bytes);
        rest = body.map(|(_, after)| after);
        Some(body.map(|(body, _)| body))
    })
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, after) = bytes.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    after.split_at_checked(length)
}

/// The body of an answer, which may hold a secret: it neither prints nor compares,
/// and is wiped when the last part of it is dropped. It has a buffer of its own, so
/// that nobody's answer lives on in what somebody else keeps.
pub(crate) struct Body(Bytes);

impl Body {
    pub(crate) fn copy_of(body: &[u8]) -> Self {
        Self(Bytes::from_owner(Wiped(body.into())))
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// A part of it that is no secret, without a copy.
    pub(crate) fn share(&self, part: &[u8]) -> Bytes {
        self.0.slice_ref(part)
    }
}

struct Wiped(Box<[u8]>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Writes straight into the packet.
struct Appender<'a>(&'a mut Vec<u8>);

impl Flavor for Appender<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use keyreeve_types::{SignatureAlgorithm, VersionId};
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{KeyRef, Request, RequestFrame};

    fn sign(id: u64, input: &[u8]) -> RequestFrame<'_> {
        let key = KeyRef { version: VersionId::from_bytes([7; 16]), revision: 3 };
        let request = Request::Sign { key, algorithm: SignatureAlgorithm::Es256, input };
        RequestFrame { id, shard: 1, deadline_us: 99, opening: None, request }
    }

    /// Guards against frames that run together or lose their payload.
    #[test]
    fn frames_of_a_packet_come_back_one_by_one() {
        let mut packet = Vec::new();
        append(&mut packet, &sign(1, &[1; 32]));
        append(&mut packet, &sign(2, &[2; 48]));
        let frames: Vec<RequestFrame<'_>> = bodies(&packet)
            .map(|body| postcard::from_bytes(body.expect("whole")).expect("a frame"))
            .collect();
        assert_eq!(frames.iter().map(|f| f.id).collect::<Vec<_>>(), [1, 2]);
        assert!(matches!(frames[1].request, Request::Sign { input, .. } if input == [2; 48]));
        assert!(packet.len() < 2 * 80 + 32 + 48, "a frame is small: {}", packet.len());
    }

    /// Guards against a head that is read as part of a frame, and a packet without
    /// one that is served.
    #[test]
    fn a_head_comes_off_whole_or_not_at_all() {
        let mut packet = Vec::new();
        begin(&mut packet, 77);
        append(&mut packet, &sign(1, &[1; 32]));
        let (since, frames) = split_head(&packet).expect("a head");
        assert_eq!((since, bodies(frames).count()), (77, 1));
        assert_eq!(split_head(&packet[..HEAD - 1]), None);
    }

    proptest! {
        /// Guards against a parser that panics or reads past the packet.
        #[test]
        fn arbitrary_packets_are_survived(packet in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut seen = 0;
            for body in bodies(&packet) {
                seen += 1;
                if let Some(body) = body {
                    let _ = postcard::from_bytes::<RequestFrame<'_>>(body);
                }
            }
            prop_assert!(seen <= packet.len());
        }

        /// Guards against a truncated frame that is taken for a whole one.
        #[test]
        fn a_cut_packet_ends_in_a_broken_frame(cut in 1_usize..40) {
            let mut packet = Vec::new();
            append(&mut packet, &sign(1, &[1; 32]));
            packet.truncate(packet.len() - cut);
            prop_assert_eq!(bodies(&packet).collect::<Vec<_>>(), vec![None]);
        }
    }
}
